"""Recomputing: what a channel would have shown, folded from the archived events by the reducers of today.

For an interval of which no deltas are left, or in which the channel was not declared yet. It begins with as many
events before the interval as the channel looks back, within bounds; what changed before them is not in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from itertools import groupby

import orjson
from sqlalchemy import Connection, func, select

from services.archive.reading import gaps_past
from services.archive.recording import BYTES_MAX, FRAMES_MAX, Frame, Recording
from services.batch import Batch
from services.database.tables import archive_events
from services.declare import ChannelRef
from services.enrichment import Enrichment, EnrichmentFailed
from services.reducers import Reducer, reducer_of
from services.state import Data, State, merge, state_of

LOOK_BACK_MS = 86_400_000
LOOK_BACK_EVENTS = 50_000
"""So far back the fold begins at most: about a third of a second."""
EVENTS_MAX = 20_000
TICK_MS = 100
"""Events that were accepted within the same tenth of a second are one change."""
SETTLING_MS = 60_000
"""Events that were accepted so shortly before the first delta are the ones that made it."""

Tick = tuple[int, Sequence[str]]


def can_recompute(connection: Connection, ref: ChannelRef, before: int | None) -> bool:
    """Whether there are events from before the time at which a channel's deltas begin, or any where it has none."""
    if not ref.channel.feed.history.days:
        return False
    table = archive_events.c
    first = connection.execute(
        select(func.min(table.entry_at)).where(table.feed == ref.lane.feed, table.lane == ref.lane.number)
    ).scalar()
    return first is not None and (before is None or first < before - SETTLING_MS)


def read_recomputed(connection: Connection, ref: ChannelRef, since: int, until: int) -> Recording:
    """The frames from `since` up to, but without, `until`, as `read_recorded` gives them. The epoch tells that it is
    of no broker, and from when on the answer is."""
    enrichment = Enrichment(ref.channel.feed)
    reducer, state = reducer_of(ref.channel), state_of(ref.channel.kind, ref.channel.keep)
    epoch, seq, size = f"recomputed-{since}", 0, 0
    last = 0
    for at, bodies in _ticks(connection, ref, _look_back(connection, ref, since), since):
        last = last if _folded(ref, reducer, state, _enriched(enrichment, bodies)) is None else at
    frames: list[Frame] = [_frame(ref, "snapshot", epoch, 0, last, orjson.dumps(state.data()))]
    events = 0
    for at, bodies in _ticks(connection, ref, since, until):
        if len(frames) > FRAMES_MAX or size > BYTES_MAX or events > EVENTS_MAX:
            return _recording(connection, ref, frames, since, at)
        events += len(bodies)
        data = _folded(ref, reducer, state, _enriched(enrichment, bodies))
        if data is not None:
            seq += 1
            raw = orjson.dumps(data)
            size += len(raw)
            frames.append(_frame(ref, "delta", epoch, seq, at, raw))
    return _recording(connection, ref, frames, since, until)


def _recording(connection: Connection, ref: ChannelRef, frames: list[Frame], since: int, until: int) -> Recording:
    gaps = gaps_past(connection, ref.channel.feed.name, since, until, "")
    return Recording("recomputed", frames, gaps, until)


def _look_back(connection: Connection, ref: ChannelRef, since: int) -> int:
    """When the events begin that may still count at `since`."""
    table, begin = archive_events.c, since - _reach_ms(ref)
    beyond = connection.execute(
        select(table.entry_at)
        .where(
            table.feed == ref.lane.feed,
            table.lane == ref.lane.number,
            table.entry_at >= begin,
            table.entry_at < since,
        )
        .order_by(table.entry_at.desc())
        .offset(LOOK_BACK_EVENTS)
        .limit(1)
    ).scalar()
    return begin if beyond is None else int(beyond) + 1


def _reach_ms(ref: ChannelRef) -> int:
    """How long an event counts: windows and lateness, the span of a series, until a row is let go, or for ever."""
    channel = ref.channel
    if channel.window_s is not None:
        reach = int(1_000 * (channel.window_s * (channel.windows + 1) + channel.feed.lateness_s))
        return min(LOOK_BACK_MS, reach + (channel.keep.span_ms or 0))
    if channel.keep.span_ms is not None:
        return min(LOOK_BACK_MS, channel.keep.span_ms)
    return LOOK_BACK_MS if channel.evict_after_s is None else min(LOOK_BACK_MS, int(channel.evict_after_s * 1_000))


def _ticks(connection: Connection, ref: ChannelRef, since: int, until: int) -> Iterator[Tick]:
    """(when they were accepted, events as JSON) in the order of acceptance."""
    table = archive_events.c
    wanted = (
        select(table.entry_at, table.body)
        .where(
            table.feed == ref.lane.feed,
            table.lane == ref.lane.number,
            table.entry_at >= since,
            table.entry_at < until,
        )
        .order_by(table.entry_at, table.entry_no, table.number)
    )
    with connection.execute(wanted, execution_options={"yield_per": 500}) as found:
        for _, rows in groupby(found, lambda row: row.entry_at // TICK_MS):
            part = list(rows)
            yield part[-1].entry_at, [row.body for row in part]


def _enriched(enrichment: Enrichment, bodies: Sequence[str]) -> Sequence[str]:
    """The events as the feed's steps leave them; those that a step fails on are passed over, as the processor does.

    What a step remembers begins with the events that are looked back at.
    """
    if not enrichment.has_steps:
        return bodies
    passed = []
    for body in bodies:
        try:
            found = enrichment.passed(orjson.loads(body))
        except EnrichmentFailed:
            continue
        if found is not None:
            passed.append(orjson.dumps(found).decode())
    return passed


def _folded(ref: ChannelRef, reducer: Reducer, state: State, bodies: Sequence[str]) -> Data | None:
    """What a tick changes; None where nothing. An event that cannot be folded is passed over, as the processor does."""
    try:
        batch = Batch(orjson.loads(f"[{','.join(bodies)}]"))
        batch.check()
        prepared = reducer.prepare(_own(ref, batch))
    except Exception:
        if len(bodies) == 1:
            return None
        parts = [found for body in bodies if (found := _folded(ref, reducer, state, [body])) is not None]
        return reduce(partial(merge, ref.channel.kind), parts) if parts else None
    if not prepared.concerned:
        return None
    reducer.apply(prepared)
    change = reducer.take()
    if change is None or change.data is None:
        return None
    state.apply(change.data)
    return change.data


def _own(ref: ChannelRef, batch: Batch) -> Batch:
    """The events of the channel's own partition."""
    if ref.channel.partition is None:
        return batch
    return batch.groups((ref.channel.partition,)).get(ref.partition or "", Batch([]))


def _frame(ref: ChannelRef, op: str, epoch: str, seq: int, at: int, data: bytes) -> Frame:
    position = {"epoch": epoch, "seq": seq} if op == "snapshot" else {"epoch": epoch, "after": seq - 1, "seq": seq}
    whole = {"kind": ref.channel.kind, "keep": ref.channel.keep.as_json(), "known": True} if op == "snapshot" else {}
    return {
        "op": op,
        "channel": ref.name,
        **position,
        **whole,
        "data": orjson.Fragment(data),
        "times": {"processed": at},
    }
