"""Quote: what the contract costs, line by line, each with the rule that it came from. Pure: same contract, same quote.

Every line is rounded to whole units of the currency, and sums are of rounded lines, so that a reader can add them up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import time
from typing import Literal

from services.contract.document import Contract, Kind, Objective
from services.contract.prices import Prices
from services.contract.scope import Envelope
from services.contract.sentences import amount, percent

Part = Literal[
    "discovery", "build", "instrumentation", "load tests", "alerting", "reporting", "on-call", "dependence", "support"
]
RISK: tuple[Part, ...] = ("instrumentation", "load tests", "alerting", "reporting", "on-call")
Every = Literal["once", "month", "hour"]

REFERENCE_SHARE = 0.95
REFERENCE_LIMITS: dict[Kind, float] = {
    "latency": 2.0,
    "update_interval": 2.0,
    "freshness": 3.0,
    "availability": 5.0,
    "interaction": 0.2,
    "reconnect": 10.0,
    "backlog": 5_000,
    "first_value": 3.0,
}
"""What an objective may be without a step: seconds, for a backlog events. Each half of it is a step."""
REFERENCE_ENVELOPE = Envelope(events_per_s=100, viewers=100, rows=5_000)
"""Up to here load tests have no step; each double of the furthest of the three is one."""
HOURS_A_DAY = 8.0
WEEKS_A_MONTH = 52 / 12


class NoPrices(ValueError):
    """The contract has no price lines."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How much is in scope."""

    feeds: int
    channels: int
    pages: int
    roles: int


@dataclass(frozen=True, slots=True)
class Line:
    """One price: `amount` in whole units of the currency, `days` of work where it is made of them, and its rule."""

    part: Part
    what: str
    rule: str
    amount: int
    every: Every = "once"
    days: float = 0.0


@dataclass(frozen=True, slots=True)
class Stricter:
    """What the next stricter target of an objective would cost more, once."""

    objective: str
    now: str
    stricter: str
    more: int


@dataclass(frozen=True, slots=True)
class Quote:
    """All lines; `stricter` says what each objective's next step would cost."""

    contract: str
    currency: str
    lines: tuple[Line, ...]
    stricter: tuple[Stricter, ...]

    def total(self, every: Every) -> int:
        """What is due once, or each month; hours are paid as they come and have no sum."""
        return sum(line.amount for line in self.lines if line.every == every)


def make_quote(contract: Contract, counted: Counted) -> Quote:
    """The quote of the contract. Raises NoPrices where it has no `[price]`."""
    prices = contract.scope.prices
    if prices is None:
        raise NoPrices(f"{contract.path}: price: missing: give the table [price]; docs/contract.md explains each field")
    lines = tuple(_lines(contract, prices, counted))
    once = _once(contract, prices, counted)
    stricter = tuple(
        Stricter(objective.name, said, then, _once(changed, prices, counted) - once)
        for objective in contract.objectives
        for said, then, changed in _stricter(contract, objective)
    )
    return Quote(contract.name, prices.currency, lines, stricter)


def steps_of(objective: Objective) -> float:
    """How many halvings an objective is from the reference: of what may be bad, and of its limit; never below 0."""
    share = math.log2((1 - REFERENCE_SHARE) / (1 - objective.share))
    limit = math.log2(REFERENCE_LIMITS[objective.kind] / objective.limit)
    return max(0.0, share) + max(0.0, limit)


def load_steps(envelope: Envelope | None) -> float:
    """How many doublings the envelope is over the reference, by the furthest of its three figures."""
    if envelope is None:
        return 0.0
    there = REFERENCE_ENVELOPE
    most = max(envelope.events_per_s / there.events_per_s, envelope.viewers / there.viewers, envelope.rows / there.rows)
    return max(0.0, math.log2(most))


def _lines(contract: Contract, prices: Prices, counted: Counted) -> Iterator[Line]:
    yield _days(
        "discovery", "questions and samples", prices.discovery_days, "until it is known what is to be built", prices
    )
    yield from _build(prices, counted)
    risk = [*_risk(contract, prices)]
    yield from risk
    support = [*_support(prices)]
    yield from _dependence(prices, [*risk, *support])
    yield from support


def _days(part: Part, what: str, days: float, rule: str, prices: Prices) -> Line:
    said = f"{rule}: {_number(days)} day{'' if days == 1 else 's'} at {_money(prices.day_rate, prices)}"
    return Line(part, what, said, round(days * prices.day_rate), days=round(days, 3))


def _build(prices: Prices, counted: Counted) -> Iterator[Line]:
    build = prices.build
    for what, number, each in (
        ("feeds", counted.feeds, build.feed_days),
        ("channels", counted.channels, build.channel_days),
        ("pages", counted.pages, build.page_days),
        ("roles", counted.roles, build.role_days),
    ):
        yield _days("build", what, number * each, f"{number} × {_number(each)} days", prices)


def _risk(contract: Contract, prices: Prices) -> Iterator[Line]:
    """The premium on what is promised: to measure, to prove, to tell, to report, and to be there."""
    risk, step = prices.risk, prices.risk.step_percent / 100
    steps = sum(steps_of(one) for one in contract.objectives)
    number = len(contract.objectives)
    rule = f"{number} objectives × {_number(risk.objective_days)} days, and {risk.step_percent:g} % of it for each of "
    rule += f"{_number(steps)} steps of strictness"
    measured = risk.objective_days * (number + step * steps)
    yield _days("instrumentation", "measure each objective", measured, rule, prices)
    doublings = load_steps(contract.scope.envelope)
    rule = f"{_number(risk.load_days)} days, and {risk.step_percent:g} % for each of {_number(doublings)} doublings"
    rule += " of the envelope"
    yield _days("load tests", "bring it to the envelope", risk.load_days * (1 + step * doublings), rule, prices)
    alerting = contract.alerting
    alerts = number + len(alerting.threshold) + (alerting.dead_man is not None)
    rule = f"{alerts} alerts × {_number(risk.alert_days)} days"
    yield _days("alerting", "tell what breaks", alerts * risk.alert_days, rule, prices)
    rule = f"2 kinds, of the week and of the {contract.period}, × {_number(risk.report_days)} days"
    yield _days("reporting", "report what held", 2 * risk.report_days, rule, prices)
    yield _on_call(contract, prices)


def _on_call(contract: Contract, prices: Prices) -> Line:
    if contract.support.monitoring != "proactive":
        return Line("on-call", "be there", "monitoring is reactive: nobody is on call", 0, "month")
    days = support_hours_a_week(contract) * WEEKS_A_MONTH / HOURS_A_DAY
    share = prices.risk.on_call_percent
    rule = f"{share:g} % of {_money(prices.day_rate, prices)} for {_number(days)} days of support time a month"
    return Line("on-call", "be there", rule, round(days * prices.day_rate * share / 100), "month")


def support_hours_a_week(contract: Contract) -> float:
    """The hours of support of a week without holidays."""
    return sum(_hours(begins, ends) for begins, ends in contract.support.hours.values())


def _hours(begins: time, ends: time) -> float:
    until = 24.0 if ends == time(0) else ends.hour + ends.minute / 60
    return until - begins.hour - begins.minute / 60


def _dependence(prices: Prices, on: list[Line]) -> Iterator[Line]:
    """A factor on what is promised, never on what is built: the harm of a failure is larger, the pages are not."""
    more = prices.factor - 1
    of = {"none": "nothing", "operations": "operations", "revenue": "revenue"}[prices.dependence]
    rule = f"{of} {'depend' if of == 'operations' else 'depends'} on it: {prices.factor:g} × risk premium and support"
    terms: tuple[Every, ...] = ("once", "month")
    for every in terms:
        amount_of = sum(line.amount for line in on if line.every == every)
        yield Line("dependence", f"factor {prices.factor:g}", rule, round(more * amount_of), every)


def _support(prices: Prices) -> Iterator[Line]:
    support = prices.support
    if support.model == "retainer":
        rule = f"retainer, holds {_number(support.retainer_hours)} hours a month"
        yield Line("support", "retainer", rule, round(support.retainer_a_month), "month")
    over = "what the retainer does not hold" if support.model == "retainer" else "by the hour"
    for band in support.bands:
        when = "in support hours" if band.hours == "support" else "at another time"
        rule = f"{over}, {_money(band.hour_rate, prices)} × {prices.factor:g} for the dependence"
        yield Line("support", f"{band.severity}, {when}", rule, round(band.hour_rate * prices.factor), "hour")


def _stricter(contract: Contract, objective: Objective) -> Iterator[tuple[str, str, Contract]]:
    """The objective with half of what may be bad, and with half of its limit."""
    share = round(1 - (1 - objective.share) / 2, 9)
    limit = objective.limit / 2
    if objective.kind == "backlog":
        limit = float(max(1, int(limit)))
    kind = objective.kind
    by_share = _with(contract, replace(objective, share=share))
    by_limit = _with(contract, replace(objective, limit=limit))
    yield percent(objective.share), percent(share), by_share
    yield amount(kind, objective.limit), amount(kind, limit), by_limit


def _with(contract: Contract, changed: Objective) -> Contract:
    objectives = tuple(changed if one.name == changed.name else one for one in contract.objectives)
    return replace(contract, objectives=objectives)


def _once(contract: Contract, prices: Prices, counted: Counted) -> int:
    return sum(line.amount for line in _lines(contract, prices, counted) if line.every == "once")


def _number(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _money(value: float, prices: Prices) -> str:
    return f"{_number(value)} {prices.currency}"
