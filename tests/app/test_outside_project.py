"""A team's own folder: it holds the team's files only, and is written, checked, run and typed from where it lies."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.child import OURSELVES
from app.cli import main
from tests.app.running import ROOT, environment, headwater, running
from tests.waiting import wait_until

OWN_SOURCE = '''"""Stations: what the team's own package of services reads."""

from headwater import Feed, Freshness, Latest, Number, Text

from ..services.readings import Readings


class Stations(
    Feed, name="stations", key="station", source=Readings(),
    freshness=Freshness(expected_every_s=1, late_after_s=5, stale_after_s=30),
):
    """One reading of one station."""

    station = Text()
    degrees = Number(unit="°C", decimals=1)


class Warmest(Latest, feed=Stations):
    """The newest reading of each station."""
'''
READINGS = '''"""Readings: a source of the team's own, in a package that is called like one of Headwater's."""

from headwater import Source


class Readings(Source):
    title = "thermometers"

    def run(self, intake) -> None:
        while not intake.wait(0.2):
            intake.accept([{"station": "roof", "degrees": 21.5}])
'''


WRONG_TEST = '''"""A page is asked for what it does not show."""

from headwater import Rehearsal


def test_prices_are_on_the_page_of_stations(headwater: Rehearsal) -> None:
    assert headwater.page("/stations").rows("prices.newest") == {}
'''


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A team's repository: what `headwater new` wrote, a `services` package of its own, assets; nothing of ours."""
    folder = tmp_path_factory.mktemp("team") / "weather"
    folder.mkdir()
    for command in (["feed", "prices"], ["page", "prices"]):
        made = headwater("new", *command, cwd=folder, HEADWATER_PROJECT=".")
        assert made.returncode == 0, made.stderr
    (folder / "services").mkdir()
    (folder / "services" / "__init__.py").write_text("")
    (folder / "services" / "readings.py").write_text(READINGS)
    (folder / "feeds" / "stations.py").write_text(OWN_SOURCE)
    chapter = (ROOT / "docs" / "extending.md").read_text().partition("## A test of your own")[2].partition("\n## ")[0]
    (example,) = re.findall(r"```python\n(.*?)```", chapter, re.DOTALL)
    (folder / "tests").mkdir()
    (folder / "tests" / "__init__.py").touch()
    (folder / "tests" / "test_prices.py").write_text(example)
    (folder / "assets").mkdir()
    (folder / "assets" / "team.css").write_text(".page { --team: 1; }\n")
    assert headwater("new", "page", "stations", cwd=folder, HEADWATER_PROJECT=".").returncode == 0
    return folder


def test_it_is_checked_from_its_own_folder_without_starting_anything(team: Path, tmp_path: Path) -> None:
    said = headwater("check", cwd=team, HEADWATER_PROJECT=".", HEADWATER_DATA=str(tmp_path))
    assert said.returncode == 0, said.stdout + said.stderr
    assert "ok    declarations: 3 feeds" in said.stdout


def test_it_runs_from_its_own_folder_takes_an_event_by_curl_and_gives_it_back_as_a_frame(
    team: Path, tmp_path: Path
) -> None:
    given = {"HEADWATER_PROJECT": ".", "HEADWATER_DATA": str(tmp_path / "data")}
    with running("up", tmp_path, cwd=team, **given) as up:
        up.wait_until_ready()
        wait_until(lambda: "Post an event" in up.output, what="the command that posts a first event")
        (curl,) = re.findall(r"curl .*/api/ingest/prices .*", up.output)
        subprocess.run(["sh", "-c", curl], check=True, capture_output=True, cwd=team, timeout=30)  # as a person does

        def rows(channel: str) -> dict[str, dict[str, object]]:
            found: dict[str, dict[str, object]] = up.get(f"/api/channels/{channel}/snapshot")[1]["data"]["rows"]
            return found

        assert wait_until(lambda: rows("prices.newest"), what="the event")["hello"]["value"] == 1.5
        assert wait_until(lambda: rows("stations.warmest"), what="the own source")["roof"]["degrees"] == 21.5
        page = subprocess.run(["curl", "-s", f"{up.url}/prices"], check=True, capture_output=True, text=True).stdout
        assert "Mean value" in page
        (style,) = re.findall(r'href="(/live/modules/\w+/assets/team\.css)"', page)
        served = subprocess.run(["curl", "-s", f"{up.url}{style}"], check=True, capture_output=True, text=True)
        assert "--team" in served.stdout

        def taken() -> list[dict[str, str]]:
            made = headwater("frame", "prices.newest", "--since", "1h", cwd=team, **given)
            assert made.returncode == 0, made.stderr
            return list(csv.DictReader(io.StringIO(made.stdout)))

        assert [one["value"] for one in wait_until(taken, what="the archive")] == ["1.5"]
        file = tmp_path / "prices.parquet"
        made = headwater("frame", "prices", "--since", "1h", "--out", str(file), cwd=team, **given)
        assert (made.returncode, made.stdout) == (0, f"written: {file}, 1 rows\n")
        from arro3.io import read_parquet

        table = read_parquet(str(file)).read_all()
        assert (table.column("item").to_pylist(), table.column("value").to_pylist()) == (["hello"], [1.5])


def test_the_tests_that_the_document_shows_pass_in_a_pytest_of_the_teams_own(team: Path) -> None:
    (team / "tests" / "test_wrong.py").write_text(WRONG_TEST)
    ran = subprocess.run(
        [Path(sys.executable).parent / "pytest", "-q", "-p", "no:cacheprovider"], cwd=team, env=environment(),
        capture_output=True, text=True, check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "1 failed, 3 passed" in ran.stdout, ran.stdout
    assert "page '/stations' does not show 'prices.newest'; it shows stations.warmest" in ran.stdout


def test_a_misspelt_field_of_a_channel_is_an_error_of_types_before_anything_runs(team: Path) -> None:
    wrong = team / "pages" / "wrong.py"
    right = (team / "pages" / "prices.py").read_text()
    wrong.write_text(right.replace("Prices.value", "Prices.valeu").replace("Lately.mean_value", "Lately.mean_valeu"))
    try:
        found = subprocess.run(
            [Path(sys.executable).parent / "mypy", "--follow-imports", "silent", "--cache-dir", ROOT / ".mypy_cache",
             "-m", "weather.pages.wrong", "-m", "weather.pages.prices", "-m", "weather.tests.test_prices"],
            cwd=team.parent, env={**os.environ, "MYPYPATH": ""}, capture_output=True, text=True, check=False,
        )
    finally:
        wrong.unlink()
    told = [line for line in found.stdout.splitlines() if ": error:" in line]
    assert [line.split(":")[0] for line in told] == ["weather/pages/wrong.py"] * 3, found.stdout + found.stderr
    assert all("valeu" in line for line in told)


def test_the_readmes_way_to_a_page_of_ones_own_is_walked_as_it_stands_there(tmp_path: Path) -> None:
    chapter = (ROOT / "README.md").read_text().partition("## A page of your own")[2].partition("\n## ")[0]
    first, second = re.findall(r"```sh\n(.*?)```", chapter, re.DOTALL)
    before, up_line = first.strip().rsplit("\n", 1)
    assert up_line == "headwater up"
    home, folder = environment(HOME=str(tmp_path)), tmp_path / "weather"
    subprocess.run(["sh", "-ec", before], check=True, capture_output=True, cwd=ROOT, env=home, timeout=60)
    with running("up", tmp_path, cwd=folder, HEADWATER_PROJECT=str(folder), HEADWATER_DATA=".headwater") as up:
        up.wait_until_ready()
        posted = second.replace(":8050/", f":{up.port}/")
        said = subprocess.run(["sh", "-ec", posted], check=True, capture_output=True, text=True, env=home, timeout=30)
        assert '"accepted":1' in said.stdout

        def rows() -> dict[str, dict[str, object]]:
            found: dict[str, dict[str, object]] = up.get("/api/channels/prices.newest/snapshot")[1]["data"]["rows"]
            return found

        assert wait_until(rows, what="the event")["apples"]["value"] == 1.5


def test_what_is_written_is_never_written_over_and_what_is_missing_is_said(team: Path) -> None:
    def said(*arguments: str) -> tuple[int, str]:
        ended = CliRunner().invoke(main, ["new", *arguments], env={"HEADWATER_PROJECT": str(team)})
        return ended.exit_code, ended.stderr

    assert said("feed", "prices") == (1, "headwater: feed 'prices': there is one of this name already; give another\n")
    assert said("page", "prices")[1].endswith("is there already; remove it, or give another name\n")
    assert said("page", "sales")[1].startswith("headwater: page 'sales': feed 'sales' is not declared; run `headwater ")
    assert said("feed", "Prices!")[0] == 2


def test_a_folder_that_is_not_there_is_a_bad_setting() -> None:
    ended = subprocess.run(
        [*OURSELVES, "check"], env=environment(HEADWATER_PROJECT="/nowhere"), capture_output=True, text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("headwater: HEADWATER_PROJECT: '/nowhere': give a folder that is there")
