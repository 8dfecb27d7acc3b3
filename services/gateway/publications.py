"""Publications: one channel as this process serves it; read once, encoded once, kept a while to recover from.

Everything here runs in the loop's thread. A publication folds deltas into state, and answers one
question: what is the next frame for a viewer that stands at a position?
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum, auto
from functools import reduce
from typing import NamedTuple

import orjson

from services.broker import StoredChannel, StoredDelta
from services.declare import ChannelRef, Kind
from services.gateway.frames import Frame
from services.messages import delta as encode_delta
from services.messages import snapshot as encode_snapshot
from services.positions import Clock, Position, Times
from services.state import Data, State, merge, state_of

RING_DELTAS = 512
RING_BYTES = 1 << 20
FORMER_MAX = 32
MERGED_MAX = 8
REUSE_FROM_BYTES = 32_768
"""A snapshot of at least this size is sent again with the deltas since, rather than encoded anew for each tick."""

UNWRITTEN = Position("", 0)
"""Where a channel stands whose lane was never opened, and a viewer to whom nothing was written yet."""


class Outcome(Enum):
    """What a delta was to the publication that got it."""

    ADDED = auto()
    DUPLICATE = auto()
    GAP = auto()


class Step(NamedTuple):
    """The next frame for a viewer, and where it stands afterwards; `deltas` are in it, 0 in a snapshot."""

    frame: Frame
    position: Position
    deltas: int

    @property
    def is_snapshot(self) -> bool:
        return self.deltas == 0


class Publication:
    """One channel, or one partition of it.

    `position` is None until the broker was read, and again while it has to be read anew; `written` is where
    viewers at head stand, also then. `event_at` is the newest event's time, 0 for none yet; `observed_at` when the last
    change was measured.
    """

    __slots__ = (
        "_clock", "_encoded", "_former", "_merged", "_newest", "_ring", "_ring_bytes", "_snapshot", "_state", "_times",
        "_unfolded", "event_at", "idle_since", "name", "observed_at", "position", "ref", "written",
    )

    def __init__(self, ref: ChannelRef, clock: Clock) -> None:
        self.ref, self.name, self._clock = ref, ref.name, clock
        self.position: Position | None = None
        self.event_at = 0
        self.idle_since = 0.0
        self.observed_at = 0
        self._times: Times | None = None
        self._state: State = state_of(ref.channel.kind, ref.channel.keep)
        self._snapshot: Step | None = None
        self.written = UNWRITTEN
        self._encoded = 0
        self._former: set[str] = set()
        self._clear_ring()

    def _clear_ring(self) -> None:
        self._ring: deque[StoredDelta] = deque()
        self._ring_bytes = 0
        self._unfolded: list[StoredDelta] = []
        self._newest: Frame | None = None
        self._merged: dict[int, Frame] = {}

    # What comes from the broker ------------------------------------------------------------------

    def load(self, stored: StoredChannel) -> None:
        """Take over the broker's state, and begin anew from it."""
        self.unload()
        self._state = state_of(self.ref.channel.kind, self.ref.channel.keep)
        self._state.load(stored.cells)
        self.position = self.written = stored.position or UNWRITTEN
        self._times = stored.times
        self.event_at = stored.times.created[1] if stored.times else 0

    def unload(self) -> None:
        """The state here may be wrong: serve nothing until it is loaded again."""
        self.position = None
        self._snapshot = None
        self._clear_ring()

    def may_be_overtaken(self, position: Position | None) -> bool:
        """Whether another process may know a newer epoch: a viewer came with one that is not known here.

        It must not be shown what is here before the broker was asked, or it would go back to what was lost.
        """
        here = self.position
        return position is not None and here is not None and position.epoch not in (here.epoch, *self._former)

    def note_former(self, position: Position | None) -> None:
        """The broker was asked while a viewer stood there: an epoch other than ours is a former one."""
        if position is not None and position.epoch != self.written.epoch:
            if len(self._former) >= FORMER_MAX:
                self._former.clear()
            self._former.add(position.epoch)

    def add(self, stored: StoredDelta) -> Outcome:
        """Take the next delta. A gap leaves everything as it was."""
        here = self.position
        if here is None or (stored.epoch == here.epoch and stored.seq <= here.seq):
            return Outcome.DUPLICATE
        if stored.epoch != here.epoch or stored.seq != here.seq + 1:
            return Outcome.GAP
        self.position = self.written = Position(here.epoch, stored.seq)
        self.event_at = max(self.event_at, stored.times.created[1])
        self._times = stored.times if self._times is None else self._times.joined_with(stored.times)
        self._newest = None
        self._merged.clear()
        if len(self._unfolded) >= RING_DELTAS:
            self.fold()
        self._unfolded.append(stored)
        self._ring.append(stored)
        self._ring_bytes += len(stored.data)
        while len(self._ring) > RING_DELTAS or (self._ring_bytes > RING_BYTES and len(self._ring) > 1):
            self._ring_bytes -= len(self._ring.popleft().data)
        return Outcome.ADDED

    def fold(self) -> None:
        """Bring the state up to the position: from time to time, and before a snapshot, so that it delays no delta."""
        unfolded, self._unfolded = self._unfolded, []
        for stored in unfolded:
            self._state.apply(orjson.loads(stored.data))

    def extend_back(self, deltas: Sequence[StoredDelta]) -> None:
        """Put older deltas before the ring, so far as they join it without a gap."""
        here = self.position
        if here is None:
            return
        first = self._ring[0].seq if self._ring else here.seq + 1
        for stored in reversed(deltas):
            if stored.seq >= first:
                continue
            if stored.epoch != here.epoch or stored.seq != first - 1 or self._is_full(len(stored.data)):
                return
            self._ring.appendleft(stored)
            self._ring_bytes += len(stored.data)
            first = stored.seq

    def _is_full(self, more_bytes: int) -> bool:
        return len(self._ring) >= RING_DELTAS or self._ring_bytes + more_bytes > RING_BYTES

    # What goes to viewers ------------------------------------------------------------------------

    def lacks_range(self, position: Position | None) -> bool:
        """Whether the way from the position is not in the ring, though the broker may still have it."""
        here = self.position
        if position is None or here is None or position.epoch != here.epoch:
            return False
        return 0 < here.seq - position.seq <= RING_DELTAS and not self._covers(position.seq)

    def _covers(self, after: int) -> bool:
        return bool(self._ring) and self._ring[0].seq <= after + 1

    def next_step(self, position: Position | None) -> Step | None:
        """The next frame for a viewer at the position, None where there is nothing to write now.

        One delta from there to head, merged where it is more than one; a snapshot where there is no way
        from there, or where it is the smaller. A viewer that is ahead, having read from a process that was
        quicker, waits for this one to come up.
        """
        here = self.position
        if here is None or position == here:
            return None
        if here == UNWRITTEN and position is not None:
            return None  # an empty broker without a worker yet: who comes from elsewhere keeps its last values
        if position is not None and position.epoch == here.epoch:
            if position.seq > here.seq:
                return None
            if (frame := self._delta_after(position.seq)) is not None:
                return Step(frame, here, here.seq - position.seq)
        return self.snapshot(current=position is not None)

    def _delta_after(self, after: int) -> Frame | None:
        if not self._covers(after):
            return None
        newest = self._ring[-1]
        if newest.seq != after + 1:
            return self._merged.get(after) or self._merge_after(after)
        if self._newest is None:
            self._newest = self._encode(after, newest.seq, newest.data, newest.times, 1)
        return self._newest

    def _merge_after(self, after: int) -> Frame | None:
        """All deltas after `after` as one; None where a snapshot is the better answer."""
        if len(self._merged) >= MERGED_MAX:
            return None
        parts = [stored for stored in self._ring if stored.seq > after]
        encoded = orjson.dumps(_merge_all(self.ref.channel.kind, [orjson.loads(stored.data) for stored in parts]))
        if self._snapshot is not None and len(encoded) > len(self._snapshot.frame.plain):
            return None
        times = reduce(Times.joined_with, (stored.times for stored in parts))
        frame = self._merged[after] = self._encode(after, parts[-1].seq, encoded, times, len(parts))
        return frame

    def _encode(self, after: int, seq: int, data: bytes, times: Times, merged: int) -> Frame:
        sent = self._clock()
        return Frame(
            encode_delta(self.name, self.written.epoch, after, seq, data, times, sent=sent, merged=merged)
        )

    def snapshot(self, *, current: bool = True) -> Step:
        """A whole snapshot at head; unless `current`, a large one may be of a little earlier.

        The way on from there is then in the ring, and follows as a delta.
        """
        here, last = self.written, self._snapshot
        if last is not None and (last.position == here or (not current and self._is_worth_reusing(last))):
            return last
        self.fold()
        self._encoded += 1
        channel = self.ref.channel
        payload = encode_snapshot(
            self.name, channel.kind, here, self._state.data(), self._times, channel.keep, sent=self._clock()
        )
        self._snapshot = Step(Frame(payload), here, deltas=0)
        return self._snapshot

    def take_encoded(self) -> int:
        """How many snapshots were encoded since the last call."""
        encoded, self._encoded = self._encoded, 0
        return encoded

    def _is_worth_reusing(self, last: Step) -> bool:
        size, after = len(last.frame.plain), last.position.seq
        if size < REUSE_FROM_BYTES or not self._covers(after):
            return False
        return sum(len(stored.data) for stored in self._ring if stored.seq > after) < size // 4


def _merge_all(kind: Kind, parts: list[Data]) -> Data:
    """Merged in pairs, since it is associative: one after the other would copy the growing result each time."""
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        parts = [merge(kind, earlier, later) for earlier, later in pairs] + parts[len(parts) & ~1 :]
    return parts[0]
