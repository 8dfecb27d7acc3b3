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
from services.batch import Batch
from services.declare import Aggregate, Channel
from services.state import HIDDEN, SEPARATOR

_NEWEST = HIDDEN + "newest"
_WINDOW = HIDDEN + "window" + SEPARATOR


@dataclass(slots=True)
class Window:
    """One group's accumulators of one tumbling window, its newest event's time, and how often it was restated."""

    accumulators: list[Accumulator]
    newest_at: int = 0
    restated: int = 0

    def merge(self, other: Window) -> None:
        """Take in what other events made of the same window."""
        self.newest_at = max(self.newest_at, other.newest_at)
        for mine, theirs in zip(self.accumulators, other.accumulators, strict=True):
            mine.merge(theirs)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a batch makes of each group's windows: a group's `by` values, and windows of its own by number."""

    windows: Mapping[str, tuple[list[Any], Mapping[int, Window]]]
    newest_at: int = 0
    too_late: int = 0


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
        self._forgotten: set[str] = set()

    @property
    def newest(self) -> int:
        """The number of the newest window."""
        return self.newest_at // self.window_ms

    def parts(self, batch: Batch, by: tuple[str, ...]) -> Parts:
        """What the events make of their windows, which changes nothing yet; raises on a poison event."""
        in_time = self._in_time(batch)
        if not in_time:
            return Parts({}, too_late=len(batch))
        windows = {}
        for group, of_group in in_time.groups(by).items():
            made = {number: self._window(part) for number, part in of_group.windows(self.window_ms).items()}
            windows[group] = ([of_group.events[0][name] for name in by], made)
        return Parts(windows, in_time.created_span[1], len(batch) - len(in_time))

    def _in_time(self, batch: Batch) -> Batch:
        """Without the events that came after their window could be corrected: each judged by those before it."""
        oldest, newest = batch.created_span
        if oldest // self.window_ms >= max(newest, self.newest_at) // self.window_ms - self.correctable:
            return batch
        kept, newest = [], self.newest_at
        for event, created_at in zip(batch.events, batch.created, strict=True):
            if created_at // self.window_ms >= newest // self.window_ms - self.correctable:
                newest = max(newest, created_at)
                kept.append(event)
        return Batch(kept)

    def _window(self, batch: Batch) -> Window:
        window = self._empty()
        window.newest_at = batch.created_span[1]
        for aggregate, accumulator in zip(self.aggregates, window.accumulators, strict=True):
            field = "" if aggregate.field is None else aggregate.field.name
            part = batch.where(aggregate.where)
            if part and field:
                part = part.having(field)
            if part:
                accumulator.fold(part, field)
        return window

    def add(self, parts: Parts) -> None:
        """Take in what a batch made of the windows."""
        self.too_late += parts.too_late
        self.newest_at = max(self.newest_at, parts.newest_at)
        for group, (by_values, made) in parts.windows.items():
            self._by.setdefault(group, by_values)
            windows = self._groups.setdefault(group, {})
            for number, window in made.items():
                held = windows.setdefault(number, window)
                if held is not window:
                    held.merge(window)
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
        if len(parts) == 1:
            return [accumulator.result(elapsed_s) for accumulator in parts[0].accumulators]
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

    def note_restated(self, shown: int) -> None:
        """Count what came late: into windows before number `shown`, which was the newest when they were last shown."""
        for group, number in self._touched:
            if number < shown:
                self._groups[group][number].restated += 1

    def restated(self, group: str, last: int) -> int:
        """How often the windows that end with number `last` were restated after they had been shown as closed."""
        windows = self._groups.get(group, {})
        return sum(windows[n].restated for n in range(last - self.span + 1, last + 1) if n in windows)

    def take_cells(self) -> tuple[dict[str, bytes], list[str]]:
        """Hidden cells to store and to drop since the last call."""
        cells = {}
        for group, number in self._touched:
            held = self._groups[group][number]
            state: list[Any] = [self._by[group], held.newest_at, [part.as_json() for part in held.accumulators]]
            if held.restated:
                state.append(held.restated)
            cells[f"{_WINDOW}{group}{SEPARATOR}{number}"] = orjson.dumps(state)
        if cells:
            cells[_NEWEST] = b"%d" % self.newest_at
        self._touched.clear()
        dropped = self._drop_closed()
        forgotten, self._forgotten = self._forgotten - cells.keys(), set()
        return {name: cell for name, cell in cells.items() if name not in dropped}, sorted(dropped | forgotten)

    def forget(self, place: int, key: str) -> set[str]:
        """Let go of the groups whose grouping value at that place, as text, is the key; returns their names."""
        gone = {group for group, values in self._by.items() if str(values[place]) == key}
        for group in gone:
            self._forgotten |= {f"{_WINDOW}{group}{SEPARATOR}{number}" for number in self._groups.pop(group, {})}
            del self._by[group]
        self._touched = {(group, number) for group, number in self._touched if group not in gone}
        return gone

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
            by_values, newest_at, states, *restated = orjson.loads(cell)
            held = self._empty()
            held.newest_at, held.restated = newest_at, sum(restated)
            for accumulator, state in zip(held.accumulators, states, strict=True):
                accumulator.load(state)
            self._groups.setdefault(group, {})[int(number)] = held
            self._by[group] = by_values
