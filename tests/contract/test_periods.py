"""Periods: months, quarters and years of the contract, its weeks, and the windows that objectives are judged over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from services.contract.periods import named, period_at, periods, span_of, week_at, window_of
from tests.contract.written import shop

NEW_YORK = ZoneInfo("America/New_York")
DAY = 86_400_000


def _at(text: str, zone: ZoneInfo = NEW_YORK) -> int:
    return int(1000 * datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def test_months_follow_each_other_without_gap_through_the_whole_contract() -> None:
    found = list(periods(shop()))
    assert (found[0].name, found[-1].name, len(found)) == ("2026-01", "2027-12", 24)
    assert (found[0].since, found[-1].until) == span_of(shop())
    assert all(one.until == two.since for one, two in pairwise(found))


@pytest.mark.parametrize(("length", "names"), [("quarter", ["2026-Q1", "2026-Q2", "2026-Q3"]), ("year", ["2026"])])
def test_the_first_and_the_last_period_are_cut_by_the_contract(length: str, names: list[str]) -> None:
    contract = replace(shop(), period=length, begins=date(2026, 2, 10), ends=date(2026, 8, 1))
    found = list(periods(contract))
    assert [period.name for period in found] == names
    assert (found[0].since, found[-1].until) == (_at("2026-02-10"), _at("2026-08-02"))


def test_a_period_begins_at_midnight_of_the_contracts_zone() -> None:
    march = period_at(shop(), _at("2026-03-31 23:59"))
    assert march is not None
    assert (march.name, march.since, march.until) == ("2026-03", _at("2026-03-01"), _at("2026-04-01"))
    assert march.until - march.since == 31 * DAY - 3_600_000  # the clock jumped
    assert period_at(shop(), _at("2028-01-01")) is None


def test_a_week_begins_on_monday_and_has_its_iso_number() -> None:
    week = week_at(shop(), _at("2026-01-04 12:00"))
    assert (week.name, week.since, week.until) == ("2026-W01", _at("2025-12-29"), _at("2026-01-05"))


def test_periods_and_weeks_are_found_by_name() -> None:
    assert named(shop(), "2026-03") == period_at(shop(), _at("2026-03-10"))
    assert named(shop(), "2026-W10") == week_at(shop(), _at("2026-03-05"))
    assert [named(shop(), name) for name in ("2025-03", "march", "2026-W60", "2026-Wx")] == [None] * 4


def test_an_objective_is_judged_over_its_days_or_over_the_period_so_far() -> None:
    contract = shop()
    objective, at = contract.objectives[0], _at("2026-03-10 08:00")
    assert window_of(contract, objective, at) == (_at("2026-03-01"), at)
    assert window_of(contract, replace(objective, window_days=3), at) == (at - 3 * DAY, at)
    assert window_of(contract, replace(objective, window_days=366), at)[0] == _at("2026-01-01")
    after = int(1000 * datetime(2029, 1, 1, tzinfo=UTC).timestamp())
    assert window_of(contract, objective, after) == (_at("2027-12-01"), _at("2028-01-01"))
