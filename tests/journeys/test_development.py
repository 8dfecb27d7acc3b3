"""A team writes: what it saves is on the page by itself, and what it does wrong is said there and in the terminal."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.running import Running, headwater, running
from tests.journeys.browser import Viewer
from tests.waiting import wait_until


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A team's folder of two feeds, each with its page, as the scaffolds write them."""
    folder = tmp_path / "weather"
    folder.mkdir()
    for command in (["feed", "prices"], ["page", "prices"], ["feed", "stocks"], ["page", "stocks"]):
        assert headwater("new", *command, cwd=folder, HEADWATER_PROJECT=".").returncode == 0
    return folder


@pytest.fixture
def up(team: Path, tmp_path: Path) -> Iterator[Running]:
    with running("up", tmp_path, cwd=team, HEADWATER_PROJECT=".") as started:
        started.wait_until_ready()
        wait_until(lambda: "is live at" in started.output, what="the supervisor's word")
        yield started


def _post(up: Running, feed: str, value: float) -> None:
    headers = {"Authorization": f"Bearer {(up.data / 'ingest.key').read_text().strip()}",
               "Content-Type": "application/json"}
    body = json.dumps({"item": "apples", "value": value}).encode()
    assert up.get(f"/api/ingest/{feed}", headers, body)[0] == 202


def test_what_is_saved_is_seen_and_what_is_wrong_is_said_while_every_other_page_lives(
    team: Path, up: Running, viewer: Viewer
) -> None:
    page = team / "pages" / "prices.py"
    right = page.read_text()
    viewer.open(f"{up.url}/prices")
    _post(up, "prices", 1.5)
    wait_until(lambda: viewer.tile("Mean value") == "1.5", what="the value that was posted")

    page.write_text(right.replace('"Prices", "/prices",', '"Courses", "/prices",'))
    wait_until(lambda: viewer.text("h1") == "Courses", what="the page as it was saved")
    wait_until(lambda: viewer.tile("Mean value") == "1.5", what="its value")

    page.write_text(right.replace("Prices.value", "Prices.valeu"))
    wait_until(lambda: "did you mean value?" in viewer.text(".fault"), what="the fault on the page")
    assert "pages/prices.py:" in viewer.text(".faults")
    wait_until(lambda: f"headwater: {page}:" in up.output, what="the fault in the terminal")
    viewer.open(f"{up.url}/stocks")
    _post(up, "stocks", 7.0)
    wait_until(lambda: viewer.tile("Mean value") == "7.0", what="another page's value")
    assert "pages/prices.py:" in viewer.text(".faults")

    page.write_text(right)
    wait_until(lambda: viewer.text(".faults") == "", what="the notice gone")

    feed = team / "feeds" / "prices.py"
    text = feed.read_text()
    feed.write_text(text.replace("Number()", "Number("))
    wait_until(lambda: "feeds/prices.py:" in viewer.text(".faults"), what="the feed's fault on another page")
    _post(up, "stocks", 9.0)
    wait_until(lambda: viewer.tile("Mean value") == "8.0", what="another feed's value")
    feed.write_text(text)
    wait_until(lambda: viewer.text(".faults") == "", what="the notice gone")
    viewer.open(f"{up.url}/prices")
    wait_until(lambda: viewer.tile("Mean value") == "1.5", what="the value that was there before")
    viewer.leave()
    assert up.stop(signal.SIGINT) == 0


def test_where_it_is_no_development_a_wrong_file_refuses_the_start(team: Path) -> None:
    (team / "pages" / "prices.py").write_text("from headwater import pgae\n")
    said = headwater("web", cwd=team, HEADWATER_PROJECT=".", REDIS_URL="redis://127.0.0.1:1")
    assert said.returncode == 1
    assert said.stderr.splitlines()[-1].startswith(f"headwater: {team / 'pages' / 'prices.py'}:1: pages.prices: ")
