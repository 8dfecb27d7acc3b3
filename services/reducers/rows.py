"""Rows: reducers of latest channels."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Any

import orjson

from services.batch import Batch, Event
from services.declare import Channel
from services.reducers.reducer import Change, Prepared, Windowed, concerned_by, row_of
from services.state import HIDDEN

RESTATED = "restated"
"""The field of a row that tells how often late events changed windows of it that had been shown as closed."""
ALL = "all"
"""The key of the one row of a latest channel that is not grouped."""


_Place = tuple[int, str, int]
"""(event time, id, index in the batch): at equal times the greater id is newer, at equal ids the later event."""
_BEFORE_ALL: _Place = (-1, "", -1)


class LatestRows:
    """The newest event of each key; oldest rows go first where there are too many."""

    def __init__(self, channel: type[Channel]) -> None:
        self.too_late = 0
        self._channel, self._by = channel, channel.by or (channel.feed.key,)
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

    def prepare(self, batch: Batch) -> Prepared:
        concerned = concerned_by(self._channel, batch).having(self._by[0])
        newest: dict[str, _Place] = {}
        newest_of = newest.get
        places = zip(concerned.created, concerned.ids, range(len(concerned)), strict=True)
        for key, place in zip(concerned.group_names(self._by), places, strict=True):
            if place > newest_of(key, _BEFORE_ALL):
                newest[key] = place  # noqa: PERF403 - each is compared with what the ones before left
        return Prepared(concerned, newest)

    def apply(self, prepared: Prepared) -> None:
        for key, (created_at, event_id, index) in prepared.parts.items():
            self._put(key, created_at, event_id, prepared.concerned.events[index])
        self._evict()

    def _put(self, key: str, created_at: int, event_id: str, event: Event) -> None:
        held = self._rows.get(key)
        if held is not None and (created_at, event_id) < held[:2]:
            return
        row = row_of(event)
        if held is not None and not held[2].keys() <= row.keys():
            self._gone.add(key)  # fields vanish: the row must be replaced, not merged over
        self._hold(key, created_at, event_id, row)
        self._set.add(key)

    def _hold(self, key: str, created_at: int, event_id: str, row: dict[str, Any]) -> None:
        if key not in self._rows:
            heapq.heappush(self._oldest, (created_at, event_id, key))
        self._rows[key] = (created_at, event_id, row)
        if created_at > self._newest_at:
            self._newest_at = created_at

    def _evict(self) -> None:
        """Let the oldest rows go. Of each row the heap holds a time that it had: what is at the top is renewed, and
        where it is still true no row is older.
        """
        limit = 0 if self._evict_ms is None else self._newest_at - self._evict_ms
        while self._oldest and (len(self._rows) > self._rows_max or self._oldest[0][0] < limit):
            created_at, event_id, key = self._oldest[0]
            held = self._rows[key]
            if held[:2] != (created_at, event_id):
                heapq.heapreplace(self._oldest, (held[0], held[1], key))
                continue
            heapq.heappop(self._oldest)
            del self._rows[key]
            self._gone.add(key)
            self._set.discard(key)

    def forget(self, field: str, key: str) -> bool:
        gone = {group for group, (_, _, row) in self._rows.items() if str(row.get(field)) == key}
        for group in gone:
            del self._rows[group]
        self._oldest = [place for place in self._oldest if place[2] not in gone]
        heapq.heapify(self._oldest)
        self._set -= gone
        self._gone |= gone
        return bool(gone)

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
        self._restated: set[str] = set()
        self._shown_newest = 0

    def load(self, cells: Mapping[str, bytes]) -> None:
        self.windows.load(cells)
        self._shown_newest = self.windows.newest
        self._shown = {key: cell for key, cell in cells.items() if not key.startswith(HIDDEN)}
        self._restated = {key for key, cell in self._shown.items() if RESTATED in orjson.loads(cell)[1]}

    def take(self) -> Change | None:
        if not self.take_changed():
            return None
        last = self.windows.newest
        self.windows.note_restated(self._shown_newest)
        self._shown_newest = last
        rows = {key: row for key in self._keys() if (row := self._row(key, last)) is not None}
        cells, dropped = self.windows.take_cells()
        fresh = {key: orjson.dumps(["", row]) for key, row in rows.items()}
        changed = {key: cell for key, cell in fresh.items() if self._shown.get(key) != cell}
        gone = sorted(self._shown.keys() - fresh.keys())
        self._shown = fresh
        data = {"set": {key: rows[key] for key in changed}, "del": self._replaced(rows, gone)}
        if not changed and not gone:
            return Change(None, cells, dropped)
        return Change(data, {**cells, **changed}, [*dropped, *gone])

    def _replaced(self, rows: Mapping[str, dict[str, Any]], gone: list[str]) -> list[str]:
        """What a viewer lets go of first: rows that are gone, and those whose mark is."""
        restated = {key for key, row in rows.items() if RESTATED in row}
        former, self._restated = self._restated, restated
        return sorted({*gone, *(former - restated)})

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
            **({RESTATED: restated} if (restated := self.windows.restated(group, last)) else {}),
        }
