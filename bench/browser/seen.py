"""Seen: from what was sent and what stood on the screen when, how long each event took to be shown."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from bench.browser.producer import Sent

Kind = Literal["tile", "row", "line"]
Seen = tuple[Kind, str, float, float]
"""What, of which key, what it showed (a serial; of a line its newest time), when (ms since the epoch)."""


def waits_ms(sent: Sequence[Sent], seen: Iterable[Any], kind: Kind) -> tuple[list[float], int]:
    """For each event of a key that was ever seen: from when it was due until it, or a newer one of its key, was shown.

    Also the number of events of such keys that were never shown.
    """
    shown: dict[str, list[tuple[float, float]]] = {}
    for what, key, value, at in seen:
        if what == kind:
            _note(shown.setdefault(key, []), value, at)
    waits, missing = [], 0
    for event in sent:
        if event.meter not in shown:
            continue
        course = shown[event.meter]
        place = bisect_left(course, _mark(event, kind), key=lambda one: one[0])
        if place == len(course):
            missing += 1
        else:
            waits.append(max(0.0, course[place][1] - event.due_ms))
    return waits, missing


def quantile(values: Sequence[float], q: float) -> float:
    """The value that a share q of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


def _note(course: list[tuple[float, float]], value: float, at: float) -> None:
    """Keep the first moment at which each newer value was shown."""
    if not course or value > course[-1][0]:
        course.append((value, at))


def _mark(event: Sent, kind: Kind) -> float:
    return float(int(event.due_ms)) if kind == "line" else float(event.serial)
