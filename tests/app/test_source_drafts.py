"""Source drafts: what `headwater new feed --source` writes is declared as it is, and runs with real processes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.drafts.sources import KINDS
from app.loading import Project, load_declarations
from tests.app.running import running
from tests.sources.scripted_http import ScriptedHttp
from tests.waiting import wait_until

WITHIN_S = 30


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_source_is_drafted_declared_and_says_what_it_needs(kind: str, tmp_path: Path) -> None:
    team = tmp_path / "team"
    team.mkdir()
    name = f"of_{kind}"
    given = {"HEADWATER_PROJECT": str(team), "HEADWATER_DATA": str(tmp_path / "data")}
    made = CliRunner().invoke(main, ["new", "feed", name, "--source", kind], env=given)
    assert made.exit_code == 0, made.output
    text = (team / "feeds" / f"{name}.py").read_text()
    found = load_declarations(Project.at(team))
    source = found.feeds[name].source
    assert {f"{name}.newest", f"{name}.entries"} <= set(found.channels)
    assert source.pulled is (kind not in ("posted", "github", "stripe"))
    assert set(re.findall(r"env:(\w+)", text)) == set(re.findall(r"Set (\w+) in", made.output))
    assert max(map(len, text.splitlines())) <= 120
    assert re.findall(r"^(?:from|import) (\S+)", text, re.MULTILINE) in (["headwater"], ["pathlib", "headwater"])
    checked = CliRunner().invoke(main, ["check"], env=given)
    assert checked.exit_code == 0, checked.output
    page = CliRunner().invoke(main, ["new", "page", name], env=given)
    assert page.exit_code == 0, page.output


def test_a_kind_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    given = {"HEADWATER_PROJECT": str(tmp_path)}
    refused = CliRunner().invoke(main, ["new", "feed", "a", "--source", "ftp"], env=given)
    assert refused.exit_code == 2
    assert "'http'" in refused.output


def test_a_drafted_poll_is_shown_and_its_trouble_is_told_as_the_server_says_it(tmp_path: Path) -> None:
    team = tmp_path / "team"
    team.mkdir()
    made = CliRunner().invoke(main, ["new", "feed", "rates", "--source", "http"], env={"HEADWATER_PROJECT": str(team)})
    assert made.exit_code == 0, made.output
    file = team / "feeds/rates.py"
    quick = re.sub(r"expected_every_s=\S+ late_after_s=\S+ stale_after_s=\S+ ",
                   "expected_every_s=1, late_after_s=1, stale_after_s=2, ", file.read_text())  # fmt: skip
    file.write_text(quick.replace("every_s=60)", "every_s=0.5)"))
    with ScriptedHttp() as server:
        server.script({"body": [{"item": "EUR", "value": 1.5}]})
        given = {"HEADWATER_PROJECT": str(team), "RATES_URL": f"{server.origin}/rates?key=s3cret-of-rates"}
        with running("up", tmp_path, **given) as up:
            up.wait_until_ready()

            def rows() -> dict[str, dict[str, object]]:
                found: dict[str, dict[str, object]] = up.get("/api/channels/rates.newest/snapshot")[1]["data"]["rows"]
                return found

            assert wait_until(rows, WITHIN_S, "the first answer")["EUR"]["value"] == 1.5
            server.script({"status": 401})

            def standing() -> tuple[str, str]:
                channels = up.get("/api/channels")[1]["channels"]
                one = next(each for each in channels if each["name"] == "rates.newest")
                return one["state"], one["cause"]

            wait_until(lambda: standing() == ("stale", "source_error"), WITHIN_S, "the trouble")
            server.script({"body": [{"item": "EUR", "value": 2.5}]})
            wait_until(lambda: rows()["EUR"]["value"] == 2.5, WITHIN_S + 30, "the next answer, after its backoff")
            assert "401 Unauthorized; last answer " in up.output
            assert "s3cret" not in up.output
