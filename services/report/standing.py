"""Standing: how the contract stands at one moment: what SLA page and status page show, and keep when all else is down.

What is `public` here is for the client's eyes: no names of people, machines or lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import orjson

from services.alerts.budget import Budget, burn_rate, settled, tolerated, within
from services.alerts.incident import Incident
from services.contract.document import Contract, Objective
from services.contract.sentences import sentence
from services.measurement.minutes import MINUTE_MS, Score
from services.report import words
from services.report.history import DAYS_SHOWN, DaySum, History, total
from services.report.periods import reported
from services.report.report import Verdict, Window, verdict_of

NOW_MS = 5 * MINUTE_MS
"""An objective is met *now* where its last five minutes, taken together, meet the target."""
BURN_SPANS_S = (3_600, 21_600, 259_200)

State = Literal["normal", "disturbed", "down", "unknown"]
Met = Literal["met", "missed", "no data", "nothing counted"]
INFINITE = 1e9
"""Stands for a budget that burns infinitely fast; JSON knows no infinity."""


@dataclass(frozen=True, slots=True)
class DayShown:
    """A local day: its share after exclusions (None where nothing was counted) and its minutes down."""

    day: str
    share: float | None
    down: int


@dataclass(frozen=True, slots=True)
class ObjectiveStanding:
    """One objective as it stands. `burns` are the rates over one hour, six hours and three days."""

    name: str
    title: str
    sentence: str
    target: float
    window: str
    now: Met
    share: float | None
    excluded_share: float
    budget_left: float | None
    burns: tuple[float | None, ...]
    minutes_down: int
    tolerated_minutes: int
    verdict: Verdict
    binding: bool
    days: tuple[DayShown, ...]


@dataclass(frozen=True, slots=True)
class PublicIncident:
    """What a client may know of an incident; `means` is what its severity means by the contract."""

    number: int
    severity: str
    means: str
    concerns: str
    began_at: int
    resolved_at: int


@dataclass(frozen=True, slots=True)
class PublicWindow:
    since: int
    until: int
    about: str


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it, at `at` in milliseconds since the Unix epoch."""

    at: int
    contract: str
    phase: str
    provider: str
    client: str
    zone: str
    period: str
    state: State
    objectives: tuple[ObjectiveStanding, ...]
    incidents: tuple[PublicIncident, ...]
    windows: tuple[PublicWindow, ...]

    def encoded(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def decoded(cls, body: bytes | str) -> Standing:
        raw: dict[str, Any] = orjson.loads(body)
        raw["objectives"] = tuple(_objective_from(one) for one in raw["objectives"])
        raw["incidents"] = tuple(PublicIncident(**one) for one in raw["incidents"])
        raw["windows"] = tuple(PublicWindow(**one) for one in raw["windows"])
        return cls(**raw)


def _objective_from(raw: dict[str, Any]) -> ObjectiveStanding:
    days = tuple(DayShown(**one) for one in raw["days"])
    return ObjectiveStanding(**{**raw, "burns": tuple(raw["burns"]), "days": days})


def make_standing(
    contract: Contract, history: History, incidents: Sequence[Incident], windows: Sequence[Window], now: int
) -> Standing:
    """The standing at `now`, of what `history` has taken in."""
    objectives = tuple(_objective(one, contract, history, now) for one in contract.objectives)
    return Standing(
        at=now,
        contract=contract.name,
        phase=contract.phase,
        provider=contract.provider.name,
        client=contract.client.name,
        zone=contract.zone.key,
        period=reported(contract, "period", now).name,
        state=state_of(objectives, incidents),
        objectives=objectives,
        incidents=tuple(_public(one, contract) for one in sorted(incidents, key=lambda one: -one.began_at)),
        windows=tuple(PublicWindow(one.since, one.until, one.about) for one in windows),
    )


def state_of(objectives: Sequence[ObjectiveStanding], incidents: Sequence[Incident]) -> State:
    """Down with a critical incident open, disturbed with another one or a missed objective, unknown without figures."""
    open_ = [one for one in incidents if not one.resolved_at and not one.mitigated_at]
    if any(one.severity == "critical" for one in open_):
        return "down"
    states = {one.now for one in objectives}
    if open_ or states & {"missed", "no data"}:
        return "disturbed"
    return "normal" if "met" in states else "unknown"


def _objective(objective: Objective, contract: Contract, history: History, now: int) -> ObjectiveStanding:
    since = history.window_since(objective, now)
    score, down = total(history.days(objective, now, since))
    minutes, until = history.minutes(objective), settled(now)
    spent = score.total - score.good
    shown = history.days(objective, now, history.today(now) - timedelta(days=DAYS_SHOWN - 1))
    return ObjectiveStanding(
        name=objective.name,
        title=words.title(objective),
        sentence=sentence(objective),
        target=objective.share,
        window="this period" if objective.window_days is None else f"last {objective.window_days} days",
        now=_met(objective, Score.of(within(minutes, until, NOW_MS))),
        share=score.share,
        excluded_share=sum(score.excluded.values()) / score.raw_total if score.raw_total else 0.0,
        budget_left=Budget(tolerated(objective) * score.total, spent, score.total).left,
        burns=tuple(_finite(burn_rate(objective, within(minutes, until, 1000 * span))) for span in BURN_SPANS_S),
        minutes_down=down,
        tolerated_minutes=objective.tolerated_minutes,
        verdict=verdict_of(objective, score, down),
        binding=objective.binding and contract.phase == "production",
        days=tuple(_shown(one) for one in shown),
    )


def _met(objective: Objective, score: Score) -> Met:
    if score.minutes and score.no_data_minutes == score.minutes:
        return "no data"
    verdict = verdict_of(objective, score, 0)
    return "nothing counted" if verdict == "nothing counted" else "met" if verdict == "met" else "missed"


def _finite(rate: float | None) -> float | None:
    return rate if rate is None else min(rate, INFINITE)


def _shown(one: DaySum) -> DayShown:
    return DayShown(one.day.isoformat(), one.score.share, one.down)


def _public(incident: Incident, contract: Contract) -> PublicIncident:
    rule, objective = contract.severity(incident.severity), contract.objective(incident.objective or "")
    return PublicIncident(
        number=incident.id,
        severity=incident.severity,
        means=rule.means if rule else "",
        concerns=words.title(objective) if objective else "the whole service",
        began_at=incident.began_at,
        resolved_at=incident.resolved_at or incident.mitigated_at,
    )
