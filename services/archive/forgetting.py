"""Forgetting: takes one key of a feed out of the archive: its events, and what they were in every channel's history.

A delta keeps its place, so that positions still follow each other; what it said of the key is taken out. The database
is then made to give up the bytes as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Table, delete, select, update
from sqlalchemy.sql.elements import ColumnElement

from services.archive.keyed import Keyed, mentioned
from services.database import Database
from services.database.tables import (
    archive_channels,
    archive_deltas,
    archive_events,
    archive_gaps,
    archive_hours,
    archive_keyframes,
)
from services.declare import Declarations, FeedSpec

ROWS_AT_A_TIME = 1_000


def forget_key(database: Database, declarations: Declarations, feed: FeedSpec, key: str) -> dict[str, int]:
    """How many rows of each table were removed or rewritten. Raises DatabaseDown."""
    removed: Counter[str] = Counter()
    with database.writing() as connection:
        removed["archive_events"] += _events(connection, feed, key)
        for name in _channels(connection, feed):
            ref = declarations.resolve_past(name)
            keyed = Keyed(feed.key, key, None if ref is None else ref.channel)
            if keyed.is_own_part(name):
                removed += _whole_channel(connection, name)
                continue
            removed["archive_deltas"] += _rewrite(
                connection, archive_deltas, archive_deltas.c.channel == name, keyed.mentioned, keyed.without
            )
            removed["archive_keyframes"] += _rewrite(
                connection, archive_keyframes, archive_keyframes.c.channel == name, keyed.mentioned, keyed.without
            )
            removed["archive_hours"] += _hours(connection, name, keyed)
    database.scrub(sorted(table for table, rows in removed.items() if rows))
    return dict(removed)


def _channels(connection: Connection, feed: FeedSpec) -> list[str]:
    """Every channel of the feed that was ever archived, declared today or not."""
    wanted = select(archive_channels.c.channel).where(archive_channels.c.feed == feed.name)
    return list(connection.execute(wanted).scalars())


def _events(connection: Connection, feed: FeedSpec, key: str) -> int:
    """Events are looked for by their text, and removed where they are of the key."""
    table, keys = archive_events.c, list(archive_events.primary_key.columns)
    wanted = select(archive_events).where(table.feed == feed.name, table.body.contains(mentioned(key), autoescape=True))
    found = 0
    for rows in _pieces(connection, wanted):
        for row in rows:
            if str(orjson.loads(row.body).get(feed.key)) == key:
                connection.execute(delete(archive_events).where(*_is(keys, row)))
                found += 1
    return found


def _rewrite(
    connection: Connection, table: Table, where: ColumnElement[bool], text: str, without: Callable[[Any], Any]
) -> int:
    """Rewrite the `data` of rows that mention the text; returns how many said anything of the key."""
    keys, found = list(table.primary_key.columns), 0
    wanted = select(table).where(where, table.c.data.contains(text, autoescape=True))
    for rows in _pieces(connection, wanted):
        for row in rows:
            rest = without(orjson.loads(row.data))
            if rest is not None:
                connection.execute(update(table).where(*_is(keys, row)).values(data=orjson.dumps(rest).decode()))
                found += 1
    return found


def _pieces(connection: Connection, wanted: Any) -> Iterator[Sequence[Row[Any]]]:
    """Rows piece by piece: read whole first, as what is read is being changed."""
    rows = connection.execute(wanted).all()
    for first in range(0, len(rows), ROWS_AT_A_TIME):
        yield rows[first : first + ROWS_AT_A_TIME]


def _is(keys: Sequence[Any], row: Row[Any]) -> list[ColumnElement[bool]]:
    return [column == row._mapping[column.name] for column in keys]


def _hours(connection: Connection, channel: str, keyed: Keyed) -> int:
    table = archive_hours.c
    names = connection.execute(select(table.name).where(table.channel == channel).distinct()).scalars()
    own = [name for name in names if keyed.is_own_group(name)]
    return sum(
        connection.execute(delete(archive_hours).where(table.channel == channel, table.name == name)).rowcount
        for name in own
    )


def _whole_channel(connection: Connection, name: str) -> Counter[str]:
    """The part of a channel that is the key's own goes with its name."""
    tables = (archive_deltas, archive_keyframes, archive_hours, archive_gaps, archive_channels)
    return Counter(
        {table.name: connection.execute(delete(table).where(table.c.channel == name)).rowcount for table in tables}
    )
