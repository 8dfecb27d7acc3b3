"""Rolling: the numbers of a channel's finished hours, and those hours again to which rows came late.

An hour is rolled up once nothing of it can change any more. There is one exception: where nobody processed for long,
points of hours that are rolled up already are committed when the backlog is done. These hours are rolled up again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import structlog
from sqlalchemy import Connection, delete, func, literal, select, tuple_, update

from services.archive.reading import BACKLOG_MS, HOUR_MS, Row, channel_past, oldest_row
from services.database import Database, insert_new
from services.database.tables import archive_channels, archive_deltas, archive_hours
from services.declare import Channel, ChannelRef

SETTLED_MS = 5 * 60_000
"""An hour is rolled up so long after nothing of it can change any more."""
DELTAS_PER_STEP = 10_000
"""How many deltas are looked through at a time for points of hours that are rolled up: about 30 ms."""
_NO_NUMBERS = frozenset({"at", "key", "created_at", "window_start", "window_end", "restated"})

log = structlog.get_logger("archive")


def settling_ms(channel: type[Channel]) -> int:
    """How long after an hour something of it may still change: windows, lateness, and some more."""
    window_s = (channel.window_s or 0.0) * channel.windows
    return int(max(channel.feed.lateness_s, window_s) * 1000) + SETTLED_MS


def rolled_until(connection: Connection, channel: str) -> int:
    """Up to when the hours of a channel are rolled up, 0 where none is."""
    table = archive_channels.c
    found: int = connection.execute(select(table.rolled_until).where(table.channel == channel)).scalar_one()
    return found


def roll_up(database: Database, ref: ChannelRef, settled: int) -> bool:
    """Roll the channel's next finished hour up; False where none has ended before `settled`."""
    with database.writing() as connection:
        hour = _next_hour(connection, ref)
        if hour is None or hour + HOUR_MS > settled:
            return False
        _write_hour(connection, ref, hour)
        table = archive_channels.c
        connection.execute(
            update(archive_channels).where(table.channel == ref.name).values(rolled_until=hour + HOUR_MS)
        )
    return True


def _next_hour(connection: Connection, ref: ChannelRef) -> int | None:
    """The hour that is to be rolled up next; None where the channel has nothing."""
    rolled = rolled_until(connection, ref.name)
    table = archive_deltas.c
    first = connection.execute(select(func.min(table.at)).where(table.channel == ref.name, table.at >= rolled)).scalar()
    if first is None:
        return None
    oldest = oldest_row(connection, ref, first)
    return max(rolled, oldest - oldest % HOUR_MS)


def _write_hour(connection: Connection, ref: ChannelRef, hour: int) -> None:
    """The hour as its rows are now, instead of what was written of it before."""
    table = archive_hours.c
    connection.execute(delete(archive_hours).where(table.channel == ref.name, table.hour == hour))
    if rows := hour_rows(ref, hour, channel_past(connection, ref, hour, hour + HOUR_MS, None).rows):
        connection.execute(insert_new(connection, archive_hours), rows)


class LateHours:
    """Finds hours that were rolled up before all of their points were committed, and rolls them up again.

    Rows and entries are of the time of their commit, so only a series can have such hours. A process that begins looks
    through what was committed since the last hour that is rolled up: an hour that is not is never late.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[str, tuple[int, int, bool]] = {}  # by channel: the newest delta that was looked at
        self._hours: dict[str, set[int]] = {}

    def step(self, ref: ChannelRef, kept_since: int) -> bool:
        """Look through some deltas, or roll one hour up again; False where nothing is left to do.

        Of an hour that began before `kept_since` the rows are gone in part: it stays as it is, and the log says so.
        """
        if ref.channel.kind != "series":
            return False
        if hours := self._hours.get(ref.name):
            self._again(ref, hours.pop(), kept_since)
            return True
        return self._look(ref)

    def _again(self, ref: ChannelRef, hour: int, kept_since: int) -> None:
        if hour < kept_since:
            log.warning("hour stays as it was rolled up, its rows are gone", channel=ref.name, hour=hour)
            return
        with self._database.writing() as connection:
            _write_hour(connection, ref, hour)

    def _look(self, ref: ChannelRef) -> bool:
        table = archive_deltas.c
        with self._database.reading() as connection:
            rolled = rolled_until(connection, ref.name)
            if rolled == 0:
                return False
            seen = self._seen.get(ref.name, (rolled, -1, False))
            found = connection.execute(
                select(table.at, table.seq, table.whole, table.data)
                .where(table.channel == ref.name, table.at >= seen[0])
                .where(tuple_(table.at, table.seq, table.whole) > tuple_(*map(literal, seen)))
                .order_by(table.at, table.seq, table.whole)
                .limit(DELTAS_PER_STEP)
            ).all()
        if found:
            self._seen[ref.name] = (found[-1].at, found[-1].seq, found[-1].whole)
        # an event may name a time of long before there was a feed: such a point is in no history
        times = (time for row in found for time in _times(row.data) if row.at - BACKLOG_MS <= time < rolled)
        self._hours[ref.name] = {time - time % HOUR_MS for time in times}
        return bool(self._hours[ref.name]) or len(found) == DELTAS_PER_STEP


def _times(data: str) -> Iterator[int]:
    """The times of a delta's points."""
    for pairs in orjson.loads(data).get("points", {}).values():
        for time, _ in pairs:
            yield time


def hour_rows(ref: ChannelRef, hour: int, rows: Sequence[Row]) -> list[Row]:
    """The numbers of one hour by name and field: count, least, most, exact total, last."""
    values: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        for name, field, value in _numbers(ref.channel, row):
            values.setdefault((name, field), []).append(value)
    return [
        {
            "channel": ref.name,
            "hour": hour,
            "name": name,
            "field": field,
            "count": len(found),
            "least": min(found),
            "most": max(found),
            "total": math.fsum(found),
            "last": found[-1],
        }
        for (name, field), found in sorted(values.items())
    ]


def _numbers(channel: type[Channel], row: Row) -> Iterator[tuple[str, str, float]]:
    if channel.kind == "series":
        field, _, group = row["name"].partition(":")
        if _is_number(row["value"]):
            yield group, field, float(row["value"])
        return
    for field, value in row.items():
        if field not in _NO_NUMBERS and _is_number(value):
            yield row["key"], field, float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
