"""State: the current values of a channel, how a delta changes them, and how two deltas become one.

The browser's store follows the same rules; `tests/cases` holds the cases that both must pass.
Broker, gateway and browser trim by the same `Keep`, so that equal positions mean equal values.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import orjson

from services.declare import Keep, Kind

Data = dict[str, Any]
"""The `data` of a frame; its shape follows from the channel's kind (see the protocol)."""

SEPARATOR = "\x1f"
HIDDEN = "\x00"
"""Cells that begin so hold accumulators: what the next commit needs, no viewer sees. No key begins so: a text with
NUL is refused."""


class State(Protocol):
    """The current values of one channel."""

    def load(self, cells: Mapping[str, bytes]) -> None:
        """Take over what the broker holds; hidden cells are passed over."""

    def apply(self, data: Data) -> None:
        """Fold one delta's data in."""

    def data(self) -> Data:
        """The `data` of a snapshot."""


class LatestState:
    """Rows by key."""

    def __init__(self, keep: Keep) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    def load(self, cells: Mapping[str, bytes]) -> None:
        self.rows = {key: orjson.loads(cell)[1] for key, cell in cells.items() if not key.startswith(HIDDEN)}

    def apply(self, data: Data) -> None:
        for key in data.get("del", ()):
            self.rows.pop(key, None)
        for key, fields in data.get("set", {}).items():
            self.rows[key] = {**self.rows.get(key, {}), **fields}

    def data(self) -> Data:
        return {"rows": self.rows}


def restated_times(stored: Sequence[Any]) -> int:
    """How often a stored point was restated: its second part, where that is no event's id."""
    return stored[1] if len(stored) > 1 and isinstance(stored[1], int) else 0


class SeriesState:
    """Points by series, each a sorted list of [t, value]; of those that were restated how often, by series and t."""

    def __init__(self, keep: Keep) -> None:
        self.points: dict[str, list[list[Any]]] = {}
        self.restated: dict[str, dict[int, int]] = {}
        self.span_ms = keep.span_ms
        self.points_max = keep.points_max

    def load(self, cells: Mapping[str, bytes]) -> None:
        self.points, self.restated = {}, {}
        for name, cell in cells.items():
            if not name.startswith(HIDDEN):
                series, _, at = name.rpartition(SEPARATOR)
                stored = orjson.loads(cell)
                self.points.setdefault(series, []).append([int(at), stored[0]])
                if restated := restated_times(stored):
                    self.restated.setdefault(series, {})[int(at)] = restated
        for points in self.points.values():
            points.sort(key=lambda point: point[0])

    def apply(self, data: Data) -> None:
        for name, points in data.get("points", {}).items():
            held = self.points.setdefault(name, [])
            for point in points:
                _place(held, point)
        for name, marks in data.get("restated", {}).items():
            self.restated.setdefault(name, {}).update(map(tuple, marks))
        self._trim()

    def _trim(self) -> None:
        newest = max((points[-1][0] for points in self.points.values() if points), default=0)
        for name, points in list(self.points.items()):
            first = 0 if self.span_ms is None else bisect_left(points, newest - self.span_ms, key=lambda p: p[0])
            if self.points_max is not None:
                first = max(first, len(points) - self.points_max)
            del points[:first]
            if not points:
                del self.points[name]
        for name, marks in list(self.restated.items()):
            oldest = self.points[name][0][0] if name in self.points else newest + 1
            self.restated[name] = {at: times for at, times in marks.items() if at >= oldest}
            if not self.restated[name]:
                del self.restated[name]

    def data(self) -> Data:
        marks = {name: [[at, times] for at, times in sorted(found.items())] for name, found in self.restated.items()}
        return {"points": self.points, **({"restated": marks} if marks else {})}


class LogState:
    """The newest entries, ordered by (created_at, id)."""

    def __init__(self, keep: Keep) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self.entries_max = keep.entries_max

    def load(self, cells: Mapping[str, bytes]) -> None:
        entries = [orjson.loads(cell) for key, cell in cells.items() if not key.startswith(HIDDEN)]
        self.entries = {entry["id"]: entry for entry in entries}

    def apply(self, data: Data) -> None:
        for entry in data.get("entries", ()):
            self.entries[entry["id"]] = entry
        if self.entries_max is not None and len(self.entries) > self.entries_max:
            kept = self.data()["entries"][-self.entries_max :]
            self.entries = {entry["id"]: entry for entry in kept}

    def data(self) -> Data:
        return {"entries": sorted(self.entries.values(), key=lambda e: (e["created_at"], e["id"]))}


def state_of(kind: Kind, keep: Keep) -> State:
    """An empty state of the kind."""
    match kind:
        case "latest":
            return LatestState(keep)
        case "series":
            return SeriesState(keep)
        case "log":
            return LogState(keep)


def merge(kind: Kind, earlier: Data, later: Data) -> Data:
    """One delta's data that has the effect of both, applied in order. Associative; inputs are not changed."""
    match kind:
        case "latest":
            return _merge_latest(earlier, later)
        case "series":
            return _merge_series(earlier, later)
        case "log":
            entries = {e["id"]: e for e in (*earlier.get("entries", ()), *later.get("entries", ()))}
            return {"entries": sorted(entries.values(), key=lambda e: (e["created_at"], e["id"]))}


def _merge_latest(earlier: Data, later: Data) -> Data:
    gone = set(later.get("del", ()))
    rows = {key: fields for key, fields in earlier.get("set", {}).items() if key not in gone}
    for key, fields in later.get("set", {}).items():
        rows[key] = {**rows.get(key, {}), **fields}
    # A key that was deleted and set again stays in `del`: its old fields must not shine through.
    return {"set": rows, "del": sorted({*earlier.get("del", ()), *gone})}


def _merge_series(earlier: Data, later: Data) -> Data:
    merged: dict[str, list[list[Any]]] = {name: list(points) for name, points in earlier.get("points", {}).items()}
    for name, points in later.get("points", {}).items():
        held = merged.setdefault(name, [])
        for point in points:
            _place(held, point)
    marks = {name: dict(map(tuple, found)) for name, found in earlier.get("restated", {}).items()}
    for name, found in later.get("restated", {}).items():
        marks[name] = {**marks.get(name, {}), **dict(map(tuple, found))}
    if not marks:
        return {"points": merged}
    return {"points": merged, "restated": {name: [[t, n] for t, n in sorted(of.items())] for name, of in marks.items()}}


def _place(points: list[list[Any]], point: list[Any]) -> None:
    """Put a point where its time belongs; at an equal time it replaces."""
    if not points or points[-1][0] < point[0]:
        points.append(point)
        return
    at = bisect_left(points, point[0], key=lambda p: p[0])
    if points[at][0] == point[0]:
        points[at] = point
    else:
        points.insert(at, point)
