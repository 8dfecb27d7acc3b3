"""docs/report.md says of the report and the pages what is so."""

from __future__ import annotations

from typing import get_args

from app.commands.report import report
from app.contract_parts import STANDING_EVERY_S
from app.status_page import OLD_MS
from services.report.history import DAYS_SHOWN
from services.report.report import TREND_INTERVALS
from services.report.standing import BURN_SPANS_S, NOW_MS, State
from tests.codebase.sources import ROOT

CHAPTER = (ROOT / "docs/report.md").read_text()


def test_it_names_every_option_of_the_command() -> None:
    assert [one.opts[0] for one in report.params if one.opts[0] not in CHAPTER] == []


def test_it_names_every_state_of_the_service() -> None:
    assert [state for state in get_args(State) if f"| {state} |" not in CHAPTER] == []


def test_its_figures_are_those_of_the_code() -> None:
    assert (STANDING_EVERY_S, OLD_MS, DAYS_SHOWN, NOW_MS) == (15.0, 90_000, 90, 300_000)
    assert (TREND_INTERVALS, BURN_SPANS_S) == (6, (3_600, 21_600, 259_200))
    for said in ("every 15 seconds", "older than 90 seconds", "90 days", "last five minutes", "last six weeks"):
        assert said in CHAPTER
