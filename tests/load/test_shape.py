"""Shape: what is posted under load is like the history: values, keys, rhythm, and nobody's name."""

from __future__ import annotations

from typing import Any

import pytest

from services.declare import FeedSpec
from services.events import Validator
from services.load.shape import shape_of
from tests.contract.written import DECLARATIONS
from tests.visits import Visits

ORDERS = DECLARATIONS.feeds["orders"]
AT = 1_767_225_600_000


def _orders(times: list[int]) -> list[tuple[int, dict[str, Any]]]:
    return [(at, {"order": f"o{n % 3}", "shop": "north", "price": n / 4}) for n, at in enumerate(times)]


def test_values_and_how_often_each_key_comes_are_those_of_the_history() -> None:
    made = shape_of(ORDERS, _orders([AT + 100 * n for n in range(30)]))
    assert [made.body(n)["price"] for n in (0, 1, 30)] == [0.0, 0.25, 0.0]
    assert sum(one["order"] == "o0" for one in made.bodies) == 10
    assert "like 30 events of its history" in made.said


def test_the_rhythm_is_that_of_the_history_its_fullest_second_being_the_peak() -> None:
    times = [AT + 10 * n for n in range(80)] + [AT + 1_000 + 25 * n for n in range(40)] + [AT + 2_000]
    made = shape_of(ORDERS, _orders(times))
    assert made.rhythm == pytest.approx((1.0, 0.5), abs=0.03)
    assert made.beat(0.5) == 1.0
    assert made.beat(2.2) == 1.0  # it begins anew


def test_an_hour_is_played_in_a_minute() -> None:
    assert len(shape_of(ORDERS, _orders([AT + 10_000 * n for n in range(360)])).rhythm) == 60


@pytest.mark.parametrize("feed", [ORDERS, Visits.declaration])
def test_without_a_history_there_are_examples_that_pass_validation(feed: FeedSpec) -> None:
    made = shape_of(feed, [(AT, {"shop": "a field is missing"})])
    assert "no history to be like" in made.said
    assert len({one[feed.key] for one in made.bodies}) == 50
    for one in made.bodies:
        Validator(feed).event(dict(one), AT)


def test_people_of_the_history_have_stand_ins_that_are_the_same_each_time() -> None:
    feed = Visits.declaration
    history = [
        (AT + 50 * n, {"visitor": f"ada-{n % 2}", "page": "/a", "mail": "ada@example.com", "spent": 1.5})
        for n in range(40)
    ]
    made = shape_of(feed, history)
    said = str(made.bodies)
    assert "ada" not in said
    assert len({one["visitor"] for one in made.bodies}) == 2
    assert all(isinstance(one["spent"], float) for one in made.bodies)
    Validator(feed).event(dict(made.body(0)), AT)
