"""Kinds: every kind of objective is measured, viewers are weighed, and what was not measured is bad."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from services.contract.document import Kind
from services.measurement.kinds import measure
from services.measurement.minutes import Minute
from services.measurement.raw import RawMinute
from services.sheets import Key, Line
from services.sketch import Sketch
from tests.services.measured import CHANNEL, START, minute, objective, own, probe, sheet, viewed

GOOD, BAD = 0.5, 5.0
MIXED = [GOOD] * 3 + [BAD]
CASES: dict[Kind, list[tuple[str, RawMinute]]] = {
    "latency": [
        ("gateway", minute(sheet("web", own(ingested_to_sent=MIXED)))),
        ("broker", minute(sheet("processor", own(ingested_to_processed=MIXED)))),
        ("browser", minute(sheet("web", viewed("created_to_painted", MIXED)))),
        ("probe", minute(probes=[probe(GOOD), probe(GOOD), probe(GOOD), probe(None)])),
    ],
    "update_interval": [
        ("gateway", minute(sheet("web", own(update_interval=MIXED)))),
        ("browser", minute(sheet("web", viewed("update_interval", MIXED)))),
    ],
    "freshness": [
        ("browser", minute(sheet("web", viewed("event_age", MIXED)))),
        ("broker", minute(sheet("contract", own(event_age=MIXED)))),
    ],
    "availability": [
        ("probe", minute(probes=[probe(GOOD), probe(GOOD), probe(GOOD), probe(BAD)])),
        ("browser", minute(sheet("web", viewed("view_second", [0, 0, 0, 1])))),
    ],
    "interaction": [("browser", minute(sheet("web", viewed("interaction", MIXED))))],
    "reconnect": [("browser", minute(sheet("web", viewed("reconnect", MIXED))))],
    "first_value": [("browser", minute(sheet("web", viewed("first_value", MIXED))))],
    "backlog": [("broker", minute(sheet("contract", own(backlog=[0, 0, 1, 40]))))],
}


def test_every_kind_of_objective_is_measured() -> None:
    assert set(CASES) == set(get_args(Kind))
    for kind, cases in CASES.items():
        for point, raw in cases:
            assert measure(objective(kind, point), raw) == Minute(START, 3, 4), (kind, point)


@pytest.mark.parametrize(
    ("kind", "point"),
    [("latency", "gateway"), ("latency", "browser"), ("update_interval", "gateway"), ("freshness", "browser"),
     ("freshness", "broker"), ("availability", "probe"), ("interaction", "browser"), ("reconnect", "browser"),
     ("first_value", "browser"), ("backlog", "broker")],
)  # fmt: skip
def test_a_minute_of_which_no_process_told_anything_is_bad(kind: Any, point: Any) -> None:
    assert measure(objective(kind, point), minute()) == Minute(START, 0, 1, no_data=True)


def test_a_minute_in_which_nothing_was_due_is_neither_good_nor_bad() -> None:
    idle = minute(sheet("web", {}), sheet("processor", {}))
    for kind, point in (("latency", "gateway"), ("latency", "browser"), ("interaction", "browser")):
        assert measure(objective(kind, point), idle) == Minute(START, 0, 0)


def test_events_that_were_processed_and_reached_no_gateway_are_missing() -> None:
    stuck = minute(sheet("web", {}), sheet("processor", own(ingested_to_processed=[GOOD])))
    assert measure(objective("latency", "gateway"), stuck).no_data


def test_events_that_were_sent_and_painted_by_nobody_who_looked_are_missing() -> None:
    blank = minute(sheet("web", own(ingested_to_sent=[GOOD]) | viewed("view_second", [0.0] * 60)))
    assert measure(objective("latency", "browser"), blank).no_data


@pytest.mark.parametrize("honest", [2, 3, 10, 19, 24, 60])
@pytest.mark.parametrize("forged", [[60.0] * 200_000, [60.0] * 100])
def test_one_forged_viewer_cannot_move_a_p95(honest: int, forged: list[float]) -> None:
    viewers = [[0.1] * 100 for _ in range(honest)]
    found = measure(
        objective("latency", "browser"), minute(sheet("web", viewed("created_to_painted", *viewers, forged)))
    )
    assert found.good / found.total >= 0.95


def test_two_viewers_that_are_slow_do_move_it() -> None:
    viewers = [[0.1] * 100] * 8 + [[60.0] * 100] * 2
    found = measure(objective("latency", "browser"), minute(sheet("web", viewed("created_to_painted", *viewers))))
    assert found.good / found.total < 0.95


def test_viewers_of_several_web_processes_are_weighed_together() -> None:
    sheets = [sheet("web", viewed("created_to_painted", [0.1] * 100)) for _ in range(4)]
    forged = sheet("web", viewed("created_to_painted", [60.0] * 100_000))
    found = measure(objective("latency", "browser"), minute(*sheets, forged))
    assert found.good / found.total >= 0.95


def test_view_seconds_by_long_poll_are_never_counted_as_those_of_sockets() -> None:
    lines = viewed("event_age", [GOOD]) | viewed("event_age", [BAD] * 60, transport="poll")
    assert measure(objective("freshness", "browser"), minute(sheet("web", lines))) == Minute(START, 1, 1)


def test_a_viewers_own_network_is_excluded_only_where_others_are_not_slow_with_it() -> None:
    excluding = objective("latency", "browser", excluding=("viewer_network",))

    def with_slow(slow: int) -> Minute:
        painted = [[BAD] * 10 for _ in range(slow)] + [[GOOD] * 10 for _ in range(20 - slow)]
        bare = [[GOOD] * 10 for _ in range(20)]
        return measure(
            excluding,
            minute(sheet("web", viewed("created_to_painted", *painted) | viewed("painted_less_network", *bare))),
        )

    assert dict(with_slow(2).excluded) == {"viewer_network": 20}
    assert not with_slow(3).excluded


def test_seconds_that_were_old_because_of_their_source_are_excluded_by_name() -> None:
    lines = viewed("event_age", [GOOD] * 30) | viewed("event_age_upstream", [BAD] * 20)
    raw = minute(sheet("web", lines))
    upstream = objective("freshness", "browser", excluding=("upstream",), upstream=(("shop", 3.0),))
    assert measure(upstream, raw).excluded == {"upstream:shop": 20}
    assert measure(replace(upstream, channel=None), raw).excluded == {"upstream:shop": 20}
    assert measure(replace(upstream, channel=None, upstream=(("other", 3.0),)), raw).excluded == {}
    assert measure(objective("freshness", "browser"), raw) == Minute(START, 30, 50)


def test_an_overall_objective_counts_all_channels_but_those_of_the_probe() -> None:
    lines = {Key("ingested_to_sent", name): Line(Sketch.of([GOOD])) for name in (CHANNEL, "shop.log", "probe.answers")}
    assert measure(objective("latency", "gateway", channel=None), minute(sheet("web", lines))).total == 2


def _own_feed(*waits: float) -> dict[Key, Line]:
    return {Key("created_to_ingested", "shop"): Line(Sketch.of(waits))}


def test_events_that_their_source_sent_too_late_are_excluded_in_their_share() -> None:
    painted = viewed("created_to_painted", [GOOD] * 6 + [BAD] * 4)
    came = _own_feed(*[0.1] * 8, 4.0, 4.0)
    upstream = objective("latency", "browser", excluding=("upstream",), upstream=(("shop", 3.0),))
    found = measure(upstream, minute(sheet("web", painted | came)))
    assert (found.good, found.total, dict(found.excluded)) == (6, 10, {"upstream:shop": 2.0})


@pytest.mark.parametrize(
    ("upstream", "waits"),
    [((("shop", 3.0),), [2.5] * 10), ((("shop", 0.2),), [0.9] * 10), ((("other", 3.0),), [4.0] * 10), ((), [4.0] * 10)],
)
def test_nothing_is_upstreams_that_was_in_time_enough_or_that_no_rule_names(upstream: Any, waits: list[float]) -> None:
    painted = viewed("created_to_painted", [BAD] * 10)
    ours = objective("latency", "browser", excluding=("upstream",), upstream=upstream)
    assert dict(measure(ours, minute(sheet("web", painted | _own_feed(*waits)))).excluded) == {}


def test_no_more_is_excluded_than_was_bad() -> None:
    painted = viewed("created_to_painted", [GOOD] * 9 + [BAD])
    upstream = objective("latency", "browser", excluding=("upstream",), upstream=(("shop", 3.0),))
    found = measure(upstream, minute(sheet("web", painted | _own_feed(*[4.0] * 10))))
    assert dict(found.excluded) == {"upstream:shop": 1.0}
