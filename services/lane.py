"""Lane: folds the events of one led lane and writes what changed in one atomic commit.

Holds the reducers' state between commits; after any doubt (lease lost, broker gone, reply lost) the whole
object is thrown away and the lane opened again from what the broker holds.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from services.batch import Batch, Event, Span
from services.broker import FORGET, REPLAY, Broker, ChannelCommit, Entry, LaneCommit, OpenLane
from services.declare import PERSONAL, Channel, ChannelRef, Declarations, FeedSpec, Lane, hash_of_key, redacted
from services.enriching import Enriching
from services.positions import Clock, Times, new_epoch
from services.reducers import Change, Reducer, reducer_of

EVENTS_PER_COMMIT = 5_000
BYTES_PER_COMMIT = 2 * 1024 * 1024
"""Of events as they were accepted: while a commit runs the broker holds what it is given about four times."""
DELTAS_KEPT_MS = 120_000


class _LedChannel:
    """One channel of the lane: its reducer, its seq, and the stage times since the last commit."""

    def __init__(self, ref: ChannelRef) -> None:
        self.ref, self.reducer, self.seq = ref, reducer_of(ref.channel), 0
        self.signature = ref.channel.signature()
        self.overall: Times | None = None
        self._noted, self._created, self._ingested = 0, (0, 0), (0, 0)
        self._deltas: deque[tuple[int, int, int]] = deque()
        self._deltas_bytes = 0
        self._forgot = False

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

    def forget(self, key: str) -> bool:
        """Let go of everything of a key; whether there was anything."""
        had = self.reducer.forget(self.ref.channel.feed.key, key)
        self._forgot = self._forgot or had
        if self.is_own_part_of(key):
            self._noted = 0
        return had

    def is_own_part_of(self, key: str) -> bool:
        """Whether it is the part of a channel that holds this key alone, and has it in its name."""
        channel = self.ref.channel
        return channel.partition == channel.feed.key and self.ref.partition == key

    @property
    def is_empty(self) -> bool:
        """Whether no event came since the last commit, or since its key was forgotten."""
        return not self._noted

    def take(self, now: int, deltas_bytes: int) -> ChannelCommit | None:
        """The channel's part of a commit, or None where nothing changed; `deltas_bytes` of deltas are kept."""
        change = self.reducer.take()
        noted = Times(self._created, self._ingested, now, self._noted)
        forgot, self._forgot, self._noted = self._forgot, False, 0
        if forgot and not noted.events and self.overall is not None:
            noted = replace(self.overall, processed=now, events=0)
        if change is None or not (noted.events or forgot):
            return None
        self.overall = noted if self.overall is None else self.overall.joined_with(noted)
        return self._commit(change, noted, self.overall, deltas_bytes)

    def _commit(self, change: Change, times: Times, overall: Times, deltas_bytes: int) -> ChannelCommit:
        data = b"" if change.data is None else orjson.dumps(change.data)
        commit = ChannelCommit(
            name=self.ref.name,
            signature=self.signature,
            seq_before=self.seq,
            data=data,
            times=times,
            overall=overall,
            trim_below=self._trim_below(times.processed, deltas_bytes),
            cells=change.cells,
            dropped=change.dropped,
        )
        if data:
            self.seq += 1
            self._deltas.append((times.processed, self.seq, len(data)))
            self._deltas_bytes += len(data)
        return commit

    def _trim_below(self, now: int, kept_bytes: int) -> int:
        """The seq below which deltas need not be kept: two minutes or so many bytes, whichever is less."""
        below = 0
        while self._deltas and (self._deltas[0][0] < now - DELTAS_KEPT_MS or self._deltas_bytes > kept_bytes):
            _, below, size = self._deltas.popleft()
            self._deltas_bytes -= size
        return below


class Committed(NamedTuple):
    """What one commit wrote: `events` of all channels, `times` of most of them, those of each channel, what passed
    through the lane with a mark, what was put into quarantine, as JSON, and how many parts of which channels lost a
    key, by the token of the request to forget it.
    """

    events: int
    times: Times | None
    channels: Sequence[tuple[str, Times]]
    marked: Sequence[Entry]
    quarantined: Sequence[bytes] = ()
    forgotten: Mapping[str, Mapping[str, int]] = MappingProxyType({})


class PoisonEvent(Exception):
    """An event that a channel cannot fold."""


class LedLane:
    """A lane that this worker leads."""

    def __init__(
        self, broker: Broker, declarations: Declarations, lane: Lane, lease: str, run_id: str, clock: Clock
    ) -> None:
        self.lane, self.lease, self._broker, self._clock = lane, lease, broker, clock
        self._declarations = declarations
        self._feed: FeedSpec = declarations.feeds[lane.feed]
        self._channels_declared = declarations.channels_of(self._feed)
        self._enriching = Enriching(broker, self._feed, lane)
        opened = self._open(run_id)
        self.epoch, self.started_at = opened.epoch, opened.started_at
        self._checkpoint_before = self.checkpoint = opened.checkpoint
        self._last, self._suspect = opened.last, False
        self._channels: dict[str, _LedChannel] = {}
        self._load()
        self._forget_pending()

    def _open(self, run_id: str) -> OpenLane:
        kept = (*self._channels_declared, *self._declarations.retired_of(self._feed))  # as long as they are declared
        signatures = {channel.name: channel.signature() for channel in kept}
        signatures |= self._enriching.signatures()
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
        self._enriching.load()

    def _channel(self, ref: ChannelRef) -> _LedChannel:
        found = self._channels.get(ref.name)
        if found is None:
            found = self._channels[ref.name] = _LedChannel(ref)
        return found

    def _forget_pending(self) -> None:
        self._quarantined: list[bytes] = []
        self._marked: list[Entry] = []
        self._taken: list[Event] = []
        self._renewing, self._gone = False, list[str]()
        self._forgotten: dict[str, Mapping[str, int]] = {}
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
        """(event time, ingest time) of the newest event in any channel of the lane, or left out; 0 for none."""
        overall = [channel.overall for channel in self._channels.values() if channel.overall]
        created, ingested = self._enriching.filtered_span
        return max([created, *(t.created[1] for t in overall)]), max([ingested, *(t.ingested[1] for t in overall)])

    def fold(self, entries: Sequence[Entry]) -> None:
        """Fold entries in stream order, which follow the checkpoint without a gap."""
        for entry in entries:
            self.take(entry)
        self.fold_taken()

    def take(self, entry: Entry) -> None:
        """Take the next entry of the stream; its events are folded together with those of its neighbours."""
        self._pass(entry)
        if entry.mark == FORGET:
            self.fold_taken()
            self._forget(entry)
        elif entry.mark and entry.mark != REPLAY:
            self._marked.append(entry)
        else:
            self._taken += self._enriching.passed(self._events_of(entry), self._quarantine)

    def fold_taken(self) -> None:
        """Fold what was taken; a commit does it, too."""
        if self._taken:
            taken, self._taken = self._taken, []
            self._fold_batch(Batch(taken))

    def _forget(self, entry: Entry) -> None:
        """Take a key out of every channel. What viewers hold of a log or a series, no delta can take back: then a new
        epoch begins with this commit, so that all of them get a snapshot. A part that is the key's own goes as a whole.
        """
        for asked in orjson.loads(entry.events):
            removed: Counter[str] = Counter()
            self._enriching.forget(asked["key"])
            for name, led in list(self._channels.items()):
                own = led.is_own_part_of(asked["key"])
                if led.forget(asked["key"]) or own:
                    removed[led.ref.channel.name] += 1
                    self._renewing = self._renewing or own or led.ref.channel.kind != "latest"
                    self._gone += [name] if own else []
            self._forgotten[asked["token"]] = removed

    def _pass(self, entry: Entry) -> None:
        """The checkpoint moves over the entry, and its events and bytes are no backlog any more."""
        self.checkpoint = entry.id
        self.pending_events += entry.count
        # What ingest counted: the bodies without the brackets and commas that made them an array.
        bodies = len(orjson.loads(entry.events)) if entry.mark else entry.count
        self._pending_bytes += max(0, len(entry.events) - bodies - 1)

    def set_aside(self, entry: Entry, tries: int) -> None:
        """Put a whole entry into quarantine: it was tried again and again, and no worker survived it."""
        self._quarantine_text(entry, f"tried by {tries} workers, never finished")
        self._pass(entry)

    def _events_of(self, entry: Entry) -> list[Event]:
        try:
            events = orjson.loads(entry.events)
        except orjson.JSONDecodeError as error:
            self._quarantine_text(entry, f"not JSON: {error}")
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
                told = not self._feed.personal or isinstance(error, PoisonEvent)
                self._quarantine(batch.events[0], f"{type(error).__name__}: {error if told else PERSONAL}")
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

    def _quarantine_text(self, entry: Entry, why: str) -> None:
        """A whole entry, as it stands on the stream; of a feed with personal fields what can be told of it."""
        text, events = entry.events.decode("utf-8", "replace"), list[Event]()
        if self._feed.personal:
            try:
                events = orjson.loads(entry.events)
                text = orjson.dumps([redacted(self._feed, event) for event in events]).decode()
            except (orjson.JSONDecodeError, TypeError, AttributeError):
                text, events = PERSONAL, []
        self._set_aside(text, why, events)

    def _quarantine(self, event: Any, why: str) -> None:
        shown = event
        if self._feed.personal:
            shown = redacted(self._feed, event) if isinstance(event, dict) else PERSONAL
        self._set_aside(shown, why, [event] if isinstance(event, dict) else [])

    def _set_aside(self, shown: Any, why: str, events: Sequence[Event]) -> None:
        """Into quarantine. Of a personal key its hash stands there, so that it is found again when it is forgotten."""
        held = {"event": shown, "why": why, "at": self._clock()}
        if self._feed.key in self._feed.personal:
            held["of"] = [hash_of_key(event.get(self._feed.key)) for event in events]
        self._quarantined.append(orjson.dumps(held))

    def commit(self) -> Committed:
        """Write everything folded since the last commit. Raises LaneLost or BrokerDown."""
        self.fold_taken()
        now = self._clock()
        kept = self._broker.caps.deltas_bytes
        gone = [name for name in self._gone if self._channels[name].is_empty]
        fresh = new_epoch() if self._renewing else ""
        leds = [led for name, led in self._channels.items() if name not in gone]
        changes = [change for led in leds if (change := led.take(now, kept)) is not None]
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
                channels=[*changes, *self._enriching.commit()],
                filtered=self._enriching.take_filtered(),
                fresh_epoch=fresh,
                gone=gone,
            ),
        )
        self.epoch = fresh or self.epoch
        for name in gone:
            del self._channels[name]
        forgotten = self._forgotten
        self._checkpoint_before = self.checkpoint
        marked = self._marked
        self._forget_pending()
        noted = [change for change in changes if change.times.events]
        times = max((change.times for change in noted), key=lambda t: t.events, default=None)
        channels = [(change.name.partition(":")[0], change.times) for change in noted]
        return Committed(max(0, events - len(quarantined)), times, channels, marked, quarantined, forgotten)

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
