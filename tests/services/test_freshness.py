"""Freshness: the rule, case by case. Times are seconds before now."""

from __future__ import annotations

from typing import Any

import pytest

from services.declare import Freshness
from services.freshness import Progress, Verdict, judge

NOW = 1_700_000_000_000
STEADY = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10)
QUIETABLE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10, may_be_quiet=True)


def ago(seconds: float) -> int:
    return NOW - int(seconds * 1000)


def progress(**changes: Any) -> Progress:
    known: dict[str, Any] = {
        "epoch": "e",
        "at": ago(0.5),
        "started_at": ago(600),
        "event_at": ago(0.5),
        "ingested_at": ago(0.5),
    }
    return Progress(**(known | changes))


def verdict(rule: Freshness, told: Progress | None, event_at: int, broker_down_since: int = 0) -> Verdict:
    return judge(rule, told, event_at=event_at, now=NOW, broker_down_since=broker_down_since)


OLD = {"event_at": ago(20), "ingested_at": ago(20)}
AGED = {"event_at": ago(5), "ingested_at": ago(5)}


@pytest.mark.parametrize(
    ("what", "rule", "changes", "event_age_s", "expected"),
    [
        ("flowing", STEADY, {}, 0.5, ("live", None, 0)),
        ("an idle partition of a flowing feed", STEADY, {}, 60, ("quiet", None, 57)),
        ("no event for a while, source alive", QUIETABLE, AGED | {"alive_at": ago(1)}, 5, ("quiet", None, 2)),
        ("no event for long, source alive", QUIETABLE, OLD | {"alive_at": ago(1)}, 20, ("quiet", None, 17)),
        ("no event for long, no sign of life", QUIETABLE, OLD, 20, ("stale", "source_silent", 10)),
        (
            "a sign of life does not help a steady channel",
            STEADY,
            OLD | {"alive_at": ago(1)},
            20,
            ("stale", "source_silent", 10),
        ),
        ("a steady channel misses its interval", STEADY, AGED, 5, ("late", "source_late", 2)),
        ("events come with old times", STEADY, {"event_at": ago(60)}, 60, ("late", "source_late", 57)),
        (
            "the source failed a moment ago, data still young",
            STEADY,
            {"error": "401", "error_at": ago(0.1)},
            0.5,
            ("live", None, 0),
        ),
        (
            "the source failed, data aged",
            STEADY,
            AGED | {"error": "401", "error_at": ago(4)},
            5,
            ("late", "source_error", 4),
        ),
        (
            "the source failed long ago",
            STEADY,
            OLD | {"error": "401", "error_at": ago(18)},
            20,
            ("stale", "source_error", 10),
        ),
        (
            "an error from before the last event is over",
            STEADY,
            {"error": "401", "error_at": ago(30)},
            0.5,
            ("live", None, 0),
        ),
        (
            "all records are refused",
            STEADY,
            OLD | {"rejected_at": ago(1), "rejection": "missing_field: price"},
            20,
            ("stale", "rejecting", 10),
        ),
        (
            "records were refused just now",
            QUIETABLE,
            AGED | {"rejected_at": ago(1), "alive_at": ago(1)},
            5,
            ("late", "rejecting", 2),
        ),
        ("events wait", STEADY, {"backlog": 3400, "backlog_since": ago(12)}, 0.5, ("late", "backlog", 9)),
        ("a short backlog is no trouble", STEADY, {"backlog": 10, "backlog_since": ago(1)}, 0.5, ("live", None, 0)),
        ("the worker died", STEADY, {"at": ago(7)}, 7, ("late", "worker_down", 4)),
        ("the worker died long ago", STEADY, {"at": ago(20)}, 20, ("stale", "worker_down", 17)),
        (
            "a dead worker comes before a failed source",
            STEADY,
            {"at": ago(20), "error": "x", "error_at": ago(5)},
            20,
            ("stale", "worker_down", 17),
        ),
        (
            "never an event, just started",
            QUIETABLE,
            {"event_at": 0, "ingested_at": 0, "started_at": ago(1)},
            None,
            ("quiet", None, 0),
        ),
        (
            "never an event, no sign of life",
            STEADY,
            {"event_at": 0, "ingested_at": 0, "started_at": ago(20)},
            None,
            ("stale", "source_silent", 10),
        ),
    ],
)
def test_a_channel_is_judged(
    what: str,
    rule: Freshness,
    changes: dict[str, Any],
    event_age_s: float | None,
    expected: tuple[str, str | None, float],
) -> None:
    found = verdict(rule, progress(**changes), 0 if event_age_s is None else ago(event_age_s))
    state, cause, since_s = expected
    assert (found.state, found.cause) == (state, cause), what
    assert found.since == (ago(since_s) if since_s else 0), what


def test_a_lost_broker_comes_first_and_makes_late_then_stale() -> None:
    assert verdict(STEADY, None, 0, broker_down_since=ago(1)) == Verdict("late", "broker_down", "", ago(1))
    assert verdict(STEADY, progress(), ago(1), broker_down_since=ago(11)).state == "stale"


def test_a_lane_that_no_worker_ever_led_is_stale() -> None:
    assert verdict(STEADY, None, 0).cause == "worker_down"


def test_a_feed_that_is_refused_says_how_often_and_why() -> None:
    told = progress(**OLD, rejected_at=ago(1), rejection="missing_field: price", refused_run=412)
    assert verdict(STEADY, told, ago(20)).detail == "412 refused, the last: missing_field: price"


def test_backlog_says_how_many_events_wait() -> None:
    assert verdict(STEADY, progress(backlog=3400, backlog_since=ago(12)), ago(1)).detail == "3,400 events behind"


def test_progress_survives_the_wire_and_a_newer_release() -> None:
    told = progress(backlog=3, error="x")
    assert Progress.decoded(told.encoded()) == told
    assert Progress.decoded(told.encoded()[:-1] + b',"of_a_newer_release":1}') == told
