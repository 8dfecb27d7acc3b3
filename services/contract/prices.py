"""Prices: the rates that a quote is computed from. Days are days of work, amounts in `currency`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.contract.alerting import Severity

Dependence = Literal["none", "operations", "revenue"]
"""What stands still when the dashboard does: nothing, somebody's work, or somebody's income."""
BandHours = Literal["support", "other"]


@dataclass(frozen=True, slots=True)
class BuildDays:
    """Days for each thing that is built."""

    feed_days: float
    channel_days: float
    page_days: float
    role_days: float


@dataclass(frozen=True, slots=True)
class RiskDays:
    """What it takes to promise something: to measure it, to prove it, to be woken, to report, to be there.

    `step_percent`: by so much instrumentation grows with each halving of what may be bad or of a limit, and load tests
    with each doubling of the envelope. `on_call_percent`: of the day rate, for each day of proactive support time.
    """

    objective_days: float
    load_days: float
    alert_days: float
    report_days: float
    step_percent: float
    on_call_percent: float


@dataclass(frozen=True, slots=True)
class Band:
    """What an hour costs for an incident of a severity, in support hours or at another time."""

    severity: Severity
    hours: BandHours
    hour_rate: float


@dataclass(frozen=True, slots=True)
class SupportPrice:
    """A retainer a month, or hours as they come; with a retainer the bands price what it does not hold."""

    model: Literal["retainer", "hourly"]
    retainer_a_month: float
    retainer_hours: float
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Prices:
    """All rates of the contract. The factor of its dependence applies to risk and support, never to building."""

    currency: str
    day_rate: float
    discovery_days: float
    dependence: Dependence
    operations_factor: float
    revenue_factor: float
    build: BuildDays
    risk: RiskDays
    support: SupportPrice
    line: int = 1

    @property
    def factor(self) -> float:
        return {"none": 1.0, "operations": self.operations_factor, "revenue": self.revenue_factor}[self.dependence]
