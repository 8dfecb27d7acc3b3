"""Gathering: reads from the broker what the archive of one lane lacks.

Events follow each other by the stream's ids. Deltas follow each other by seq; where they do not, since the broker
keeps them for two minutes only, a snapshot closes the gap and the gap is noted. In a new epoch everything that the
broker holds is read again: what is there already is passed over by its key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.archive.batch import Batch, ChannelCursor, DeltaRow, EventRow, Gap, KeyframeRow, LaneCursor, entry_parts
from services.archive.events import event_rows
from services.archive.keyframes import Schedule, beginning, keyframe
from services.broker import ArchiveStanding, Broker, Entry, StoredDelta
from services.declare import ChannelRef, Declarations, Lane
from services.positions import Clock

EVENTS_PER_BATCH = 10_000
BYTES_PER_BATCH = 16 * 1024 * 1024
ENTRIES_PER_READ = 100
DELTAS_PER_READ = 500
CHANNELS_PER_READ = 200
NOTHING = "0-0"


@dataclass(slots=True)
class _Gathered:
    """What was found so far in this round."""

    events: list[EventRow] = field(default_factory=list)
    deltas: list[DeltaRow] = field(default_factory=list)
    keyframes: list[KeyframeRow] = field(default_factory=list)
    channels: dict[str, ChannelCursor] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    full: bool = False


class LaneGatherer:
    """Reads one lane from where its archive stands; `accept` moves on once that is written."""

    def __init__(
        self,
        broker: Broker,
        declarations: Declarations,
        lane: Lane,
        clock: Clock,
        cursor: LaneCursor | None,
        channels: Mapping[str, ChannelCursor],
        keyframes: Mapping[str, int],
    ) -> None:
        self.lane, self.cursor, self.channels = lane, cursor, dict(channels)
        self._schedule = Schedule(keyframes)
        self._broker, self._declarations, self._clock = broker, declarations, clock
        self._keeps_events = declarations.feed_of(lane).history.days > 0

    def gather(self) -> Batch | None:
        """What is new; None where nobody has opened the lane yet. Raises BrokerDown."""
        standing = self._broker.archive_standing(self.lane)
        if standing is None:
            return None
        before = self.cursor or LaneCursor(0, standing.epoch, NOTHING, 0)
        renewed = before.epoch != standing.epoch
        found, position, counted = _Gathered(), NOTHING if renewed else before.entry, 0
        if self._keeps_events:
            position, counted = self._events(found, position, standing)
            self._shed(found, before, standing)
            if renewed:
                self._lost(found, before, standing)
        self._deltas(found, standing.epoch)
        after = LaneCursor(before.version + 1, standing.epoch, position, standing.shed)
        return Batch(
            lane=self.lane,
            before=before,
            after=after,
            events=found.events,
            deltas=found.deltas,
            keyframes=found.keyframes,
            channels=found.channels,
            gaps=found.gaps,
            said=standing.acknowledged,
            counted=counted,
            full=found.full,
        )

    def accept(self, batch: Batch) -> None:
        """The batch is written: go on behind it."""
        self.cursor = batch.after if batch.changes else batch.before
        self.channels |= batch.channels
        self._schedule.note(batch.deltas, batch.keyframes)

    # Events --------------------------------------------------------------------------------------

    def _events(self, found: _Gathered, position: str, standing: ArchiveStanding) -> tuple[str, int]:
        """Rows of new entries: (the new position, how many events the broker was not told of yet)."""
        entries, found.full = self._read(position)
        rows, gaps = event_rows(self.lane, entries)
        found.events += rows
        found.gaps += gaps
        reached = entries[-1].id if entries else position
        return reached, self._untold(standing.acknowledged, position, entries)

    def _read(self, position: str) -> tuple[list[Entry], bool]:
        """As many entries as one transaction should hold, and whether there may be more."""
        entries: list[Entry] = []
        events = size = 0
        while events < EVENTS_PER_BATCH and size < BYTES_PER_BATCH:
            read = self._broker.read_entries(self.lane, entries[-1].id if entries else position, ENTRIES_PER_READ)
            entries += read
            events += sum(entry.count for entry in read)
            size += sum(len(entry.events) for entry in read)
            if len(read) < ENTRIES_PER_READ:
                return entries, False
        return entries, True

    def _untold(self, acknowledged: str, position: str, entries: Sequence[Entry]) -> int:
        """Events between the archive's last word and the new position: a writer may have died between the two."""
        told = entry_parts(acknowledged)
        counted = sum(entry.count for entry in entries if entry_parts(entry.id) > told)
        if told < entry_parts(position):
            counted += sum(entry.count for entry in self._between(acknowledged, position))
        return counted

    def _between(self, after: str, until: str) -> Iterator[Entry]:
        while read := self._broker.read_entries(self.lane, after, ENTRIES_PER_READ, until=until):
            yield from read
            after = read[-1].id

    def _shed(self, found: _Gathered, before: LaneCursor, standing: ArchiveStanding) -> None:
        """Events that were dropped before anybody read them: between what is archived and what is left."""
        dropped = standing.shed - before.shed
        if dropped > 0:
            since, _ = entry_parts(before.entry)
            until = found.events[0].entry_at if found.events else self._clock()
            found.gaps.append(Gap(self.lane.feed, "", since, until, dropped, "shed"))

    def _lost(self, found: _Gathered, before: LaneCursor, standing: ArchiveStanding) -> None:
        """A broker that knows nothing of the archive came back without its data: what it had accepted last is gone."""
        if standing.acknowledged == NOTHING and before.entry != NOTHING:
            since, _ = entry_parts(before.entry)
            until = max(since, found.events[0].entry_at if found.events else self._clock())
            found.gaps.append(Gap(self.lane.feed, "", since, until, 0, "broker_lost"))

    # Deltas --------------------------------------------------------------------------------------

    def _deltas(self, found: _Gathered, epoch: str) -> None:
        refs = list(self._refs())
        known = [ref for ref in refs if (held := self.channels.get(ref.name)) is not None and held.epoch == epoch]
        for first in range(0, len(known), CHANNELS_PER_READ):
            part = known[first : first + CHANNELS_PER_READ]
            after = {ref: self.channels[ref.name].seq for ref in part}
            for ref, deltas in self._broker.read_deltas_after(after, DELTAS_PER_READ).items():
                found.full = found.full or len(deltas) == DELTAS_PER_READ
                self._follow(found, ref, deltas)
        for ref in refs:
            held = self.channels.get(ref.name)
            if held is None or held.epoch != epoch:
                self._follow(found, ref, self._broker.read_range(ref, 0), renewed=True)

    def _refs(self) -> Iterator[ChannelRef]:
        """The channels of the lane that hold state and are to be kept."""
        for name in self._broker.channels_of(self.lane):
            ref = self._declarations.resolve_past(name)
            if ref is not None and ref.channel.history.days > 0:
                yield ref

    def _follow(
        self, found: _Gathered, ref: ChannelRef, deltas: Sequence[StoredDelta], *, renewed: bool = False
    ) -> None:
        """Add deltas; a snapshot as well where they do not follow what is archived, or nothing tells that they do."""
        held = self.channels.get(ref.name)
        fresh = [delta for delta in deltas if held is None or not _is_kept(held, delta)]
        rows = [_delta_row(delta) for delta in fresh]
        found.deltas += rows
        if fresh:
            last = fresh[-1]
            found.channels[ref.name] = ChannelCursor(last.epoch, last.seq, last.times.processed)
        if rows and rows[0].seq == 1:
            found.keyframes.append(beginning(ref, rows[0]))
        if _broken(held, fresh) or (renewed and not fresh):
            self._bridge(found, ref, held, fresh)
        elif rows and (self._is_elsewhere(held, rows[0]) or self._schedule.is_due(ref.name, rows)):
            self._keyframe(found, ref)

    @staticmethod
    def _is_elsewhere(held: ChannelCursor | None, first: DeltaRow) -> bool:
        """Whether a channel goes on in another epoch, from values that may differ from those that it had."""
        return held is not None and held.epoch != first.epoch and first.seq > 1

    def _keyframe(self, found: _Gathered, ref: ChannelRef) -> None:
        """Keep the channel's whole state; it may be ahead of the deltas that were read, which then follow."""
        stored = self._broker.read_channel(ref)
        if stored.position is not None and stored.position.seq > 0 and stored.times is not None:
            found.keyframes.append(keyframe(ref, stored, stored.times.processed))

    def _bridge(
        self, found: _Gathered, ref: ChannelRef, held: ChannelCursor | None, fresh: Sequence[StoredDelta]
    ) -> None:
        """Keep the channel's whole state, and note the gap before it. What had no history before has no gap."""
        stored = self._broker.read_channel(ref)
        if stored.position is None or stored.position.seq == 0:
            return
        at = stored.times.processed if stored.times is not None else self._clock()
        position, whole = stored.position, keyframe(ref, stored, at)
        found.keyframes.append(whole)
        if held is None or _broken(held, fresh) or position.seq > held.seq:
            found.deltas.append(DeltaRow(ref.name, position.epoch, position.seq, True, at, whole.data))
            if held is not None:
                until = fresh[0].times.processed if fresh else at
                found.gaps.append(Gap(self.lane.feed, ref.name, held.at, until, 0, "deltas_trimmed"))
        if not fresh:
            found.channels[ref.name] = ChannelCursor(position.epoch, position.seq, at)


def _is_kept(held: ChannelCursor, delta: StoredDelta) -> bool:
    return delta.epoch == held.epoch and delta.seq <= held.seq


def _broken(held: ChannelCursor | None, fresh: Sequence[StoredDelta]) -> bool:
    """Whether deltas are missing before these, or between them.

    In a new epoch a channel goes on counting, or starts anew where its declaration changed or the data was lost: a
    lower seq than expected means that positions were lost with the former broker, not that deltas are missing.
    """
    if not fresh:
        return False
    before = held or ChannelCursor(fresh[0].epoch, 0, 0)
    for delta in fresh:
        follows = delta.seq == before.seq + 1 or (delta.epoch != before.epoch and delta.seq <= before.seq)
        if not follows:
            return True
        before = ChannelCursor(delta.epoch, delta.seq, 0)
    return False


def _delta_row(delta: StoredDelta) -> DeltaRow:
    return DeltaRow(delta.ref.name, delta.epoch, delta.seq, False, delta.times.processed, delta.data.decode())
