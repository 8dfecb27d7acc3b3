"""Periods: the weeks and periods that are reported on, and when the report on each is due.

All bounds are local midnights of the contract's zone, so that a day with a change of the clock has 23 or 25 hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from services.contract.document import Contract
from services.contract.moments import day_begins, local_time, moment
from services.contract.periods import Period, period_at, span_of, week_at

ReportKind = Literal["week", "period"]


@dataclass(frozen=True, slots=True)
class Due:
    """A report that is to be made, and from when on."""

    kind: ReportKind
    period: Period
    at: int

    @property
    def key(self) -> str:
        """The report's name in the register: one of each is ever sent."""
        return f"{self.kind}:{self.period.name}"


def reported(contract: Contract, kind: ReportKind, at: int) -> Period:
    """The week or period that holds the moment; outside the contract its first or last one."""
    first, end = span_of(contract)
    at = min(max(at, first), end - 1)
    if kind == "week":
        return _within(contract, week_at(contract, at))
    return period_at(contract, at) or Period(contract.name, first, end)


def month_at(contract: Contract, at: int) -> Period:
    """The calendar month that holds the moment, within the contract's own first and last day."""
    first = local_time(contract.zone, at).date().replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    bounds = (day_begins(contract.zone, day) for day in (first, following))
    return _within(contract, Period(f"{first:%Y-%m}", *bounds))


def before(contract: Contract, kind: ReportKind, period: Period) -> Period | None:
    """The one of that kind that ends where this one begins; None where the contract begins."""
    return None if period.since <= span_of(contract)[0] else reported(contract, kind, period.since - 1)


def last_ended(contract: Contract, kind: ReportKind, now: int) -> Period | None:
    """The newest one of that kind that is over; None where none is."""
    current = reported(contract, kind, now)
    return current if current.until <= now else before(contract, kind, current)


def due_reports(contract: Contract, now: int, since: int) -> tuple[Due, ...]:
    """The reports on what ended after `since` and whose time has come by `now`, in order of time."""
    found = [one for kind in ("week", "period") for one in _ended(contract, kind, now, since)]
    return tuple(sorted((one for one in found if one.at <= now), key=lambda one: (one.at, one.key)))


def _ended(contract: Contract, kind: ReportKind, now: int, since: int) -> Iterator[Due]:
    period = last_ended(contract, kind, now)
    while period is not None and period.until > since:
        yield Due(kind, period, _goes_out(contract, kind, period))
        period = before(contract, kind, period)


def _goes_out(contract: Contract, kind: ReportKind, period: Period) -> int:
    """At the time of reports, on the day after the last one; a weekly one waits for the weekday of reports."""
    day = local_time(contract.zone, period.until).date()
    if kind == "week" and period.until < span_of(contract)[1]:
        day += timedelta(days=(contract.reporting.weekday - day.weekday()) % 7)
    return moment(contract.zone, datetime.combine(day, contract.reporting.at))


def midnights(contract: Contract, period: Period) -> list[int]:
    """The begins of its local days."""
    zone = contract.zone
    first, last = (local_time(zone, at).date() for at in (period.since, period.until - 1))
    return [max(period.since, day_begins(zone, day)) for day in days_from(first, last + timedelta(days=1))]


def days_from(first: date, end: date) -> list[date]:
    """From `first` to the day before `end`."""
    return [first + timedelta(days=number) for number in range((end - first).days)]


def _within(contract: Contract, period: Period) -> Period:
    first, end = span_of(contract)
    return Period(period.name, max(period.since, first), min(period.until, end))
