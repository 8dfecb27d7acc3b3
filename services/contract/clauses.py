"""Clauses: `contract.toml` as it is written; every field with its type, its limits and the remedy for a wrong value.

A field that is not named here is refused. What the fields mean together is `reading`'s.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal, get_args

from pydantic import Field

from services.contract.clause import ENV_REMEDY, Clause, Hours, Slug, Variable, Words
from services.contract.clause import NAME as _NAME
from services.contract.clause import WORDS as _WORDS
from services.contract.clause import field as _field
from services.contract.clauses_scope import (
    AcceptanceClause,
    ChangeClause,
    DeliverableClause,
    DependencyClause,
    EnvelopeClause,
    HostingClause,
    PhaseClause,
    PriceClause,
    ScopeClause,
)
from services.contract.document import Degraded, Kind, Owner, Phase, Point, Severity
from services.contract.exclusions import ExclusionKind

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
_SEVERITY = "give critical, major or minor"
_DAY = "give a weekday in English, for example monday"
_TIME = "give a local time such as 02:00:00, without quotes"
_SHARE = "give a percentage from 0 to 100"
_OWNER = "give provider, client or third_party"


class PartyClause(Clause):
    name: Words = _field(_WORDS + '"Example Ltd"')
    contact: Words = _field(_WORDS + '"operations@example.com"')


class ContractClause(Clause):
    name: Words = _field(_WORDS + '"Live board of Example Ltd"')
    phase: Phase = _field("give mvp (measured and reported, binds nobody) or production")
    begins: date = _field("give the first day, for example 2026-01-01, without quotes")
    ends: date = _field("give the last day, for example 2026-12-31, without quotes")
    period: Literal["month", "quarter", "year"] = _field("give month, quarter or year", "month")
    zone: str = _field("give a time zone such as Europe/Berlin or UTC")
    provider: PartyClause = _field('give { name = "…", contact = "…" }')
    client: PartyClause = _field('give { name = "…", contact = "…" }')


class ObjectiveClause(Clause):
    name: Slug = _field(_NAME)
    kind: Kind = _field(
        "give one of latency, update_interval, freshness, availability, interaction, reconnect, backlog, first_value"
    )
    channel: str | None = _field("give a channel's name, or leave it out for all of them", None)
    target_percent: float = _field("give a percentage above 0 and below 100; nothing holds 100 %", gt=0, lt=100)
    within_s: float | None = _field("give seconds above 0, for example 2.0", None, gt=0, allow_inf_nan=False)
    within_events: int | None = _field("give a whole number of events from 1", None, ge=1)
    window_days: int | None = _field("give 1 to 366 days, or leave it out: the contract's period", None, ge=1, le=366)
    measured_at: Point | None = _field("give gateway, browser, probe or broker", None)
    owner: Owner = _field(_OWNER, "provider")
    breach: Words | None = _field(_WORDS + '"an event that is painted later"', None)
    exception: Words = _field(_WORDS + '"the yearly stock count"', "none")
    tolerated_minutes: int = _field("give a whole number of minutes from 0", 0, ge=0)
    degraded: Degraded = _field("give slower_rate, last_value_marked, long_poll or none", "none")
    binding: bool | None = _field("give true or false", None)
    excluding: list[ExclusionKind] | None = _field(
        "give some of upstream, maintenance, hotfix, third_party, force_majeure, viewer_network; "
        "left out, all that the contract has a rule for",
        None,
    )


class ExpectedClause(Clause):
    every_s: float | None = _field("give seconds above 0", None, gt=0, allow_inf_nan=False)
    duplicates_percent: float | None = _field(_SHARE, None, ge=0, le=100)
    out_of_order_percent: float | None = _field(_SHARE, None, ge=0, le=100)
    rejected_percent: float | None = _field(_SHARE, None, ge=0, le=100)
    skew_s: float | None = _field("give seconds from 0", None, ge=0, allow_inf_nan=False)


class UpstreamClause(Clause):
    feed: str = _field("give a feed's name")
    late_after_s: float = _field("give seconds above 0", gt=0, allow_inf_nan=False)
    cause: Words = _field(_WORDS + '"the exchange publishes late"')
    owner: Literal["client", "third_party"] = _field("give client or third_party", "third_party")
    expects: ExpectedClause = _field("give the table [exclusions.upstream.expects]", ExpectedClause())


class RecurringClause(Clause):
    name: Slug = _field(_NAME)
    weekday: Weekday = _field(_DAY)
    begins: time = _field(_TIME)
    minutes: int = _field("give 1 to 1440 minutes", ge=1, le=1440)
    about: Words = _field(_WORDS + '"security updates"')


class SingleClause(Clause):
    name: Slug = _field(_NAME)
    begins: datetime = _field("give a local time such as 2026-06-01T22:00:00, without zone and quotes")
    ends: datetime = _field("give a local time such as 2026-06-02T02:00:00, without zone and quotes")
    about: Words = _field(_WORDS + '"move to the new database"')


class MaintenanceClause(Clause):
    notice_hours: int = _field("give hours from 0", ge=0, le=8_760)
    cap_minutes_a_month: int = _field("give minutes from 1", ge=1, le=44_640)
    recurring: list[RecurringClause] = _field("give tables [[exclusions.maintenance.recurring]]", [])
    single: list[SingleClause] = _field("give tables [[exclusions.maintenance.single]]", [])


class HotfixClause(Clause):
    clause: Words = _field(_WORDS + '"7.3 Emergency changes"')
    cap_minutes_a_month: int = _field("give minutes from 1", ge=1, le=44_640)


class ThirdPartyClause(Clause):
    name: Slug = _field(_NAME)
    means: Words = _field(_WORDS + '"the hosting of the broker"')
    supplies: list[str] = _field("give names of feeds that come from it", [])


class ForceMajeureClause(Clause):
    means: Words = _field(_WORDS + '"events beyond the control of both parties, as in clause 12"')


class ViewerNetworkClause(Clause):
    together_percent: float = _field("give a percentage above 0, at most 10", 10.0, gt=0, le=10)


class ExclusionsClause(Clause):
    upstream: list[UpstreamClause] = _field("give tables [[exclusions.upstream]]", [])
    maintenance: MaintenanceClause | None = _field("give the table [exclusions.maintenance]", None)
    hotfix: HotfixClause | None = _field("give the table [exclusions.hotfix]", None)
    third_party: list[ThirdPartyClause] = _field("give tables [[exclusions.third_party]]", [])
    force_majeure: ForceMajeureClause | None = _field("give the table [exclusions.force_majeure]", None)
    viewer_network: ViewerNetworkClause | None = _field("give the table [exclusions.viewer_network]", None)


class SupportClause(Clause):
    monitoring: Literal["proactive", "reactive"] = _field("give proactive (alerts wake somebody) or reactive")
    zone: str | None = _field("give a time zone, or leave it out for the contract's", None)
    hours: dict[Weekday, Hours] = _field('give for each weekday with support "09:00-17:00"; all day is "00:00-24:00"')
    holidays: list[date] = _field("give days such as 2026-12-25, without quotes", [])


class SeverityClause(Clause):
    severity: Severity = _field(_SEVERITY)
    means: Words = _field(_WORDS + '"no viewer sees live values"')
    response_minutes: int = _field("give minutes of support time from 1", ge=1)
    resolution_minutes: int = _field("give minutes of support time from 1", ge=1)


class BurnClause(Clause):
    rate: float = _field("give a number from 1", ge=1, allow_inf_nan=False)
    long_s: int = _field("give seconds from 60", ge=60, le=31_622_400)
    short_s: int = _field("give seconds from 60, fewer than long_s", ge=60, le=31_622_400)
    severity: Severity = _field(_SEVERITY)


class ThresholdClause(Clause):
    name: Slug = _field(_NAME)
    channel: str = _field("give a channel's name")
    field: str = _field("give a column of that channel")
    key: str | None = _field("give a row's key or a series' name, or leave it out for any", None)
    above: float | None = _field("give a number", None, allow_inf_nan=False)
    below: float | None = _field("give a number", None, allow_inf_nan=False)
    for_s: int = _field("give seconds from 0", 0, ge=0, le=86_400)
    severity: Severity = _field(_SEVERITY)
    means: Words = _field(_WORDS + '"live tiles are delayed"')


class DeadManClause(Clause):
    url_env: Variable = _field(ENV_REMEDY)
    every_s: int = _field("give 10 to 3600 seconds", 60, ge=10, le=3_600)


class AlertsClause(Clause):
    minimum_events: int = _field("give a whole number from 1", 50, ge=1)
    no_data_after_s: int = _field("give seconds from 60", 600, ge=60)
    repeat_after_s: int = _field("give seconds from 60", 14_400, ge=60)
    burn: list[BurnClause] | None = _field("give tables [[alerts.burn]]", None)
    threshold: list[ThresholdClause] = _field("give tables [[alerts.threshold]]", [])
    dead_man: DeadManClause | None = _field("give the table [alerts.dead_man]", None)


class WebhookClause(Clause):
    kind: Literal["webhook"]
    name: Slug = _field(_NAME)
    url_env: Variable = _field(ENV_REMEDY)
    least: Severity = _field(_SEVERITY, "minor")


class SmtpClause(Clause):
    kind: Literal["smtp"]
    name: Slug = _field(_NAME)
    host: Words = _field('give the mail server, for example "mail.example.com"')
    port: int = _field("give a port from 1 to 65535", 587, ge=1, le=65_535)
    sender: Words = _field('give an address, for example "headwater@example.com"')
    to: list[Words] = _field('give addresses, for example ["operations@example.com"]', min_length=1)
    starttls: bool = _field("give true or false", True)
    user_env: Variable | None = _field(ENV_REMEDY, None)
    password_env: Variable | None = _field(ENV_REMEDY, None)
    least: Severity = _field(_SEVERITY, "minor")


class LogClause(Clause):
    kind: Literal["log"]
    name: Slug = _field(_NAME)
    least: Severity = _field(_SEVERITY, "minor")


SinkClause = Annotated[WebhookClause | SmtpClause | LogClause, Field(discriminator="kind")]


class ReportClause(Clause):
    weekday: Weekday = _field(_DAY, "monday")
    at: time = _field(_TIME, time(7))
    sinks: list[str] = _field("give names of sinks", [])
    raw_days: int = _field("give 1 to 3660 days", 90, ge=1, le=3_660)


class File(Clause):
    """The whole file."""

    contract: ContractClause = _field("give the table [contract]")
    objective: list[ObjectiveClause] = _field("give tables [[objective]], at least one", min_length=1)
    exclusions: ExclusionsClause = _field("give the table [exclusions]", ExclusionsClause())
    support: SupportClause = _field("give the table [support]")
    severity: list[SeverityClause] = _field("give tables [[severity]]", min_length=1)
    alerts: AlertsClause = _field("give the table [alerts]", AlertsClause())
    sink: list[SinkClause] = _field("give tables [[sink]]", [])
    report: ReportClause = _field("give the table [report]", ReportClause())
    scope: ScopeClause = _field("give the table [scope]", ScopeClause())
    hosting: HostingClause | None = _field("give the table [hosting]", None)
    envelope: EnvelopeClause | None = _field("give the table [envelope]", None)
    deliverable: list[DeliverableClause] = _field("give tables [[deliverable]]", [])
    acceptance: list[AcceptanceClause] = _field("give tables [[acceptance]]", [])
    dependency: list[DependencyClause] = _field("give tables [[dependency]]", [])
    phase: list[PhaseClause] = _field("give tables [[phase]]", [])
    change: ChangeClause | None = _field("give the table [change]", None)
    price: PriceClause | None = _field("give the table [price]", None)
