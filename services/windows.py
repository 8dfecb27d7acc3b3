"""Windows: accumulators by group and tumbling window, driven by event time alone.

No clock moves a window: what a channel shows is a function of the events and of nothing else, so that
a replay, a standby and an oracle come to the same digits. The newest event closes windows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from services.accumulators import Accumulator, Value, accumulator_of, merged
from services.declare import Aggregate, Channel
from services.state import HIDDEN, SEPARATOR

_NEWEST = HIDDEN + "newest"
_WINDOW = HIDDEN + "window" + SEPARATOR

Additions = list[tuple[int, Any]]
"""Which aggregates (by index) an event adds which value to."""


@dataclass(slots=True)
class Window:
    """One group's accumulators of one tumbling window, and its newest event's time."""

    accumulators: list[Accumulator]
    newest_at: int = 0


def group_of(by: tuple[str, ...], event: Mapping[str, Any]) -> str | None:
    """The group an event belongs to, '' where nothing is grouped; None where a grouping field is missing."""
    values = [event.get(name) for name in by]
    if None in values:
        return None
    return str(values[0]) if len(values) == 1 else "/".join(_escaped(value) for value in values)


def _escaped(value: Any) -> str:
    """Several values stay apart also where one holds the slash that joins them."""
    return str(value).replace("\\", "\\\\").replace("/", "\\/")


class Windows:
    """The open and still correctable windows of one channel, and which of them changed."""

    def __init__(self, channel: type[Channel]) -> None:
        assert channel.window_s is not None
        self.aggregates: list[Aggregate] = list(channel.aggregates.values())
        self.window_ms = int(channel.window_s * 1000)
        self.span = channel.windows
        lateness = math.ceil(channel.feed.lateness_s * 1000 / self.window_ms)
        self.correctable = max(lateness, self.span - 1)
        self.newest_at = 0
        self.too_late = 0
        self._groups: dict[str, dict[int, Window]] = {}
        self._by: dict[str, list[Any]] = {}
        self._touched: set[tuple[str, int]] = set()

    @property
    def newest(self) -> int:
        """The number of the newest window."""
        return self.newest_at // self.window_ms

    def additions(self, event: Mapping[str, Any]) -> Additions:
        """What the event adds; evaluates conditions, so it may raise on a poison event."""
        found: Additions = []
        for index, aggregate in enumerate(self.aggregates):
            if aggregate.where is not None and not aggregate.where.holds(event):
                continue
            value = None if aggregate.field is None else event.get(aggregate.field.name)
            if aggregate.field is None or value is not None:
                found.append((index, value))
        return found

    def add(self, group: str, by_values: list[Any], created_at: int, event_id: str, additions: Additions) -> None:
        """Fold an event into its window; one older than what can be corrected is counted as too late."""
        number = created_at // self.window_ms
        if number < self.newest - self.correctable:
            self.too_late += 1
            return
        self.newest_at = max(self.newest_at, created_at)
        self._by.setdefault(group, by_values)
        windows = self._groups.setdefault(group, {})
        held = windows.get(number)
        if held is None:
            held = windows[number] = self._empty()
        held.newest_at = max(held.newest_at, created_at)
        for index, value in additions:
            held.accumulators[index].add(value, created_at, event_id)
        self._touched.add((group, number))

    def _empty(self) -> Window:
        return Window([accumulator_of(aggregate) for aggregate in self.aggregates])

    def groups(self) -> Iterator[str]:
        return iter(list(self._groups))

    def by_values(self, group: str) -> list[Any]:
        return self._by[group]

    def newest_of(self, group: str) -> int:
        """The time of the group's newest event, 0 for a group without one."""
        return max((window.newest_at for window in self._groups.get(group, {}).values()), default=0)

    def results(self, group: str, last: int) -> list[Value] | None:
        """The aggregates over the windows that end with number `last`; None where they hold no event."""
        windows = self._groups.get(group, {})
        parts = [windows[n] for n in range(last - self.span + 1, last + 1) if n in windows]
        if not parts:
            return None
        return self._combine(parts, last)

    def empty_results(self, last: int) -> list[Value]:
        """The aggregates of no events."""
        return self._combine([], last)

    def _combine(self, parts: list[Window], last: int) -> list[Value]:
        elapsed_s = self.elapsed_s(last)
        return [
            merged(aggregate, [part.accumulators[index] for part in parts]).result(elapsed_s)
            for index, aggregate in enumerate(self.aggregates)
        ]

    def elapsed_s(self, last: int) -> float:
        """How much of the windows that end with `last` has passed, in seconds; at least one."""
        start = (last - self.span + 1) * self.window_ms
        end = (last + 1) * self.window_ms
        return max(1.0, (min(end, self.newest_at) - start) / 1000)

    def changed_results(self, since: int) -> set[tuple[str, int]]:
        """(group, window) whose results may have changed while the newest window moved on from `since`.

        An event reaches `span` windows forward; the window that was open has closed, and windows that came
        into being since then may still hold older events.
        """
        found: set[tuple[str, int]] = set()
        for group, number in self._touched:
            found.update((group, n) for n in range(number, min(number + self.span - 1, self.newest) + 1))
        for number in range(since, min(since + self.span - 1, self.newest) + 1):
            found.update((group, number) for group in self._groups)
        return found

    def take_cells(self) -> tuple[dict[str, bytes], list[str]]:
        """Hidden cells to store and to drop since the last call."""
        cells = {}
        for group, number in self._touched:
            held = self._groups[group][number]
            state = [self._by[group], held.newest_at, [part.as_json() for part in held.accumulators]]
            cells[f"{_WINDOW}{group}{SEPARATOR}{number}"] = orjson.dumps(state)
        if cells:
            cells[_NEWEST] = b"%d" % self.newest_at
        self._touched.clear()
        dropped = self._drop_closed()
        return {name: cell for name, cell in cells.items() if name not in dropped}, sorted(dropped)

    def _drop_closed(self) -> set[str]:
        oldest = self.newest - self.correctable - self.span + 1
        dropped = set()
        for group, windows in list(self._groups.items()):
            for number in [n for n in windows if n < oldest]:
                del windows[number]
                dropped.add(f"{_WINDOW}{group}{SEPARATOR}{number}")
            if not windows:
                del self._groups[group]
                del self._by[group]
        return dropped

    def load(self, cells: Mapping[str, bytes]) -> None:
        """Take over what a former writer stored."""
        self.newest_at = int(cells.get(_NEWEST, b"0"))
        for name, cell in cells.items():
            if not name.startswith(_WINDOW):
                continue
            group, _, number = name.removeprefix(_WINDOW).rpartition(SEPARATOR)
            by_values, newest_at, states = orjson.loads(cell)
            held = self._empty()
            held.newest_at = newest_at
            for accumulator, state in zip(held.accumulators, states, strict=True):
                accumulator.load(state)
            self._groups.setdefault(group, {})[int(number)] = held
            self._by[group] = by_values
