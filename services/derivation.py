"""Derivation: the lane of a derived channel: follows the channels that it is made from, and commits what changed.

State, seq, delta and the positions of what it was made from move together or not at all, under the lane's lease. It is
a function of their states: whoever takes the lane over computes it anew from where they stand, and commits the
difference. A crash anywhere repeats nothing and loses nothing.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import structlog

from services.broker import Broker, ChannelCommit, LaneCommit
from services.declare import ChannelRef, Declarations, Derived, Lane
from services.events import Refused, check_of
from services.freshness import Progress
from services.lane import DELTAS_KEPT_MS, Committed
from services.positions import Clock, Position, Times, new_epoch
from services.state import HIDDEN, State, state_of

DELTAS_PER_READ = 500
COST_SHARE = 5
"""After a computation it rests for so many times what that took: the slowest function takes a sixth of the worker."""
TELLS_EVERY_S = 1.0
"""So often it is committed that the same was made of newer values."""
OF = f"{HIDDEN}of"
"""The cell that holds the positions of what it was made from."""

log = structlog.get_logger("processor")


class _Followed:
    """One of the channels that it is made from, as far as it was read."""

    def __init__(self, ref: ChannelRef) -> None:
        self.ref = ref
        self.position: Position | None = None
        self.times: Times | None = None
        self._state: State = state_of(ref.channel.kind, ref.channel.keep)

    def load(self, broker: Broker) -> None:
        """Begin from what the broker holds."""
        stored = broker.read_channel(self.ref)
        self._state = state_of(self.ref.channel.kind, self.ref.channel.keep)
        self._state.load(stored.cells)
        self.position, self.times = stored.position, stored.times

    def follow(self, broker: Broker) -> bool:
        """Take what came after; whether anything did. Where that does not follow, it begins anew."""
        if self.position is None:
            self.load(broker)
            return self.position is not None
        before = self.position
        found = broker.read_deltas_after({self.ref: before.seq}, DELTAS_PER_READ).get(self.ref, [])
        if not found:  # they were let go before they were read
            self.load(broker)
        for delta in found:
            if delta.epoch != self.position.epoch or delta.seq != self.position.seq + 1:
                self.load(broker)
                return True
            self._state.apply(orjson.loads(delta.data))
            self.position = Position(delta.epoch, delta.seq)
            self.times = delta.times if self.times is None else self.times.joined_with(delta.times)
        return self.position != before

    def is_elsewhere(self, head: Position | None) -> bool:
        """Whether it stands in another epoch, or before where it was read: then no delta follows."""
        here = self.position
        return head is not None and here is not None and (head.epoch != here.epoch or head.seq < here.seq)

    def values(self) -> Any:
        """What the function is given."""
        data = self._state.data()
        kind = self.ref.channel.kind
        return data["rows" if kind == "latest" else "entries" if kind == "log" else "points"]


class DerivedLane:
    """The lane of a derived channel that this worker leads; the processor calls `look` and `commit` in turns."""

    suspect = is_full = False

    def __init__(
        self, broker: Broker, declarations: Declarations, lane: Lane, lease: str, run_id: str, clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        (channel,) = declarations.channels_of(declarations.feeds[lane.feed])
        assert issubclass(channel, Derived)
        self.lane, self.lease, self._broker, self._clock, self._monotonic = lane, lease, broker, clock, monotonic
        self._channel, self._ref, self._checks = channel, ChannelRef(channel), _checks_of(channel)
        self._of = [_Followed(ref) for ref in map(declarations.resolve, channel.of) if ref is not None]
        signature = channel.signature()
        opened = broker.open_lane(lane, lease, run_id, {channel.name: signature}, signature, new_epoch())
        self.epoch, self.started_at, self.checkpoint = opened.epoch, opened.started_at, opened.checkpoint
        stored = broker.read_channel(self._ref)
        own = state_of("latest", channel.keep)
        own.load(stored.cells)
        self._rows: dict[str, dict[str, Any]] = dict(own.data()["rows"])
        self._seq, self._overall = (stored.position.seq if stored.position else 0), stored.times
        self._made_of = stored.cells.get(OF, b"")
        self._kept: list[tuple[int, int]] = []
        self._fresh: dict[str, dict[str, Any]] | None = None
        self._fresh_of = self._made_of
        self._error, self._error_at, self._rests_until, self._tells_at = "", 0, 0.0, 0.0
        self._was_good = (*self.newest, 0)
        for one in self._of:
            one.load(broker)
        self._compute()

    @property
    def pending(self) -> bool:
        """Whether there is anything to commit."""
        return self._fresh is not None

    @property
    def rests(self) -> bool:
        """Whether it is not computed for a while, whatever comes."""
        return self._monotonic() < self._rests_until

    @property
    def sources(self) -> list[Lane]:
        """The lanes of the channels that it is made from."""
        return [one.ref.lane for one in self._of]

    @property
    def newest(self) -> tuple[int, int]:
        """(event time, ingest time) of the newest event in it; 0 for none."""
        return (0, 0) if self._overall is None else (self._overall.created[1], self._overall.ingested[1])

    def look(self, *, at_once: bool = False) -> bool:
        """Follow the channels that it is made from, and compute it anew where one has changed; `at_once` without rest.

        Raises BrokerDown.
        """
        if self.rests and not at_once:
            return False
        heads = self._broker.read_heads([one.ref for one in self._of])
        changed = False
        for one in self._of:
            head = heads.get(one.ref)
            if one.is_elsewhere(None if head is None else head.position):
                one.load(self._broker)
                changed = True
            elif head is not None and head.position != one.position:
                changed = one.follow(self._broker) or changed
        return changed and self._compute()

    def _compute(self) -> bool:
        """What the function makes of them now; whether that is something else than what is committed.

        Where it fails, what was is kept, and said to be in error since then.
        """
        if any(one.position is None for one in self._of):
            return False  # one of them is not there yet, or not any more: what was made of it last stays
        began = time.thread_time()  # what others take of the machine is no cost of the function's
        try:
            made = self._checked(self._channel.rows(*(one.values() for one in self._of)))
        except Exception as error:
            self._fail(error)
            return False
        finally:
            self._rests_until = self._monotonic() + COST_SHARE * (time.thread_time() - began)
        self._error = ""
        at, self._fresh_of = self._event_at(), self._positions()
        self._fresh = {key: self._dated(key, row, at) for key, row in made.items()}
        if self._fresh == self._rows and (self._fresh_of == self._made_of or self._monotonic() < self._tells_at):
            self._fresh = None
        return self.pending

    def _checked(self, rows: Any) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for row in rows:
            body = {}
            for name, required, check in self._checks:
                if (value := row.get(name)) is not None:
                    body[name] = check(value)
                elif required:
                    raise Refused("missing_field", f"{name}: missing or None in {dict(row)!r:.80}")
            key = str(body[self._channel.feed.key])
            if key in found:
                raise ValueError(f"two rows have the key {key!r}; give one for each")
            found[key] = body
        most = self._channel.keep.rows_max or 0
        if len(found) > most:
            raise ValueError(f"{len(found)} rows; give at most {most}, or raise rows_max")
        return found

    def _fail(self, error: Exception) -> None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"
        if text != self._error:
            log.error("derived channel cannot be made", channel=self._channel.name, error=text)
            self._error_at = self._clock()
        self._error = text

    def _event_at(self) -> int:
        """It is as old as the oldest of what it is made from."""
        return min((one.times.created[1] for one in self._of if one.times is not None), default=0)

    def _dated(self, key: str, row: Mapping[str, Any], at: int) -> dict[str, Any]:
        """The row with the time since when it is what it is."""
        known = self._rows.get(key)
        same = known is not None and {name: v for name, v in known.items() if name != "created_at"} == row
        return known if same and known is not None else {**row, "created_at": at}

    def _positions(self) -> bytes:
        told = {one.ref.name: [one.position.epoch, one.position.seq] for one in self._of if one.position is not None}
        return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)

    def suspect_what_waits(self, suspicious: bool = True) -> None:
        """No entry can be poison here: a function that fails is told of, and called again when there is news."""

    def commit(self) -> Committed:
        """Write what was computed. Raises LaneLost or BrokerDown."""
        fresh = self._rows if self._fresh is None else self._fresh
        now, made_of = self._clock(), self._fresh_of
        times = self._times(now)
        changed = {key: row for key, row in fresh.items() if self._rows.get(key) != row}
        gone = sorted(self._rows.keys() - fresh.keys())
        replaced = sorted(key for key in changed if not self._rows.get(key, {}).keys() <= changed[key].keys())
        data = orjson.dumps({"set": changed, "del": [*gone, *replaced]}) if changed or gone else b""
        self._overall = times if self._overall is None else self._overall.joined_with(times)
        cells = {key: orjson.dumps(["", row]) for key, row in changed.items()}
        part = ChannelCommit(
            name=self._channel.name, signature=self._channel.signature(), seq_before=self._seq, data=data, times=times,
            overall=self._overall, trim_below=self._trim_below(now), cells={**cells, OF: made_of}, dropped=gone,
        )  # fmt: skip
        after = f"{int(self.checkpoint.partition('-')[0]) + 1}-0"
        self._broker.commit(
            self.lane,
            LaneCommit(
                lease=self.lease, epoch=self.epoch, checkpoint_before=self.checkpoint, checkpoint=after, processed=0,
                processed_bytes=0, too_late=0, quarantined=[], channels=[part],
            ),
        )
        self.checkpoint, self._rows, self._made_of, self._fresh = after, fresh, made_of, None
        self._tells_at = self._monotonic() + TELLS_EVERY_S
        if data:
            self._seq += 1
            self._kept.append((now, self._seq))
        return Committed(0, None, [(self._channel.name, times)] if data else [], [])

    def _times(self, now: int) -> Times:
        at = self._event_at() or now
        ingested = max((one.times.ingested[1] for one in self._of if one.times is not None), default=now)
        return Times((at, at), (ingested, ingested), now, 1)

    def _trim_below(self, now: int) -> int:
        below = 0
        while self._kept and self._kept[0][0] < now - DELTAS_KEPT_MS:
            below = self._kept.pop(0)[1]
        return below

    def progress(self) -> Progress:
        """What is said of it: as of the least good of what it is made from; as it was last where it fails since.

        Raises BrokerDown.
        """
        now, said = self._clock(), self._broker.lane_progress(self.sources)
        told = list(said.values())
        late = [one for one in told if one.backlog]
        wrong = max(told, key=lambda one: one.error_at, default=None)
        refused = max(told, key=lambda one: one.rejected_at, default=None)
        if not self._error:
            self._was_good = (
                min((one.event_at for one in told), default=0), min((one.ingested_at for one in told), default=0),
                min((one.alive_at for one in told), default=0),
            )  # fmt: skip
        event_at, ingested_at, alive_at = self._was_good
        return Progress(
            epoch=self.epoch, started_at=self.started_at,
            at=min((now, *(one.at for one in told))) if len(said) == len(set(self.sources)) else self.started_at,
            event_at=event_at, ingested_at=ingested_at, alive_at=alive_at,
            backlog=sum(one.backlog for one in late), backlog_since=min((one.backlog_since for one in late), default=0),
            error=self._error or (wrong.error if wrong is not None else ""),
            error_at=self._error_at if self._error else (wrong.error_at if wrong is not None else 0),
            rejected_at=0 if refused is None else refused.rejected_at,
            rejection="" if refused is None else refused.rejection,
            refused_run=0 if refused is None else refused.refused_run,
        )  # fmt: skip


def _checks_of(channel: type[Derived]) -> list[tuple[str, bool, Callable[[Any], Any]]]:
    return [(one.name, one.required, check_of(one)) for one in channel.feed.fields.values()]
