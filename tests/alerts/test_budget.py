"""Budget and burn rate: sums of minutes, checked by hand."""

from __future__ import annotations

import pytest

from services.alerts.budget import Budget, burn_rate, burning_since, settled, within
from tests.alerts.minutes import START, lost, minute, objective


def test_the_budget_left_is_what_was_tolerated_less_what_was_bad() -> None:
    budget = Budget.of(objective(), [minute(0, bad=10), minute(1, bad=0), minute(2, bad=2)])
    assert (budget.allowed, budget.spent) == (pytest.approx(15.0), 12.0)  # 5 % of 300
    assert budget.left == pytest.approx(0.2)


def test_a_budget_that_is_overspent_is_negative_and_one_without_events_is_not_known() -> None:
    assert Budget.of(objective(), [minute(0, bad=15)]).left == pytest.approx(-2.0)
    assert Budget.of(objective(), []).left is None
    assert Budget.of(objective(), [minute(0, total=0)]).left is None


def test_what_is_excluded_is_neither_counted_nor_spent() -> None:
    excluded = minute(0, bad=40, excluded={"upstream": 50.0}, excluded_good=20.0)
    budget = Budget.of(objective(), [excluded])
    assert (budget.total, budget.spent) == (50.0, 10.0)  # of 50 that count 40 were good


def test_a_minute_without_data_is_spent_budget() -> None:
    assert Budget.of(objective(), [lost(0), lost(1)]).spent == 2.0


def test_a_burn_rate_of_one_spends_the_budget_exactly() -> None:
    assert burn_rate(objective(), [minute(n, bad=5) for n in range(60)]) == pytest.approx(1.0)
    assert burn_rate(objective(), [minute(0, bad=72)]) == pytest.approx(14.4)
    assert burn_rate(objective(), [minute(0, total=0)]) is None


def test_an_objective_that_tolerates_nothing_is_spent_by_the_first_bad_event() -> None:
    strict = objective(share=1.0)
    assert (burn_rate(strict, [minute(0)]), Budget.of(strict, [minute(0)]).left) == (0.0, 1.0)
    assert (burn_rate(strict, [minute(0, bad=1)]), Budget.of(strict, [minute(0, bad=1)]).left) == (float("inf"), 0.0)


def test_only_settled_minutes_of_the_window_count() -> None:
    minutes = [minute(n) for n in range(10)]
    until = settled(START + 9 * 60_000 + 89_999)
    assert [one.at for one in within(minutes, until, 5 * 60_000)] == [START + n * 60_000 for n in range(4, 9)]


def test_a_burn_began_with_its_first_bad_minute_after_the_last_calm() -> None:
    bad = {3, 20, 22, 23}
    minutes = [minute(n, bad=50 if n in bad else 0) for n in range(25)]
    assert burning_since(objective(), minutes, calm_ms=5 * 60_000) == START + 20 * 60_000
    assert burning_since(objective(), [minute(n, bad=5) for n in range(25)], calm_ms=5 * 60_000) == 0
