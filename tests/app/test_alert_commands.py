"""Commands of alerts and incidents: what an operator types, and what stands in the record afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from services.alerts.finding import Finding
from services.alerts.message import Message
from services.alerts.outbox import Outbox
from services.alerts.register import Register
from services.database import Database, migrate
from tests.app.running import ROOT, headwater

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return lambda *words: headwater(*words, HEADWATER_DATA=str(tmp_path))


@pytest.fixture
def incident(tmp_path: Path) -> int:
    """An incident of the demo whose alert fires."""
    database = Database(f"sqlite:///{tmp_path / 'headwater.db'}")
    migrate(database)
    now = int(time.time() * 1_000)
    found = Finding("lane:flights.0", "worker", "critical", "worker", "lane flights.0 has no worker", now - 60_000)
    number = Register(database).fire(found, now, "test")
    assert number is not None
    database.close()
    return number


def test_what_fires_is_listed_acknowledged_and_shown_with_what_support_owes(run: Run, incident: int) -> None:
    listed = run("alerts", "list").stdout
    assert "lane flights.0 has no worker" in listed
    assert "lane:flights.0  since" in listed
    assert run("alerts", "ack", str(incident), "--by", "ada").stdout == f"incident {incident}: acknowledged by ada\n"
    shown = run("incidents", "show", str(incident)).stdout
    assert "acknowledged by ada" in shown
    assert "response: done" in shown
    assert "of 60 min of support time, in time" in shown
    again = run("alerts", "ack", str(incident), "--by", "bob")
    assert (again.returncode, again.stderr) == (1, f"headwater: incident {incident}: ada acknowledged it already\n")


def test_an_incident_that_still_fires_cannot_be_closed_and_the_command_says_why(run: Run, incident: int) -> None:
    refused = run("alerts", "resolve", str(incident), "--by", "ada")
    assert refused.returncode == 1
    assert "lane:flights.0 still fires; mend it, or silence it" in refused.stderr


def test_a_topic_is_silenced_for_a_while_and_told_again(run: Run) -> None:
    said = run("alerts", "silence", "objective:*", "--minutes", "30", "--reason", "we deploy", "--by", "ada").stdout
    assert said.startswith("silence 1: nothing of objective:* is told until")
    assert "we deploy" in run("alerts", "list").stdout
    assert run("alerts", "unsilence", "1").returncode == 0
    assert run("alerts", "list").stdout == ""


def test_a_person_records_what_no_rule_saw_from_begin_to_end(run: Run) -> None:
    opened = run("incidents", "open", "wrong airport names for all viewers", "--severity", "minor", "--by", "ada")
    assert opened.stdout == "incident 1: opened by ada\n"
    for words in (
        ("incidents", "note", "1", "a table was stale", "--by", "bob"),
        ("incidents", "assign", "1", "client", "--by", "bob"),
        ("incidents", "mitigate", "1", "--by", "bob"),
        ("alerts", "resolve", "1", "--by", "bob", "--reason", "reloaded"),
    ):
        assert run(*words).returncode == 0, words
    shown = run("incidents", "show", "1").stdout
    for said in ("resolved", "client", "note by bob: a table was stale", "resolved by bob: reloaded"):
        assert said in shown
    late = run("incidents", "open", "x", "--severity", "minor", "--by", "ada", "--since", "2999-01-01T00:00")
    assert (late.returncode, "still to come" in late.stderr) == (2, True)


def test_the_sinks_are_tested_and_what_became_of_it_is_recorded(run: Run) -> None:
    tested = run("alerts", "test")
    assert tested.returncode == 0, tested.stderr
    assert tested.stdout.splitlines()[-1] == "ok    log: the test message was taken"
    assert "log  delivered" in run("alerts", "deliveries").stdout
    strange = run("alerts", "test", "pager")
    assert (strange.returncode, strange.stderr) == (2, "headwater: no sink pager; contract.toml declares log\n")


def test_proactive_monitoring_fails_the_check_until_a_test_reached_a_sink(tmp_path: Path) -> None:
    proactive = (ROOT / "contract.toml").read_text().replace('monitoring = "reactive"', 'monitoring = "proactive"')
    contract = tmp_path / "contract.toml"
    contract.write_text(f'{proactive}\n[[sink]]\nname = "chat"\nkind = "webhook"\nurl_env = "CHAT_URL"\n')
    database = Database(f"sqlite:///{tmp_path / 'headwater.db'}")
    migrate(database)

    def check() -> CompletedProcess[str]:
        return headwater("contract", "check", str(contract), HEADWATER_DATA=str(tmp_path), CHAT_URL="http://example.com")

    before = check()
    assert before.returncode == 1
    assert "proactive, but no test ever reached a sink (chat); run headwater alerts test" in before.stdout
    Outbox(database).record(Message("[test]", ()), "chat", int(time.time() * 1_000))
    database.close()
    after = check()
    assert after.returncode == 0, after.stdout
