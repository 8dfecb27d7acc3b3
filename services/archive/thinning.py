"""Thinning: of the points of a line those that a chart can show: the peaks of each stretch, both ends, and the gaps.

By min-max (tsdownsample): each stretch of equal time keeps its least and greatest value, so that no peak is lost and no
value is shown that was none. Only who thins something loads numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy import bool_, int64
    from numpy.typing import NDArray

Pair = list[Any]
"""[t, value]; a value of None is a gap: no line over it."""
MOST_MIN = 8
"""A short part of a long window still gets so many; tsdownsample panics at fewer than two stretches."""


def thinned(points: Sequence[Pair], most: int, gap_ms: int | None, lost: Sequence[int] = ()) -> list[Pair]:
    """About `most` of the points in order of time (ms), at most one and a half times as many, with a gap wherever two
    are further apart than `gap_ms`, a value is missing, or something was lost: `lost` are the times since when.

    Few points come back as they are. The edges of gaps are kept, of the longest ones where there are many.
    """
    most = max(most, MOST_MIN)
    if len(points) <= most:
        return with_gaps(points, gap_ms, lost)
    import numpy as np
    from tsdownsample import MinMaxDownsampler

    known = [number for number, pair in enumerate(points) if pair[1] is not None]
    if not known:
        return with_gaps(points[:: len(points) - 1], None)
    times = np.fromiter((points[number][0] for number in known), np.int64, len(known))
    values = np.fromiter((points[number][1] for number in known), np.float64, len(known))
    breaks = np.diff(np.array(known)) > 1
    if gap_ms is not None:
        breaks |= np.diff(times) > gap_ms
    places = np.searchsorted(times, np.array(lost, np.int64), side="right")
    breaks[[place - 1 for place in places.tolist() if 0 < place < len(known)]] = True
    kept = {0, len(known) - 1, *_edges(times, breaks, most // 4)}
    if len(known) > most:
        thinner = MinMaxDownsampler()  # type: ignore[no-untyped-call]
        kept.update(thinner.downsample(times, values, n_out=most - most % 2).tolist())
    else:
        kept.update(range(len(known)))
    passed = np.concatenate([[0], np.cumsum(breaks)])
    return _joined([(points[known[number]], int(passed[number])) for number in sorted(kept)])


def with_gaps(points: Sequence[Pair], gap_ms: int | None, lost: Sequence[int] = ()) -> list[Pair]:
    """All points, with a gap wherever two are further apart, or something was lost between them."""
    found: list[Pair] = []
    for pair in points:
        if found and (_is_far(found[-1][0], pair[0], gap_ms) or any(found[-1][0] <= at < pair[0] for at in lost)):
            found.append([found[-1][0] + 1, None])
        found.append(pair)
    return found


def _is_far(older: int, newer: int, gap_ms: int | None) -> bool:
    return gap_ms is not None and newer - older > gap_ms


def _edges(times: NDArray[int64], breaks: NDArray[bool_], most: int) -> set[int]:
    """The points on both sides of the gaps, the longest ones first."""
    import numpy as np

    (places,) = np.nonzero(breaks)
    longest = np.argsort(times[places] - times[places + 1], kind="stable")[: most // 2]
    return {edge for place in places[longest].tolist() for edge in (place, place + 1)}


def _joined(kept: Sequence[tuple[Pair, int]]) -> list[Pair]:
    """The points, each with how many gaps lie before it; a gap between two of them is one."""
    found: list[Pair] = []
    former = kept[0][1]
    for pair, passed in kept:
        if passed != former:
            found.append([found[-1][0] + 1, None])
        found.append(pair)
        former = passed
    return found
