"""Support calendar: seconds of support between two moments, through nights, holidays, zones and clock changes."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from services.contract.calendar import is_open, support_deadline, support_seconds
from services.contract.document import SupportCalendar
from services.contract.moments import moment

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
OFFICE = {day: (time(9), time(17)) for day in range(5)}
ALWAYS = {day: (time(0), time(0)) for day in range(7)}
HOUR = 3600


def _calendar(hours: dict[int, tuple[time, time]], zone: ZoneInfo = BERLIN, *holidays: date) -> SupportCalendar:
    return SupportCalendar(zone, hours, frozenset(holidays), "proactive")


def _at(text: str, zone: ZoneInfo = BERLIN) -> int:
    return int(1000 * datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("2026-03-02 10:00", "2026-03-02 12:30", 2.5),  # a Monday, within hours
        ("2026-03-02 07:00", "2026-03-02 20:00", 8),  # from before opening to after closing
        ("2026-03-02 18:00", "2026-03-03 08:00", 0),  # a night
        ("2026-03-06 16:00", "2026-03-09 10:00", 2),  # over a weekend
        ("2026-03-02 12:00", "2026-03-02 11:00", 0),  # reversed
        ("2026-03-02 00:00", "2026-03-16 00:00", 80),  # two weeks
    ],
)
def test_only_time_within_support_hours_counts(since: str, until: str, hours: float) -> None:
    assert support_seconds(_calendar(OFFICE), _at(since), _at(until)) == hours * HOUR


def test_a_holiday_is_closed() -> None:
    calendar = _calendar(OFFICE, BERLIN, date(2026, 12, 25))
    assert support_seconds(calendar, _at("2026-12-24 16:00"), _at("2026-12-28 10:00")) == 2 * HOUR


def test_the_calendars_zone_counts_whatever_zone_the_moments_come_from() -> None:
    calendar = _calendar(OFFICE, NEW_YORK)
    assert support_seconds(calendar, _at("2026-03-03 14:00"), _at("2026-03-03 23:30")) == 8 * HOUR
    assert support_seconds(calendar, _at("2026-03-03 06:00"), _at("2026-03-03 14:30")) == 0


def test_a_day_has_23_hours_in_spring_and_25_in_autumn() -> None:
    calendar = _calendar(ALWAYS)
    assert support_seconds(calendar, _at("2026-03-29 00:00"), _at("2026-03-30 00:00")) == 23 * HOUR
    assert support_seconds(calendar, _at("2026-10-25 00:00"), _at("2026-10-26 00:00")) == 25 * HOUR


def test_hours_that_begin_in_the_skipped_hour_begin_with_the_jump() -> None:
    calendar = _calendar({6: (time(2, 30), time(6))})
    assert support_seconds(calendar, _at("2026-03-29 00:00"), _at("2026-03-30 00:00")) == 3 * HOUR
    assert moment(BERLIN, datetime(2026, 3, 29, 2, 30)) == _at("2026-03-29 03:00")  # noqa: DTZ001 - local by intent


def test_hours_that_end_in_the_repeated_hour_end_in_its_second_pass() -> None:
    calendar = _calendar({6: (time(1), time(2, 30))})
    assert support_seconds(calendar, _at("2026-10-25 00:00"), _at("2026-10-26 00:00")) == 2.5 * HOUR


@pytest.mark.parametrize("begun", ["2026-03-02 10:00", "2026-03-06 16:59", "2026-03-07 03:00", "2026-03-27 16:00"])
@pytest.mark.parametrize("seconds", [0, 60, HOUR, 9 * HOUR, 40 * HOUR])
def test_a_deadline_is_where_that_much_support_time_has_passed(begun: str, seconds: int) -> None:
    calendar = _calendar(OFFICE)
    due = support_deadline(calendar, _at(begun), seconds)
    assert support_seconds(calendar, _at(begun), due) == seconds
    assert support_seconds(calendar, _at(begun), due - 1000) == max(0, seconds - 1)


def test_a_response_of_two_hours_to_a_friday_afternoon_is_due_on_monday() -> None:
    assert support_deadline(_calendar(OFFICE), _at("2026-03-06 16:00"), 2 * HOUR) == _at("2026-03-09 10:00")


def test_support_answers_within_its_hours_only() -> None:
    calendar = _calendar(OFFICE)
    opened = [is_open(calendar, _at(f"2026-03-02 {clock}")) for clock in ("08:59", "09:00", "16:59", "17:00")]
    assert opened == [False, True, True, False]
