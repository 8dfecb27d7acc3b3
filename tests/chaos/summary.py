"""Summary: seed after seed, and what all of them together say."""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.arena import Arena
from tests.chaos.faults import play, schedule_of
from tests.chaos.truth import settle

TOLD = ("values", "delta", "snapshot", "merged", "hello", "epoch changes seen", "older snapshots dropped")
"""What all viewers saw: values compared with those of others, frames, connections."""
TICKS_MS = (50, 100, 250)


@dataclass
class Summary:
    """Figures of many runs."""

    seeds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    takeovers_s: list[float] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def add(self, seed: int, arena: Arena, problem: str) -> list[str]:
        """Take a run in; returns what was wrong with it."""
        found = [f"seed {seed}: {text}" for text in arena.record.violations] + ([problem] if problem else [])
        self.seeds += 1
        self.faults += arena.faults
        self.violations += found
        self.takeovers_s += arena.takeovers_s
        self.recoveries_s += arena.recoveries_s
        self.seen += Counter({name: arena.record.counts[name] for name in TOLD})
        self.seen += Counter({"events": sum(len(batch.events) for batch in arena.acknowledged())})
        return found

    def text(self) -> str:
        lines = [
            f"seeds {self.seeds}, " + ", ".join(f"{name} {count:,}" for name, count in sorted(self.seen.items())),
            "faults " + ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items())),
            f"takeover {quantiles(self.takeovers_s)}; recovery {quantiles(self.recoveries_s)}",
            f"violations {len(self.violations)}",
            *self.violations,
        ]
        return "\n".join(lines)


def quantiles(values: Sequence[float]) -> str:
    """p50, p95 and the greatest, in seconds."""
    if not values:
        return "none"
    ranked = sorted(values)
    p50, p95 = (ranked[math.ceil(q * len(ranked)) - 1] for q in (0.5, 0.95))
    return f"p50 {p50:.2f} s, p95 {p95:.2f} s, most {ranked[-1]:.2f} s of {len(ranked)}"


def run_seeds(first: int, count: int) -> Summary:
    """Play the schedules of `count` seeds; each line is told as it comes, what failed keeps its folder."""
    summary = Summary()
    for seed in range(first, first + count):
        folder, began, problem = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-")), time.monotonic(), ""
        arena = Arena(folder, seed, tick_ms=TICKS_MS[seed % len(TICKS_MS)])
        try:
            with arena:
                play(arena, schedule_of(seed))
                settle(arena)
        except Exception as error:
            problem = f"seed {seed}: stopped by {type(error).__name__}: {error}"
        found = summary.add(seed, arena, problem)
        tell(f"seed {seed}: {', '.join(schedule_of(seed))}: {len(found)} violations, {time.monotonic() - began:.0f} s")
        for text in found:
            tell("  " + text)
        if found:
            tell(f"  logs in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return summary


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
