"""Course: how a series went over an interval, line by line, thinned to what a chart can show.

Read from its newest end backwards, a bounded part at a time, so that no answer takes long and a chart fills while it
waits. From the deltas, or from the hourly roll-ups where the deltas are gone, or too many for a long interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, select

from services.archive.reading import AHEAD_MS, HOUR_MS, Row, committed_late, gaps_past
from services.archive.thinning import Pair, thinned
from services.database.tables import archive_channels, archive_deltas, archive_hours
from services.declare import ChannelRef

DELTAS_MAX = 60_000
"""About how many deltas one answer is made of: a third of a second."""
DELTAS_PER_READ = 500
LATE_MS = HOUR_MS
"""A point is looked for in every delta of so long after it, or as long as it may be restated."""
HOURS_FROM_MS = 3 * 86_400_000
"""A longer interval is read from the roll-ups as far as there are any."""
HOUR_GAP_MS = 80 * 60_000
"""Between the points of two hours that follow each other there is less than this."""


@dataclass(frozen=True, slots=True)
class Course:
    """Points by line in order of time, None for a gap; `since` is how far they reach back: there may be more before it.

    `by` says what they were made of. `epoch` and `seq` are the position up to which everything is in it, '' and 0
    where nothing is archived.
    """

    points: Mapping[str, Sequence[Pair]]
    gaps: Sequence[Row]
    since: int
    by: Literal["row", "hour"]
    epoch: str
    seq: int


def read_course(
    connection: Connection, ref: ChannelRef, since: int, until: int, points: int, *,
    gap_ms: int | None, full_since: int, deltas_max: int = DELTAS_MAX,
) -> Course:  # fmt: skip
    """The newest part of the interval from `since` up to, but without, `until`; `points` a line for all of it.

    `gap_ms`: from which distance on two points are not joined. `full_since`: up to when the deltas are let go.
    """
    table = archive_channels.c
    stands = select(table.epoch, table.seq, table.rolled_until).where(table.channel == ref.name)
    epoch, seq, rolled_until = connection.execute(stands).one_or_none() or ("", 0, 0)
    begin = _begin(ref, since, until, full_since, rolled_until)
    by: Literal["row", "hour"] = "row" if begin < until else "hour"
    if by == "hour":
        reached, lines = since, _hours(connection, ref, since, until)
        gap_ms = None if gap_ms is None else max(gap_ms, HOUR_GAP_MS)
    else:
        reached = _reached(connection, ref, begin, until, deltas_max)
        lines = _points(connection, ref, reached, until)
    most = round(points * (until - reached) / (until - since))
    feed = ref.channel.feed.name
    own = gaps_past(connection, feed, reached, until, ref.name)
    lost = [gap["since"] for gap in own]
    course = {name: thinned(line, most, gap_ms, lost) for name, line in lines.items()}
    return Course(course, [*gaps_past(connection, feed, reached, until, ""), *own], reached, by, epoch, seq)


def _begin(ref: ChannelRef, since: int, until: int, full_since: int, rolled_until: int) -> int:
    """From when on deltas are read; before that there are roll-ups."""
    if not ref.channel.history.hourly_days:
        return since
    if until - since > HOURS_FROM_MS:
        return max(since, rolled_until)
    return max(since, min(rolled_until, full_since - full_since % HOUR_MS + HOUR_MS)) if since < full_since else since


def _late_ms(ref: ChannelRef) -> int:
    return max(LATE_MS, ref.channel.keep.span_ms or 0)


def _reached(connection: Connection, ref: ChannelRef, since: int, until: int, deltas_max: int) -> int:
    """How far back one answer goes: as far as its deltas allow, and as far as it has to look ahead at least."""
    table, late_ms = archive_deltas.c, _late_ms(ref)
    beyond = connection.execute(
        select(table.at)
        .where(table.channel == ref.name, table.at >= since, table.at <= until + late_ms)
        .order_by(table.at.desc())
        .offset(deltas_max)
        .limit(1)
    ).scalar()
    return since if beyond is None else max(since, min(beyond + 1, until - late_ms))


def _points(connection: Connection, ref: ChannelRef, since: int, until: int) -> dict[str, list[Pair]]:
    """Each point once with its last value."""
    table = archive_deltas.c
    wanted = (
        select(table.data)
        .where(table.channel == ref.name, table.at >= since - AHEAD_MS, table.at <= until + _late_ms(ref))
        .order_by(table.at, table.seq, table.whole)
    )
    lines: dict[str, dict[int, Any]] = {}
    with connection.execute(wanted, execution_options={"yield_per": DELTAS_PER_READ}) as found:
        for part in found.scalars().partitions():
            # one reading of many deltas costs half of many readings
            for data in orjson.loads(f"[{','.join(part)}]"):
                for name, pairs in data.get("points", {}).items():
                    lines.setdefault(name, {}).update(pairs)
    for (at, name), value in committed_late(connection, ref, (since, until), until + _late_ms(ref)).items():
        lines.setdefault(name, {})[at] = value
    return {name: _within(line, since, until) for name, line in lines.items()}


def _within(line: Mapping[int, Any], since: int, until: int) -> list[Pair]:
    """The points of an interval in order of time. A text is no point of a line."""
    return [[at, line[at]] for at in sorted(line) if since <= at < until and not isinstance(line[at], str)]


def _hours(connection: Connection, ref: ChannelRef, since: int, until: int) -> dict[str, list[Pair]]:
    """The least and the greatest value of each hour, in its first and in its second half."""
    table = archive_hours.c
    found = connection.execute(
        select(table.hour, table.name, table.field, table.least, table.most)
        .where(table.channel == ref.name, table.hour > since - HOUR_MS, table.hour < until)
        .order_by(table.hour)
    )
    lines: dict[str, list[Pair]] = {}
    for hour, name, field, least, most in found:
        line = lines.setdefault(f"{field}:{name}" if name else field, [])
        halves = ((1, least), (3, most)) if least != most else ((2, least),)
        line += [[at, value] for quarters, value in halves if since <= (at := hour + HOUR_MS * quarters // 4) < until]
    return lines
