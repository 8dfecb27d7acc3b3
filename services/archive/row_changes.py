"""Row changes: what one row of a `latest` channel was, and when it changed.

Read from its newest end backwards, a bounded part at a time, as a course is: of a channel with many rows most deltas
are of others. The database looks for the key in their text, so that only those that name it are sent and read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, or_, select

from services.archive.reading import Row, gaps_past
from services.database.tables import archive_channels, archive_deltas
from services.declare import ChannelRef

DELTAS_MAX = 100_000
"""Among so many deltas one answer looks for the key: up to a second."""
CHANGES_MAX = 1_000
"""So many deltas that name the key are in one answer."""


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Changes in order of time; `since` is how far back they reach: there may be more before it.

    A row that is `whole` says all that the row was then: fields that it does not name were gone. `epoch` and `seq` are
    the position up to which everything is in it, '' and 0 where nothing is archived.
    """

    rows: Sequence[Row]
    gaps: Sequence[Row]
    since: int
    epoch: str
    seq: int


def read_row_changes(
    connection: Connection, ref: ChannelRef, key: str, since: int, until: int, *,
    deltas_max: int = DELTAS_MAX, changes_max: int = CHANGES_MAX,
) -> RowChanges:  # fmt: skip
    """The newest part of the interval from `since` up to, but without, `until`."""
    stands = select(archive_channels.c.epoch, archive_channels.c.seq).where(archive_channels.c.channel == ref.name)
    epoch, seq = connection.execute(stands).one_or_none() or ("", 0)
    reached = _reached(connection, ref, since, until, deltas_max)
    deltas = _naming(connection, ref, key, reached, until, changes_max + 1)
    if len(deltas) > changes_max:
        oldest = deltas.pop(0)[0]
        # all of a moment or nothing of it; where all are of one moment, which a thousand commits never are, it is torn
        deltas, reached = [one for one in deltas if one[0] > oldest] or deltas, oldest + 1
    feed = ref.channel.feed.name
    return RowChanges(list(_changes(deltas, key)), gaps_past(connection, feed, reached, until, ref.name),
                      reached, epoch, seq)  # fmt: skip


def _reached(connection: Connection, ref: ChannelRef, since: int, until: int, deltas_max: int) -> int:
    """How far back one answer looks."""
    table = archive_deltas.c
    beyond = connection.execute(
        select(table.at)
        .where(table.channel == ref.name, table.at >= since, table.at < until)
        .order_by(table.at.desc())
        .offset(deltas_max)
        .limit(1)
    ).scalar()
    return since if beyond is None else min(beyond + 1, until - 1)


def _naming(
    connection: Connection, ref: ChannelRef, key: str, since: int, until: int, most: int
) -> list[tuple[int, bool, Any]]:
    """The newest deltas that may name the key, oldest first, and every snapshot: it may tell that the row was gone."""
    table, written = archive_deltas.c, orjson.dumps(key).decode()
    found = connection.execute(
        select(table.at, table.whole, table.data)
        .where(table.channel == ref.name, table.at >= since, table.at < until)
        .where(or_(table.whole, table.data.contains(written, autoescape=True)))
        .order_by(table.at.desc(), table.seq.desc(), table.whole.desc())
        .limit(most)
    )
    return [(at, whole, orjson.loads(data)) for at, whole, data in found][::-1]


def _changes(deltas: Sequence[tuple[int, bool, Mapping[str, Any]]], key: str) -> Iterator[Row]:
    """What happened to the row of this key; the text may stand elsewhere in a delta as well."""
    is_there = True  # who asks for a row knows that it was there, now or earlier
    for at, whole, data in deltas:
        fields = data.get("rows" if whole else "set", {}).get(key)
        is_replaced = whole or key in data.get("del", ())
        if fields is not None:
            yield {"at": at, "key": key, **fields} | ({"whole": True} if is_replaced else {})
            is_there = True
        elif is_replaced and is_there:
            yield {"at": at, "key": key, "deleted": True}
            is_there = False
