"""Blanking: takes personal fields out of what the archive keeps, when their own days are over, and leaves the rest.

Ten minutes at a time, in the order of time; how far it is stands beside how far the archive is, and never before it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from services.database import Database
from services.database.tables import (
    archive_channels,
    archive_deltas,
    archive_events,
    archive_hours,
    archive_keyframes,
    archive_lanes,
)
from services.declare import ChannelRef, Lane, personal_columns
from services.state import Data

SLICE_MS = 10 * 60_000


def blank_events(database: Database, lane: Lane, fields: Collection[str], cutoff: int) -> bool:
    """Blank the fields in a lane's next events that were accepted before `cutoff`; True where there may be more."""
    lanes, table = archive_lanes.c, archive_events.c
    mine = (lanes.feed == lane.feed, lanes.lane == lane.number)
    own = (table.feed == lane.feed, table.lane == lane.number)
    with database.writing() as connection:
        stands = connection.execute(select(lanes.blanked_until, lanes.entry_at).where(*mine)).one_or_none()
        if stands is None:
            return False
        begin, end = stands.blanked_until, min(cutoff, stands.entry_at)
        until = _next(connection, table.entry_at, own, begin, end)
        if until is None:
            return False
        where = (*own, table.entry_at >= begin, table.entry_at < until)
        _rewrite(connection, archive_events, "body", where, lambda event: _blank(event, fields))
        connection.execute(update(archive_lanes).where(*mine).values(blanked_until=until))
    return True


def blank_channel(database: Database, ref: ChannelRef, cutoff: int) -> bool:
    """The same of a channel's deltas and whole states; of its hours, the numbers that are personal go."""
    channels, table, columns = archive_channels.c, archive_deltas.c, personal_columns(ref.channel)
    if not columns:
        return False
    with database.writing() as connection:
        stands = select(channels.blanked_until, channels.at).where(channels.channel == ref.name)
        begin, at = connection.execute(stands).one()
        own = (table.channel == ref.name,)
        until = _next(connection, table.at, own, begin, min(cutoff, at))
        if until is None:
            return False
        for one in (archive_deltas, archive_keyframes):
            where = (one.c.channel == ref.name, one.c.at >= begin, one.c.at < until)
            _rewrite(connection, one, "data", where, lambda data: _without(data, columns))
        hours = archive_hours.c
        connection.execute(
            delete(archive_hours).where(hours.channel == ref.name, hours.hour < until, hours.field.in_(columns))
        )
        connection.execute(update(archive_channels).where(channels.channel == ref.name).values(blanked_until=until))
    return True


def _next(connection: Connection, time: Any, own: tuple[ColumnElement[bool], ...], begin: int, end: int) -> int | None:
    """Up to when to go on in this step; None where nothing is due. Where nothing is kept, all of it is one step."""
    if begin >= end:
        return None
    oldest = connection.execute(select(func.min(time)).where(*own, time >= begin)).scalar()
    return end if oldest is None else min(end, max(begin, oldest) + SLICE_MS)


def _rewrite(
    connection: Connection, table: Table, column: str, where: tuple[ColumnElement[bool], ...], change: Any
) -> None:
    keys = list(table.primary_key.columns)
    for row in connection.execute(select(table).where(*where)).all():
        held = orjson.loads(row._mapping[column])
        changed = change(held)
        if changed != held:
            same = [key == row._mapping[key.name] for key in keys]
            connection.execute(update(table).where(*same).values({column: orjson.dumps(changed).decode()}))


def _blank(fields: Mapping[str, Any], personal: Collection[str]) -> dict[str, Any]:
    return {name: None if name in personal else value for name, value in fields.items()}


def _without(data: Data, columns: Collection[str]) -> Data:
    """A delta's or snapshot's data with these columns blanked; a line that is one of them goes."""
    found = dict(data)
    for name in {"rows", "set"} & data.keys():
        found[name] = {key: _blank(row, columns) for key, row in data[name].items()}
    if "entries" in data:
        found["entries"] = [_blank(entry, columns) for entry in data["entries"]]
    for name in {"points", "restated"} & data.keys():
        found[name] = {one: held for one, held in data[name].items() if one.partition(":")[0] not in columns}
    return found
