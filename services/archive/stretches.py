"""Stretches: a channel's history piece by piece, in order, so that a file of thirty days is never in memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from services.archive.reading import Row, channel_past, slices
from services.database.tables import archive_deltas
from services.declare import ChannelRef
from services.positions import Position

STRETCH_MS = 600_000
"""Ten minutes: at two hundred changes a second that is a hundred thousand rows at a time."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The newest commit of a channel before a time: its position, and when it was made."""

    position: Position
    at: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The rows of one piece; `until` is how far the history is read by it."""

    rows: Sequence[Row]
    until: int


def reach(connection: Connection, ref: ChannelRef, until: int) -> Reach | None:
    """Where a channel stood just before `until`; None where nothing of it is archived from before."""
    table = archive_deltas.c
    found = connection.execute(
        select(table.epoch, table.seq, table.at)
        .where(table.channel == ref.name, table.at < until)
        .order_by(table.at.desc(), table.seq.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else Reach(Position(found.epoch, found.seq), found.at)


def stretches(connection: Connection, ref: ChannelRef, since: int, until: int) -> Iterator[Stretch]:
    """The rows that `channel_past` gives, from `since` up to and without `until`; the last piece ends at `until`."""
    step, seen = max(STRETCH_MS, ref.channel.keep.span_ms or 0), _Seen(ref.channel.keep.entries_max)
    reached = since
    for begin, end in slices(connection, ref, since, until, step):
        rows = channel_past(connection, ref, begin, end, None).rows
        yield Stretch(seen.fresh(rows) if ref.channel.kind == "log" else rows, end)
        reached = end
    if reached < until:
        yield Stretch([], until)


class _Seen:
    """Which entries came already: a snapshot within the history repeats the newest ones, and none but those."""

    def __init__(self, entries_max: int | None) -> None:
        self._most = entries_max or 0
        self._newest: list[tuple[int, str]] = []
        self._ids: set[str] = set()

    def fresh(self, rows: Sequence[Row]) -> list[Row]:
        return [row for row in rows if self._note(row["created_at"], row["id"])]

    def _note(self, created_at: int, entry_id: str) -> bool:
        if entry_id in self._ids:
            return False
        self._ids.add(entry_id)
        heapq.heappush(self._newest, (created_at, entry_id))
        if len(self._newest) > self._most:
            self._ids.discard(heapq.heappop(self._newest)[1])
        return True
