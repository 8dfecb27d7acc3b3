"""Contract: how the promises stand, as the contract station measures them; in every project that has a contract."""

from headwater import Feed, Freshness, Integer, Latest, Moment, Number, Series, Text, value
from services.report.source import StandingSource


class Standing(
    Feed,
    name="contract",
    key="name",
    source=StandingSource(),
    freshness=Freshness(expected_every_s=15, late_after_s=45, stale_after_s=120),
):
    """The contract, one of its objectives, or an incident, at one moment."""

    name = Text(label="Name")
    kind = Text(about="contract, objective or incident")
    title = Text(label="Title")
    now = Text(label="Now")
    phase = Text(label="Phase", required=False, about="MVP is measured and reported, and binds nobody")
    period = Text(label="Period", required=False)
    met = Text(label="Objectives met", required=False, about="of those of which something was counted")
    open_incidents = Integer(label="Open incidents", required=False)
    promise = Text(label="Promise", required=False, max_length=500)
    window = Text(label="Counted over", required=False)
    verdict = Text(label="Verdict", required=False)
    target_percent = Number(unit="%", decimals=3, label="Target", required=False)
    measured_percent = Number(unit="%", decimals=3, label="Measured", required=False, about="after exclusions")
    excluded_percent = Number(unit="%", decimals=3, label="Excluded", required=False)
    budget_percent = Number(unit="%", decimals=1, label="Budget left", required=False)
    burn_1h = Number(unit="×", decimals=1, label="Burn 1 h", required=False, about="1 spends the budget in its window")
    burn_6h = Number(unit="×", decimals=1, label="Burn 6 h", required=False)
    burn_3d = Number(unit="×", decimals=1, label="Burn 3 d", required=False)
    minutes_down = Integer(unit="min", label="Down", required=False)
    severity = Text(label="Severity", required=False)
    means = Text(label="Means", required=False, max_length=500)
    began_at = Moment(label="Began", required=False)
    ended_at = Moment(label="Over since", required=False)


class Whole(Latest, feed=Standing, where=Standing.kind.equals("contract"), rows_max=1, title="Contract"):
    """The contract as a whole: phase, period, and how many of its objectives are met."""


class Objectives(Latest, feed=Standing, where=Standing.kind.equals("objective"), rows_max=200, title="Objectives"):
    """Each objective: measured against its target, budget left, burn rates."""


class Incidents(
    Latest, feed=Standing, where=Standing.kind.equals("incident"), rows_max=1_000, title="Incidents of the last 90 days"
):  # fmt: skip
    """Each incident as the client sees it."""


class Budgets(
    Series, feed=Standing, by=Standing.name, where=Standing.kind.equals("objective"), span_s=21_600,
    title="Error budget left",
):  # fmt: skip
    """What is left of each objective's budget, six hours."""

    left = value(Standing.budget_percent, label="Budget left")


class Burns(
    Series, feed=Standing, by=Standing.name, where=Standing.kind.equals("objective"), span_s=21_600,
    title="Burn rate over one hour",
):  # fmt: skip
    """How fast each budget goes: 1 spends it exactly within its window; six hours."""

    rate = value(Standing.burn_1h, label="Burn")
