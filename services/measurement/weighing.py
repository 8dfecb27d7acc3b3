"""Weighing: how much each viewer's figures count, so that one forged viewer cannot move a percentile.

A viewer counts at most as much as one usually does. From 20 viewers on, that makes one less than 5 % of all. Of
three or more, the one that stands out furthest counts for less than 5 % of the others: its figures are theirs
to confirm. One or two viewers confirm nobody, and count as received.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.sheets import Line, usual
from services.sketch import Sketch

CONFIRMED_FROM = 3
"""With fewer viewers nobody can say which of them is right."""
CROWD_FROM = 20
"""With so many viewers of equal weight one is at most 5 %."""
ALONE_PERCENT = 4
"""What a viewer that stands out may count for, in percent of the others."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Sketches to be added up, each of one viewer or of a crowd."""

    parts: tuple[Sketch, ...]

    @property
    def total(self) -> int:
        return sum(part.count for part in self.parts)

    def within(self, limit: float) -> int:
        """How many are at most `limit`."""
        return sum(part.within(limit) for part in self.parts)

    def whole(self) -> Sketch:
        """All parts as one."""
        merged = Sketch()
        for part in self.parts:
            merged.merge(part)
        return merged


def weigh(lines: Iterable[Line], limit: float, most: int | None = None) -> Weighed:
    """The viewers of all lines, each with its weight; `most` is what one may count, else what one usually does."""
    held = list(lines)
    viewers = [viewer for line in held for _, viewer in sorted(line.viewers.items()) if viewer.count]
    crowds = [line.crowd for line in held if line.crowd.count]
    known = len(viewers) + sum(line.crowd_viewers for line in held)
    if not viewers:
        return Weighed(tuple(crowds))
    cap = usual(viewers) if most is None else most
    thinned = [viewer.thinned(cap) for viewer in viewers]
    if CONFIRMED_FROM <= known < CROWD_FROM:
        thinned = _held_down(thinned, limit)
    return Weighed((*thinned, *crowds))


def _held_down(viewers: Sequence[Sketch], limit: float) -> list[Sketch]:
    """The viewer with the greatest number over the limit is the one that stands out furthest."""
    over = [viewer.count - viewer.within(limit) for viewer in viewers]
    alone = max(range(len(viewers)), key=lambda n: (over[n], -n))
    others = sum(viewer.count for n, viewer in enumerate(viewers) if n != alone)
    held = viewers[alone].thinned(others * ALONE_PERCENT // 100)
    return [held if n == alone else viewer for n, viewer in enumerate(viewers)]
