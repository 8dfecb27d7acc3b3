"""Document: the contract as typed nouns. Reading them from `contract.toml` is `reading`'s; here is only meaning.

The words are those of the file, and the words on screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from services.contract.alerting import Alerting
from services.contract.alerting import Severity as Severity
from services.contract.exclusions import ExclusionKind, Exclusions
from services.contract.scope import Scope

Phase = Literal["mvp", "production"]
Owner = Literal["provider", "client", "third_party"]
Kind = Literal[
    "latency", "update_interval", "freshness", "availability", "interaction", "reconnect", "backlog", "first_value"
]
Point = Literal["gateway", "browser", "probe", "broker"]
"""Where an objective is measured. Latency at `broker` is ingested → processed, at `gateway` ingested → sent, at
`browser` created → painted, and by `probe` the probe's whole way.
"""
Degraded = Literal["slower_rate", "last_value_marked", "long_poll", "none"]

PROBE_EVERY_S = 10
"""How often the synthetic probe takes the whole path."""
POINTS: Mapping[Kind, tuple[Point, ...]] = {
    "latency": ("gateway", "browser", "broker", "probe"),
    "update_interval": ("gateway", "browser"),
    "freshness": ("browser", "broker"),
    "availability": ("probe", "browser"),
    "interaction": ("browser",),
    "reconnect": ("browser",),
    "backlog": ("broker",),
    "first_value": ("browser",),
}
"""Where each kind can be measured; the first one where the contract does not say it. Latency must say it."""
OVERALL: frozenset[Kind] = frozenset({"interaction", "reconnect"})
"""Kinds that belong to no channel: a click and a connection serve all of them."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One promise: a `share` of what is counted is within `limit` over `window_days`.

    `name` is unique and a slug; `channel` a channel's name, or None for all. `limit` is in seconds, for
    `backlog` in events, and for `availability` the seconds that a probe may take. What is counted, by kind:
    latency: events; update_interval: updates; freshness: view-seconds; availability: probes; interaction,
    reconnect, first_value: occurrences; backlog: seconds. `window_days` None is the contract's period.
    `exception` is a tolerated breach in words, `tolerated_minutes` how many breached minutes of a window it
    covers; `degraded` what the viewer has instead while it is not met; `excluding` the exclusions that apply,
    `upstream` the feeds whose events are excluded when they arrive later than so many seconds;
    `together_percent` of viewers that are slow at once share a cause that is none of theirs.
    """

    name: str
    kind: Kind
    channel: str | None
    share: float
    limit: float
    window_days: int | None
    point: Point
    owner: Owner
    breach: str
    exception: str
    degraded: str
    binding: bool
    line: int
    tolerated_minutes: int = 0
    excluding: tuple[ExclusionKind, ...] = ()
    upstream: tuple[tuple[str, float], ...] = ()
    together_percent: float = 10.0


@dataclass(frozen=True, slots=True)
class SupportCalendar:
    """When support answers. `hours` by weekday, 0 is Monday; a day without hours is closed.

    A day that ends at 00:00 ends with the day.
    """

    zone: ZoneInfo
    hours: Mapping[int, tuple[time, time]]
    holidays: frozenset[date]
    monitoring: Literal["proactive", "reactive"]
    line: int = 1


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """How soon an incident of that severity is answered and resolved, in seconds of support time."""

    severity: Severity
    means: str
    response_s: int
    resolution_s: int


@dataclass(frozen=True, slots=True)
class Party:
    """One side of the contract."""

    name: str
    contact: str


@dataclass(frozen=True, slots=True)
class Reporting:
    """When reports go out, by the contract's zone, and through which sinks; `raw_days`: the disputed period.

    Raw samples are kept for that many days after they were taken, so that a report can be computed again.
    """

    weekday: int
    at: time
    sinks: tuple[str, ...]
    raw_days: int
    line: int = 1


@dataclass(frozen=True, slots=True)
class Contract:
    """All that was promised. `begins` and `ends` are its first and last day, in `zone`."""

    path: Path
    name: str
    phase: Phase
    provider: Party
    client: Party
    begins: date
    ends: date
    period: Literal["month", "quarter", "year"]
    zone: ZoneInfo
    objectives: tuple[Objective, ...]
    exclusions: Exclusions
    support: SupportCalendar
    severities: tuple[SeverityRule, ...]
    alerting: Alerting
    reporting: Reporting
    scope: Scope = field(default_factory=Scope)

    def objective(self, name: str) -> Objective | None:
        return next((one for one in self.objectives if one.name == name), None)

    def severity(self, severity: Severity) -> SeverityRule | None:
        return next((one for one in self.severities if one.severity == severity), None)
