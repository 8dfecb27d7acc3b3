"""Archiver: the station that keeps every accepted event and every delta beyond the broker, once each.

It reads as the broker's second consumer, so that nothing is trimmed before it is kept, and never speaks to the
processor: a database that is slow or away costs the archive its time and the live path nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from services.archive.batch import Batch, entry_parts
from services.archive.gathering import LaneGatherer
from services.archive.keeping import Keeper
from services.archive.keyframes import read_last
from services.archive.writing import Overtaken, read_cursors, write
from services.broker import Broker, BrokerDown
from services.database import Database, DatabaseDown
from services.declare import Declarations, Lane
from services.leadership import Leadership
from services.positions import Clock, wall_clock
from services.telemetry import Telemetry

RENEW_EVERY_S = 0.5
BATCH_EVERY_S = 0.5
"""How long events gather before a transaction; while there is a backlog one follows the other."""
RETRY_S = 1.0

log = structlog.get_logger("archive")


class Archiver:
    """Archives every lane that it leads."""

    def __init__(
        self,
        broker: Broker,
        database: Database,
        declarations: Declarations,
        telemetry: Telemetry,
        *,
        worker: str,
        clock: Clock = wall_clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker, self._database, self._declarations = broker, database, declarations
        self._telemetry, self._clock, self._monotonic = telemetry, clock, monotonic
        self._leadership = Leadership(broker, "archive", declarations.archived_lanes(), worker)
        self._led: dict[Lane, LaneGatherer | None] = {}
        self._keeper = Keeper(database, declarations, clock)
        self._renew_at, self._trouble = 0.0, ""

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; then let others take the lanes at once."""
        while not stop.is_set():
            stop.wait(self._round())
        self._leave()

    def _round(self) -> float:
        """One round; returns how long to wait before the next, in seconds."""
        try:
            self._keep_leases()
            more = self.step()
            if not more:
                self._keeper.step([lane for lane, led in self._led.items() if led is not None])
            self._tell_trouble("")
        except BrokerDown as error:
            self._leadership.drop_all()
            self._led.clear()
            self._tell_trouble(str(error))
            return RETRY_S
        except DatabaseDown as error:
            self._tell_trouble(str(error))
            return RETRY_S
        return 0.0 if more else BATCH_EVERY_S

    def drain(self) -> None:
        """Archive everything that is there now. Raises BrokerDown or DatabaseDown."""
        self._renew_at = 0.0
        self._keep_leases()
        while self.step():
            pass

    def step(self) -> bool:
        """Archive what is new in every led lane, in one transaction; True where there is more at once.

        Raises BrokerDown or DatabaseDown.
        """
        gatherers = [self._open(lane) for lane in list(self._led)]
        batches = {gatherer: batch for gatherer in gatherers if (batch := gatherer.gather()) is not None}
        changed = [batch for batch in batches.values() if batch.changes]
        try:
            if changed:
                write(self._database, changed, self._clock())
        except Overtaken as overtaken:
            self._led[overtaken.lane] = None
            log.warning("lane opened again", reason=str(overtaken))
            return True
        for gatherer, batch in batches.items():
            gatherer.accept(batch)
            self._tell(batch)
        return any(batch.full for batch in batches.values())

    def _open(self, lane: Lane) -> LaneGatherer:
        found = self._led[lane]
        if found is None:
            cursor, channels = read_cursors(self._database, lane)
            keyframes = read_last(self._database, lane)
            found = LaneGatherer(self._broker, self._declarations, lane, self._clock, cursor, channels, keyframes)
            self._led[lane] = found
        return found

    def _tell(self, batch: Batch) -> None:
        """Tell the broker what is safe, and everybody what was done."""
        if entry_parts(batch.after.entry) > entry_parts(batch.said):
            self._broker.archived(batch.lane, batch.said, batch.after.entry, batch.counted)
        self._telemetry.count("archived", len(batch.events))
        self._telemetry.count("archived_deltas", len(batch.deltas))
        for gap in batch.gaps:
            self._telemetry.count("archive_gaps")
            log.error("archive gap", **{name: getattr(gap, name) for name in gap.__slots__})

    def _keep_leases(self) -> None:
        now = self._monotonic()
        if now < self._renew_at:
            return
        self._renew_at = now + RENEW_EVERY_S
        renewal = self._leadership.renew()
        for lane in renewal.lost:
            self._led.pop(lane, None)
        for lane in renewal.taken:
            self._led[lane] = None
        if renewal.excess is not None:
            self._led.pop(renewal.excess, None)
            self._leadership.give_back(renewal.excess)

    def _tell_trouble(self, text: str) -> None:
        """Once when it begins and once when it ends: an outage of an hour is two lines."""
        if text and not self._trouble:
            log.warning("archive waits", error=text)
        elif self._trouble and not text:
            log.info("archive goes on")
        self._trouble = text

    def _leave(self) -> None:
        try:
            self._leadership.leave()
        except BrokerDown as error:
            log.warning("lanes not handed over", error=str(error))
