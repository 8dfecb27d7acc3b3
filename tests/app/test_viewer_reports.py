"""Viewer reports: a browser's figures count, whatever else it sends does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from app.viewer_reports import ViewerReports
from services.accounts import OPEN
from services.sketch import Sketch
from services.telemetry import Measurement, Telemetry


def reported(*reports: dict[str, Any]) -> Measurement:
    telemetry = Telemetry("web-1", "web")
    for report in reports:
        ViewerReports(telemetry)("viewer", OPEN, {"op": "report", **report})
    return Measurement.decoded(telemetry.payload())


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
