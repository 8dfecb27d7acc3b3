"""Reading: what a channel or a feed was over an interval, as rows; the same rows for JSON, CSV and DataFrames.

A row of a `latest` channel is a change of one key; of a `series` a point, restated ones once with their last value;
of a `log` an entry. What the archive knows to be missing in the interval is told with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from services.database.tables import archive_deltas, archive_events, archive_gaps, archive_hours
from services.declare import ChannelRef, FeedSpec

Row = dict[str, Any]
HOUR_MS = 3_600_000
ROWS_MAX = 50_000
LATE_ROWS = 100
"""Deltas that are looked at a time for points that were committed long after their time."""
AHEAD_MS = 60_000
"""A point's time is by the clock of who accepted it, its commit's by the worker's, which may be so far behind."""

BACKLOG_MS = 7 * 86_400_000
"""So old can the backlog be that a processor begins with; an event may name a time of long before there was a feed."""

Read = Callable[[int, int, int | None], list[Row]]
"""Rows of an interval in order of time; may end early where there are more than the third number."""


@dataclass(frozen=True, slots=True)
class Past:
    """Rows in order of time. `complete_until` is how far they reach: less than was asked for where they are many."""

    rows: Sequence[Row]
    gaps: Sequence[Row]
    complete_until: int


def channel_past(
    connection: Connection, ref: ChannelRef, since: int, until: int, rows_max: int | None = ROWS_MAX
) -> Past:
    """A channel from `since` up to, but without, `until`. `rows_max` None is without bound."""
    read = _points if ref.channel.kind == "series" else _entries if ref.channel.kind == "log" else _changes
    rows, reached = _bounded(partial(read, connection, ref), since, until, rows_max)
    return Past(rows, gaps_past(connection, ref.channel.feed.name, since, until, ref.name), reached)


def hours_past(
    connection: Connection, ref: ChannelRef, since: int, until: int, rows_max: int | None = ROWS_MAX
) -> Past:
    """The roll-ups of the hours that begin in the interval."""
    rows, reached = _bounded(partial(_hours, connection, ref), since, until, rows_max)
    return Past(rows, gaps_past(connection, ref.channel.feed.name, since, until, ref.name), reached)


def feed_past(connection: Connection, feed: FeedSpec, since: int, until: int, rows_max: int | None = ROWS_MAX) -> Past:
    """The events of a feed that were created in the interval, by time and id."""
    rows, reached = _bounded(partial(_events, connection, feed), since, until, rows_max)
    return Past(rows, gaps_past(connection, feed.name, since, until, ""), reached)


def _bounded(read: Read, since: int, until: int, rows_max: int | None) -> tuple[list[Row], int]:
    """At most so many rows, none of a time of which others are left out; how far they reach."""
    rows = read(since, until, rows_max)
    if rows_max is None or len(rows) <= rows_max:
        return rows, until
    reached: int = rows[rows_max]["at"]
    kept = [row for row in rows[:rows_max] if row["at"] < reached]
    if kept:
        return kept, reached
    return read(reached, reached + 1, None), reached + 1  # more of one moment than fit: all of them


def _events(connection: Connection, feed: FeedSpec, since: int, until: int, enough: int | None) -> list[Row]:
    table = archive_events.c
    found = connection.execute(
        select(table.created_at, table.body)
        .where(table.feed == feed.name, table.created_at >= since, table.created_at < until)
        .order_by(table.created_at, table.id, table.entry_at, table.entry_no, table.number)
        .limit(None if enough is None else enough + 1)
    )
    return [{"at": at, **orjson.loads(body)} for at, body in found]


def _hours(connection: Connection, ref: ChannelRef, since: int, until: int, enough: int | None) -> list[Row]:
    table = archive_hours.c
    found = connection.execute(
        select(archive_hours)
        .where(table.channel == ref.name, table.hour >= since, table.hour < until)
        .order_by(table.hour, table.name, table.field)
        .limit(None if enough is None else enough + 1)
    ).mappings()
    return [
        {
            "at": row["hour"],
            "name": row["name"],
            "field": row["field"],
            "count": row["count"],
            "min": row["least"],
            "max": row["most"],
            "mean": row["total"] / row["count"],
            "last": row["last"],
        }
        for row in found
    ]


@contextmanager
def _deltas(
    connection: Connection, ref: ChannelRef, since: int, until: int
) -> Iterator[Iterator[tuple[int, bool, Any]]]:
    """(commit time, whether a snapshot, data) of a channel, in order, read as one goes."""
    table = archive_deltas.c
    wanted = (
        select(table.at, table.whole, table.data)
        .where(table.channel == ref.name, table.at >= since, table.at < until)
        .order_by(table.at, table.seq, table.whole)
    )
    with connection.execute(wanted, execution_options={"yield_per": 500}) as found:
        yield ((at, whole, orjson.loads(data)) for at, whole, data in found)


def _points(connection: Connection, ref: ChannelRef, since: int, until: int, enough: int | None) -> list[Row]:
    """Points, hour by hour, so that a year is never in memory; each is looked for as long as it may be restated."""
    span_ms = ref.channel.keep.span_ms or 0
    rows: list[Row] = []
    for first, last in slices(connection, ref, since, until, max(HOUR_MS, span_ms)):
        points: dict[tuple[int, str], Any] = {}
        with _deltas(connection, ref, first - AHEAD_MS, last + span_ms + 1) as deltas:
            for _, _, data in deltas:
                for name, pairs in data.get("points", {}).items():
                    points |= {(at, name): value for at, value in pairs if first <= at < last}
        points |= committed_late(connection, ref, (first, last), last + span_ms)
        rows += [{"at": at, "name": name, "value": points[at, name]} for at, name in sorted(points)]
        if enough is not None and len(rows) > enough:
            break
    return rows


def committed_late(
    connection: Connection, ref: ChannelRef, times: tuple[int, int], after: int
) -> dict[tuple[int, str], Any]:
    """Points of that time in deltas committed later than `after`: a processor that was down goes on where it stopped.

    It works in order of time, so the first delta without any such point ends them.
    """
    (first, last), table = times, archive_deltas.c
    points: dict[tuple[int, str], Any] = {}
    later = (
        select(table.data)
        .where(table.channel == ref.name, table.at > after, table.whole.is_(False))
        .order_by(table.at, table.seq)
        .limit(LATE_ROWS)
    )
    for page in count():
        found = connection.execute(later.offset(page * LATE_ROWS)).scalars().all()
        for data in found:
            held = [(t, name, value) for name, pairs in orjson.loads(data)["points"].items() for t, value in pairs]
            if held and all(t >= last for t, _, _ in held):
                return points
            points |= {(t, name): value for t, name, value in held if first <= t < last}
        if len(found) < LATE_ROWS:
            break
    return points


def slices(connection: Connection, ref: ChannelRef, since: int, until: int, slice_ms: int) -> Iterator[tuple[int, int]]:
    """Begin and end of the slices in which a channel may have rows within the interval, in order."""
    table = archive_deltas.c
    least, most = connection.execute(
        select(func.min(table.at), func.max(table.at)).where(table.channel == ref.name)
    ).one()
    if least is None:
        return
    span_ms = ref.channel.keep.span_ms or 0  # so long a point may be restated
    first = max(since, oldest_row(connection, ref, least) - span_ms)
    last = min(until, most + (AHEAD_MS if ref.channel.kind == "series" else 0) + 1)
    for begin in range(first, last, slice_ms):
        yield begin, min(begin + slice_ms, until)


def oldest_row(connection: Connection, ref: ChannelRef, commit_at: int) -> int:
    """The time of the oldest row in the channel's first commit of that time, at most `BACKLOG_MS` before it.

    Where a processor begins with a backlog, its points are older than their commit.
    """
    if ref.channel.kind != "series":
        return commit_at
    table = archive_deltas.c
    data = connection.execute(
        select(table.data).where(table.channel == ref.name, table.at == commit_at).order_by(table.seq).limit(1)
    ).scalar_one()
    times: Iterator[int] = (at for pairs in orjson.loads(data).get("points", {}).values() for at, _ in pairs)
    return max(commit_at - BACKLOG_MS, min([commit_at, *times]))


def _changes(connection: Connection, ref: ChannelRef, since: int, until: int, enough: int | None) -> list[Row]:
    rows: list[Row] = []
    with _deltas(connection, ref, since, until) as deltas:
        for at, whole, data in deltas:
            rows += _changed(at, whole, data)
            if enough is not None and len(rows) > enough:
                break
    return rows


def _changed(at: int, whole: bool, data: Mapping[str, Any]) -> Iterator[Row]:
    """Changes of rows; a key that is deleted and set again was replaced."""
    rows = data.get("rows" if whole else "set", {})
    for key in data.get("del", ()):
        if key not in rows:
            yield {"at": at, "key": key, "deleted": True}
    for key, fields in rows.items():
        yield {"at": at, "key": key, **fields}


def _entries(connection: Connection, ref: ChannelRef, since: int, until: int, enough: int | None) -> list[Row]:
    rows: dict[str, Row] = {}
    with _deltas(connection, ref, since, until) as deltas:
        for at, _, data in deltas:
            for entry in data.get("entries", ()):
                rows.setdefault(entry["id"], {"at": at, **entry})
            if enough is not None and len(rows) > enough:
                break
    return list(rows.values())


def gaps_past(connection: Connection, feed: str, since: int, until: int, channel: str) -> list[Row]:
    """What is known to be missing of a channel, or with '' of the feed's events."""
    table = archive_gaps.c
    found = connection.execute(
        select(table.since, table.until, table.events, table.reason)
        .where(table.feed == feed, table.channel == channel, table.until >= since, table.since < until)
        .order_by(table.since, table.number)
    )
    # names of our own: SQLAlchemy's are no plain texts, which no JSON takes for keys
    return [{"since": begin, "until": end, "events": events, "reason": reason} for begin, end, events, reason in found]
