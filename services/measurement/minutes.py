"""Minutes: what one objective's measurement comes to in one minute of time; everything later is sums of these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Minute:
    """How much of one minute was counted, and how much of that was good, in the objective's own unit.

    `at` is the minute's begin in milliseconds since the Unix epoch. `excluded` is what an exclusion takes out of
    `total`, by the exclusion's name; `excluded_good` the part of it that was good. A minute in which something
    should have been counted and was not is bad: `no_data`, with good 0 and total 1; `Score` gives it its weight.
    """

    at: int
    good: float
    total: float
    excluded: Mapping[str, float] = field(default_factory=dict)
    excluded_good: float = 0.0
    no_data: bool = False

    def weighing(self, weight: float) -> Minute:
        """The same minute with everything counted that many times."""
        excluded = {name: amount * weight for name, amount in self.excluded.items()}
        return replace(
            self,
            good=self.good * weight,
            total=self.total * weight,
            excluded=excluded,
            excluded_good=self.excluded_good * weight,
        )

    @property
    def adjusted_total(self) -> float:
        return max(0.0, self.total - sum(self.excluded.values()))

    @property
    def adjusted_good(self) -> float:
        return max(0.0, self.good - self.excluded_good)


@dataclass(frozen=True, slots=True)
class Score:
    """The sum of minutes. `share` and `raw_share` are None where nothing was counted."""

    good: float = 0.0
    total: float = 0.0
    raw_good: float = 0.0
    raw_total: float = 0.0
    minutes: int = 0
    no_data_minutes: int = 0
    excluded: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, minutes: Iterable[Minute]) -> Self:
        """Sum in the order of time, so that the same minutes give the same digits.

        A minute without data weighs as much as one with data usually does: beside thousands of events a minute, an
        hour of which nothing is known would cost nothing if each of its minutes counted as one event.
        """
        good = total = raw_good = raw_total = 0.0
        count = missing = 0
        excluded: dict[str, float] = {}
        ordered = sorted(minutes, key=lambda one: one.at)
        usual = _usual_total(ordered)
        for minute in (one.weighing(usual) if one.no_data else one for one in ordered):
            good, total = good + minute.adjusted_good, total + minute.adjusted_total
            raw_good, raw_total = raw_good + minute.good, raw_total + minute.total
            count, missing = count + 1, missing + minute.no_data
            for name, amount in sorted(minute.excluded.items()):
                excluded[name] = excluded.get(name, 0.0) + amount
        return cls(good, total, raw_good, raw_total, count, missing, excluded)

    @property
    def share(self) -> float | None:
        """Of what counts after exclusions, how much was good: 0 to 1."""
        return self.good / self.total if self.total else None

    @property
    def raw_share(self) -> float | None:
        """The same before exclusions."""
        return self.raw_good / self.raw_total if self.raw_total else None


def _usual_total(minutes: Iterable[Minute]) -> float:
    """What a minute with data counts on average; 1 where there is none."""
    totals = [one.total for one in minutes if one.total and not one.no_data]
    return max(1.0, sum(totals) / len(totals)) if totals else 1.0
