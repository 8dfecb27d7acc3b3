"""Change requests: each kind of change that a client can ask for, with its words, price, days, what it touches, and
whether it is accepted anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from services.contract.statement import Statement
from tests.contract.statements import CONTRACT, LOCKED, asked

DAY_RATE = 800
LOAD = {
    "gateway-latency", "board-painted-median", "board-painted", "board-painted-tail", "machine-interval",
    "machine-freshness", "availability", "backlog", "first-value",
}  # fmt: skip
BOARD = {"gateway-latency", "board-painted-median", "board-painted", "board-painted-tail", "availability", "backlog",
         "first-value"}  # fmt: skip
"""Those that count what the feed flights or its channel board delivers."""
FLIGHTS = BOARD - {"board-painted-median", "board-painted", "board-painted-tail"}
"""Those that count every channel: another one of the feed touches them."""
EVERYTHING = {one.name for one in CONTRACT.objectives}
BROWSER = {"interaction", "first-value"}


@dataclass(frozen=True)
class Case:
    """A change of the locked statement, and the one request that it is. `days` are of work."""

    change: Callable[[Statement], Statement]
    kind: str
    text: str
    days: float
    touched: set[str]
    reaccept: bool = True


def put(key: str, /, **changes: Any) -> Callable[[Statement], Statement]:
    """Another value of properties of a thing; None takes one away."""

    def change(locked: Statement) -> Statement:
        kept = {name: value for name, value in {**locked[key], **changes}.items() if value is not None}
        return {**locked, key: kept}

    return change


def add(*keys: str, **properties: Any) -> Callable[[Statement], Statement]:
    return lambda locked: {**locked, **dict.fromkeys(keys, properties)}


def leave_out(start: str) -> Callable[[Statement], Statement]:
    return lambda locked: {key: said for key, said in locked.items() if not f"{key} >".startswith(f"{start} >")}


CHART = "page / > chart of flights.delays, 1"
SOURCE = LOCKED["feed flights"]["source"]
HISTORY = {"days": 400, "hourly_days": 800}
CASES: dict[str, Case] = {
    "a new feed with two channels": Case(
        add("feed gates", "feed gates > channel newest", "feed gates > channel entries", kind="latest"),
        "feed", "feed gates is new", 1.5 + 2 * 0.25 + 0.5, FLIGHTS,
    ),
    "a feed left out": Case(leave_out("feed signals"), "feed", "feed signals is left out", 1.5, FLIGHTS),
    "a new channel": Case(
        add("feed flights > channel gates", kind="latest"), "channel", "channel gates of feed flights is new", 0.75,
        FLIGHTS,
    ),
    "channel kind": Case(
        put("feed flights > channel board", kind="log"), "channel kind", "kind is log instead of latest", 2.5, BOARD
    ),
    "key": Case(put("feed flights", key="flight"), "key", "key is flight instead of leg", 2.5, BOARD),
    "partition": Case(
        put("feed flights", partition="origin"), "partition", "partition is origin instead of not said", 2.5, BOARD
    ),
    "retention": Case(
        put("feed flights", history=HISTORY), "retention", "history is days 400, hourly 800 days", 0.5, set(), False
    ),
    "validation rule": Case(
        put("feed flights > field flight", required=False), "validation rule", "required is no instead of yes", 1.5,
        BOARD,
    ),
    "aggregate": Case(
        put("feed flights > channel last_hour > column mean_delay", function="max"), "chart semantics",
        "column mean_delay of channel last_hour of feed flights: function is max instead of mean", 1.5, FLIGHTS,
    ),
    "unit": Case(
        put("feed flights > channel last_hour > column mean_delay", unit="h"), "chart semantics",
        "unit is h instead of not said", 1.5, FLIGHTS,
    ),
    "window": Case(
        put("feed flights > channel last_hour", window_s=10), "chart semantics", "window is 10 s instead of 5 s", 1.5,
        FLIGHTS,
    ),
    "unit of a chart": Case(put(CHART, unit="h"), "chart semantics", "unit is h instead of not said", 1.5, BROWSER),
    "a new chart": Case(
        add("page / > chart of flights.hourly, 1", unit="h"), "chart", "chart of flights.hourly, 1 of page / is new",
        1.5, BROWSER,
    ),
    "a chart left out": Case(leave_out(CHART), "chart", "is left out", 1.5, BROWSER),
    "a new page": Case(add("page /gates", title="Gates"), "page", "page /gates is new", 1.25, BROWSER),
    "a new role": Case(
        add("role night", channels=["flights.*"], actions=["view"], claims=[]), "role or auth boundary",
        "role night is new", 0.75, set(),
    ),
    "what a role may see": Case(
        put("role wall", channels=["host.*"]), "role or auth boundary", "role wall: channels is host.*", 1.5, set()
    ),
    "how people sign in": Case(
        put("hosting", authentication="the client's identity provider"), "role or auth boundary",
        "authentication is the client's identity provider", 1.5, EVERYTHING,
    ),
    "region": Case(put("hosting", region="Oregon"), "region", "region is Oregon instead of Frankfurt", 2.5, EVERYTHING),
    "source": Case(put("feed flights", source={**SOURCE, "every_s": 30}), "source", "every 30 s", 2.5, BOARD),
    "support hours": Case(
        put("support", hours={"monday": "00:00-24:00"}), "support hours", "hours is monday 00:00-24:00", 0.0, set(),
        False,
    ),
    "target": Case(
        put("objective gateway-latency", within_s=1.0), "target", "within is 1 s instead of 2 s", 1.5,
        {"gateway-latency"},
    ),
    "envelope": Case(put("envelope", viewers=900), "envelope", "viewers is 900 instead of 500", 1.5, LOAD),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_kind_of_change_is_one_request_with_price_days_objectives_and_whether_it_is_accepted_anew(
    name: str,
) -> None:
    case = CASES[name]
    (found,) = asked(case.change(LOCKED))
    assert (found.kind, found.reaccept) == (case.kind, case.reaccept)
    assert case.text in found.text
    assert (found.days, found.price) == (case.days, round(case.days * DAY_RATE))
    assert set(found.objectives) == case.touched
    assert found.clauses


def test_an_envelope_that_was_exceeded_in_measured_reality_is_a_request_with_its_price_and_objectives() -> None:
    (found,) = asked(LOCKED, measured={"events_per_s": 1_500.0})
    assert (found.kind, found.reaccept, found.days, found.price) == ("envelope exceeded", True, 1.5, 1_200)
    assert set(found.objectives) == LOAD
    assert found.text == "envelope: events measured: 1,500 a second instead of 1,000 a second"


def test_changes_of_several_kinds_are_a_request_each_and_their_prices_add_up() -> None:
    now = LOCKED
    for name in ("key", "region", "target", "support hours"):
        now = CASES[name].change(now)
    found = asked(now)
    assert {one.kind for one in found} == {"key", "region", "target", "support hours"}
    assert sum(one.price or 0 for one in found) == (2.5 + 2.5 + 1.5) * DAY_RATE
