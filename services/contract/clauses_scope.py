"""Clauses of scope and price, as they are written in `contract.toml`; `clauses` holds the whole file."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from services.contract.alerting import Severity
from services.contract.clause import NAME, WORDS, Clause, Slug, Words, field
from services.contract.prices import BandHours, Dependence
from services.contract.scope import Owed

_DAYS = "give days of work from 0, for example 1.5"
_AMOUNT = "give an amount from 0, for example 800"
_DATE = "give a day such as 2026-06-30, without quotes"


def _days(default: Any = ...) -> Any:
    return field(_DAYS, default, ge=0, le=1_000, allow_inf_nan=False)


def _amount(default: Any = ...) -> Any:
    return field(_AMOUNT, default, ge=0, allow_inf_nan=False)


def _factor(default: float) -> Any:
    return field("give a factor from 1 to 10", default, ge=1, le=10)


class ScopeClause(Clause):
    feeds: list[str] | None = field("give names of feeds, or leave it out: all of them", None, min_length=1)
    channels: list[str] | None = field("give names of channels, or leave it out: all of the feeds", None, min_length=1)
    pages: list[str] | None = field(
        'give paths of pages such as "/orders", or leave it out: all of them', None, min_length=1
    )
    roles: list[str] | None = field("give names of roles, or leave it out: all of them", None, min_length=1)


class HostingClause(Clause):
    provider: Words = field(WORDS + '"Example Hosting, one web and one worker dyno"')
    region: Words = field(WORDS + '"Frankfurt (EU)"')
    authentication: Words = field(WORDS + '"accounts of the dashboard"')


class EnvelopeClause(Clause):
    events_per_s: float = field("give the events a second of the peak, above 0", gt=0, allow_inf_nan=False)
    viewers: int = field("give a whole number of viewers from 1", ge=1)
    rows: int = field("give the rows of the largest table, from 1", ge=1)


class DeliverableClause(Clause):
    name: Slug = field(NAME)
    means: Words = field(WORDS + '"what to do for each alert"')
    file: Words | None = field("give its file name in the handover's folder, or leave it out", None)


class AcceptanceClause(Clause):
    name: Slug = field(NAME)
    means: Words = field(WORDS + '"after a dropped socket nothing is missing"')
    objectives: list[str] = field("give names of objectives", [])


class DependencyClause(Clause):
    name: Slug = field(NAME)
    owes: Owed = field("give access, credentials, samples or decision")
    means: Words = field(WORDS + '"a key of the staging API"')
    due: date | None = field(_DATE, None)
    delay: Words = field(WORDS + '"each day of delay moves the milestones by a day"')
    moves: list[str] = field("give names of milestones that a delay moves", [])


class MilestoneClause(Clause):
    name: Slug = field(NAME)
    due: date = field(_DATE)
    means: Words = field(WORDS + '"the pages run on real data"')
    pays_percent: float = field("give a percentage from 0 to 100", 0.0, ge=0, le=100)


class PhaseClause(Clause):
    phase: Literal["mvp", "production"] = field("give mvp or production")
    begins: date = field(_DATE)
    milestone: list[MilestoneClause] = field("give tables [[phase.milestone]]", [])


class ChangeClause(Clause):
    terms: Words = field(WORDS + '"a change is agreed in writing before it is built"')
    answer_days: int = field("give working days from 1", 5, ge=1, le=90)
    small_days: float = _days(0.5)
    medium_days: float = _days(1.0)
    large_days: float = _days(2.0)
    reaccept_days: float = _days(0.5)


class BuildClause(Clause):
    feed_days: float = _days()
    channel_days: float = _days()
    page_days: float = _days()
    role_days: float = _days()


class RiskClause(Clause):
    objective_days: float = _days()
    load_days: float = _days()
    alert_days: float = _days()
    report_days: float = _days()
    step_percent: float = field("give a percentage from 0 to 100", 25.0, ge=0, le=100)
    on_call_percent: float = field("give a percentage from 0 to 100", 0.0, ge=0, le=100)


class BandClause(Clause):
    severity: Severity = field("give critical, major or minor")
    hours: BandHours = field("give support (within the support hours) or other")
    hour_rate: float = _amount()


class SupportPriceClause(Clause):
    model: Literal["retainer", "hourly"] = field("give retainer or hourly")
    retainer_a_month: float = _amount(0.0)
    retainer_hours: float = field("give hours a month that the retainer holds, from 0", 0.0, ge=0, le=744)
    band: list[BandClause] = field("give tables [[price.support.band]]", [])


class PriceClause(Clause):
    currency: Words = field('give a currency, for example "EUR"')
    day_rate: float = _amount()
    discovery_days: float = _days()
    dependence: Dependence = field("give none, operations or revenue", "none")
    operations_factor: float = _factor(1.25)
    revenue_factor: float = _factor(1.5)
    build: BuildClause = field("give the table [price.build]")
    risk: RiskClause = field("give the table [price.risk]")
    support: SupportPriceClause = field("give the table [price.support]")
