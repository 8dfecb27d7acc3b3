"""Figures: the median is judged against the bound, and what was found is kept by bench."""

from pathlib import Path

import pytest

from bench.figures import Bound, Curve, Figure, Finding, Line, table
from bench.findings import Findings
from bench.plots import curve_plot, standing_plot
from bench.reporting import write_report

RATIO = Figure("fan-out, 500 viewers", "÷ Node ws", Bound.parse("≥ 1.4"), (1.3, 1.5, 1.45), "×", "more")
LATENCY = Figure("event → paint", "p95", Bound.parse("≤ 60"), (61.0, 70.0, 40.0), "ms", "less", note="200 changes/s")
GROWTH = Curve("CPU over viewers", "viewers", "% of a core", (Line("20 ticks/s", ((100, 2.0), (5000, 80.0))),))


def test_the_median_of_the_runs_is_judged() -> None:
    assert (RATIO.min, RATIO.median, RATIO.max, RATIO.is_reached) == (1.3, 1.45, 1.5, True)
    assert (LATENCY.median, LATENCY.is_reached) == (61.0, False)


def test_a_figure_without_a_bound_is_neither_reached_nor_missed() -> None:
    assert Figure("wire", "bytes/s", None, (1.0,), "B/s", "less").is_reached is None


@pytest.mark.parametrize(("text", "number"), [("≥ 150,000", 150_000), ("≤ 0.5", 0.5), ("≤60", 60)])
def test_a_bound_is_read_as_it_is_written(text: str, number: float) -> None:
    assert Bound.parse(text).number == number


@pytest.mark.parametrize("text", ["1.4", "> 1", "≥ fast", "≥ 1.4 ms", ""])
def test_a_bound_that_cannot_be_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"as in '≥ 1.4'"):
        Bound.parse(text)


def test_a_bound_that_contradicts_what_is_better_is_refused() -> None:
    with pytest.raises(ValueError, match="where less is better"):
        Figure("event → paint", "p95", Bound.parse("≥ 60"), (1.0,), "ms", "less")


def test_a_figure_that_no_run_gave_a_value_for_is_refused() -> None:
    with pytest.raises(ValueError, match="no run gave a value"):
        Figure("event → paint", "p95", None, (), "ms", "less")


@pytest.mark.parametrize(("bound", "value", "share"), [("≥ 2", 3.0, 1.5), ("≤ 60", 40.0, 1.5), ("≤ 60", 120.0, 0.5)])
def test_better_than_the_bound_is_more_than_one_whichever_way_the_bound_points(
    bound: str, value: float, share: float
) -> None:
    assert Bound.parse(bound).share(value) == share


def test_the_table_says_of_each_figure_least_median_and_most() -> None:
    rows = table([RATIO, LATENCY]).splitlines()[2:]
    assert rows[0] == "| fan-out, 500 viewers | ÷ Node ws | ≥ 1.4 × | 1.3 × | 1.45 × | 1.5 × | yes |"
    assert rows[1] == "| event → paint | p95 (200 changes/s) | ≤ 60 ms | 40 ms | 61 ms | 70 ms | **no** |"


def test_a_bench_that_ran_again_replaces_only_its_own_findings(tmp_path: Path) -> None:
    findings = Findings(tmp_path / "reports" / "2026-11-24.json")
    findings.keep("fan_out", [LATENCY], 3.0, "14:00")
    findings.keep("growth", [GROWTH], 3.0, "14:01")
    findings.keep("fan_out", [RATIO], 3.0, "14:02")
    expected: dict[str, list[Finding]] = {"fan_out": [RATIO], "growth": [GROWTH]}
    assert findings.read() == expected


def test_every_figure_with_a_bound_and_every_line_is_in_its_plot() -> None:
    sheet = standing_plot([RATIO, LATENCY])
    assert sheet.count("<circle") == 2 * (3 + 1)
    assert curve_plot(GROWTH).count("<circle") == 2


def test_the_report_shows_its_plots_and_drops_those_of_an_earlier_run(tmp_path: Path) -> None:
    path = tmp_path / "2026-11-24.md"
    write_report(path, {"fan_out": [RATIO], "growth": [GROWTH]})
    assert {plot.name for plot in (tmp_path / "2026-11-24").iterdir()} == {"standing.svg", "cpu-over-viewers.svg"}
    assert all(f"(2026-11-24/{name})" in path.read_text() for name in ("standing.svg", "cpu-over-viewers.svg"))
    write_report(path, {"fan_out": [RATIO]})
    assert [plot.name for plot in (tmp_path / "2026-11-24").iterdir()] == ["standing.svg"]
