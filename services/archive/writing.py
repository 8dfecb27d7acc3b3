"""Writing: puts what was gathered into the database, in one transaction with the positions it leads to.

That is what makes it exactly once: a position moves with its rows or not at all, and only from where its writer
believed it to be. The broker is told afterwards; a writer that dies between the two is made up for by the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from services.archive.batch import Batch, ChannelCursor, Gap, LaneCursor, entry_parts
from services.database import Database, insert_new, insert_or_change
from services.database.tables import (
    archive_channels,
    archive_deltas,
    archive_events,
    archive_gaps,
    archive_keyframes,
    archive_lanes,
)
from services.declare import Lane


class Overtaken(Exception):
    """Another worker has written this lane since it was opened; nothing was written."""

    def __init__(self, lane: Lane) -> None:
        super().__init__(f"lane {lane}: archived by another worker meanwhile; open it again")
        self.lane = lane


def read_cursors(database: Database, lane: Lane) -> tuple[LaneCursor | None, dict[str, ChannelCursor]]:
    """How far a lane and its channels are archived; None where nothing is yet. Raises DatabaseDown."""
    lanes, channels = archive_lanes.c, archive_channels.c
    with database.reading() as connection:
        found = connection.execute(
            select(lanes.version, lanes.epoch, lanes.entry_at, lanes.entry_no, lanes.shed).where(_is(lane))
        ).one_or_none()
        held = connection.execute(
            select(channels.channel, channels.epoch, channels.seq, channels.at).where(
                channels.feed == lane.feed, channels.lane == lane.number
            )
        ).all()
    cursor = None if found is None else LaneCursor(found[0], found[1], f"{found[2]}-{found[3]}", found[4])
    return cursor, {name: ChannelCursor(epoch, seq, at) for name, epoch, seq, at in held}


def write(database: Database, batches: Iterable[Batch], now: int) -> None:
    """Write batches of several lanes, whole or not at all. Raises Overtaken or DatabaseDown."""
    with database.writing() as connection:
        for batch in batches:
            _move(connection, batch)
            _add_rows(connection, batch)
            _add_gaps(connection, batch.gaps, now)


def _is(lane: Lane) -> ColumnElement[bool]:
    return and_(archive_lanes.c.feed == lane.feed, archive_lanes.c.lane == lane.number)


def _move(connection: Connection, batch: Batch) -> None:
    """Move the lane's position, from where this writer left it."""
    at, number = entry_parts(batch.after.entry)
    changed = {
        "version": batch.after.version,
        "epoch": batch.after.epoch,
        "entry_at": at,
        "entry_no": number,
        "shed": batch.after.shed,
    }
    if batch.before.version == 0:
        row = {"feed": batch.lane.feed, "lane": batch.lane.number, "events": len(batch.events), **changed}
        made = insert_new(connection, archive_lanes).values(row).returning(archive_lanes.c.version)
        moved = len(connection.execute(made).all())
    else:
        table = archive_lanes.c
        moved = connection.execute(
            update(archive_lanes)
            .where(_is(batch.lane), table.version == batch.before.version)
            .values(events=table.events + len(batch.events), **changed)
        ).rowcount
    if moved != 1:
        raise Overtaken(batch.lane)


def _add_rows(connection: Connection, batch: Batch) -> None:
    lane = {"feed": batch.lane.feed, "lane": batch.lane.number}
    if batch.events:
        rows = [{**lane, **asdict(event)} for event in batch.events]
        connection.execute(insert_new(connection, archive_events), rows)
    if batch.deltas:
        connection.execute(insert_new(connection, archive_deltas), [asdict(delta) for delta in batch.deltas])
    if batch.keyframes:
        connection.execute(insert_new(connection, archive_keyframes), [asdict(frame) for frame in batch.keyframes])
    if batch.channels:
        statement = insert_or_change(connection, archive_channels, ["channel"], kept=["rolled_until", "blanked_until"])
        cursors = [
            {"channel": name, **lane, **asdict(cursor), "rolled_until": 0, "blanked_until": 0}
            for name, cursor in batch.channels.items()
        ]
        connection.execute(statement, cursors)


def _add_gaps(connection: Connection, gaps: Sequence[Gap], now: int) -> None:
    if gaps:
        connection.execute(insert(archive_gaps), [{**asdict(gap), "recorded_at": now} for gap in gaps])
