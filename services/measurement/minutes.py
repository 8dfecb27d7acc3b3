"""Minutes: what one objective's measurement comes to in one minute of time; everything later is sums of these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Minute:
    """How much of one minute was counted, and how much of that was good, in the objective's own unit.

    `at` is the minute's begin in milliseconds since the Unix epoch. `excluded` is what an exclusion takes out of
    `total`, by the exclusion's name; `excluded_good` the part of it that was good. A minute in which something
    should have been counted and was not is bad: `no_data`, with good 0 and total 1.
    """

    at: int
    good: float
    total: float
    excluded: Mapping[str, float] = field(default_factory=dict)
    excluded_good: float = 0.0
    no_data: bool = False

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
        """Sum in the order of time, so that the same minutes give the same digits."""
        good = total = raw_good = raw_total = 0.0
        count = missing = 0
        excluded: dict[str, float] = {}
        for minute in sorted(minutes, key=lambda one: one.at):
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
