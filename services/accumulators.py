"""Accumulators: what an aggregate needs to remember of a window, mergeable and independent of order.

Sums keep exact partials (Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997), so that every
order of the same events gives the same digits; quantiles keep a sketch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

from services.batch import Batch
from services.declare import Aggregate
from services.sketch import Sketch

Value = int | float | str | bool | None


class Accumulator(Protocol):
    """What one aggregate remembers of the events of one window."""

    def fold(self, batch: Batch, field: str) -> None:
        """Fold a field of some events in, which each of them holds; '' where no field is asked for."""

    def merge(self, other: Any) -> None:
        """Fold another window's accumulator of the same aggregate in."""

    def result(self, elapsed_s: float) -> Value:
        """The aggregate; None where it has no value. `elapsed_s`: how much of the window has passed."""

    def as_json(self) -> Any:
        """What `load` takes back."""

    def load(self, raw: Any) -> None:
        """Take over what `as_json` gave."""


class Count:
    """The number of events."""

    def __init__(self) -> None:
        self.events = 0

    def fold(self, batch: Batch, field: str) -> None:
        self.events += len(batch)

    def merge(self, other: Count) -> None:
        self.events += other.events

    def result(self, elapsed_s: float) -> Value:
        return self.events

    def as_json(self) -> Any:
        return self.events

    def load(self, raw: Any) -> None:
        self.events = raw


class Rate(Count):
    """Events a second."""

    def result(self, elapsed_s: float) -> Value:
        return self.events / elapsed_s


class Sum:
    """The exactly rounded sum."""

    def __init__(self) -> None:
        self.events = 0
        self.partials: list[int | float] = []

    def fold(self, batch: Batch, field: str) -> None:
        self.events += len(batch)
        for partial in batch.partials(field):
            self._grow(partial)

    def _grow(self, x: int | float) -> None:
        """Add to the non-overlapping partials whose exact sum is the sum."""
        kept = 0
        for y in self.partials:
            if abs(x) < abs(y):
                x, y = y, x
            high = x + y
            low = y - (high - x)
            if low:
                self.partials[kept] = low
                kept += 1
            x = high
        self.partials[kept:] = [float(x)]

    def merge(self, other: Sum) -> None:
        self.events += other.events
        for partial in other.partials:
            self._grow(partial)

    def total(self) -> float:
        return math.fsum(self.partials)

    def result(self, elapsed_s: float) -> Value:
        return self.total()

    def as_json(self) -> Any:
        return [self.events, self.partials]

    def load(self, raw: Any) -> None:
        self.events, self.partials = raw


class Mean(Sum):
    """The mean; None of no events."""

    def result(self, elapsed_s: float) -> Value:
        return self.total() / self.events if self.events else None


class Extreme:
    """The least or the greatest value."""

    def __init__(self, pick: Any) -> None:
        self.pick = pick
        self.found: Any = None

    def fold(self, batch: Batch, field: str) -> None:
        self._take(self.pick(batch.column(field)))

    def _take(self, value: Any) -> None:
        self.found = value if self.found is None else self.pick(self.found, value)

    def merge(self, other: Extreme) -> None:
        if other.found is not None:
            self._take(other.found)

    def result(self, elapsed_s: float) -> Value:
        found: Value = self.found
        return found

    def as_json(self) -> Any:
        return self.found

    def load(self, raw: Any) -> None:
        self.found = raw


class Quantile:
    """A quantile within 1 %."""

    def __init__(self, q: float) -> None:
        self.q = q
        self.sketch = Sketch()

    def fold(self, batch: Batch, field: str) -> None:
        self.sketch.merge(batch.sketch(field))

    def merge(self, other: Quantile) -> None:
        self.sketch.merge(other.sketch)

    def result(self, elapsed_s: float) -> Value:
        return self.sketch.quantile(self.q)

    def as_json(self) -> Any:
        return self.sketch.as_json()

    def load(self, raw: Any) -> None:
        self.sketch = Sketch.from_json(raw)


class Newest:
    """The value of the newest event; at equal times the greater id wins."""

    def __init__(self) -> None:
        self.at: tuple[int, str] = (0, "")
        self.found: Any = None

    def fold(self, batch: Batch, field: str) -> None:
        created_at, event_id, index = max(zip(batch.created, batch.ids, range(len(batch)), strict=True))
        self._take((created_at, event_id), batch.column(field)[index])

    def _take(self, at: tuple[int, str], value: Any) -> None:
        if at >= self.at:
            self.at, self.found = at, value

    def merge(self, other: Newest) -> None:
        if other.found is not None:
            self._take(other.at, other.found)

    def result(self, elapsed_s: float) -> Value:
        found: Value = self.found
        return found

    def as_json(self) -> Any:
        return [*self.at, self.found]

    def load(self, raw: Any) -> None:
        self.at, self.found = (raw[0], raw[1]), raw[2]


def accumulator_of(aggregate: Aggregate) -> Accumulator:
    """A fresh accumulator of the aggregate."""
    match aggregate.function:
        case "count":
            return Count()
        case "rate":
            return Rate()
        case "sum":
            return Sum()
        case "mean":
            return Mean()
        case "min":
            return Extreme(min)
        case "max":
            return Extreme(max)
        case "quantile":
            return Quantile(aggregate.q if aggregate.q is not None else 0.5)
        case "value":
            return Newest()


def merged(aggregate: Aggregate, parts: Sequence[Accumulator]) -> Accumulator:
    """One accumulator with the effect of all parts; the parts are not changed."""
    whole = accumulator_of(aggregate)
    for part in parts:
        whole.merge(part)
    return whole
