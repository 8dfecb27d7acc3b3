"""Keeping: rolls finished hours up and lets go what is older than its declaration keeps.

In small steps between two rounds of archiving, so that neither waits for the other: each step is one transaction of
one hour's roll-up or ten minutes' rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Table, delete, func, select

from services.archive.blanking import blank_channel, blank_events
from services.archive.rolling import LateHours, roll_up, rolled_until, settling_ms
from services.database import Database
from services.database.tables import archive_channels, archive_deltas, archive_events, archive_hours, archive_keyframes
from services.declare import ChannelRef, Declarations, FeedSpec, Lane
from services.positions import Clock

LOOK_EVERY_MS = 60_000
SLICE_MS = 10 * 60_000
DAY_MS = 86_400_000

Task = Callable[[], bool]
"""One small step; True where there is more of the same to do."""


class Keeper:
    """Does what is due, a step at a time."""

    def __init__(self, database: Database, declarations: Declarations, clock: Clock) -> None:
        self._database, self._declarations, self._clock = database, declarations, clock
        self._tasks: list[Task] = []
        self._look_at = 0
        self._late = LateHours(database)

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
        """From last to first: roll up before anything goes, and what came late before what is next."""
        feed = self._declarations.feed_of(lane)
        if feed.personal and feed.history.personal_days is not None:
            yield from self._blank(feed, lane, now - int(feed.history.personal_days * DAY_MS))
        if days := feed.history.days:
            yield partial(self._drop_events, lane, now - int(days * DAY_MS))
        for name in self._channels(lane):
            ref = self._declarations.resolve_past(name)
            if ref is None or not ref.channel.history.days:
                continue
            history = ref.channel.history
            if history.hourly_days:
                yield partial(self._drop_hours, name, now - int(history.hourly_days * DAY_MS))
            yield partial(self._drop_keyframes, name, now - int(history.days * DAY_MS))
            yield partial(self._drop_deltas, ref, now - int(history.days * DAY_MS))
            if history.hourly_days:
                yield partial(roll_up, self._database, ref, now - settling_ms(ref.channel))
                yield partial(self._late.step, ref, now - int(history.days * DAY_MS))

    def _blank(self, feed: FeedSpec, lane: Lane, cutoff: int) -> Iterator[Task]:
        """Blank what is personal; before it is rolled up, where that comes later."""
        yield partial(blank_events, self._database, lane, feed.personal, cutoff)
        refs = (self._declarations.resolve_past(name) for name in self._channels(lane))
        yield from (partial(blank_channel, self._database, ref, cutoff) for ref in refs if ref is not None)

    def _channels(self, lane: Lane) -> list[str]:
        table = archive_channels.c
        with self._database.reading() as connection:
            found = connection.execute(select(table.channel).where(table.feed == lane.feed, table.lane == lane.number))
            return list(found.scalars())

    # Retention -----------------------------------------------------------------------------------

    def _drop_events(self, lane: Lane, cutoff: int) -> bool:
        table = archive_events.c
        return self._drop(archive_events, table.entry_at, cutoff, table.feed == lane.feed, table.lane == lane.number)

    def _drop_deltas(self, ref: ChannelRef, cutoff: int) -> bool:
        """Deltas that are to be rolled up stay until they are; so do those that the first state of what is kept needs:
        from the last keyframe before it on."""
        if ref.channel.history.hourly_days:
            with self._database.reading() as connection:
                cutoff = min(cutoff, rolled_until(connection, ref.name))
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
