"""Lane: folds the events of one led lane and writes what changed in one atomic commit.

Holds the reducers' state between commits; after any doubt (lease lost, broker gone, reply lost) the whole
object is thrown away and the lane opened again from what the broker holds.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from services.batch import Batch, Event, Span
from services.broker import Broker, ChannelCommit, Entry, LaneCommit, OpenLane
from services.declare import Channel, ChannelRef, Declarations, Lane
from services.positions import Clock, Times, new_epoch
from services.reducers import Change, Reducer, reducer_of

EVENTS_PER_COMMIT = 5_000
BYTES_PER_COMMIT = 2 * 1024 * 1024
"""Of events as they were accepted: while a commit runs the broker holds what it is given about four times."""
DELTAS_KEPT_MS = 120_000
DELTAS_KEPT_BYTES = 4 * 1024 * 1024


class _LedChannel:
    """One channel of the lane: its reducer, its seq, and the stage times since the last commit."""

    def __init__(self, ref: ChannelRef) -> None:
        self.ref, self.reducer, self.seq = ref, reducer_of(ref.channel), 0
        self.signature = ref.channel.signature()
        self.overall: Times | None = None
        self._noted, self._created, self._ingested = 0, (0, 0), (0, 0)
        self._deltas: deque[tuple[int, int, int]] = deque()
        self._deltas_bytes = 0

    def load(self, broker: Broker) -> None:
        stored = broker.read_channel(self.ref)
        self.reducer.load(stored.cells)
        self.seq = stored.position.seq if stored.position else 0
        self.overall = stored.times

    def note(self, batch: Batch) -> None:
        """Count events towards the times of the next delta."""
        created, ingested = batch.created_span, batch.ingested_span
        if self._noted:
            created, ingested = _joined(self._created, created), _joined(self._ingested, ingested)
        self._created, self._ingested = created, ingested
        self._noted += len(batch)

    def take(self, now: int) -> ChannelCommit | None:
        """The channel's part of a commit, or None where nothing changed."""
        change = self.reducer.take()
        noted = Times(self._created, self._ingested, now, self._noted)
        self._noted = 0
        if change is None or not noted.events:
            return None
        self.overall = noted if self.overall is None else self.overall.joined_with(noted)
        return self._commit(change, noted, self.overall, now)

    def _commit(self, change: Change, times: Times, overall: Times, now: int) -> ChannelCommit:
        data = b"" if change.data is None else orjson.dumps(change.data)
        commit = ChannelCommit(
            name=self.ref.name,
            signature=self.signature,
            seq_before=self.seq,
            data=data,
            times=times,
            overall=overall,
            trim_below=self._trim_below(now),
            cells=change.cells,
            dropped=change.dropped,
        )
        if data:
            self.seq += 1
            self._deltas.append((now, self.seq, len(data)))
            self._deltas_bytes += len(data)
        return commit

    def _trim_below(self, now: int) -> int:
        """The seq below which deltas need not be kept: two minutes or four megabytes, whichever is less."""
        below = 0
        while self._deltas and (self._deltas[0][0] < now - DELTAS_KEPT_MS or self._deltas_bytes > DELTAS_KEPT_BYTES):
            _, below, size = self._deltas.popleft()
            self._deltas_bytes -= size
        return below


class Committed(NamedTuple):
    """What one commit wrote: `events` of all channels, `times` of most of them, those of each channel, what passed
    through the lane with a mark, and what was put into quarantine, as JSON.
    """

    events: int
    times: Times | None
    channels: Sequence[tuple[str, Times]]
    marked: Sequence[Entry]
    quarantined: Sequence[bytes] = ()


class PoisonEvent(Exception):
    """An event that a channel cannot fold."""


class LedLane:
    """A lane that this worker leads."""

    def __init__(
        self, broker: Broker, declarations: Declarations, lane: Lane, lease: str, run_id: str, clock: Clock
    ) -> None:
        self.lane, self.lease, self._broker, self._clock = lane, lease, broker, clock
        self._declarations = declarations
        self._channels_declared = declarations.channels_of(declarations.feeds[lane.feed])
        opened = self._open(run_id)
        self.epoch, self.started_at = opened.epoch, opened.started_at
        self._checkpoint_before = self.checkpoint = opened.checkpoint
        self._last, self._suspect = opened.last, False
        self._channels: dict[str, _LedChannel] = {}
        self._load()
        self._forget_pending()

    def _open(self, run_id: str) -> OpenLane:
        signatures = {channel.name: channel.signature() for channel in self._channels_declared}
        whole = hashlib.sha256(repr(sorted(signatures.items())).encode()).hexdigest()[:16]
        archived = self._declarations.feeds[self.lane.feed].history.days > 0
        return self._broker.open_lane(self.lane, self.lease, run_id, signatures, whole, new_epoch(), archived=archived)

    def _load(self) -> None:
        refs = [self._declarations.resolve(name) for name in self._broker.channels_of(self.lane)]
        single = [ChannelRef(channel) for channel in self._channels_declared if channel.partition is None]
        for ref in {*single, *filter(None, refs)}:
            self._channel(ref).load(self._broker)
        self._single = [self._channel(ref) for ref in single]
        self._partitioned = [channel for channel in self._channels_declared if channel.partition is not None]

    def _channel(self, ref: ChannelRef) -> _LedChannel:
        found = self._channels.get(ref.name)
        if found is None:
            found = self._channels[ref.name] = _LedChannel(ref)
        return found

    def _forget_pending(self) -> None:
        self._quarantined: list[bytes] = []
        self._marked: list[Entry] = []
        self._taken: list[Event] = []
        self.pending_events = self._pending_bytes = 0

    @property
    def pending(self) -> bool:
        """Whether there is anything to commit."""
        return self.checkpoint != self._checkpoint_before

    @property
    def is_full(self) -> bool:
        """Whether as much is folded as one step of the broker should write."""
        return self.pending_events >= EVENTS_PER_COMMIT or self._pending_bytes >= BYTES_PER_COMMIT

    @property
    def suspect(self) -> bool:
        """Whether the next entry may be what a former worker died of: then they are to be folded one by one."""
        return self._suspect and _order(self.checkpoint) < _order(self._last)

    def suspect_what_waits(self, suspicious: bool = True) -> None:
        """Be suspicious of every entry that was on the stream when the lane was opened, or no more."""
        self._suspect = suspicious

    @property
    def newest(self) -> tuple[int, int]:
        """(event time, ingest time) of the newest event in any channel of the lane; 0 for none."""
        overall = [channel.overall for channel in self._channels.values() if channel.overall]
        return (max((t.created[1] for t in overall), default=0), max((t.ingested[1] for t in overall), default=0))

    def fold(self, entries: Sequence[Entry]) -> None:
        """Fold entries in stream order, which follow the checkpoint without a gap."""
        for entry in entries:
            self.take(entry)
        self.fold_taken()

    def take(self, entry: Entry) -> None:
        """Take the next entry of the stream; its events are folded together with those of its neighbours."""
        self._pass(entry)
        if entry.mark:
            self._marked.append(entry)
        else:
            self._taken += self._events_of(entry)

    def fold_taken(self) -> None:
        """Fold what was taken; a commit does it, too."""
        if self._taken:
            taken, self._taken = self._taken, []
            self._fold_batch(Batch(taken))

    def _pass(self, entry: Entry) -> None:
        """The checkpoint moves over the entry, and its events and bytes are no backlog any more."""
        self.checkpoint = entry.id
        self.pending_events += entry.count
        # What ingest counted: the bodies without the brackets and commas that made them an array.
        bodies = len(orjson.loads(entry.events)) if entry.mark else entry.count
        self._pending_bytes += max(0, len(entry.events) - bodies - 1)

    def set_aside(self, entry: Entry, tries: int) -> None:
        """Put a whole entry into quarantine: it was tried again and again, and no worker survived it."""
        self._quarantine(entry.events.decode("utf-8", "replace"), f"tried by {tries} workers, never finished")
        self._pass(entry)

    def _events_of(self, entry: Entry) -> list[Event]:
        try:
            events = orjson.loads(entry.events)
        except orjson.JSONDecodeError as error:
            self._quarantine(entry.events.decode("utf-8", "replace"), f"not JSON: {error}")
            return []
        if not isinstance(events, list):
            self._quarantine(events, f"{type(events).__name__}, not a list of events")
            return []
        return events

    def _fold_batch(self, batch: Batch) -> None:
        """All of it, or where one event of it is poison each event by itself."""
        try:
            batch.check()
            prepared = [(led, led.reducer.prepare(part)) for led, part in self._concerned(batch)]
        except Exception as error:  # a poison event must not stop the feed, whatever it is poison for
            if len(batch) == 1:
                self._quarantine(batch.events[0], f"{type(error).__name__}: {error}")
                return
            for event in batch.events:
                self._fold_batch(Batch([event]))
            return
        for led, found in prepared:
            if found.concerned:
                led.reducer.apply(found)
                led.note(found.concerned)

    def _concerned(self, batch: Batch) -> Iterator[tuple[_LedChannel, Batch]]:
        """The lane's channels with all events, partitioned ones each with its partition's."""
        for led in self._single:
            yield led, batch
        for channel in self._partitioned:
            for partition, part in batch.groups((channel.partition or "",)).items():
                ref = ChannelRef(channel, partition)
                if ref.name not in self._channels:
                    self._check_room(channel)
                yield self._channel(ref), part

    def _check_room(self, channel: type[Channel]) -> None:
        held = sum(1 for led in self._channels.values() if led.ref.channel is channel)
        if held >= channel.partitions_max:
            raise PoisonEvent(f"channel {channel.name!r}: has {held} partitions; raise partitions_max")

    def _quarantine(self, event: Any, why: str) -> None:
        self._quarantined.append(orjson.dumps({"event": event, "why": why, "at": self._clock()}))

    def commit(self) -> Committed:
        """Write everything folded since the last commit. Raises LaneLost or BrokerDown."""
        self.fold_taken()
        now = self._clock()
        changes = [change for led in self._channels.values() if (change := led.take(now)) is not None]
        events, quarantined = self.pending_events, self._quarantined
        self._broker.commit(
            self.lane,
            LaneCommit(
                lease=self.lease,
                epoch=self.epoch,
                checkpoint_before=self._checkpoint_before,
                checkpoint=self.checkpoint,
                processed=events,
                processed_bytes=self._pending_bytes,
                too_late=self._take_too_late(),
                quarantined=quarantined,
                channels=changes,
            ),
        )
        self._checkpoint_before = self.checkpoint
        marked = self._marked
        self._forget_pending()
        times = max((change.times for change in changes), key=lambda t: t.events, default=None)
        channels = [(change.name.partition(":")[0], change.times) for change in changes]
        return Committed(events - len(quarantined), times, channels, marked, quarantined)

    def _take_too_late(self) -> int:
        reducers: list[Reducer] = [led.reducer for led in self._channels.values()]
        total = sum(reducer.too_late for reducer in reducers)
        for reducer in reducers:
            reducer.too_late = 0
        return total


def _joined(one: Span, other: Span) -> Span:
    return min(one[0], other[0]), max(one[1], other[1])


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)
