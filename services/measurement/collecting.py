"""Collecting: brings sheets from the broker to the database, and closes hours that are over."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from services.broker import Broker
from services.contract.document import Objective
from services.measurement.kept import CLOSED_AFTER_MS, HOUR_MS, Kept
from services.measurement.ledger import Ledger
from services.positions import Clock

SHEETS_AT_ONCE = 200
DAY_MS = 24 * HOUR_MS
HOURS_AT_ONCE = 48
"""So many hours are closed in one step, so that a long outage does not become one long step."""

log = structlog.get_logger("measurement")


class Collector:
    """Takes sheets off the broker once they are in the database: a step that fails is done again, nothing twice."""

    def __init__(self, broker: Broker, kept: Kept) -> None:
        self._broker, self._kept = broker, kept

    def step(self) -> None:
        """Everything that waits. Raises BrokerDown or DatabaseDown, with nothing lost."""
        while waiting := self._broker.read_sheets(SHEETS_AT_ONCE):
            self._kept.add_sheets((int(place.partition("-")[0]), payload) for place, payload in waiting)
            self._broker.drop_sheets([place for place, _ in waiting])


class Closer:
    """Closes hours, and forgets raw minutes that are older than the disputed period."""

    def __init__(self, kept: Kept, objectives: Sequence[Objective], raw_days: int, clock: Clock) -> None:
        self._kept, self._objectives, self._raw_days, self._clock = kept, objectives, raw_days, clock

    def step(self) -> None:
        """Close what is due. Raises DatabaseDown."""
        began, now = self._kept.began_at(), self._clock()
        if began is None:
            return
        oldest = (now - self._raw_days * DAY_MS) // HOUR_MS * HOUR_MS  # what was forgotten cannot be closed
        start = max(began // HOUR_MS * HOUR_MS, oldest)
        due = {objective: self._first_open(objective, start) for objective in self._objectives}
        first = min(due.values(), default=now)
        for hour in range(first, now - CLOSED_AFTER_MS - HOUR_MS + 1, HOUR_MS)[:HOURS_AT_ONCE]:
            self._close(hour, [objective for objective, from_hour in due.items() if from_hour <= hour], now)
        self._kept.forget_before(oldest)

    def _first_open(self, objective: Objective, first: int) -> int:
        newest = self._kept.newest_hour(objective)
        return first if newest is None else max(first, newest + HOUR_MS)

    def _close(self, hour: int, objectives: Sequence[Objective], now: int) -> None:
        """One read for all objectives."""
        ledger = Ledger(self._kept, together=objectives, clock=self._clock)
        for objective in objectives:
            self._kept.close_hour(objective, hour, ledger.minutes(objective, hour, hour + HOUR_MS), now)
        log.info("hour closed", hour=hour, objectives=len(objectives))
