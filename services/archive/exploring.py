"""Exploring: a question to a feed's events over an interval, answered stretch by stretch from the newest on.

Each stretch is one short statement, as long as the last one says that it may be: so an answer tells how far it is, can
be given up, and leaves room for whoever else reads the archive. What takes too long ends, and says how far it came.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import Connection, func, select

from services.archive.aggregating import Aggregation, Cell, TooMany, aggregate, first_event, newest_event
from services.archive.reading import Row, gaps_past
from services.database.tables import archive_lanes
from services.declare import FeedSpec

TIME_MAX_S = 60.0
STRETCH_S = 0.25
STRETCH_FIRST_MS = 600_000
STRETCH_MIN_MS = 1_000
GROUPS_MAX = 1_000
CELLS_MAX = 200_000
"""Windows, groups and a quantile's values that are held at a time."""
WINDOWS_MAX = 200
_S, _MIN, _H, _D = 1_000, 60_000, 3_600_000, 86_400_000
STEPS_MS = (
    *(_S, 2 * _S, 5 * _S, 10 * _S, 15 * _S, 30 * _S),
    *(_MIN, 2 * _MIN, 5 * _MIN, 10 * _MIN, 15 * _MIN, 30 * _MIN),
    *(_H, 2 * _H, 3 * _H, 6 * _H, 12 * _H, _D, 2 * _D, 7 * _D),
)
"""How long the windows of a chart may be."""

Pair = list[float | None]
"""[t, value]: a window's begin in ms; None is a gap."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From `since` up to, but without, `until`, in windows of `step_ms` that are counted from `since`."""

    since: int
    until: int
    step_ms: int

    @classmethod
    def last(cls, span_ms: int, now: int) -> Interval:
        """The last so many milliseconds, from the begin of a window on, so that only the newest one is open."""
        step_ms = step_of(span_ms)
        begin = now - span_ms
        return cls(begin - begin % step_ms, now, step_ms)

    @classmethod
    def between(cls, since: int, until: int) -> Interval:
        return cls(since, until, step_of(until - since))

    def start(self, window: int) -> int:
        return self.since + window * self.step_ms

    def end(self, window: int) -> int:
        """When a window ends, or the interval does."""
        return min(self.start(window + 1), self.until)


def step_of(span_ms: int) -> int:
    """The shortest windows of which not too many make up the interval."""
    return next((step for step in STEPS_MS if span_ms <= step * WINDOWS_MAX), STEPS_MS[-1])


@dataclass(slots=True)
class Bin:
    """What is known of some events: how many, how many of them have a value, and what of these."""

    events: int = 0
    known: int = 0
    total: float = 0.0
    least: float | None = None
    most: float | None = None
    times: dict[float, int] = field(default_factory=dict)

    def add(self, cell: Cell, *, spread: bool) -> None:
        """Take a cell in; `spread` keeps its values apart, for a quantile."""
        self.events += cell.events
        self.known += cell.known
        self.total += cell.total
        if cell.least is not None and cell.most is not None:
            self.least = cell.least if self.least is None else min(self.least, cell.least)
            self.most = cell.most if self.most is None else max(self.most, cell.most)
            if spread:
                self.times[cell.least] = self.times.get(cell.least, 0) + cell.known

    def value(self, asked: Aggregation, elapsed_ms: int) -> float | None:
        """The aggregate; None where it has no value. `elapsed_ms`: how much of the time has passed."""
        match asked.function:
            case "count":
                return self.events
            case "rate":
                return self.events / max(1.0, elapsed_ms / 1000)
            case "sum":
                return self.total
            case "mean":
                return self.total / self.known if self.known else None
            case "min":
                return self.least
            case "max":
                return self.most
            case "quantile":
                return self._quantile(asked.q)

    def _quantile(self, q: float) -> float | None:
        """The value at rank q, as a sketch has it."""
        rank, passed = q * (self.known - 1), 0
        for value in sorted(self.times):
            passed += self.times[value]
            if passed > rank:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked, by window and group, and by group over the whole interval.

    `as_of`: the archive had everything up to then. `reached` is how far back it was read: to `interval.since`, or less
    where the time was over. `first` and `newest` are the oldest and newest event of the feed that are kept.
    """

    asked: Aggregation
    interval: Interval
    as_of: int
    reached: int
    first: int | None
    newest: int | None
    gaps: Sequence[Row]
    windows: Mapping[tuple[int, str | None], Bin]
    groups: Mapping[str | None, Bin]

    @property
    def end(self) -> int:
        """Up to when there can be values: also of events that are archived before others of their time."""
        return min(self.interval.until, max(self.as_of, (self.newest or 0) + 1))

    @property
    def begin(self) -> int:
        """From when on there can be: what was read, of what is kept."""
        return max(self.reached, self.interval.since if self.first is None else min(self.first, self.end))

    @property
    def is_open(self) -> bool:
        """Whether the newest window is not over."""
        last = self._last()
        return last >= 0 and self.end < self.interval.start(last + 1)

    @property
    def longest_silence(self) -> tuple[int, int] | None:
        """From when until when no event came for longest; None where that was never for longer than it may be."""
        longest = max(self._silences(), key=lambda found: found[1] - found[0], default=None)
        return None if longest is None else (self.interval.start(longest[0]), self.interval.start(longest[1]))

    def by_events(self) -> list[str | None]:
        """The groups, those with most events first."""
        return sorted(self.groups, key=lambda group: (-self.groups[group].events, group or ""))

    def total(self, group: str | None) -> float | None:
        """A group's value over the whole interval."""
        return self.groups[group].value(self.asked, max(1, self.end - max(self.begin, self.interval.since)))

    def line(self, group: str | None) -> list[Pair]:
        """A group's values window by window; where nothing is known, or came for too long, there is a gap."""
        counts = self.asked.function in ("count", "rate", "sum")
        pairs = list(self._counted(group) if counts else self._measured(group))
        return [pair for pair, former in zip(pairs, [None, *pairs], strict=False) if not _is_gap(pair, former)]

    def _counted(self, group: str | None) -> Iterator[Pair]:
        """Where no event came it is nought, unless the feed was silent for so long that it should not have been."""
        silent = self._silent()
        for window in range(self._first(), self._last() + 1):
            known = self.windows.get((window, group), _NOTHING)
            lacks = window in silent or self._is_lost(window)
            yield [self.interval.start(window), None if lacks else self._value(window, known)]

    def _measured(self, group: str | None) -> Iterator[Pair]:
        """Windows that have a value; those that are too far apart are not joined."""
        stale_ms = 1_000 * self.asked.feed.freshness.stale_after_s
        apart_ms, former = max(stale_ms, 2 * self.interval.step_ms), None
        for window in range(self._first(), self._last() + 1):
            start = self.interval.start(window)
            if self._is_lost(window):
                former = None
                yield [start, None]
            elif (found := self.windows.get((window, group))) and (value := self._value(window, found)) is not None:
                if former is not None and start - former > apart_ms:
                    yield [former + 1, None]
                former = start
                yield [start, value]

    def _value(self, window: int, found: Bin) -> float | None:
        passed = min(self.interval.end(window), self.end) - max(self.interval.start(window), self.begin)
        return found.value(self.asked, passed)

    def _first(self) -> int:
        """The first window that was read whole, as far as there is anything to read."""
        step = self.interval.step_ms
        if self.reached > self.interval.since:
            return -((self.interval.since - self.reached) // step)
        return (self.begin - self.interval.since) // step

    def _last(self) -> int:
        return (self.end - 1 - self.interval.since) // self.interval.step_ms

    def _silent(self) -> set[int]:
        """Windows without any event, where the feed should not have been silent for so long."""
        if self.asked.feed.freshness.may_be_quiet:
            return set()
        return {window for begin, end in self._silences() for window in range(begin, end)}

    def _silences(self) -> list[tuple[int, int]]:
        """Stretches of windows without any event, from one up to another, longer than a proof of life lasts."""
        if self.asked.conditions:
            return []
        edges = [self._first() - 1, *sorted({window for window, _ in self.windows}), self._last() + 1]
        most = 1_000 * self.asked.feed.freshness.stale_after_s / self.interval.step_ms
        return [(one + 1, next_) for one, next_ in pairwise(edges) if next_ - one - 1 > most]

    def _is_lost(self, window: int) -> bool:
        """Whether the archive knows that events of that time are missing."""
        start, end = self.interval.start(window), self.interval.end(window)
        return any(gap["since"] < end and gap["until"] >= start for gap in self.gaps)


_NOTHING = Bin()


def _is_gap(pair: Pair, former: Pair | None) -> bool:
    """A gap at the beginning, or behind another, says nothing."""
    return pair[1] is None and (former is None or former[1] is None)


def archived_until(connection: Connection, feed: FeedSpec) -> int:
    """When what is archived last of every lane was accepted; 0 where nothing is."""
    lanes = archive_lanes.c
    found: int | None = connection.execute(select(func.min(lanes.entry_at)).where(lanes.feed == feed.name)).scalar()
    return found or 0


Reading = Callable[[], AbstractContextManager[Connection]]


def explore(
    reading: Reading,
    asked: Aggregation,
    interval: Interval,
    as_of: int,
    *,
    note: Callable[[int, int], None] = lambda events, read_ms: None,
    time_max_s: float = TIME_MAX_S,
    monotonic: Callable[[], float] = time.monotonic,
) -> Answer:
    """The answer. `reading()` is a transaction to read in, entered for each stretch. `note(events, read_ms)` is told
    after each how many events it had and how much of the interval is read; what it raises ends all. Raises TooMany.
    """
    with reading() as connection:
        first, newest = first_event(connection, asked.feed), newest_event(connection, asked.feed)
        gaps = gaps_past(connection, asked.feed.name, interval.since, interval.until, "")
    held, spread = _Held(), asked.function == "quantile"
    end, span_ms, begun = min(interval.until, interval.until if newest is None else newest + 1), STRETCH_FIRST_MS, 0.0
    last = interval.until if first is None else max(interval.since, first)
    started = monotonic()
    while end > last and monotonic() - started < time_max_s:
        begin = max(last, end - span_ms)
        with reading() as connection:
            begun = monotonic()
            cells = aggregate(connection, asked, interval.since, interval.step_ms, begin, end)
            took = monotonic() - begun
        held.add(cells, spread=spread)
        end = begin
        note(sum(cell.events for cell in cells), interval.until - end)
        factor = min(4.0, max(0.25, STRETCH_S / max(took, 0.001)))
        span_ms = max(STRETCH_MIN_MS, int(span_ms * factor))
    reached = interval.since if end <= last else end
    return Answer(asked, interval, as_of, reached, first, newest, gaps, held.windows, held.groups)


class _Held:
    """The bins so far."""

    def __init__(self) -> None:
        self.windows: dict[tuple[int, str | None], Bin] = {}
        self.groups: dict[str | None, Bin] = {}

    def add(self, cells: Sequence[Cell], *, spread: bool) -> None:
        """Raises TooMany."""
        for cell in cells:
            self.windows.setdefault((cell.window, cell.group), Bin()).add(cell, spread=spread)
            self.groups.setdefault(cell.group, Bin()).add(cell, spread=spread)
        held = sum(max(1, len(found.times)) for found in self.windows.values())
        if len(self.groups) > GROUPS_MAX or held > CELLS_MAX:
            raise TooMany
