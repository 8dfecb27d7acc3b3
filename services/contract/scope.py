"""Scope: what is delivered, how large it may grow, what the client owes for it, and what a change does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.contract.prices import Prices

Owed = Literal["access", "credentials", "samples", "decision"]
"""What a client may owe: a way in, secrets that are handed over, data to build on, an answer."""


@dataclass(frozen=True, slots=True)
class Named:
    """What is in scope, by name; None is all that is declared."""

    feeds: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    pages: tuple[str, ...] | None = None
    roles: tuple[str, ...] | None = None
    line: int = 1


@dataclass(frozen=True, slots=True)
class Hosting:
    """Where it runs, and how people prove who they are; in words."""

    provider: str
    region: str
    authentication: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """Up to where the objectives hold: events a second at the peak, viewers at once, rows of the largest table."""

    events_per_s: float
    viewers: int
    rows: int
    line: int = 1


@dataclass(frozen=True, slots=True)
class Deliverable:
    """What is handed over; `file` is its name in the handover's folder, empty where it is no file."""

    name: str
    means: str
    file: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True)
class Criterion:
    """What acceptance looks at; `objectives` are those that must hold for it."""

    name: str
    means: str
    objectives: tuple[str, ...] = ()
    line: int = 1


@dataclass(frozen=True, slots=True)
class Dependency:
    """What the client owes, until when, what a delay does in words, and which milestones it moves day by day."""

    name: str
    owes: Owed
    means: str
    due: date | None
    delay: str
    moves: tuple[str, ...] = ()
    line: int = 1


@dataclass(frozen=True, slots=True)
class Milestone:
    """A day by which something is done, and the share of the single price that falls due then."""

    name: str
    due: date
    means: str
    pays_percent: float = 0.0


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A phase from its first day on. `production` begins with a passed acceptance, not by the calendar alone."""

    phase: Literal["mvp", "production"]
    begins: date
    milestones: tuple[Milestone, ...] = ()
    line: int = 1


@dataclass(frozen=True, slots=True)
class ChangeTerms:
    """How a change of the locked contract is asked for, answered and priced; days are days of work."""

    terms: str
    answer_days: int = 5
    small_days: float = 0.5
    medium_days: float = 1.0
    large_days: float = 2.0
    reaccept_days: float = 0.5


@dataclass(frozen=True, slots=True)
class Scope:
    """All of it; what a contract does not say is None or empty."""

    named: Named = Named()
    hosting: Hosting | None = None
    envelope: Envelope | None = None
    deliverables: tuple[Deliverable, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    phases: tuple[PhasePlan, ...] = ()
    change: ChangeTerms | None = None
    prices: Prices | None = None

    def phase(self, name: str) -> PhasePlan | None:
        return next((one for one in self.phases if one.phase == name), None)
