"""Entries: the reducer of log channels."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from typing import Any

import orjson

from services.declare import Channel
from services.reducers.reducer import Change, row_of


class LogEntries:
    """The newest entries by (event time, id)."""

    def __init__(self, channel: type[Channel]) -> None:
        self.too_late = 0
        self._where = channel.where
        self._entries_max = channel.keep.entries_max or 0
        self._entries: dict[str, dict[str, Any]] = {}
        self._order: list[tuple[int, str]] = []
        self._added: set[str] = set()
        self._dropped: set[str] = set()

    def load(self, cells: Mapping[str, bytes]) -> None:
        for event_id, cell in cells.items():
            entry = orjson.loads(cell)
            self._entries[event_id] = entry
            insort(self._order, (entry["created_at"], event_id))

    def prepare(self, event: Mapping[str, Any]) -> Any:
        if self._where is not None and not self._where.holds(event):
            return None
        return event

    def apply(self, prepared: Any) -> None:
        event_id = prepared["id"]
        place = (prepared["created_at"], event_id)
        if event_id in self._entries or (len(self._order) >= self._entries_max and place < self._order[0]):
            return
        self._entries[event_id] = {"id": event_id, **row_of(prepared)}
        insort(self._order, place)
        self._added.add(event_id)
        while len(self._order) > self._entries_max:
            _, oldest = self._order.pop(0)
            del self._entries[oldest]
            if oldest in self._added:
                self._added.discard(oldest)
            else:
                self._dropped.add(oldest)

    def take(self) -> Change | None:
        if not self._added:
            return None
        entries = [self._entries[event_id] for _, event_id in self._order if event_id in self._added]
        cells = {entry["id"]: orjson.dumps(entry) for entry in entries}
        change = Change({"entries": entries}, cells, sorted(self._dropped))
        self._added, self._dropped = set(), set()
        return change
