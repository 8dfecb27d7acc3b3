"""Budget: how much of what an objective tolerates is spent, and how fast it burns. Pure: sums of minutes.

Only settled minutes count: the one that is under way would make every figure jump. Both figures are of what counts
after exclusions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.contract.document import Objective
from services.measurement.ledger import SETTLED_AFTER_MS
from services.measurement.minutes import MINUTE_MS, Minute, Score


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be bad of what was counted so far (`allowed`), and what was (`spent`), in the objective's own unit."""

    allowed: float
    spent: float
    total: float

    @classmethod
    def of(cls, objective: Objective, minutes: Iterable[Minute]) -> Budget:
        """The budget of an objective over these minutes."""
        score = Score.of(minutes)
        return cls(tolerated(objective) * score.total, score.total - score.good, score.total)

    @property
    def left(self) -> float | None:
        """1 is untouched, 0 is spent, below 0 is a breach; None where nothing was counted.

        An objective that tolerates nothing has 1 until the first bad one, then 0.
        """
        if not self.total:
            return None
        if self.allowed <= 0:
            return 0.0 if self.spent > 0 else 1.0
        return 1.0 - self.spent / self.allowed


def tolerated(objective: Objective) -> float:
    """The share that may be bad; rounded, since 1 - 0.95 would not be 0.05."""
    return round(1.0 - objective.share, 12)


def settled(now: int) -> int:
    """The end of the newest minute whose figure is there, in milliseconds."""
    return (now - SETTLED_AFTER_MS) // MINUTE_MS * MINUTE_MS


def within(minutes: Sequence[Minute], until: int, span_ms: int) -> Sequence[Minute]:
    """The whole minutes of the `span_ms` before `until`; `minutes` are in the order of time."""
    first = bisect_left(minutes, until - span_ms, key=lambda minute: minute.at)
    return minutes[first : bisect_left(minutes, until, key=lambda minute: minute.at)]


def burn_rate(objective: Objective, minutes: Iterable[Minute]) -> float | None:
    """How many times too fast the budget goes: 1 spends it exactly within the window. None where nothing counted.

    An objective that tolerates nothing burns infinitely fast from its first bad one.
    """
    budget = Budget.of(objective, minutes)
    if not budget.total:
        return None
    if budget.allowed <= 0:
        return float("inf") if budget.spent > 0 else 0.0
    return budget.spent / budget.allowed


def burning_since(objective: Objective, minutes: Sequence[Minute], calm_ms: int) -> int:
    """The begin of the first minute that was worse than tolerated, with no calm of `calm_ms` after it; 0 for none."""
    since = 0
    for minute in sorted(minutes, key=lambda one: one.at, reverse=True):
        if since and since - minute.at > calm_ms:
            break
        if minute.adjusted_total - minute.adjusted_good > tolerated(objective) * minute.adjusted_total:
            since = minute.at
    return since
