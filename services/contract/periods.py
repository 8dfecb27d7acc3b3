"""Periods: the contract's months, quarters or years, its weeks, and the window of an objective, as spans of time.

All of them begin and end at midnight of the contract's zone, or with the contract.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from services.contract.document import Contract, Objective
from services.contract.moments import day_begins, local_time

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` until just before `until`, in milliseconds. `name`: `2026-03`, `2026-Q1`, `2026` or `2026-W10`."""

    name: str
    since: int
    until: int

    def __contains__(self, at: int) -> bool:
        return self.since <= at < self.until


def span_of(contract: Contract) -> tuple[int, int]:
    """The contract's first moment, and the one just after its last."""
    return day_begins(contract.zone, contract.begins), day_begins(contract.zone, contract.ends + timedelta(days=1))


def period_at(contract: Contract, at: int) -> Period | None:
    """The period of the contract that holds the moment; None outside the contract."""
    return next((period for period in periods(contract) if at in period), None)


def periods(contract: Contract) -> Iterator[Period]:
    """All periods of the contract in order; the first and the last may be cut by its own begin and end."""
    first, end = span_of(contract)
    begins = _period_begins(contract, contract.begins)
    while True:
        following = _next(contract, begins)
        since, until = (day_begins(contract.zone, day) for day in (begins, following))
        yield Period(_named(contract, begins), max(since, first), min(until, end))
        if until >= end:
            return
        begins = following


def week_at(contract: Contract, at: int) -> Period:
    """The week from Monday on that holds the moment, by the contract's zone (ISO 8601)."""
    day = local_time(contract.zone, at).date()
    monday = day - timedelta(days=day.weekday())
    year, week, _ = day.isocalendar()
    since, until = (day_begins(contract.zone, monday + timedelta(days=days)) for days in (0, 7))
    return Period(f"{year}-W{week:02}", since, until)


def named(contract: Contract, name: str) -> Period | None:
    """The period or week of that name; None where the contract has none."""
    if "W" in name:
        try:
            monday = date.fromisocalendar(int(name[:4]), int(name.partition("W")[2]), 1)
        except ValueError:
            return None
        return week_at(contract, day_begins(contract.zone, monday))
    return next((period for period in periods(contract) if period.name == name), None)


def window_of(contract: Contract, objective: Objective, at: int) -> tuple[int, int]:
    """What the objective is judged over at that moment: the last `window_days`, or the contract's period so far."""
    first, end = span_of(contract)
    until = min(max(at, first), end)
    if objective.window_days is not None:
        return max(first, until - objective.window_days * DAY_MS), until
    period = period_at(contract, min(until, end - 1))
    return (period.since if period else first), until


def _period_begins(contract: Contract, day: date) -> date:
    if contract.period == "month":
        return day.replace(day=1)
    if contract.period == "quarter":
        return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
    return day.replace(month=1, day=1)


def _next(contract: Contract, begins: date) -> date:
    months = {"month": 1, "quarter": 3, "year": 12}[contract.period]
    years, month = divmod(begins.month - 1 + months, 12)
    return date(begins.year + years, month + 1, 1)


def _named(contract: Contract, begins: date) -> str:
    if contract.period == "month":
        return f"{begins:%Y-%m}"
    if contract.period == "quarter":
        return f"{begins.year}-Q{(begins.month + 2) // 3}"
    return str(begins.year)
