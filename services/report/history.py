"""History: the sums of past days and the minutes of the last three, kept so that a live figure is no long query.

What is excluded may be declared or confirmed after a day; one past day is therefore read anew in each step, in turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.contract.document import Contract, Objective
from services.contract.moments import day_begins, local_time
from services.measurement.minutes import MINUTE_MS, Minute, Score
from services.report.periods import days_from, reported
from services.report.report import Minutes, is_down

RECENT_MS = 3 * 86_400_000 + 10 * MINUTE_MS
"""Three whole days, also where the newest minutes are not settled yet."""
LATE_MINUTES = 3
"""So many minutes are read again each time: what a process sent late belongs to them."""
DAYS_SHOWN = 90
DAYS_A_STEP = 3
"""How many days of the shown history a step reads for the first time: a restart costs minutes of patience, no burst."""


@dataclass(frozen=True, slots=True)
class DaySum:
    """One local day of one objective."""

    day: date
    score: Score
    down: int

    @classmethod
    def of(cls, objective: Objective, day: date, minutes: Sequence[Minute]) -> DaySum:
        return cls(day, Score.of(minutes), sum(is_down(objective, one) for one in minutes))


class History:
    """The days and recent minutes of every objective of a contract."""

    def __init__(self, contract: Contract, ledger: Minutes) -> None:
        self._contract, self._ledger = contract, ledger
        self._days: dict[tuple[str, date], DaySum] = {}
        self._recent: dict[str, list[Minute]] = {one.name: [] for one in contract.objectives}
        self._again: list[date] = []

    def step(self, now: int) -> None:
        """Take in what was measured since; read past days that are missing, or one of them anew."""
        for objective in self._contract.objectives:
            self._extend(objective, now)
        today = self.today(now)
        shown = [today - timedelta(days=back) for back in range(1, DAYS_SHOWN)]
        needed = [day for day in days_from(self._first_needed(now), today) if not self._has(day)]
        missing = [day for day in shown if day >= self._contract.begins and not self._has(day) and day not in needed]
        for day in [*needed, *missing[:DAYS_A_STEP]]:
            self._read(day)
        if not needed and not missing:
            self._read_again(today)

    def today(self, now: int) -> date:
        """The local day of the contract's zone."""
        return local_time(self._contract.zone, now).date()

    def minutes(self, objective: Objective) -> Sequence[Minute]:
        """Its minutes of the last three days."""
        return self._recent[objective.name]

    def days(self, objective: Objective, now: int, since: date) -> list[DaySum]:
        """Its local days from `since` on, today so far last; a day that was not read yet is left out."""
        today = self.today(now)
        begin = day_begins(self._contract.zone, today)
        past = sorted((day for name, day in self._days if name == objective.name and since <= day < today))
        so_far = [one for one in self._recent[objective.name] if one.at >= begin]
        return [*(self._days[objective.name, day] for day in past), DaySum.of(objective, today, so_far)]

    def window_since(self, objective: Objective, now: int) -> date:
        """The first day of what its budget is counted over: its own days, today one of them, or the period."""
        today = self.today(now)
        if objective.window_days is None:
            return local_time(self._contract.zone, reported(self._contract, "period", now).since).date()
        return max(self._contract.begins, today - timedelta(days=objective.window_days - 1))

    def _first_needed(self, now: int) -> date:
        return min(self.window_since(one, now) for one in self._contract.objectives)

    def _extend(self, objective: Objective, now: int) -> None:
        kept = self._recent[objective.name]
        since = kept[-1].at - LATE_MINUTES * MINUTE_MS if kept else now - RECENT_MS
        before = [one for one in kept if now - RECENT_MS <= one.at < since]
        self._recent[objective.name] = [*before, *self._ledger.minutes(objective, since, now)]

    def _has(self, day: date) -> bool:
        return all((one.name, day) in self._days for one in self._contract.objectives)

    def _read(self, day: date) -> None:
        since, until = (day_begins(self._contract.zone, one) for one in (day, day + timedelta(days=1)))
        for objective in self._contract.objectives:
            found = self._ledger.minutes(objective, since, until)
            self._days[objective.name, day] = DaySum.of(objective, day, found)

    def _read_again(self, today: date) -> None:
        self._again = self._again or sorted({day for _, day in self._days if day < today})
        if self._again:
            self._read(self._again.pop())


def total(days: Iterable[DaySum]) -> tuple[Score, int]:
    """The score of several days, and their minutes down."""
    good = counted = raw_good = raw_total = 0.0
    minutes = missing = down = 0
    excluded: dict[str, float] = {}
    for one in days:
        score = one.score
        good, counted = good + score.good, counted + score.total
        raw_good, raw_total = raw_good + score.raw_good, raw_total + score.raw_total
        minutes, missing, down = minutes + score.minutes, missing + score.no_data_minutes, down + one.down
        for name, amount in score.excluded.items():
            excluded[name] = excluded.get(name, 0.0) + amount
    return Score(good, counted, raw_good, raw_total, minutes, missing, excluded), down
