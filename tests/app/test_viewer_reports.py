"""Viewer reports: a browser's figures count, whatever else it sends does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from app.loading import load_declarations
from app.viewer_reports import REPORTS_A_MINUTE, WEIGHT_MAX, ViewerReports
from services.accounts import OPEN
from services.sheets import Key, Sheet
from services.sketch import Sketch
from services.telemetry import Measurement, Telemetry

NOW = 1_790_000_000_000 // 60_000 * 60_000


def reports_of(telemetry: Telemetry) -> ViewerReports:
    return ViewerReports(telemetry, load_declarations(), ["/host"], lambda: NOW)


def reported(*reports: dict[str, Any]) -> Measurement:
    telemetry = Telemetry("web-1", "web", lambda: NOW)
    take = reports_of(telemetry)
    for report in reports:
        take("viewer", OPEN, {"op": "report", **report})
    return Measurement.decoded(telemetry.payload())


def sheet_of(*reports: tuple[str, list[Any]]) -> Sheet:
    telemetry = Telemetry("web-1", "web", lambda: NOW)
    take = reports_of(telemetry)
    for viewer, lines in reports:
        take(viewer, OPEN, {"op": "report", "lines": lines})
    (sheet,) = telemetry.take_sheets(all_of_it=True)
    return Sheet.decoded(sheet.encoded())


def test_sketches_of_several_viewers_are_merged() -> None:
    halves = [Sketch.of([0.01] * 90), Sketch.of([0.2] * 10)]
    found = reported(*({"stages": {"created_to_painted": half.as_json()}} for half in halves))
    stage = found.stages["created_to_painted"]
    assert stage.count == 100
    assert stage.quantile(0.5) == pytest.approx(0.01, rel=0.011)
    assert stage.quantile(0.95) == pytest.approx(0.2, rel=0.011)


def test_gaps_duplicates_and_reconnects_are_counted() -> None:
    counts = reported({"gaps": 1, "reconnects": 2}, {"gaps": 3, "duplicates": 0}).counts
    assert (counts["viewer_gaps"], counts["viewer_reconnects"], counts["viewer_reports"]) == (4, 2, 2)


@pytest.mark.parametrize(
    "report",
    [
        {"stages": {"another_stage": [1, [], []]}},
        {"stages": {"created_to_painted": [1, [1], []]}},
        {"stages": {"created_to_painted": [0, [1, -5], []]}},
        {"stages": {"created_to_painted": [0, [1, 1e9], []]}},
        {"stages": {"created_to_painted": [0, [99_999, 1], []]}},
        {"stages": {"created_to_painted": [0, list(range(4_000)), []]}},
        {"stages": {"created_to_painted": [True, [], []]}},
        {"stages": [1]}, {"gaps": "many"}, {"gaps": -1}, {"gaps": True}, {},
    ],
)
def test_what_is_no_report_changes_nothing_but_the_count_of_reports(report: dict[str, Any]) -> None:
    found = reported(report)
    assert not found.stages
    assert dict(found.counts) == {"viewer_reports": 1}


def test_one_report_counts_in_the_last_minutes_figures_no_more_than_a_viewer_can_have_seen() -> None:
    found = reported({"stages": {"created_to_painted": [1_000_000, [], []]}})
    assert found.stages["created_to_painted"].count == WEIGHT_MAX


def test_what_a_viewer_measured_by_channel_and_page_is_kept_viewer_by_viewer() -> None:
    sketch = Sketch.of([0.1, 0.2]).as_json()
    sheet = sheet_of(
        ("a", [["created_to_painted", "host.now", "/host", sketch]]),
        ("b", [["created_to_painted", "host.now", "/host", sketch], ["round_trip", "", "/host", sketch]]),
    )
    assert set(sheet.lines) == {Key("created_to_painted", "host.now", "/host"), Key("round_trip", "", "/host")}
    painted, trips = (sheet.lines[key] for key in sorted(sheet.lines))
    assert [viewer.count for viewer in painted.viewers.values()] == [2, 2]
    assert set(trips.viewers) == {1}


@pytest.mark.parametrize(
    "line",
    [
        ["created_to_painted", "host.now", "/host", [1, [], []], "pigeon"],
        ["created_to_painted", "no.channel", "/host", [1, [], []]], ["backlog", "host.now", "/host", [1, [], []]],
        ["created_to_painted", "host.now", "/host", [-1, [], []]], ["created_to_painted"], "line", None,
        ["created_to_painted", ["host.now"], "/host", [1, [], []]], [{}, "host.now", "/host", [1, [], []]],
    ],
)
def test_a_line_that_no_viewer_can_measure_is_passed_over(line: Any) -> None:
    assert not sheet_of(("viewer", [line])).lines


def test_a_viewer_looked_no_longer_than_since_its_last_report() -> None:
    hour = [["view_second", "host.now", "/host", [3_600, [], []]]]
    sheet = sheet_of(("a", hour), ("a", hour))
    (line,) = sheet.lines.values()
    assert [viewer.count for viewer in line.viewers.values()] == [62]


def test_a_viewer_that_reports_all_the_time_is_heard_no_more_that_minute() -> None:
    counts = reported(*({} for _ in range(REPORTS_A_MINUTE + 5))).counts
    assert (counts["viewer_reports"], counts["viewer_reports_refused"]) == (REPORTS_A_MINUTE, 5)


def test_what_came_by_long_poll_is_kept_apart() -> None:
    sheet = sheet_of(("a", [["view_second", "host.now", "/host", [3, [], []], "poll"]]))
    assert list(sheet.lines) == [Key("view_second", "host.now", "/host", "poll")]
