"""Sketch: quantiles within 1 %, mergeable in any order.

A sparse DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
Relative-Error Guarantees", VLDB 2019) with logarithmic bins. Kept small and exact in JSON, because it is
stored with the checkpoint, sent by browsers, and must merge to the digit.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any, Self

ACCURACY = 0.01
_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GAMMA = math.log(_GAMMA)
SMALLEST = 1e-9
"""Values nearer to zero than this count as zero."""


class Sketch:
    """Counts by logarithmic bin. `bins` maps a bin number to its count, apart for negative values."""

    __slots__ = ("bins", "count", "negative", "zeros")

    def __init__(self) -> None:
        self.bins: dict[int, int] = {}
        self.negative: dict[int, int] = {}
        self.zeros = 0
        self.count = 0

    def add(self, value: float, times: int = 1) -> None:
        """Count a finite value."""
        self.count += times
        if -SMALLEST < value < SMALLEST:
            self.zeros += times
            return
        bins = self.bins if value > 0 else self.negative
        number = math.ceil(math.log(abs(value)) / _LOG_GAMMA)
        bins[number] = bins.get(number, 0) + times

    def merge(self, other: Sketch) -> None:
        """Take the other's counts in; the order of merging does not matter."""
        self.count += other.count
        self.zeros += other.zeros
        _merge_bins(self.bins, other.bins)
        _merge_bins(self.negative, other.negative)

    def quantile(self, q: float) -> float | None:
        """The value at rank q (0 to 1) within 1 %, or None where nothing was counted."""
        if not self.count:
            return None
        rank = q * (self.count - 1)
        passed = 0
        for number in sorted(self.negative, reverse=True):
            passed += self.negative[number]
            if passed > rank:
                return -_middle(number)
        passed += self.zeros
        if passed > rank:
            return 0.0
        numbers = sorted(self.bins)
        place = bisect_right(list(accumulate(map(self.bins.__getitem__, numbers))), rank - passed)
        return _middle(numbers[min(place, len(numbers) - 1)])

    def within(self, limit: float) -> int:
        """How many of the counted values are at most `limit`; a bin counts by its middle, so within 1 %."""
        bins = sum(times for number, times in self.bins.items() if _middle(number) <= limit)
        negative = sum(times for number, times in self.negative.items() if -_middle(number) <= limit)
        return bins + negative + (self.zeros if limit >= 0 else 0)

    def thinned(self, most: int) -> Sketch:
        """The same distribution with at most `most` counts, by an even pick in the order of values."""
        if self.count <= most:
            return self
        thin, passed, kept = Sketch(), 0, 0
        for part, number, times in self._in_order():
            passed += times
            now = passed * most // self.count
            if now > kept:
                thin._put(part, number, now - kept)
            kept = now
        return thin

    def _in_order(self) -> list[tuple[int, int, int]]:
        """(sign, bin, count) from the least value to the greatest."""
        below = [(-1, number, times) for number, times in sorted(self.negative.items(), reverse=True)]
        zero = [(0, 0, self.zeros)] if self.zeros else []
        return below + zero + [(1, number, times) for number, times in sorted(self.bins.items())]

    def _put(self, sign: int, number: int, times: int) -> None:
        self.count += times
        if sign == 0:
            self.zeros += times
        else:
            (self.bins if sign > 0 else self.negative)[number] = times

    def as_json(self) -> list[Any]:
        """[zeros, [bin, count, …], [negative bin, count, …]], sorted, so that equal sketches are equal bytes."""
        return [self.zeros, _flat(self.bins), _flat(self.negative)]

    @classmethod
    def from_json(cls, raw: list[Any]) -> Self:
        """Read what `as_json` wrote."""
        found = cls()
        found.zeros = raw[0]
        found.bins = dict(zip(raw[1][::2], raw[1][1::2], strict=True))
        found.negative = dict(zip(raw[2][::2], raw[2][1::2], strict=True))
        found.count = found.zeros + sum(found.bins.values()) + sum(found.negative.values())
        return found

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """A sketch of the values."""
        found, kept = cls(), list(values)
        bins = bins_of(kept)
        if bins:
            return cls.of_bins(bins)
        for value in kept:
            found.add(value)
        return found

    @classmethod
    def of_bins(cls, bins: Sequence[int]) -> Self:
        """A sketch of positive values, each told by its bin."""
        found = cls()
        found.count = len(bins)
        found.bins = dict(Counter(bins))
        return found


def bins_of(values: Sequence[float]) -> Sequence[int]:
    """The bin of each value, in bulk; nothing where a value is not positive."""
    if not values or min(values) < SMALLEST:
        return ()
    return [math.ceil(math.log(value) / _LOG_GAMMA) for value in values]


def _merge_bins(mine: dict[int, int], theirs: Mapping[int, int]) -> None:
    if not mine:
        mine.update(theirs)
        return
    for number, times in theirs.items():
        mine[number] = mine.get(number, 0) + times


def _middle(number: int) -> float:
    return 2.0 * math.exp(number * _LOG_GAMMA) / (_GAMMA + 1)


def _flat(bins: dict[int, int]) -> list[int]:
    return list(chain.from_iterable(sorted(bins.items())))
