"""Entries: the reducer of log channels."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from typing import Any

import orjson

from services.batch import Batch, Event
from services.declare import Channel
from services.reducers.reducer import Change, Prepared, row_of


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

    def prepare(self, batch: Batch) -> Prepared:
        concerned = batch.where(self._where)
        places = sorted(zip(concerned.created, concerned.ids, range(len(concerned)), strict=True))
        return Prepared(concerned, places[-self._entries_max :])

    def apply(self, prepared: Prepared) -> None:
        for created_at, event_id, index in prepared.parts:
            self._put((created_at, event_id), prepared.concerned.events[index])
        self._drop_oldest()

    def _put(self, place: tuple[int, str], event: Event) -> None:
        event_id = place[1]
        if event_id in self._entries or (len(self._order) >= self._entries_max and place < self._order[0]):
            return
        self._entries[event_id] = {"id": event_id, **row_of(event)}
        insort(self._order, place)
        self._added.add(event_id)

    def _drop_oldest(self) -> None:
        excess = max(0, len(self._order) - self._entries_max)
        for _, oldest in self._order[:excess]:
            del self._entries[oldest]
            if oldest in self._added:
                self._added.discard(oldest)
            else:
                self._dropped.add(oldest)
        del self._order[:excess]

    def forget(self, field: str, key: str) -> bool:
        gone = {event_id for event_id, entry in self._entries.items() if str(entry.get(field)) == key}
        for event_id in gone:
            del self._entries[event_id]
        self._order = [place for place in self._order if place[1] not in gone]
        self._added -= gone
        self._dropped |= gone
        return bool(gone)

    def take(self) -> Change | None:
        if not self._added and not self._dropped:
            return None
        entries = [self._entries[event_id] for _, event_id in self._order if event_id in self._added]
        cells = {entry["id"]: orjson.dumps(entry) for entry in entries}
        change = Change({"entries": entries} if entries else None, cells, sorted(self._dropped))
        self._added, self._dropped = set(), set()
        return change
