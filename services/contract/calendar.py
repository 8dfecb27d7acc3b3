"""Calendar: support time between two moments, and when a span of it is over, through holidays and clock changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from services.contract.document import SupportCalendar
from services.contract.moments import local_time, moment

_DAY = timedelta(days=1)
_YEARS_AHEAD = timedelta(days=3_660)


def support_seconds(calendar: SupportCalendar, since: int, until: int) -> float:
    """Seconds between the two moments (ms since the Unix epoch) in which support answers; 0 where they are reversed."""
    if until <= since:
        return 0.0
    spans = _openings(calendar, since, local_time(calendar.zone, until).date())
    return sum(max(0, min(until, closes) - max(since, opens)) for opens, closes in spans) / 1000


def support_deadline(calendar: SupportCalendar, since: int, seconds: float) -> int:
    """The moment at which that much support time has passed since then. Raises ValueError where it never comes."""
    left = round(1000 * seconds)
    last = local_time(calendar.zone, since).date() + _YEARS_AHEAD
    for opens, closes in _openings(calendar, since, last):
        begins = max(since, opens)
        if closes - begins >= left:
            return begins + left
        left -= max(0, closes - begins)
    raise ValueError(f"{seconds:g} s of support time do not come within ten years of {since}")


def is_open(calendar: SupportCalendar, at: int) -> bool:
    """Whether support answers at that moment."""
    day = local_time(calendar.zone, at).date()
    return any(opens <= at < closes for opens, closes in _openings(calendar, at, day))


def _openings(calendar: SupportCalendar, since: int, last: date) -> Iterator[tuple[int, int]]:
    """The spans in which support answers, from the day of `since` on."""
    day = local_time(calendar.zone, since).date()
    while day <= last:
        if day not in calendar.holidays and (hours := calendar.hours.get(day.weekday())) is not None:
            yield _span(calendar, day, *hours)
        day += _DAY


def _span(calendar: SupportCalendar, day: date, begins: time, ends: time) -> tuple[int, int]:
    closing = datetime.combine(day + _DAY if ends == time(0) else day, ends)
    opens = moment(calendar.zone, datetime.combine(day, begins))
    return opens, moment(calendar.zone, closing, last=ends != time(0))
