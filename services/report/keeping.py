"""Keeping: makes the standing anew every few seconds and writes it where all web processes read it."""

from __future__ import annotations

from collections.abc import Callable

from services.contract.document import Contract
from services.contract.periods import DAY_MS
from services.positions import Clock
from services.report.board import StandingRegister
from services.report.history import DAYS_SHOWN, History
from services.report.report import Facts, Minutes
from services.report.standing import make_standing

DAYS_AHEAD = 14
"""Maintenance that is announced for so many days to come is shown."""


class StandingKeeper:
    """One step a standing. It holds the history between steps; another worker that takes over reads it anew."""

    def __init__(
        self,
        contract: Contract,
        ledger: Minutes,
        gather: Callable[[int, int], Facts],
        register: StandingRegister,
        clock: Clock,
    ) -> None:
        self._contract, self._register, self._gather, self._clock = contract, register, gather, clock
        self._history = History(contract, ledger)

    def step(self) -> None:
        """Take in what was measured and write how it stands. Raises DatabaseDown."""
        now = self._clock()
        self._history.step(now)
        facts = self._gather(now - DAYS_SHOWN * DAY_MS, now + DAYS_AHEAD * DAY_MS)
        windows = [one for one in facts.windows if one.counted]
        self._register.write(make_standing(self._contract, self._history, facts.incidents, windows, now))
