"""Processor: leads lanes, reads their streams, and commits at once when idle, by the tick under load.

One thread for all lanes of a worker. The lease is renewed by the same thread that folds: a processor that
hangs loses its lanes instead of keeping them. After any trouble with the broker every lane is opened anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import orjson
import structlog

from services.broker import Broker, BrokerDown, Entry, LaneLost, Overloaded
from services.declare import PROBE_FEED, Declarations, Lane, is_built_in
from services.derivation import DerivedLane
from services.lane import Committed, LedLane
from services.leadership import Leadership
from services.positions import Clock, wall_clock
from services.telemetry import Telemetry

ENTRIES_PER_READ = 100
RENEW_EVERY_S = 0.5
PROGRESS_EVERY_S = 1.0
LAGGING_MS = 10_000
"""An archive that is so far behind stands still rather than being busy."""
IDLE_BLOCK_MS = 200
DERIVED_BLOCK_MS = 20
RETRY_S = 0.2
POISON_TRIES = 3
"""An entry that so many workers tried and never finished is put aside: it may be what they died of."""

log = structlog.get_logger("processor")


class Processor:
    """Folds events of every lane it leads. `tick_ms`: least time between two commits of a lane."""

    def __init__(
        self,
        broker: Broker,
        declarations: Declarations,
        telemetry: Telemetry,
        *,
        worker: str,
        tick_ms: int = 16,
        clock: Clock = wall_clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker, self._declarations, self._telemetry = broker, declarations, telemetry
        self._worker, self._tick_s, self._clock, self._monotonic = worker, tick_ms / 1000, clock, monotonic
        self._leadership = Leadership(broker, "processor", declarations.lanes(), worker)
        self._led: dict[Lane, LedLane | DerivedLane] = {}
        self._unarchived_since: dict[Lane, int] = {}
        self._committed: dict[Lane, float] = {}
        self._behind: set[Lane] = set()
        self._renew_at = self._progress_at = 0.0
        self._is_settled = False

    def leads(self, lane: Lane) -> bool:
        """Whether this worker is the writer of the lane now."""
        return lane in self._led

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; then commit what is folded and give the lanes back."""
        while not stop.is_set():
            try:
                self.step(stop)
            except BrokerDown as error:
                log.warning("broker down, lanes dropped", error=str(error), lanes=len(self._led))
                self._drop_all()
                stop.wait(RETRY_S)
        self.hand_over()

    def step(self, stop: threading.Event) -> None:
        """One round: leases, progress, reading, folding, and the commits that are due. Raises BrokerDown."""
        self._keep_leases()
        self._report_progress()
        wait_s = self._until_due()
        if wait_s is None:
            block_ms = self._idle_block_ms()
        else:
            block_ms = 0
            stop.wait(wait_s)
        if not self._led:
            stop.wait(RETRY_S)
            return
        self._read(block_ms)
        self._commit_due()
        if self._look():
            self._commit_due()

    def drain(self) -> None:
        """Process everything that is on the streams now. Raises BrokerDown."""
        self._renew_at = self._progress_at = 0.0
        self._keep_leases()
        while self._read(0) or self._look(at_once=True) or any(led.pending for led in self._led.values()):
            for led in list(self._led.values()):
                if led.pending:
                    self._commit(led)
        self._report_progress()

    def _keep_leases(self) -> None:
        now = self._monotonic()
        if now < self._renew_at:
            return
        self._renew_at = now + RENEW_EVERY_S
        self._settle_retired()
        renewal = self._leadership.renew()
        for lane in renewal.lost:
            self._lose(lane, "lease expired")
        for lane, lease in renewal.taken.items():
            self._lead(lane, lease)
        if renewal.excess is not None:
            self._give_back(renewal.excess)

    def _settle_retired(self) -> None:
        """Once: say which lanes are retired, and let go of those that were and are declared no more."""
        if self._is_settled:
            return
        retired = {
            lane: feed.retired.since for feed in self._declarations.retired_feeds.values() for lane in feed.all_lanes()
            if feed.retired is not None
        }  # fmt: skip
        for lane in self._broker.settle_retired(self._declarations.lanes(), retired):
            log.info("retired lane dropped", lane=lane)
        self._is_settled = True

    def _lead(self, lane: Lane, lease: str) -> None:
        run_id = self._broker.run_id(lane)
        opened = DerivedLane if self._declarations.feeds[lane.feed].source.derived else LedLane
        try:
            led = opened(self._broker, self._declarations, lane, lease, run_id, self._clock)
        except LaneLost as lost:
            self._leadership.drop(lane)
            log.warning("lane lost while opening", lane=str(lane), error=str(lost))
            return
        self._led[lane] = led
        self._committed[lane] = 0.0
        self._progress_at = 0.0
        log.info("lane led", lane=str(lane), epoch=led.epoch)
        if self._broker.try_entry(lane, lease):
            led.suspect_what_waits()

    def _give_back(self, lane: Lane) -> None:
        led = self._led.get(lane)
        if led is not None and led.pending:
            self._commit(led)
        self._led.pop(lane, None)
        self._leadership.give_back(lane)
        log.info("lane given back", lane=str(lane))

    def _lose(self, lane: Lane, why: str) -> None:
        self._leadership.drop(lane)
        if self._led.pop(lane, None) is not None:
            self._telemetry.count("lanes_lost")
            log.warning("lane lost", lane=str(lane), why=why)

    def _drop_all(self) -> None:
        self._leadership.drop_all()
        self._led.clear()

    def _until_due(self) -> float | None:
        """Seconds until the first lane with folded events may commit; 0 with a backlog, None where nothing waits."""
        now = self._monotonic()
        if self._behind:
            return 0.0
        waits = [self._committed[lane] + self._tick_s - now for lane, led in self._led.items() if led.pending]
        return max(0.0, min(waits)) if waits else None

    def _derived(self) -> list[DerivedLane]:
        return [led for led in self._led.values() if isinstance(led, DerivedLane)]

    def _idle_block_ms(self) -> int:
        """How long new events are waited for; less where a derived channel rests, or follows another worker."""
        waiting = any(led.rests or not set(led.sources) <= self._led.keys() for led in self._derived())
        return DERIVED_BLOCK_MS if waiting else IDLE_BLOCK_MS

    def _look(self, *, at_once: bool = False) -> bool:
        """Let derived channels follow those that they are made from; whether one of them has something to commit."""
        return bool(sum(led.look(at_once=at_once) for led in self._derived()))  # each of them looks

    def _read(self, block_ms: int) -> bool:
        folding = [led for led in self._led.values() if isinstance(led, LedLane)]
        suspects = [led for led in folding if led.suspect]
        for led in suspects:
            self._fold_next_alone(led)
        reading = {led.lane: led for led in folding if not led.suspect}
        after = {lane: led.checkpoint for lane, led in reading.items()}
        found = self._broker.read_events(after, ENTRIES_PER_READ, 0 if suspects else block_ms) if after else {}
        self._behind = {lane for lane, entries in found.items() if len(entries) == ENTRIES_PER_READ}
        for lane, entries in found.items():
            if self._is_led(reading[lane]):
                self._fold(reading[lane], entries)
        return bool(found or suspects)

    def _fold(self, led: LedLane, entries: list[Entry]) -> None:
        """Fold what was read; a commit in between where it would grow too large for one step of the broker.

        What was read at once may take longer to fold than a lease lasts, and on a starved core so may a single
        commit: leases are renewed before and after each.
        """
        for entry in entries:
            led.take(entry)
            if led.is_full:
                led.fold_taken()
                if not self._keeps(led):
                    return
                self._commit(led)
                if not self._keeps(led):
                    return
        led.fold_taken()

    def _keeps(self, led: LedLane) -> bool:
        """Renew leases where it is time; whether the lane is led still."""
        self._keep_leases()
        return self._is_led(led)

    def _is_led(self, led: LedLane | DerivedLane) -> bool:
        """Whether that is the lane as it is led now, neither lost meanwhile nor opened anew."""
        return self._led.get(led.lane) is led

    def _fold_next_alone(self, led: LedLane) -> None:
        """Fold and commit one entry, so that the next worker knows which one it was that this one died of."""
        tries = self._broker.try_entry(led.lane, led.lease)
        entries = self._broker.read_events({led.lane: led.checkpoint}, 1, 0).get(led.lane, [])
        if not entries:
            led.suspect_what_waits(False)
        elif tries >= POISON_TRIES:
            led.set_aside(entries[0], tries)
        else:
            led.fold(entries)
        if led.pending:
            self._commit(led)

    def _commit_due(self) -> None:
        """By the tick; a lane with a backlog once it is full: what is merged, nobody has to send or paint.

        Leases are renewed after a commit and not before: a worker that slept is to be refused by the commit itself.
        """
        now = self._monotonic()
        for lane, led in list(self._led.items()):
            if not self._is_led(led):
                continue
            due = now - self._committed[lane] >= self._tick_s and lane not in self._behind
            if led.pending and (due or led.is_full):
                self._commit(led)
                self._keep_leases()

    def _commit(self, led: LedLane | DerivedLane) -> None:
        try:
            committed = led.commit()
        except LaneLost as lost:
            self._telemetry.count("commits_refused")
            self._lose(led.lane, str(lost))
            return
        self._committed[led.lane] = self._monotonic()
        if self._broker.memory_full():
            self._shed(led.lane)
        self._account(led.lane, committed)
        self._answer_probes(led.lane, committed.marked)
        for token, removed in committed.forgotten.items():
            self._broker.tell_forgotten(led.lane, token, removed)

    def _account(self, lane: Lane, committed: Committed) -> None:
        now = self._clock()
        if committed.quarantined:
            _tell_quarantine(lane, committed.quarantined)
        # From the oldest event of the commit: the worst of the batch, never flattered by the newest.
        if not is_built_in(lane.feed):
            self._telemetry.count("processed", committed.events)
        if committed.times is not None and not is_built_in(lane.feed):
            waited_s = (now - committed.times.ingested[0]) / 1000
            self._telemetry.observe("ingested_to_processed", waited_s, committed.events)
        for channel, times in committed.channels:
            self._telemetry.note("ingested_to_processed", (now - times.ingested[0]) / 1000, times.events, channel)

    def _answer_probes(self, lane: Lane, marked: Sequence[Entry]) -> None:
        """A probe that this lane has committed is answered through the probe's own lane."""
        now = self._clock()
        for entry in marked:
            if entry.mark != "probe":
                continue
            probes = orjson.loads(entry.events)
            answers = [orjson.dumps({**probe, "ingested_at": now, "worker": self._worker}) for probe in probes]
            try:
                self._broker.ingest(Lane(PROBE_FEED, 0), [("", answer) for answer in answers])
            except Overloaded as full:
                log.warning("probe not answered", lane=str(lane), error=str(full))

    def _report_progress(self) -> None:
        now = self._monotonic()
        if now < self._progress_at:
            return
        self._progress_at = now + PROGRESS_EVERY_S
        for lane, led in self._led.items():
            if isinstance(led, DerivedLane):
                self._broker.note_progress(lane, led.progress())
                continue
            self._shed(lane)
            told = self._broker.report_progress(lane, led.started_at, led.epoch, led.newest)
            self._unarchived_since[lane] = told.unarchived_since

    def _shed(self, lane: Lane) -> None:
        """Let go what a slower group keeps from being trimmed, where that endangers the lane."""
        since = self._unarchived_since.get(lane, 0)
        lagging = bool(since) and self._clock() - since > LAGGING_MS
        if dropped := self._broker.shed(lane, len(self._declarations.lanes()), lagging=lagging):
            self._telemetry.count("shed", dropped)
            log.error("events dropped for a group that lags", lane=str(lane), events=dropped)

    def hand_over(self) -> None:
        """Commit what is folded and give every lane back, so that a standby need not wait for leases to end."""
        try:
            for lane in list(self._led):
                self._give_back(lane)
            self._leadership.leave()
        except BrokerDown as error:
            log.warning("lanes not handed over", error=str(error))
        self._drop_all()


def _tell_quarantine(lane: Lane, put_aside: Sequence[bytes]) -> None:
    """One line for all of a commit, with the first of them: a broken sender sends many."""
    first = orjson.loads(put_aside[0])
    event = first["event"] if isinstance(first["event"], dict) else {}
    log.error(
        "events put into quarantine", lane=str(lane), events=len(put_aside), why=first["why"],
        event_id=event.get("id"), correlation_id=event.get("correlation"),
    )
