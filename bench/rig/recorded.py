"""Recorded: days of the recorded flights as their archive holds them, without waiting for those days to pass.

Each event is folded by the channel's own reducer, and its delta is written by the archive's own writer, into the tables
that a running system has.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from services.archive.batch import Batch as Written
from services.archive.batch import ChannelCursor, DeltaRow, LaneCursor
from services.archive.writing import read_cursors, write
from services.batch import Batch
from services.database import Database
from services.declare import ChannelRef
from services.reducers import reducer_of
from services.sources.flights import FlightsReplay
from services.state import state_of

NEW_YORK = ZoneInfo("America/New_York")
Event = Mapping[str, Any]
DELTAS_PER_WRITE = 5_000


def recorded_days(first: datetime.date, count: int) -> list[Event]:
    """What happened on these days in New York, at the pace at which it happened, by the clocks of New York."""
    source = FlightsReplay(speed=1.0, gap_max_s=1e9)
    recording = source.recording()
    begin_ms = source.record(0)["simulated_at"]
    midnight = datetime.datetime.combine(first, datetime.time(), datetime.UTC)
    since_ms = int(midnight.timestamp() * 1000) - begin_ms
    events = [
        {**source.record(row), "id": f"r{row}", "created_at": (at := _utc_ms(begin_ms + played_ms)), "ingested_at": at}
        for _, row, played_ms in recording.between(since_ms - 1, since_ms + 86_400_000 * count - 1)
    ]
    return sorted(events, key=lambda event: event["created_at"])


def _utc_ms(clock_ms: int) -> int:
    """New York's clock, as if it were UTC, in milliseconds of UTC."""
    clock = datetime.datetime.fromtimestamp(clock_ms / 1000, datetime.UTC).replace(tzinfo=NEW_YORK)
    return round(clock.timestamp() * 1000)


def deltas_of(ref: ChannelRef, events: Iterable[Event], epochs: Sequence[int] = ()) -> Iterator[DeltaRow]:
    """The deltas of a channel, one commit an event. At each of the times `epochs` a new epoch begins, as when a broker
    comes back: with a snapshot, and with its seq from the beginning."""
    reducer, state = reducer_of(ref.channel), state_of(ref.channel.kind, ref.channel.keep)
    seq, epoch, coming = 0, 0, [*epochs]
    for event in events:
        at = event["created_at"]
        prepared = reducer.prepare(Batch([event]))
        if not prepared.concerned:
            continue
        reducer.apply(prepared)
        change = reducer.take()
        if change is None or change.data is None:
            continue
        state.apply(change.data)
        renewed = bool(coming) and at >= coming[0]
        if renewed:
            coming.pop(0)
            epoch, seq = epoch + 1, 0
        seq += 1
        data = orjson.dumps(state.data() if renewed else change.data).decode()
        yield DeltaRow(ref.name, f"epoch{epoch}", seq, renewed, at, data)


def keep(database: Database, ref: ChannelRef, deltas: Iterable[DeltaRow]) -> int:
    """Write the deltas of a channel as the archive does; returns how many."""
    count, rest = 0, iter(deltas)
    while part := list(islice(rest, DELTAS_PER_WRITE)):
        cursor, _ = read_cursors(database, ref.lane)
        before = cursor or LaneCursor(0, part[0].epoch, "0-0", 0)
        last = part[-1]
        after = LaneCursor(before.version + 1, last.epoch, f"{last.at}-0", 0)
        channels = {ref.name: ChannelCursor(last.epoch, last.seq, last.at)}
        write(database, [Written(ref.lane, before, after, (), part, (), channels, (), "0-0", 0, False)], last.at)
        count += len(part)
    return count
