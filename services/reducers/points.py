"""Points: reducers of series channels."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

import orjson

from services.accumulators import Value
from services.declare import Channel
from services.reducers.reducer import Change, Windowed
from services.state import HIDDEN, SEPARATOR
from services.windows import group_of


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


def _series_name(aggregate: str, group: str, by: tuple[str, ...]) -> str:
    return f"{aggregate}:{group}" if by else aggregate


def _series_change(points: dict[tuple[str, int], tuple[Any, ...]], held: _PointCells) -> Change:
    """The change of points (name, time) → (value, …): sorted data, cells, and cells that fell out."""
    data: dict[str, list[list[Any]]] = {}
    for (name, at), stored in sorted(points.items()):
        held.add(name, at)
        data.setdefault(name, []).append([at, stored[0]])
    dropped = held.drop_old()
    gone = set(dropped)
    cells = {f"{name}{SEPARATOR}{at}": orjson.dumps(stored) for (name, at), stored in points.items()}
    return Change({"points": data}, {cell: raw for cell, raw in cells.items() if cell not in gone}, dropped)


class Points:
    """One point for each event; at an equal time the greater id wins."""

    def __init__(self, channel: type[Channel]) -> None:
        self.too_late = 0
        self._channel, self._held = channel, _PointCells(channel)
        self._ids: dict[tuple[str, int], str] = {}
        self._points: dict[tuple[str, int], tuple[Value, str]] = {}

    def load(self, cells: Mapping[str, bytes]) -> None:
        self._held.load(cells)
        for cell, raw in cells.items():
            name, _, at = cell.rpartition(SEPARATOR)
            self._ids[name, int(at)] = orjson.loads(raw)[1]

    def prepare(self, event: Mapping[str, Any]) -> Any:
        if self._channel.where is not None and not self._channel.where.holds(event):
            return None
        group = group_of(self._channel.by, event)
        if group is None:
            return None
        values = []
        for aggregate in self._channel.aggregates.values():
            passes = aggregate.where is None or aggregate.where.holds(event)
            value = event.get(aggregate.field.name) if aggregate.field is not None and passes else None
            if value is not None:
                values.append((_series_name(aggregate.name, group, self._channel.by), value))
        return (event["created_at"], event["id"], values) if values else None

    def apply(self, prepared: Any) -> None:
        created_at, event_id, values = prepared
        for name, value in values:
            place = (name, created_at)
            if self._ids.get(place, "") <= event_id:
                self._ids[place] = event_id
                self._points[place] = (value, event_id)

    def take(self) -> Change | None:
        if not self._points:
            return None
        change = _series_change(self._points, self._held)
        for cell in change.dropped:
            name, _, at = cell.rpartition(SEPARATOR)
            self._ids.pop((name, int(at)), None)
        self._points = {}
        return change


class PointWindows(Windowed):
    """One point for each group and window: its aggregates; the open window's point is restated as it fills."""

    def __init__(self, channel: type[Channel]) -> None:
        super().__init__(channel)
        self._held = _PointCells(channel)
        self._shown_newest = 0

    def load(self, cells: Mapping[str, bytes]) -> None:
        self.windows.load(cells)
        self._held.load(cells)
        self._shown_newest = self.windows.newest

    def take(self) -> Change | None:
        if not self.take_changed():
            return None
        points: dict[tuple[str, int], tuple[Any, ...]] = {}
        for group, number in self.windows.changed_results(self._shown_newest):
            results = self.windows.results(group, number)
            for name, result in zip(self.channel.aggregates, results or (), strict=results is not None):
                points[_series_name(name, group, self.channel.by), number * self.windows.window_ms] = (result,)
        self._shown_newest = self.windows.newest
        change = _series_change(points, self._held)
        cells, dropped = self.windows.take_cells()
        return Change(change.data, {**change.cells, **cells}, [*change.dropped, *dropped])
