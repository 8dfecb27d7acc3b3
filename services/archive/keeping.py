"""Keeping: rolls finished hours up and lets go what is older than its declaration keeps.

In small steps between two rounds of archiving, so that neither waits for the other: each step is one transaction of
one hour's roll-up or ten minutes' rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update

from services.archive.blanking import blank_channel, blank_events
from services.archive.reading import HOUR_MS, Row, channel_past, oldest_row
from services.database import Database, insert_new
from services.database.tables import archive_channels, archive_deltas, archive_events, archive_hours, archive_keyframes
from services.declare import Channel, ChannelRef, Declarations, FeedSpec, Lane
from services.positions import Clock

LOOK_EVERY_MS = 60_000
SLICE_MS = 10 * 60_000
SETTLED_MS = 5 * 60_000
"""An hour is rolled up so long after nothing of it can change any more."""
DAY_MS = 86_400_000
_NO_NUMBERS = frozenset({"at", "key", "created_at", "window_start", "window_end", "restated"})

Task = Callable[[], bool]
"""One small step; True where there is more of the same to do."""


class Keeper:
    """Does what is due, a step at a time."""

    def __init__(self, database: Database, declarations: Declarations, clock: Clock) -> None:
        self._database, self._declarations, self._clock = database, declarations, clock
        self._tasks: list[Task] = []
        self._look_at = 0

    def step(self, lanes: Sequence[Lane]) -> bool:
        """One step of what is due for these lanes; False where nothing is. Raises DatabaseDown."""
        now = self._clock()
        if not self._tasks:
            if now < self._look_at:
                return False
            self._look_at = now + LOOK_EVERY_MS
            self._tasks = [task for lane in lanes for task in self._due(lane, now)]
            return bool(self._tasks)
        if not self._tasks[-1]():
            self._tasks.pop()
        return True

    def _due(self, lane: Lane, now: int) -> Iterator[Task]:
        """From last to first: roll up before anything goes."""
        feed = self._declarations.feeds[lane.feed]
        if feed.personal and feed.history.personal_days is not None:
            yield from self._blank(feed, lane, now - int(feed.history.personal_days * DAY_MS))
        if days := self._declarations.feeds[lane.feed].history.days:
            yield partial(self._drop_events, lane, now - int(days * DAY_MS))
        for name in self._channels(lane):
            ref = self._declarations.resolve(name)
            if ref is None or not ref.channel.history.days:
                continue
            history = ref.channel.history
            if history.hourly_days:
                yield partial(self._drop_hours, name, now - int(history.hourly_days * DAY_MS))
            yield partial(self._drop_keyframes, name, now - int(history.days * DAY_MS))
            yield partial(self._drop_deltas, ref, now - int(history.days * DAY_MS))
            if history.hourly_days:
                yield partial(self._roll_up, ref, now - _settling_ms(ref.channel))

    def _blank(self, feed: FeedSpec, lane: Lane, cutoff: int) -> Iterator[Task]:
        """Blank what is personal; before it is rolled up, where that comes later."""
        yield partial(blank_events, self._database, lane, feed.personal, cutoff)
        refs = (self._declarations.resolve(name) for name in self._channels(lane))
        yield from (partial(blank_channel, self._database, ref, cutoff) for ref in refs if ref is not None)

    def _channels(self, lane: Lane) -> list[str]:
        table = archive_channels.c
        with self._database.reading() as connection:
            found = connection.execute(select(table.channel).where(table.feed == lane.feed, table.lane == lane.number))
            return list(found.scalars())

    # Roll-ups ------------------------------------------------------------------------------------

    def _roll_up(self, ref: ChannelRef, settled: int) -> bool:
        """Roll the channel's next finished hour up; what was written once is never changed."""
        with self._database.writing() as connection:
            hour = _next_hour(connection, ref)
            if hour is None or hour + HOUR_MS > settled:
                return False
            rows = hour_rows(ref, hour, channel_past(connection, ref, hour, hour + HOUR_MS, None).rows)
            if rows:
                connection.execute(insert_new(connection, archive_hours), rows)
            table = archive_channels.c
            connection.execute(
                update(archive_channels).where(table.channel == ref.name).values(rolled_until=hour + HOUR_MS)
            )
        return True

    # Retention -----------------------------------------------------------------------------------

    def _drop_events(self, lane: Lane, cutoff: int) -> bool:
        table = archive_events.c
        return self._drop(archive_events, table.entry_at, cutoff, table.feed == lane.feed, table.lane == lane.number)

    def _drop_deltas(self, ref: ChannelRef, cutoff: int) -> bool:
        """Deltas that are to be rolled up stay until they are; so do those that the first state of what is kept needs:
        from the last keyframe before it on."""
        if ref.channel.history.hourly_days:
            with self._database.reading() as connection:
                cutoff = min(cutoff, _rolled_until(connection, ref.name))
        return self._drop(
            archive_deltas,
            archive_deltas.c.at,
            self._needed_from(ref.name, cutoff),
            archive_deltas.c.channel == ref.name,
        )

    def _drop_keyframes(self, channel: str, cutoff: int) -> bool:
        table = archive_keyframes.c
        return self._drop(archive_keyframes, table.at, self._needed_from(channel, cutoff), table.channel == channel)

    def _needed_from(self, channel: str, cutoff: int) -> int:
        """When the last keyframe before a time was made: a replay of that time begins there."""
        table = archive_keyframes.c
        with self._database.reading() as connection:
            last: int | None = connection.execute(
                select(func.max(table.at)).where(table.channel == channel, table.at <= cutoff)
            ).scalar()
        return cutoff if last is None else last

    def _drop_hours(self, channel: str, cutoff: int) -> bool:
        return self._drop(archive_hours, archive_hours.c.hour, cutoff, archive_hours.c.channel == channel)

    def _drop(self, table: Table, time: Any, cutoff: int, *where: Any) -> bool:
        """Let the oldest rows go, of ten minutes at most; True where older ones than `cutoff` may be left."""
        with self._database.writing() as connection:
            oldest = connection.execute(select(func.min(time)).where(*where)).scalar()
            if oldest is None or oldest >= cutoff:
                return False
            connection.execute(delete(table).where(*where, time < min(cutoff, oldest + SLICE_MS)))
        return True


def _settling_ms(channel: type[Channel]) -> int:
    """How long after an hour something of it may still change: windows, lateness, and some more."""
    window_s = (channel.window_s or 0.0) * channel.windows
    return int(max(channel.feed.lateness_s, window_s) * 1000) + SETTLED_MS


def _rolled_until(connection: Connection, channel: str) -> int:
    table = archive_channels.c
    found: int = connection.execute(select(table.rolled_until).where(table.channel == channel)).scalar_one()
    return found


def _next_hour(connection: Connection, ref: ChannelRef) -> int | None:
    """The hour that is to be rolled up next; None where the channel has nothing."""
    rolled = _rolled_until(connection, ref.name)
    table = archive_deltas.c
    first = connection.execute(select(func.min(table.at)).where(table.channel == ref.name, table.at >= rolled)).scalar()
    if first is None:
        return None
    oldest = oldest_row(connection, ref, first)
    return max(rolled, oldest - oldest % HOUR_MS)


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
