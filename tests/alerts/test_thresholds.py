"""Thresholds on channels: which value is beyond, since when, and what of a channel without events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from services.alerts.finding import Finding
from services.alerts.sight import Sight
from services.alerts.thresholds import Reading, Thresholds, reading_of, values_of
from services.contract.alerting import ThresholdRule
from tests import feeds

NOW = 1_700_000_580_000  # 22:23 UTC
DEAR = ThresholdRule(
    name="backlog", channel="operations.feeds", field="backlog", key=None, above=500.0, below=None, for_s=60,
    severity="major", means="", line=1,
)  # fmt: skip


def sight(seconds: int = 0) -> Sight:
    return Sight(at=NOW + 1_000 * seconds, zone=ZoneInfo("UTC"), viewers=42, delay_ms=3_100.0)


def reading(event_at: int = NOW, **values: float) -> dict[str, Reading]:
    return {"backlog": Reading("Feeds", "Backlog", "", values, event_at)}


def look(thresholds: Thresholds, seconds: int, **values: float) -> Finding | None:
    return next(iter(thresholds.look(reading(**values), sight(seconds))), None)


def test_a_value_beyond_its_limit_is_found_since_it_went_there() -> None:
    thresholds = Thresholds([DEAR], 0)
    assert look(thresholds, 0, flights=500.0) is None
    first, later = look(thresholds, 10, flights=501.0), look(thresholds, 70, flights=12_400.0, host=3.0)
    assert first is not None
    assert later is not None
    assert (first.since, later.since, later.for_ms) == (NOW + 10_000, NOW + 10_000, 60_000)
    assert later.text == (
        "Backlog of Feeds (flights) over 500, now 12,400: live tiles delayed by 3.1 s for 42 viewers since 22:23"
    )


def test_a_value_that_came_back_begins_anew() -> None:
    thresholds = Thresholds([DEAR], 0)
    look(thresholds, 0, flights=501.0)
    assert look(thresholds, 10, flights=1.0) is None
    again = look(thresholds, 20, flights=501.0)
    assert again is not None
    assert again.since == NOW + 20_000


def test_the_contracts_own_words_say_what_viewers_have_of_it() -> None:
    said = Thresholds([replace(DEAR, means="live tiles delayed by {delay}")], 0)
    found = look(said, 0, flights=501.0)
    assert found is not None
    assert "now 501: live tiles delayed by 3.1 s for 42 viewers since 22:23" in found.text


def test_one_row_alone_is_watched_where_the_contract_names_it() -> None:
    named = Thresholds([replace(DEAR, key="host")], 0)
    assert look(named, 0, flights=501.0) is None
    assert look(named, 0, flights=1.0, host=501.0) is not None


def test_a_value_below_its_limit_is_found_where_the_contract_says_below() -> None:
    low = Thresholds([replace(DEAR, above=None, below=5.0)], 0)
    assert look(low, 0, flights=5.0) is None
    found = look(low, 0, flights=7.0, host=4.5)
    assert found is not None
    assert "(host) under 5, now 4.5" in found.text


def test_a_channel_without_events_is_found_and_its_value_not_taken_for_good() -> None:
    silent = Thresholds([DEAR], 300)
    assert list(silent.look(reading(flights=1.0), sight(299))) == []
    (found,) = silent.look(reading(flights=1.0), sight(300))
    assert found.text == "Feeds: no event since 22:23, so backlog is not known; 42 viewers are connected"


def test_a_channel_that_may_be_quiet_is_let_be() -> None:
    silent = Thresholds([DEAR], 300)
    quiet = {"backlog": replace(reading(flights=1.0)["backlog"], may_be_quiet=True)}
    assert list(silent.look(quiet, sight(900))) == []


def test_a_channel_that_could_not_be_read_is_neither_good_nor_bad() -> None:
    thresholds = Thresholds([DEAR], 0)
    first = look(thresholds, 0, flights=501.0)
    assert list(thresholds.look({}, sight(10))) == []
    later = look(thresholds, 20, flights=501.0)
    assert first is not None
    assert later is not None
    assert later.since == first.since


def test_values_are_read_from_rows_and_from_the_newest_points_of_lines() -> None:
    rows: dict[str, Any] = {"rows": {"a": {"backlog": 3}, "b": {"backlog": None}, "c": {}}}
    assert values_of("latest", rows, "backlog") == {"a": 3.0}
    points = {"points": {"price:north": [[1, 2.0], [2, 5.0]], "price:south": [[1, 4.0]], "other:north": [[1, 9.0]]}}
    assert values_of("series", points, "price") == {"north": 5.0, "south": 4.0}
    column = feeds.Prices.aggregates["price"]
    assert reading_of(feeds.Prices, column, points, 7) == Reading(
        feeds.Prices.title, column.label, "EUR", {"north": 5.0, "south": 4.0}, 7, may_be_quiet=True
    )
