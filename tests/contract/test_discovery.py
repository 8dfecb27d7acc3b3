"""From questions to a project: every answer decides something, and what is written passes its own check."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.drafts.project import project_files
from services.contract.proposals import PROFILE_NAMES, fitting, propose, value_of
from services.contract.questions import QUESTIONS, AnswerRefused, Answers, read_answers

USUAL = {one.name: one.default for one in QUESTIONS}
TWO_SOURCES = "sources=orders=push@1, stock=poll@5"
DAY = date(2026, 11, 29)


def answered(**changes: str) -> Answers:
    return read_answers({**USUAL, **changes})


def _new(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["contract", "new", *arguments])


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_what_is_written_passes_its_own_check(tmp_path: Path, profile: str) -> None:
    folder = tmp_path / "board"
    made = _new(str(folder), "--defaults", "--answer", TWO_SOURCES, "--profile", profile)
    assert made.exit_code == 0, made.output
    assert f"profile {profile}: " in made.stdout
    assert "    because " in made.stdout
    assert "    costs " in made.stdout
    assert "warn" not in made.stdout
    assert {str(one.relative_to(folder)) for one in folder.rglob("*.*")} == {
        "contract.toml", "roles.toml", "settings.env", "discovery.md", "feeds/orders.py", "feeds/stock.py",
        "pages/orders.py", "pages/stock.py",
    }  # fmt: skip


def test_a_profile_is_proposed_by_how_late_is_too_late() -> None:
    assert [fitting(answered(too_late_s=late)) for late in ("10", "300", "301")] == list(PROFILE_NAMES)
    by_profile = [propose(answered(sources="a=push@1, b=poll@120"), name) for name in PROFILE_NAMES]
    assert [value_of(one, "cadence") for one in by_profile] == [1, 5, 60]
    slow = [propose(answered(sources="a=poll@120"), name) for name in PROFILE_NAMES]
    assert [value_of(one, "cadence") for one in slow] == [60, 60, 60]
    assert [value_of(one, "tick") for one in by_profile] == [16, 50, 250]
    assert [value_of(one, "retention") for one in by_profile] == [14, 30, 7]


CHANGES = {
    "name": "Night desk", "provider": "P", "client": "C", "decision": "whether a train waits", "too_late_s": "3",
    "lag_s": "0.5", "sources": "trains=poll@2", "peak_events_per_s": "5000", "viewers": "2000", "roles": "desk,wall",
    "record": "state", "replay": "no", "hosting": "one machine", "region": "Oregon", "zone": "UTC", "sign_in": "oidc",
    "between": "proxy", "websockets": "no", "compliance": "GDPR", "support": "always", "depends": "revenue",
    "day_rate": "1200",
}  # fmt: skip


@pytest.mark.parametrize("name", [one.name for one in QUESTIONS])
def test_every_answer_decides_something_of_the_project(name: str) -> None:
    before = answered(**({"replay": "no"} if name == "record" else {}))
    after = answered(**{name: CHANGES[name], **({"replay": "no"} if name == "record" else {})})
    files = [project_files(one, fitting(one), DAY) for one in (before, after)]
    assert files[0].pop("discovery.md") != files[1].pop("discovery.md")
    if name == "replay":  # with audit the events are there anyway: it decides what the archive is for
        assert propose(before, "incident") != propose(after, "incident")
    else:
        assert files[0] != files[1]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"too_late_s": "soon"}, "answer 'too_late_s': 'soon': give seconds above 0"),
        ({"sources": "orders"}, "give name=push@seconds or name=poll@seconds joined by commas"),
        ({"sources": "probe=push@1"}, "none of probe, contract, operations"),
        ({"viewers": "0"}, "answer 'viewers': '0': give a whole number of viewers from 1"),
        ({"zone": "Mars"}, "answer 'zone': 'Mars': give a time zone such as Europe/Berlin or UTC"),
        ({"record": "state"}, "a replay needs what was; answer record with audit, or replay with no"),
        ({"sign_in": "none"}, "roles cannot be told apart without"),
        ({"colour": "red"}, "answer 'colour': 'not asked': answer some of name, provider"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused_with_its_remedy(changes: dict[str, str], told: str) -> None:
    with pytest.raises(AnswerRefused) as refused:
        answered(**changes)
    assert told in str(refused.value)


def test_answers_of_a_file_give_way_to_flags_and_nobody_is_asked_where_nobody_is(tmp_path: Path) -> None:
    file = tmp_path / "answers.toml"
    file.write_text('decision = "whether to \\"call\\""\nviewers = 7\nreplay = true\nroles = ["desk", "wall"]\n')
    alone = _new(str(tmp_path / "a"), "--answers", str(file))
    assert alone.exit_code == 2
    assert "not answered: name, provider, client, too_late_s" in alone.stderr
    made = _new(str(tmp_path / "b"), "--answers", str(file), "--answer", "viewers=9", "--defaults")
    assert made.exit_code == 0, made.output
    contract = (tmp_path / "b" / "contract.toml").read_text()
    assert "viewers = 9" in contract
    assert '# The decision: whether to "call"' in contract
    again = _new(str(tmp_path / "b"), "--defaults")
    assert (again.exit_code, "not empty; give a new folder" in again.stderr) == (1, True)
    assert "decides" in _new("--questions").stdout


def test_a_source_that_is_slower_than_the_decision_is_said_with_the_figure(tmp_path: Path) -> None:
    made = _new(str(tmp_path / "a"), "--defaults", "--answer", TWO_SOURCES, "--answer", "too_late_s=5")
    assert "stock has something new every 5 s, so a value of it may be 10 s old" in made.stdout


def test_at_a_terminal_each_question_is_asked_and_said_what_it_decides(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "app.cli", "contract", "new", str(tmp_path / "board")]
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    os.write(ours, b"Night desk\n" + b"\n" * 3 + b"never\n" + b"\n" * 30)
    said, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, said
    assert "It decides the title of contract, report and annex." in said
    assert "answer 'too_late_s': 'never': give seconds above 0" in said
    assert 'name = "Night desk"' in (tmp_path / "board" / "contract.toml").read_text()
