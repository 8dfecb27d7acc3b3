"""Shape: what events of a feed are like, from its own history: their values, how often each key, and their rhythm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.declare import FeedSpec
from services.declare.example import example_event

BEATS_MAX = 60
"""A history is played as so many seconds, however long it was."""
QUIETEST = 0.05
EVENTS_MIN = 20
"""Fewer say nothing of a rhythm."""


@dataclass(frozen=True, slots=True)
class Shape:
    """`bodies` are fields of events in the order in which they came; `rhythm` is the share of the peak, second by
    second, the fullest being 1; `said` is where they are from."""

    feed: FeedSpec
    bodies: tuple[Mapping[str, Any], ...]
    rhythm: tuple[float, ...]
    said: str

    def body(self, number: int) -> Mapping[str, Any]:
        return self.bodies[number % len(self.bodies)]

    def beat(self, after_s: float) -> float:
        return self.rhythm[int(after_s) % len(self.rhythm)]


def shape_of(feed: FeedSpec, events: Sequence[tuple[int, Mapping[str, Any]]]) -> Shape:
    """The shape of a history, times in milliseconds; with fewer than 20 usable events it is made of examples."""
    whole = sorted(((at, body) for at, body in events if _whole(feed, body)), key=lambda one: one[0])
    if len(whole) < EVENTS_MIN:
        return Shape(feed, _examples(feed), (1.0,), f"{feed.name}: no history to be like, examples in an even rhythm")
    names = _Names(feed)
    bodies = tuple(names.without_people(body) for _, body in whole)
    rhythm = _rhythm([at for at, _ in whole])
    quiet = sum(rhythm) / len(rhythm)
    said = f"{feed.name}: like {len(bodies):,} events of its history, {100 * quiet:.0f} % of the peak on average"
    return Shape(feed, bodies, rhythm, said)


def _whole(feed: FeedSpec, body: Mapping[str, Any]) -> bool:
    return all(body.get(field.name) is not None for field in feed.fields.values() if field.required)


def _examples(feed: FeedSpec) -> tuple[Mapping[str, Any], ...]:
    """As many keys as a table shows at once, so that rows change as they do in life."""
    example, key = example_event(feed), feed.fields[feed.key]
    values = range(50) if key.value_type == "integer" else [f"load-{number}" for number in range(50)]
    return tuple({**example, feed.key: value} for value in values)


def _rhythm(times: Sequence[int]) -> tuple[float, ...]:
    first, span = times[0], max(1, times[-1] - times[0])
    beats = max(1, min(BEATS_MAX, span // 1000))
    counts = [0] * beats
    for at in times:
        counts[min(beats - 1, (at - first) * beats // span)] += 1
    most = max(counts)
    return tuple(max(QUIETEST, one / most) for one in counts)


class _Names:
    """Stand-ins for what is about people: the same for the same value, so that keys keep how often they come."""

    def __init__(self, feed: FeedSpec) -> None:
        self._feed, self._known = feed, dict[tuple[str, Any], int]()

    def without_people(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            name: self._stand_in(name, value) if name in self._feed.personal else value
            for name, value in body.items()
            if name in self._feed.fields and value is not None
        }

    def _stand_in(self, name: str, value: Any) -> Any:
        number = self._known.setdefault((name, value), len(self._known))
        if isinstance(value, bool):
            return value
        return type(value)(number) if isinstance(value, int | float) else f"person-{number}"[: len(str(value)) + 8]
