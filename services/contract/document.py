"""Document: the contract as typed nouns. Reading them from `contract.toml` is `reading`'s; here is only meaning.

The words are those of the file, and the words on screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Literal
from zoneinfo import ZoneInfo

Phase = Literal["mvp", "production"]
Owner = Literal["provider", "client", "third_party"]
Kind = Literal[
    "latency", "update_interval", "freshness", "availability", "interaction", "reconnect", "backlog", "first_value"
]
Point = Literal["gateway", "browser", "probe", "broker"]
"""Where an objective is measured: latency at `gateway` is received → sent, at `browser` created → painted."""
Severity = Literal["critical", "major", "minor"]


@dataclass(frozen=True, slots=True)
class Objective:
    """One promise: a `share` of what is counted is within `limit` over `window_days`.

    `name` is unique and a slug; `channel` a channel's name, or None for all. `limit` is in seconds, for
    `backlog` in events, and for `availability` the seconds that a probe may take. What is counted, by kind:
    latency: events; update_interval: updates; freshness: view-seconds; availability: probes; interaction,
    reconnect, first_value: occurrences; backlog: seconds. `window_days` None is the contract's period.
    `exception` is a tolerated breach in words; `degraded` what the viewer has instead while it is not met.
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


@dataclass(frozen=True, slots=True)
class SupportCalendar:
    """When support answers. `hours` by weekday, 0 is Monday; a day without hours is closed."""

    zone: ZoneInfo
    hours: Mapping[int, tuple[time, time]]
    holidays: frozenset[date]
    monitoring: Literal["proactive", "reactive"]


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """How soon an incident of that severity is answered and resolved, in seconds of support time."""

    severity: Severity
    means: str
    response_s: int
    resolution_s: int
