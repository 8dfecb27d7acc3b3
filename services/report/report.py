"""Report: what was promised, what was measured and what became of it, over one interval. Pure: same data, same report.

Everything that it needs is handed over; it reads no clock, no database and no file.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from services.alerts.budget import Budget, tolerated
from services.alerts.incident import Incident
from services.contract.document import Contract, Objective, SeverityRule
from services.contract.periods import DAY_MS, Period, span_of
from services.measurement.minutes import MINUTE_MS, Minute, Score
from services.report.periods import ReportKind, before, midnights, month_at, reported

TREND_INTERVALS = 6

Verdict = Literal["met", "tolerated", "breached", "nothing counted"]
"""`tolerated`: below target, but within the minutes of the tolerated exception."""


class Minutes(Protocol):
    """Where minutes come from: the ledger, or a list that somebody was sent."""

    def minutes(self, objective: Objective, since: int, until: int) -> Sequence[Minute]: ...


@dataclass(frozen=True, slots=True)
class Bucket:
    """An hour or a day of one objective, for its plot."""

    since: int
    until: int
    score: Score
    no_data: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One objective: its figures in the report's interval, in the month so far, and over its own window.

    `minutes_down` are the minutes of the interval in which, taken alone, more was bad than tolerated;
    `tolerated_used` those of its window that the tolerated exception covers. `trend` is oldest first.
    """

    objective: Objective
    sentence: str
    score: Score
    month: Score
    window: Score
    budget: Budget
    verdict: Verdict
    minutes_down: int
    window_minutes_down: int
    tolerated_used: int
    buckets: tuple[Bucket, ...]
    trend: tuple[tuple[Period, Score], ...]

    @property
    def budget_left(self) -> float | None:
        return self.budget.left


@dataclass(frozen=True, slots=True)
class Handled:
    """An incident with what support owed and gave, in seconds of support time; None where it is not done yet."""

    incident: Incident
    rule: SeverityRule | None
    response_s: float | None
    resolution_s: float | None

    @property
    def responded_in_time(self) -> bool | None:
        return None if self.rule is None or self.response_s is None else self.response_s <= self.rule.response_s

    @property
    def resolved_in_time(self) -> bool | None:
        return None if self.rule is None or self.resolution_s is None else self.resolution_s <= self.rule.resolution_s


@dataclass(frozen=True, slots=True)
class Window:
    """Maintenance or another declared interval: what it was, whether the contract counts it, and why (`standing`)."""

    since: int
    until: int
    name: str
    about: str
    standing: str
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report is made from beside the minutes.

    `sentences` are the objectives in plain words, by name; `reasons` say of each exclusion's name why it is one.
    `support_s` counts the seconds of support time between two moments. `version` says which signed version of the
    contract was in force at the end; empty where none was.
    """

    contract: Contract
    sentences: Mapping[str, str]
    reasons: Mapping[str, str]
    incidents: tuple[Incident, ...]
    windows: tuple[Window, ...]
    support_s: Callable[[int, int], float]
    version: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All sections of one report, as figures; words and looks are `sections`' and the renderers'."""

    contract: Contract
    kind: ReportKind
    interval: Period
    period: Period
    month: Period
    measured: tuple[Measured, ...]
    incidents: tuple[Handled, ...]
    windows: tuple[Window, ...]
    reasons: Mapping[str, str]
    version: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.interval.name}"

    @property
    def binding(self) -> bool:
        return self.contract.phase == "production"


@dataclass(frozen=True, slots=True)
class _Spans:
    """The stretches of time that a report gives figures for."""

    contract: Contract
    interval: Period
    period: Period
    month: Period
    earlier: tuple[Period, ...]


def make_report(facts: Facts, ledger: Minutes, kind: ReportKind, interval: Period) -> Report:
    """The report on an interval that is over. The same facts and minutes make the same report."""
    contract = facts.contract
    last = interval.until - 1
    period, month = reported(contract, "period", last), month_at(contract, last)
    spans = _Spans(contract, interval, period, month, _earlier(contract, kind, interval))
    measured = tuple(_measure(one, facts.sentences.get(one.name, ""), ledger, spans) for one in contract.objectives)
    incidents = sorted(
        (one for one in facts.incidents if _overlaps(one.began_at, one.resolved_at, interval)),
        key=lambda one: (one.began_at, one.id),
    )
    windows = sorted(
        (one for one in facts.windows if _overlaps(one.since, one.until, interval)),
        key=lambda one: (one.since, one.name),
    )
    handled = tuple(_handled(one, contract, facts.support_s, interval.until) for one in incidents)
    return Report(
        contract, kind, interval, period, month, measured, handled, tuple(windows), facts.reasons, facts.version
    )


def is_down(objective: Objective, minute: Minute) -> bool:
    """Whether in this minute alone more was bad than the objective tolerates; what was excluded does not count."""
    bad = minute.adjusted_total - minute.adjusted_good
    return bad > tolerated(objective) * minute.adjusted_total


def verdict_of(objective: Objective, score: Score, minutes_down: int) -> Verdict:
    """Met, or breached; between them what the tolerated exception covers."""
    if score.share is None:
        return "nothing counted"
    # compared as sums: a quotient may round a hair below its target
    if score.total - score.good <= tolerated(objective) * score.total:
        return "met"
    return "tolerated" if 0 < minutes_down <= objective.tolerated_minutes else "breached"


def window_since(contract: Contract, objective: Objective, period: Period, until: int) -> int:
    """Since when the objective's budget is counted: its own days back, or the begin of the contract's period."""
    if objective.window_days is None:
        return period.since
    return max(span_of(contract)[0], until - objective.window_days * DAY_MS)


def _measure(objective: Objective, sentence: str, ledger: Minutes, spans: _Spans) -> Measured:
    interval = spans.interval
    since = window_since(spans.contract, objective, spans.period, interval.until)
    first = min(since, interval.since, spans.month.since)
    whole = sorted(ledger.minutes(objective, first, interval.until), key=lambda one: one.at)

    def part(begin: int) -> list[Minute]:
        return whole[bisect_left(whole, begin, key=lambda one: one.at) :]

    own, window = part(interval.since), part(since)
    window_score, window_down = Score.of(window), sum(is_down(objective, one) for one in window)
    earlier = [(one, Score.of(ledger.minutes(objective, one.since, one.until))) for one in spans.earlier]
    return Measured(
        objective=objective,
        sentence=sentence,
        score=Score.of(own),
        month=Score.of(part(spans.month.since)),
        window=window_score,
        budget=Budget.of(objective, window),
        verdict=verdict_of(objective, window_score, window_down),
        minutes_down=sum(is_down(objective, one) for one in own),
        window_minutes_down=window_down,
        tolerated_used=min(window_down, objective.tolerated_minutes),
        buckets=bucketed(own, interval, spans.contract),
        trend=(*earlier, (interval, Score.of(own))),
    )


def _earlier(contract: Contract, kind: ReportKind, interval: Period) -> tuple[Period, ...]:
    """The intervals before this one that the trend shows, oldest first."""
    found: list[Period] = []
    one = before(contract, kind, interval)
    while one is not None and len(found) < TREND_INTERVALS - 1:
        found.insert(0, one)
        one = before(contract, kind, one)
    return tuple(found)


def bucketed(minutes: Sequence[Minute], interval: Period, contract: Contract) -> tuple[Bucket, ...]:
    """The minutes by hour, or by local day where the interval is longer than eight days."""
    edges = _edges(interval, contract)
    parts: dict[int, list[Minute]] = {}
    for minute in minutes:
        parts.setdefault(bisect_right(edges, minute.at) - 1, []).append(minute)
    return tuple(
        Bucket(edges[number], edges[number + 1], Score.of(part), sum(one.no_data for one in part))
        for number, part in sorted(parts.items())
    )


def _edges(interval: Period, contract: Contract) -> list[int]:
    if interval.until - interval.since <= 8 * DAY_MS:
        return [*range(interval.since, interval.until, 60 * MINUTE_MS), interval.until]
    return [*midnights(contract, interval), interval.until]


def _overlaps(since: int, until: int, interval: Period) -> bool:
    """Whether something touches the interval; `until` 0 is not over yet."""
    return since < interval.until and (until == 0 or until > interval.since)


def _handled(incident: Incident, contract: Contract, support_s: Callable[[int, int], float], until: int) -> Handled:
    """Only what had happened by the report's end counts, so that making it later says the same."""

    def taken(at: int) -> float | None:
        return support_s(incident.detected_at, at) if 0 < at <= until and incident.detected_at else None

    rule = contract.severity(incident.severity)
    return Handled(incident, rule, taken(incident.acknowledged_at), taken(incident.resolved_at))
