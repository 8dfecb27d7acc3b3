"""What is told without being declared: lanes, broker, database, archive."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from services.alerts.builtin import LOSS_SHOWN_MS, Shedding
from services.alerts.finding import Finding
from services.alerts.rule import by_web, in_sight
from services.alerts.sight import Sight
from services.declare import Lane
from services.freshness import Progress

NOW = 1_700_000_040_000
BOARD, HOST = Lane("flights", 0), Lane("host", 0)


def progress(**changed: Any) -> Progress:
    return replace(Progress(epoch="e", at=NOW - 500, started_at=NOW - 10**6, ingested_at=NOW - 1_000), **changed)


def sight(**changed: Any) -> Sight:
    usual = Sight(
        at=NOW, zone=ZoneInfo("UTC"), lanes={BOARD: progress(), HOST: progress()}, viewers=42, delay_ms=400.0,
        memory_share=0.3, looking_since=NOW - 10**6,
    )  # fmt: skip
    return replace(usual, **changed)


def found(seen: Sight, *, web: bool = False) -> list[Finding]:
    rules = by_web() if web else in_sight()
    return [one for rule in rules if not (rule.needs_broker and seen.broker_down_since) for one in rule.look(seen)]


def texts(seen: Sight, *, web: bool = False) -> list[str]:
    return [finding.text for finding in found(seen, web=web)]


def test_nothing_is_told_of_a_system_that_is_well() -> None:
    assert texts(sight()) == []


def test_a_lane_without_a_worker_names_the_lane_the_viewers_and_since_when() -> None:
    stopped = sight(lanes={BOARD: progress(at=NOW - 63_000), HOST: progress()})
    (finding,) = found(stopped)
    assert finding.text == (
        "lane flights.0 has no worker: live tiles of this feed stand still for 42 viewers since 22:13"
    )
    assert (finding.key, finding.topic, finding.stage) == ("lane:flights.0", "worker", "worker")
    assert finding.since == NOW - 60_000


def test_a_system_without_any_worker_is_told_as_that() -> None:
    dead = sight(lanes={BOARD: progress(at=NOW - 63_000), HOST: progress(at=NOW - 63_000)})
    assert texts(dead) == ["no lane has a worker: live tiles stand still for 42 viewers since 22:13"] * 2


def test_a_lane_that_never_had_a_worker_is_told_too() -> None:
    assert [one.key for one in found(sight(lanes={BOARD: None}))] == ["lane:flights.0"]


def test_a_backlog_says_how_much_waits_and_what_viewers_have_of_it() -> None:
    behind = sight(lanes={BOARD: progress(backlog=12_400, backlog_since=NOW - 45_000), HOST: progress()})
    assert texts(behind) == [
        "backlog of flights at 12,400 events: live tiles delayed by 45.0 s for 42 viewers since 22:13"
    ]


def test_a_backlog_of_a_lane_without_a_worker_is_not_told_beside_its_cause() -> None:
    stopped = progress(at=NOW - 63_000, backlog=12_400, backlog_since=NOW - 62_000)
    assert [one.key for one in found(sight(lanes={BOARD: stopped}))] == ["lane:flights.0"]


def test_a_full_broker_is_told_before_it_is_out_of_memory() -> None:
    (finding,) = found(sight(memory_share=0.834))
    assert finding.severity == "critical"
    assert "broker memory 83.4 % full: new events are refused with 429" in finding.text


def test_a_broker_that_is_down_is_told_alone_and_without_it_nothing_else_is_known() -> None:
    down = sight(broker_down_since=NOW - 61_000, broker_trouble="connection refused", lanes={BOARD: None}, viewers=None)
    assert texts(down) == []  # whoever leads alerts knows it by its lease: a worker without a lead, or web, tells
    (text,) = texts(down, web=True)
    assert text == (
        "broker does not answer: nothing is accepted or updated, how many viewers are connected is not known, since "
        "22:12 (connection refused)"
    )


def test_a_database_that_is_down_is_told_and_live_values_go_on() -> None:
    assert "live values go on" in texts(sight(database_down_since=NOW - 1, database_trouble="refused"))[0]


def test_shedding_at_the_hard_cap_is_told_when_it_happens_and_for_a_while() -> None:
    shedding = Shedding()
    assert list(shedding.look(sight(lanes={BOARD: progress(shed=7)}))) == []  # before this process looked
    (first,) = shedding.look(sight(lanes={BOARD: progress(shed=10)}))
    assert first.text.startswith("lane flights.0 reached its hard cap: 3 processed events dropped")
    (later,) = shedding.look(sight(at=NOW + 60_000, lanes={BOARD: progress(shed=15)}))
    assert "8 processed events dropped" in later.text
    assert later.since == NOW
    assert list(shedding.look(sight(at=NOW + 60_000 + LOSS_SHOWN_MS + 1, lanes={BOARD: progress(shed=15)}))) == []


def test_nobody_is_said_to_be_affected_where_nobody_looks_on() -> None:
    assert (
        "has no worker: since 22:13; no viewer is connected"
        in texts(sight(viewers=0, lanes={BOARD: progress(at=NOW - 63_000)}))[0]
    )


def test_while_everything_starts_a_lane_without_a_worker_is_no_trouble() -> None:
    assert texts(sight(lanes={BOARD: None}, looking_since=NOW - 29_000)) == []
    (finding,) = found(sight(lanes={BOARD: None}, looking_since=NOW - 30_000))
    assert finding.since == NOW - 30_000


def test_web_tells_when_no_worker_evaluates_alerts() -> None:
    assert texts(sight(), web=True) == []
    (text,) = texts(sight(unwatched_since=NOW - 30_000), web=True)
    assert text == (
        "no worker evaluates objectives and alerts since 22:13: trouble is not noticed; 42 viewers are connected"
    )
