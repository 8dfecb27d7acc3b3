"""The status page: plain HTML that answers from the last known standing, whatever else is down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.factory import Web, create_app
from app.settings import Settings
from app.status_page import OLD_MS, render
from services.database import Database, migrate
from services.report.board import StandingRegister
from services.report.standing import PublicWindow, Standing
from tests.services.agreed import Even
from tests.services.test_standing import BEGAN, NOON, bad, incident, standing


@pytest.fixture
def made() -> Standing:
    yesterday = NOON - 86_400_000
    return standing(Even({"board-latency": 10}, bad(*range(yesterday, yesterday + 3_600_000, 60_000)), since=BEGAN),
                    incident(resolved_at=NOON - 1_000))


def words_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


def test_it_says_state_objectives_history_incidents_and_maintenance(made: Standing) -> None:
    page = words_of(render(replace(made, windows=(PublicWindow(NOON + 1, NOON + 2, "updates"),)), NOON))
    for said in (
        "What is measured is as promised", "Measured at 18 Nov, 12:00:00", "Board latency", "met now", "of 18 days",
        "Major: Board latency", "over", "Updates", "planned", "Times are of Europe/Berlin",
    ):
        assert said in page


def test_a_day_below_target_is_told_by_shape_and_words_and_not_by_colour_alone(made: Standing) -> None:
    missed = replace(made.objectives[0].days[-2], share=0.5, down=60)
    days = (*made.objectives[0].days[:-2], missed, made.objectives[0].days[-1])
    page = render(replace(made, objectives=(replace(made.objectives[0], days=days),)), NOON)
    assert re.search(r'height="30" fill="var\(--bad\)"><title>2026-11-17: 50\.000\s%, missed; 60\smin down', page)
    assert 'height="18" fill="var(--good)"' in page
    assert "met on 17 of 18 days" in words_of(page)


def test_an_old_standing_is_shown_as_the_last_known_and_never_as_now(made: Standing) -> None:
    page = words_of(render(made, NOON + OLD_MS + 1))
    assert "State is not known" in page
    assert "No measurement since 18 Nov, 12:00:00" in page
    assert "Last known: what is measured is as promised" in page
    assert "met now" not in page


def test_it_needs_no_script_and_loads_nothing(made: Standing) -> None:
    page = render(made, NOON)
    assert not re.search(r"<(script|link|img|iframe)|url\(|@import|https?://", page)


def test_it_renews_itself_for_who_asked_for_it_and_for_nobody_else(web: Web) -> None:
    client = web.server.test_client()
    assert 'http-equiv="refresh"' not in client.get("/status").text
    assert 'href="?renew=1"' in client.get("/status").text
    renewing = client.get("/status?renew=1").text
    assert '<meta http-equiv="refresh" content="60">' in renewing
    assert "Stop that" in renewing


def test_it_can_be_shown_before_anything_was_measured() -> None:
    assert "Nothing has been measured yet." in render(None, NOON)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """A web process whose broker and database do not exist."""
    settings = Settings(
        redis_url="redis://127.0.0.1:1", database_url="postgresql://nobody@127.0.0.1:1/none", data=tmp_path
    )
    made = create_app(settings)
    yield made
    made.stop()


def test_it_answers_with_broker_database_and_worker_down(web: Web, made: Standing, tmp_path: Path) -> None:
    answer = web.server.test_client().get("/status")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "Nothing has been measured yet." in answer.text

    database = Database(f"sqlite:///{tmp_path / 'other.db'}")
    migrate(database)
    StandingRegister(database).write(made)
    assert web.reader is not None
    known = web.reader.known
    known._register = StandingRegister(database)  # it answered once
    known.look()
    database.close()
    known._register = StandingRegister(Database("postgresql://nobody@127.0.0.1:1/none"))
    known.look()
    answer = web.server.test_client().get("/status")
    assert answer.status_code == 200
    assert "Last known: what is measured is as promised" in words_of(answer.text)
