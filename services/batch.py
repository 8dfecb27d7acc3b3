"""Batch: events that are folded together, read by column.

What several channels ask of the same events (a column, a share of them, a sum) is computed once. Nothing here
changes an event or holds on to it beyond the fold.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from services.declare import Condition
from services.sketch import Sketch, bins_of

Event = Mapping[str, Any]
Span = tuple[int, int]
T = TypeVar("T")


class Batch:
    """Events in the order of their stream. Raises on a poison event, whatever is asked of it first.

    One that `groups` or `windows` split off picks its columns out of those of the `whole`, by the places it has there.
    """

    __slots__ = ("_events", "_found", "_length", "_pick", "_whole")
    _pick: Callable[[Sequence[Any]], Sequence[Any]]

    def __init__(self, events: Sequence[Event]) -> None:
        self._events: Sequence[Event] | None = events
        self._length = len(events)
        self._whole: Batch | None = None
        self._found: dict[Any, Any] = {}

    def _part(self, places: Sequence[int]) -> Batch:
        part = Batch.__new__(Batch)
        part._events, part._length, part._whole, part._found = None, len(places), self, {}
        part._pick = _picker(places)
        return part

    def __len__(self) -> int:
        return self._length

    @property
    def events(self) -> Sequence[Event]:
        if self._events is None:
            assert self._whole is not None
            self._events = self._pick(self._whole.events)
        return self._events

    def check(self) -> None:
        """Raise where an event lacks what every event has."""
        if self._length:
            _ = self.ids, self.created_span, self.ingested_span

    def _once(self, what: Any, find: Callable[[], T]) -> T:
        found: T | None = self._found.get(what)
        if found is None:
            found = self._found[what] = find()
        return found

    @property
    def created(self) -> Sequence[int]:
        """Event times. Raises TypeError where one is not whole milliseconds."""
        return self._of_type("created_at", int)

    @property
    def ids(self) -> Sequence[str]:
        return self._of_type("id", str)

    def _of_type(self, name: str, wanted: type[T]) -> Sequence[T]:
        if self._whole is not None:
            whole = self._whole
            return self._once((wanted, name), lambda: self._pick(whole._of_type(name, wanted)))
        return self._once((wanted, name), lambda: _checked(self.events, name, wanted))

    @property
    def created_span(self) -> Span:
        """(oldest, newest) event time."""
        return self._once("created_span", lambda: _span(self.created))

    @property
    def ingested_span(self) -> Span:
        """(first, last) time of ingestion."""
        return self._once("ingested_span", lambda: _span(self._of_type("ingested_at", int)))

    def column(self, name: str) -> Sequence[Any]:
        """A field of each event, None where it is missing."""
        if self._whole is not None:
            whole = self._whole
            return self._once(("column", name), lambda: self._pick(whole.column(name)))
        return self._once(("column", name), lambda: _column(self.events, name))

    def where(self, condition: Condition | None) -> Batch:
        """The events that pass."""
        if condition is None:
            return self
        return self._once(("where", condition), lambda: self._reduced(condition.passing(self.events)))

    def having(self, name: str) -> Batch:
        """The events that hold a field."""
        if None not in self.column(name):
            return self
        return self._once(("having", name), lambda: Batch([e for e in self.events if e.get(name) is not None]))

    def _reduced(self, events: Sequence[Event]) -> Batch:
        return self if len(events) == self._length else Batch(events)

    def groups(self, by: tuple[str, ...]) -> dict[str, Batch]:
        """The events of each group; '' where nothing is grouped. Each event holds the grouping fields."""
        if not by:
            return {"": self}
        return self._once(("groups", by), lambda: self._split(self.group_names(by)))

    def group_names(self, by: tuple[str, ...]) -> Sequence[str]:
        """The group of each event; several values are told apart also where one holds the slash that joins them."""
        columns = [self.column(name) for name in by]
        if len(by) == 1:
            return list(map(str, columns[0]))
        return ["/".join(map(_escaped, values)) for values in zip(*columns, strict=True)] if by else [""] * len(self)

    def windows(self, window_ms: int) -> dict[int, Batch]:
        """The events of each tumbling window, by its number."""
        first, last = (at // window_ms for at in self.created_span)
        if first == last:
            return {first: self}
        return self._once(("windows", window_ms), lambda: self._split([at // window_ms for at in self.created]))

    def _split(self, names: Iterable[T]) -> dict[T, Batch]:
        found: dict[T, list[int]] = defaultdict(list)
        for place, name in enumerate(names):
            found[name].append(place)
        return {name: self if len(places) == self._length else self._part(places) for name, places in found.items()}

    def sketch(self, name: str) -> Sketch:
        """The distribution of a field that each event holds; not to be changed."""
        bins = self._bins(name)
        return self._once(("sketch", name), lambda: Sketch.of_bins(bins) if bins else Sketch.of(self.column(name)))

    def _bins(self, name: str) -> Sequence[int]:
        """The sketch's bin of each event's value; nothing where a value is not positive."""
        if self._whole is not None:
            whole = self._whole
            return self._once(("bins", name), lambda: self._pick(found) if (found := whole._bins(name)) else ())
        return self._once(("bins", name), lambda: bins_of(self.column(name)))

    def partials(self, name: str) -> list[float]:
        """Floats whose exact sum is the exact sum of a field that each event holds."""
        return self._once(("partials", name), lambda: exact_partials(self.column(name)))


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    if len(places) == 1:
        return lambda column: (column[places[0]],)
    return itemgetter(*places)


def _checked(events: Sequence[Event], name: str, wanted: type[T]) -> Sequence[T]:
    found = list(map(itemgetter(name), events))
    for other in {*map(type, found)} - {wanted}:
        raise TypeError(f"{name}: {other.__name__}, not {wanted.__name__}")
    return found


def exact_partials(values: Sequence[float]) -> list[float]:
    """The exact sum as a few floats: each is what the ones before it leave, rounded."""
    found: list[float] = []
    rest = math.fsum(values)
    while rest:
        found.append(-rest)
        rest = math.fsum((*values, *found))
    return [-part for part in found]


def _column(events: Sequence[Event], name: str) -> list[Any]:
    try:
        return list(map(itemgetter(name), events))
    except KeyError:
        return [event.get(name) for event in events]


def _span(moments: Sequence[int]) -> Span:
    return min(moments), max(moments)


def values_of_group(group: str, by: Sequence[str]) -> list[str]:
    """The values, as texts, that `group_names` made a group's name of."""
    if len(by) <= 1:
        return [group] if by else []
    parts, escaped = [""], False
    for letter in group:
        if escaped or letter not in "\\/":
            parts[-1], escaped = parts[-1] + letter, False
        elif letter == "/":
            parts.append("")
        else:
            escaped = True
    return parts


def _escaped(value: Any) -> str:
    return str(value).replace("\\", "\\\\").replace("/", "\\/")
