"""Record: what all viewers saw, and whether it can be true.

A position is (channel, epoch, seq). Whoever folds to the same position must hold the same value; an epoch that
was left never comes back; on one connection every delta starts where the frame before it ended.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from tests.chaos.fold import Folded

VIOLATIONS_KEPT = 50


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a channel's sequence."""

    epoch: str
    seq: int


@dataclass(slots=True)
class Held:
    """A channel as one viewer holds it: where, what, and the newest commit that is in it."""

    at: Position
    state: Folded


@dataclass
class Record:
    """Shared by all viewers of one run. Everything is written in the world's thread."""

    violations: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    epochs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    causes: set[str] = field(default_factory=set)
    rates_hz: list[float] = field(default_factory=list)
    processed_ms: int = 0
    _values: dict[tuple[str, Position], tuple[int, str]] = field(default_factory=dict)

    def violation(self, kind: str, text: str) -> None:
        """Something that must never happen; `kind` is a word to count by."""
        self.kinds[kind] += 1
        if len(self.violations) < VIOLATIONS_KEPT:
            self.violations.append(f"{time.strftime('%H:%M:%S')} {kind}: {text}")

    def epoch(self, channel: str, epoch: str) -> None:
        """An epoch that somebody saw."""
        if epoch not in self.epochs[channel]:
            self.epochs[channel].append(epoch)

    def value(self, who: str, channel: str, at: Position, mark: int) -> None:
        """`who` holds a value of this mark at the position; all others there must hold the same."""
        self.counts["values"] += 1
        known, first = self._values.setdefault((channel, at), (mark, who))
        if known != mark:
            self.violation("divergence", f"{channel} at {at}: {who} holds another value than {first}")
