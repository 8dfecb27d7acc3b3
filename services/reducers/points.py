"""Points: reducers of series channels."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson

from services.accumulators import Value
from services.batch import Batch, values_of_group
from services.declare import Aggregate, Channel
from services.reducers.reducer import Change, Prepared, Windowed, concerned_by
from services.state import HIDDEN, SEPARATOR, restated_times


class _PointCells:
    """Which points of a series channel exist, so that those out of the window leave the broker too."""

    def __init__(self, channel: type[Channel]) -> None:
        self._span_ms, self._points_max = channel.keep.span_ms or 0, channel.keep.points_max or 0
        self._times: dict[str, list[int]] = {}
        self._newest = 0

    def add(self, name: str, at: int) -> None:
        times = self._times.setdefault(name, [])
        self._newest = max(self._newest, at)
        place = bisect_left(times, at)
        if place == len(times) or times[place] != at:
            times.insert(place, at)

    def drop_old(self) -> list[str]:
        dropped = []
        for name, times in list(self._times.items()):
            first = max(bisect_left(times, self._newest - self._span_ms), len(times) - self._points_max)
            dropped += [f"{name}{SEPARATOR}{at}" for at in times[:first]]
            del times[:first]
            if not times:
                del self._times[name]
        return dropped

    def load(self, cells: Mapping[str, bytes]) -> None:
        for cell in cells:
            if not cell.startswith(HIDDEN):
                name, _, at = cell.rpartition(SEPARATOR)
                self.add(name, int(at))

    def names(self) -> list[str]:
        return list(self._times)

    def forget(self, name: str) -> list[str]:
        """Let go of a whole series; returns its cells."""
        return [f"{name}{SEPARATOR}{at}" for at in self._times.pop(name, [])]


def _series_name(aggregate: str, group: str, by: tuple[str, ...]) -> str:
    return f"{aggregate}:{group}" if by else aggregate


def _value_in(series: str, by: tuple[str, ...], field: str) -> str:
    """The value of a grouping field in a series' name."""
    return values_of_group(series.partition(":")[2], by)[by.index(field)]


def _series_change(points: dict[tuple[str, int], tuple[Any, ...]], held: _PointCells) -> Change:
    """The change of points (name, time) → (value, …): sorted data, cells, and cells that fell out."""
    data: dict[str, list[list[Any]]] = {}
    marks: dict[str, list[list[int]]] = {}
    for (name, at), stored in sorted(points.items()):
        held.add(name, at)
        data.setdefault(name, []).append([at, stored[0]])
        if restated := restated_times(stored):
            marks.setdefault(name, []).append([at, restated])
    dropped = held.drop_old()
    gone = set(dropped)
    cells = {f"{name}{SEPARATOR}{at}": orjson.dumps(stored) for (name, at), stored in points.items()}
    marked = {"restated": marks} if marks else {}
    return Change({"points": data, **marked}, {cell: raw for cell, raw in cells.items() if cell not in gone}, dropped)


class Points:
    """One point for each event; at an equal time the greater id wins."""

    def __init__(self, channel: type[Channel]) -> None:
        self.too_late = 0
        self._channel, self._held = channel, _PointCells(channel)
        self._ids: dict[tuple[str, int], str] = {}
        self._points: dict[tuple[str, int], tuple[Value, str]] = {}
        self._forgotten: list[str] = []

    def load(self, cells: Mapping[str, bytes]) -> None:
        self._held.load(cells)
        for cell, raw in cells.items():
            name, _, at = cell.rpartition(SEPARATOR)
            self._ids[name, int(at)] = orjson.loads(raw)[1]

    def prepare(self, batch: Batch) -> Prepared:
        concerned = concerned_by(self._channel, batch)
        points: list[tuple[tuple[str, int], tuple[Value, str]]] = []
        for aggregate in self._channel.aggregates.values():
            part = concerned.where(aggregate.where)
            if part and aggregate.field is not None:
                points += self._points_of(aggregate, part.having(aggregate.field.name))
        return Prepared(concerned, points)

    def _points_of(self, aggregate: Aggregate, part: Batch) -> Iterator[tuple[tuple[str, int], tuple[Value, str]]]:
        assert aggregate.field is not None
        groups = part.group_names(self._channel.by)
        series = {group: _series_name(aggregate.name, group, self._channel.by) for group in set(groups)}
        places = zip([series[group] for group in groups], part.created, strict=True)
        return zip(places, zip(part.column(aggregate.field.name), part.ids, strict=True), strict=True)

    def apply(self, prepared: Prepared) -> None:
        for place, (value, event_id) in prepared.parts:
            if self._ids.get(place, "") <= event_id:
                self._ids[place] = event_id
                self._points[place] = (value, event_id)

    def forget(self, field: str, key: str) -> bool:
        by = self._channel.by
        if field not in by:
            return False
        places = {*((name, 0) for name in self._held.names()), *self._points}
        names = {name for name, _ in places if _value_in(name, by, field) == key}
        for name in names:
            self._forgotten += self._held.forget(name)
        self._ids = {place: event_id for place, event_id in self._ids.items() if place[0] not in names}
        self._points = {place: point for place, point in self._points.items() if place[0] not in names}
        return bool(names)

    def take(self) -> Change | None:
        forgotten, self._forgotten = self._forgotten, []
        if not self._points:
            return Change(None, dropped=forgotten) if forgotten else None
        change = _series_change(self._points, self._held)
        change.dropped += [cell for cell in forgotten if cell not in change.cells]
        for cell in change.dropped:
            name, _, at = cell.rpartition(SEPARATOR)
            self._ids.pop((name, int(at)), None)
        self._points = {}
        return change


class PointWindows(Windowed):
    """One point for each group and window: its aggregates; the open window's point changes as it fills.

    A closed window's point that changes after it was shown is restated, and says how often. What was shown is
    remembered as long as a late event may still reach it.
    """

    def __init__(self, channel: type[Channel]) -> None:
        super().__init__(channel)
        self._held = _PointCells(channel)
        self._shown_newest = 0
        self._shown: dict[int, dict[str, tuple[Any, ...]]] = {}
        self._forgotten: list[str] = []

    def load(self, cells: Mapping[str, bytes]) -> None:
        self.windows.load(cells)
        self._held.load(cells)
        self._shown_newest = self.windows.newest
        for cell, raw in cells.items():
            name, _, at = cell.rpartition(SEPARATOR)
            if not cell.startswith(HIDDEN) and (number := int(at) // self.windows.window_ms) >= self._correctable():
                self._shown.setdefault(number, {})[name] = tuple(orjson.loads(raw))

    def take(self) -> Change | None:
        if not self.take_changed():
            return None
        points: dict[tuple[str, int], tuple[Any, ...]] = {}
        for group, number in self.windows.changed_results(self._shown_newest):
            results = self.windows.results(group, number)
            for aggregate, result in zip(self.channel.aggregates, results or (), strict=results is not None):
                name = _series_name(aggregate, group, self.channel.by)
                points[name, number * self.windows.window_ms] = self._stored(name, number, result)
        self._forget()
        change = _series_change(points, self._held)
        cells, dropped = self.windows.take_cells()
        forgotten, self._forgotten = self._forgotten, []
        gone = [*change.dropped, *dropped, *(cell for cell in forgotten if cell not in change.cells)]
        return Change(change.data if points or not forgotten else None, {**change.cells, **cells}, gone)

    def _forget_groups(self, groups: Collection[str]) -> None:
        by, aggregates = self.channel.by, self.channel.aggregates
        names = {_series_name(aggregate, group, by) for aggregate in aggregates for group in groups}
        for name in names:
            self._forgotten += self._held.forget(name)
        for shown in self._shown.values():
            for name in names & shown.keys():
                del shown[name]

    def _stored(self, name: str, number: int, value: Value) -> tuple[Any, ...]:
        """A point as it is stored: its value, and how often it was restated where it was."""
        of_window = self._shown.setdefault(number, {})
        former = of_window.get(name)
        restated = restated_times(former or ())
        if number < self._shown_newest and (former is None or former[0] != value):
            restated += 1
        stored = of_window[name] = (value, restated) if restated else (value,)
        return stored

    def _forget(self) -> None:
        if self._shown_newest != self.windows.newest:
            self._shown_newest = self.windows.newest
            for number in [number for number in self._shown if number < self._correctable()]:
                del self._shown[number]

    def _correctable(self) -> int:
        """The number of the oldest window that a late event may still change."""
        return self.windows.newest - self.windows.correctable
