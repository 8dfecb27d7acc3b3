"""Periods: which weeks and periods of a contract there are, and when the report on each is due.

All bounds are local midnights of the contract's zone, so that a day with a change of the clock has 23 or 25 hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from services.contract.document import Contract

ReportKind = Literal["week", "period"]


@dataclass(frozen=True, slots=True)
class Interval:
    """From one local midnight to another; `until` is not part of it. Milliseconds since the Unix epoch."""

    name: str
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Due:
    """A report that is to be made, and from when on."""

    kind: ReportKind
    interval: Interval
    at: int

    @property
    def key(self) -> str:
        """The report's name in the register: one of each is ever sent."""
        return f"{self.kind}:{self.interval.name}"


def moment_of(day: date, zone: ZoneInfo, at: time = time(0)) -> int:
    """A local time as milliseconds since the Unix epoch."""
    return round(datetime.combine(day, at, zone).timestamp() * 1000)


def day_of(moment: int, zone: ZoneInfo) -> date:
    """The local day that a moment lies in."""
    return datetime.fromtimestamp(moment / 1000, zone).date()


def midnights(interval: Interval, zone: ZoneInfo) -> list[int]:
    """The begins of its local days."""
    days = _days(day_of(interval.since, zone), day_of(interval.until - 1, zone))
    return [max(interval.since, moment_of(day, zone)) for day in days]


def week_of(contract: Contract, day: date) -> Interval:
    """The report's week that holds this day: it begins on the weekday on which reports go out."""
    first = day - timedelta(days=(day.weekday() - contract.reporting.weekday) % 7)
    return _interval(contract, first, first + timedelta(days=7), f"{first:%G-W%V}")


def period_of(contract: Contract, day: date) -> Interval:
    """The contract's period that holds this day, within the contract's own first and last day."""
    first, end = _PERIODS[contract.period](day)
    names = {"month": f"{first:%Y-%m}", "quarter": f"{first.year}-Q{(first.month + 2) // 3}", "year": f"{first.year}"}
    return _interval(contract, first, end, names[contract.period])


def month_of(contract: Contract, day: date) -> Interval:
    """The calendar month that holds this day, within the contract's own first and last day."""
    first, end = _month(day)
    return _interval(contract, first, end, f"{first:%Y-%m}")


def before(contract: Contract, kind: ReportKind, interval: Interval) -> Interval | None:
    """The interval of that kind that ends where this one begins; None before the contract's first day."""
    day = day_of(interval.since, contract.zone) - timedelta(days=1)
    return None if day < contract.begins else interval_of(contract, kind, day)


def interval_of(contract: Contract, kind: ReportKind, day: date) -> Interval:
    return week_of(contract, day) if kind == "week" else period_of(contract, day)


def due_reports(contract: Contract, now: int, since: int) -> tuple[Due, ...]:
    """The reports on what ended after `since` and whose time has come by `now`, in order of time."""
    found: dict[str, Due] = {}
    for day in _days(max(contract.begins, day_of(since, contract.zone)), day_of(now, contract.zone)):
        if day > contract.ends:
            break
        for kind in ("week", "period"):
            one = _due(contract, kind, day)
            if since < one.interval.until and one.at <= now:
                found[one.key] = one
    return tuple(sorted(found.values(), key=lambda one: (one.at, one.key)))


def last_ended(contract: Contract, kind: ReportKind, now: int) -> Interval | None:
    """The newest interval of that kind that is over; None where none is."""
    current = interval_of(contract, kind, min(day_of(now, contract.zone), contract.ends))
    return current if current.until <= now else before(contract, kind, current)


def _due(contract: Contract, kind: ReportKind, day: date) -> Due:
    interval = interval_of(contract, kind, day)
    at = moment_of(day_of(interval.until, contract.zone), contract.zone, contract.reporting.at)
    return Due(kind, interval, at)


def _interval(contract: Contract, first: date, end: date, name: str) -> Interval:
    first, end = max(first, contract.begins), min(end, contract.ends + timedelta(days=1))
    return Interval(name, moment_of(first, contract.zone), moment_of(end, contract.zone))


def _days(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)


def _month(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def _quarter(day: date) -> tuple[date, date]:
    first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return first, (first + timedelta(days=95)).replace(day=1)


def _year(day: date) -> tuple[date, date]:
    return date(day.year, 1, 1), date(day.year + 1, 1, 1)


_PERIODS = {"month": _month, "quarter": _quarter, "year": _year}
