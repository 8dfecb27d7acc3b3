"""Outcome: what was found of one criterion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["passed", "failed", "not seen"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found of one criterion; `samples` are raw, in seconds."""

    criterion: str
    verdict: Verdict
    said: str
    samples: dict[str, Any] = field(default_factory=dict)


def judged(criterion: str, held: bool, said: str, **samples: Any) -> Outcome:
    """Passed where it held."""
    return Outcome(criterion, "passed" if held else "failed", said, samples)


def not_seen(criterion: str, said: str) -> Outcome:
    """Nothing could look at it: that is no pass."""
    return Outcome(criterion, "not seen", said)
