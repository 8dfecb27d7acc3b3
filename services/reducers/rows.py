"""Rows: reducers of latest channels."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Any

import orjson

from services.declare import Channel
from services.reducers.reducer import Change, Windowed, row_of
from services.state import HIDDEN
from services.windows import group_of

ALL = "all"
"""The key of the one row of a latest channel that is not grouped."""
STALE_SLACK = 1_000


class LatestRows:
    """The newest event of each key; oldest rows go first where there are too many."""

    def __init__(self, channel: type[Channel]) -> None:
        self.too_late = 0
        self._by, self._where = channel.by or (channel.feed.key,), channel.where
        self._rows_max = channel.keep.rows_max or 0
        self._evict_ms = None if channel.evict_after_s is None else int(channel.evict_after_s * 1000)
        self._rows: dict[str, tuple[int, str, dict[str, Any]]] = {}
        self._oldest: list[tuple[int, str, str]] = []
        self._newest_at = 0
        self._set: set[str] = set()
        self._gone: set[str] = set()

    def load(self, cells: Mapping[str, bytes]) -> None:
        for key, cell in cells.items():
            event_id, row = orjson.loads(cell)
            self._hold(key, row["created_at"], event_id, row)

    def prepare(self, event: Mapping[str, Any]) -> Any:
        if self._where is not None and not self._where.holds(event):
            return None
        key = group_of(self._by, event)
        return None if key is None else (key, event)

    def apply(self, prepared: Any) -> None:
        key, event = prepared
        created_at, event_id = event["created_at"], event["id"]
        held = self._rows.get(key)
        if held is not None and (created_at, event_id) < held[:2]:
            return
        row = row_of(event)
        if held is not None and not held[2].keys() <= row.keys():
            self._gone.add(key)  # fields vanish: the row must be replaced, not merged over
        self._hold(key, created_at, event_id, row)
        self._set.add(key)
        self._evict()

    def _hold(self, key: str, created_at: int, event_id: str, row: dict[str, Any]) -> None:
        self._rows[key] = (created_at, event_id, row)
        self._newest_at = max(self._newest_at, created_at)
        heapq.heappush(self._oldest, (created_at, event_id, key))
        if len(self._oldest) > 2 * len(self._rows) + STALE_SLACK:
            self._drop_stale()

    def _drop_stale(self) -> None:
        """Forget what rows were before: one old row that never changes would keep all of that in the heap."""
        self._oldest = [(created_at, event_id, key) for key, (created_at, event_id, _) in self._rows.items()]
        heapq.heapify(self._oldest)

    def _evict(self) -> None:
        limit = 0 if self._evict_ms is None else self._newest_at - self._evict_ms
        while self._oldest:
            created_at, event_id, key = self._oldest[0]
            held = self._rows.get(key)
            current = held is not None and held[:2] == (created_at, event_id)
            if current and created_at >= limit and len(self._rows) <= self._rows_max:
                return
            heapq.heappop(self._oldest)
            if current:
                del self._rows[key]
                self._gone.add(key)
                self._set.discard(key)

    def take(self) -> Change | None:
        if not self._set and not self._gone:
            return None
        rows = {key: self._rows[key] for key in sorted(self._set)}
        data = {"set": {key: row for key, (_, _, row) in rows.items()}, "del": sorted(self._gone)}
        cells = {key: orjson.dumps([event_id, row]) for key, (_, event_id, row) in rows.items()}
        change = Change(data, cells, sorted(self._gone - self._set))
        self._set, self._gone = set(), set()
        return change


class AggregateRows(Windowed):
    """One row for each group: the aggregates over the windows that end with the newest."""

    def __init__(self, channel: type[Channel]) -> None:
        super().__init__(channel)
        self._shown: dict[str, bytes] = {}

    def load(self, cells: Mapping[str, bytes]) -> None:
        self.windows.load(cells)
        self._shown = {key: cell for key, cell in cells.items() if not key.startswith(HIDDEN)}

    def take(self) -> Change | None:
        if not self.take_changed():
            return None
        last = self.windows.newest
        rows = {key: row for key in self._keys() if (row := self._row(key, last)) is not None}
        cells, dropped = self.windows.take_cells()
        fresh = {key: orjson.dumps(["", row]) for key, row in rows.items()}
        changed = {key: cell for key, cell in fresh.items() if self._shown.get(key) != cell}
        gone = sorted(self._shown.keys() - fresh.keys())
        self._shown = fresh
        data = {"set": {key: rows[key] for key in changed}, "del": gone} if changed or gone else None
        return Change(data, {**cells, **changed}, [*dropped, *gone])

    def _keys(self) -> list[str]:
        keys = list(self.windows.groups()) if self.channel.by else [ALL]
        return sorted(keys)[: self.channel.keep.rows_max]

    def _row(self, key: str, last: int) -> dict[str, Any] | None:
        group = "" if key == ALL and not self.channel.by else key
        results = self.windows.results(group, last)
        if results is None:
            if self.channel.by:
                return None
            results = self.windows.empty_results(last)
        by_values = self.windows.by_values(group) if self.channel.by else []
        window_ms = self.windows.window_ms
        return {
            **dict(zip(self.channel.by, by_values, strict=True)),
            **dict(zip(self.channel.aggregates, results, strict=True)),
            "window_start": (last - self.channel.windows + 1) * window_ms,
            "window_end": (last + 1) * window_ms,
            "created_at": self.windows.newest_of(group),
        }
