"""The built-in feed of the contract: a standing becomes events that the feed takes, once each, in every project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import tests.project.feeds
import tests.project.pages
from app.loading import Project, load_declarations, load_pages
from services.events import Validator
from services.feeds.contract import Standing as StandingFeed
from services.report.source import StandingSource, records_of
from services.report.standing import Standing
from tests.project.__main__ import PROJECT
from tests.services.agreed import Even
from tests.services.test_standing import BEGAN, NOON, bad, incident, standing


@pytest.fixture
def made() -> Standing:
    return standing(Even({"board-latency": 10}, bad(NOON - 86_400_000), since=BEGAN), incident(resolved_at=NOON - 1))


class Listening:
    """An intake that stops after some looks."""

    def __init__(self, looks: int) -> None:
        self.looks, self.records = looks, list[dict[str, Any]]()

    def now_ms(self) -> int:
        return NOON

    def accept(self, records: Sequence[Any]) -> None:
        self.records += records

    def newest_ms(self) -> int:
        return 0

    def alive(self) -> None:
        raise AssertionError("a standing that does not come is no sign of life")

    def wait(self, seconds: float) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_every_record_of_a_standing_is_a_valid_event_of_the_feed(made: Standing) -> None:
    validate = Validator(StandingFeed.declaration).event
    events = [validate(record, NOON) for record in records_of(made)]
    assert len({event.id for event in events}) == len(events) == 1 + 2 + 1


def test_a_records_figures_are_cut_as_the_report_prints_them(made: Standing) -> None:
    found = next(one for one in records_of(made) if one["name"] == "board-latency")
    assert found["measured_percent"] == 99.996  # 1 − 10 ÷ 252,000
    assert found["target_percent"] == 95
    assert (found["verdict"], found["minutes_down"]) == ("met", 1)
    counted_nothing = next(one for one in records_of(made) if one["name"] == "availability")
    assert "measured_percent" not in counted_nothing


def test_a_burn_rate_is_told_where_something_was_counted_and_is_no_zero_where_nothing_was(made: Standing) -> None:
    whole = next(one for one in records_of(made) if one["kind"] == "contract")
    assert whole["burn_1h"] == 0, "counted, and nothing of it was bad"
    nothing = next(records_of(standing(Even({}))))
    assert nothing["kind"] == "contract"
    assert "burn_1h" not in nothing


def test_a_standing_is_told_once_and_silence_is_no_sign_of_life(made: Standing) -> None:
    class Read:
        def read(self) -> Standing | None:
            return made

    source, intake = StandingSource(), Listening(3)
    source.observe(Read())
    source.run(intake)
    assert len(intake.records) == 4


def test_every_project_with_a_contract_has_the_page_and_the_feed_and_one_without_has_neither() -> None:
    declarations = load_declarations(PROJECT)
    assert "contract.objectives" in declarations.channels
    assert [page.path for page in load_pages(declarations, PROJECT)] == [
        "/",
        "/gallery",
        "/minutes",
        "/shops",
        "/total",
        "/sla",
    ]
    bare = Project(tests.project.feeds, tests.project.pages)
    assert "contract" not in load_declarations(bare).feeds
    assert [page.path for page in load_pages(load_declarations(bare), bare)] == [
        "/",
        "/gallery",
        "/minutes",
        "/shops",
        "/total",
    ]
