"""Burns: budgets that go too fast, and objectives without data. Pure: minutes and a moment in, findings out.

Each rule looks at two windows: the long one says that it matters, the short one that it still goes on, so that
an alert ends soon after the trouble does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.alerts.budget import Budget, burn_rate, burning_since, settled, tolerated, within
from services.alerts.finding import Finding, Stage
from services.alerts.sight import Sight
from services.alerts.wording import figure, moment, per_cent, span
from services.contract.alerting import Alerting, BurnRule
from services.contract.document import Kind, Objective
from services.measurement.minutes import MINUTE_MS, Minute

NAMES: dict[Kind, str] = {
    "latency": "events later than {limit} s",
    "update_interval": "updates further apart than {limit} s",
    "freshness": "view-seconds older than {limit} s",
    "availability": "probes without an answer within {limit} s",
    "interaction": "clicks painted later than {limit} s",
    "reconnect": "reconnects longer than {limit} s",
    "backlog": "seconds with over {limit} events waiting",
    "first_value": "first values later than {limit} s",
}
"""What is bad of what each kind of objective counts."""


def burning(objective: Objective, alerting: Alerting, minutes: Sequence[Minute], sight: Sight) -> Iterator[Finding]:
    """A finding for each rule whose both windows burn too fast, at the last settled minute.

    With fewer counted than the contract's minimum over the long window nothing is found: one bad of three is no trend.
    A rule says nothing before its short window has been measured in full: ten minutes are not three days.
    """
    until = settled(sight.at)
    for rule in alerting.burn:
        short = within(minutes, until, 1_000 * rule.short_s)
        if not minutes or minutes[0].at > until - 1_000 * rule.short_s:
            continue
        if not _exceeds(objective, rule, short):
            continue  # nearly always, and the cheaper one to find out
        long = within(minutes, until, 1_000 * rule.long_s)
        if Budget.of(objective, long).total < alerting.minimum_events or not _exceeds(objective, rule, long):
            continue
        since = burning_since(objective, long, 1_000 * rule.short_s)
        yield Finding(
            key=f"burn:{objective.name}:{rule.rate:g}", topic=f"objective:{objective.name}", severity=rule.severity,
            stage=likely_stage(objective, sight), text=_burn_text(objective, rule, long, short, since, sight),
            since=since, objective=objective.name, channel=objective.channel, owner=objective.owner,
        )  # fmt: skip


def _exceeds(objective: Objective, rule: BurnRule, minutes: Sequence[Minute]) -> bool:
    rate = burn_rate(objective, minutes)
    return rate is not None and rate >= rule.rate


def _burn_text(
    objective: Objective, rule: BurnRule, long: Sequence[Minute], short: Sequence[Minute], since: int, sight: Sight
) -> str:
    rate, budget = burn_rate(objective, long), Budget.of(objective, short)
    fast = "at once" if rate is None or rate == float("inf") else f"{rate:.1f} times too fast"
    bad = NAMES[objective.kind].format(limit=figure(objective.limit))
    return (
        f"{objective.name}: the error budget goes {fast} over {span(rule.long_s)}; "
        f"{per_cent(budget.spent / budget.total)} {bad} in the last {span(rule.short_s)}, where "
        f"{per_cent(tolerated(objective))} is tolerated: "
        f"{sight.effect(objective.channel, since)}"
    )


def without_data(
    objective: Objective, alerting: Alerting, minutes: Sequence[Minute], sight: Sight
) -> Iterator[Finding]:
    """A finding where the last settled minutes held nothing that should have been counted."""
    until, count = settled(sight.at), alerting.no_data_after_s * 1_000 // MINUTE_MS
    by_time = {minute.at: minute for minute in minutes}
    since = until
    while since - MINUTE_MS in by_time and by_time[since - MINUTE_MS].no_data:
        since -= MINUTE_MS
    if not count or until - since < count * MINUTE_MS:
        return
    yield Finding(
        key=f"no-data:{objective.name}", topic=f"objective:{objective.name}", severity="major", stage="measurement",
        text=f"{objective.name}: nothing was measured at the {objective.point} since {moment(since, sight)}, "
        f"which counts as bad; {sight.audience()}",
        since=since, objective=objective.name, channel=objective.channel, owner=objective.owner,
    )  # fmt: skip


def likely_stage(objective: Objective, sight: Sight) -> Stage:
    """Where the cause lies: the first station of the path that is in trouble, else the one that is measured."""
    if trouble := sight.trouble(objective.channel):
        return trouble
    return {"gateway": "gateway", "browser": "browser", "probe": "unknown", "broker": "worker"}[objective.point]  # type: ignore[return-value]
