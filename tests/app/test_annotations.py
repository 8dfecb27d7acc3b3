"""Annotations over HTTP and by command: declared maintenance and notes, as charts mark them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

import tests.feeds
from app.annotations import KEPT_MAX, READ_EVERY_MS, Annotations
from app.cli import main
from app.doors import Doors
from app.incident_marks import IncidentMarks
from app.settings import Settings
from services.contract.register import NoticeRegister
from services.database import Database, DatabaseDown
from services.declare import Declarations
from services.notes import NoteRefused, Notes
from tests.contract.written import shop

HOUR_MS = 3_600_000
NOON = 1_780_000_000_000


@dataclass(slots=True)
class Desk:
    """What charts are told, on a clock that the test moves."""

    database: Database
    now: int = NOON

    def clock(self) -> int:
        return self.now

    @property
    def notes(self) -> Notes:
        return Notes(self.database, self.clock)

    def asking(self, database: Any = None) -> Callable[..., dict[str, Any]]:
        declared = Declarations.read([tests.feeds])
        server = Flask("test")
        annotations = Annotations(database or self.database, declared, shop(), self.clock)
        IncidentMarks(None, annotations, Doors(Settings()), self.clock).register(server)
        client = server.test_client()
        return lambda **asked: client.get("/api/incidents", query_string=asked).get_json()


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_note_is_told_from_its_time_on_with_the_feed_that_it_is_about(desk: Desk) -> None:
    desk.notes.add("Release 4.2", person="Ada", at=NOON - HOUR_MS)
    desk.notes.add("Strike", person="Ada", at=NOON - HOUR_MS, until=NOON + HOUR_MS, feed="orders")
    desk.notes.add("Tomorrow", person="Ada", at=NOON + 24 * HOUR_MS)
    told = desk.asking()()
    assert [(one["text"], one["feed"], one["began_at"] - NOON, one["until"] - NOON) for one in told["notes"]] == [
        ("Release 4.2", None, -HOUR_MS, -HOUR_MS), ("Strike", "orders", -HOUR_MS, HOUR_MS),
    ]  # fmt: skip
    assert "Ada" not in str(told), "who wrote it is for the list alone"
    assert desk.asking()(since=NOON - 3 * HOUR_MS, until=NOON - 2 * HOUR_MS)["notes"] == []


def test_declared_maintenance_is_told_with_its_standing_and_an_announced_one_once_it_begins(desk: Desk) -> None:
    register = NoticeRegister(desk.database, shop(), desk.clock)
    day = 24 * HOUR_MS
    register.record("maintenance", since=NOON + 10 * day, until=NOON + 10 * day + HOUR_MS, reason="new disks",
                    person="Ada", party="provider", name="disks")
    get = desk.asking()
    assert get()["maintenance"] == []
    desk.now = NOON + 10 * day + HOUR_MS // 2
    (mark,) = get()["maintenance"]
    assert (mark["kind"], mark["name"], mark["feed"]) == ("maintenance", "disks", None)
    assert mark["text"] == "new disks; counts"
    assert mark["until"] - mark["began_at"] == HOUR_MS


def test_who_sees_nothing_of_a_feed_is_not_told_of_its_notes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.notes.add("Strike", person="Ada", feed="orders")
    desk.notes.add("Release", person="Ada")
    monkeypatch.setattr("app.annotations.can", lambda principal, action, channel: not channel.startswith("orders."))
    desk.now += 1
    assert [one["text"] for one in desk.asking()()["notes"]] == ["Release"]


def test_while_the_database_is_away_what_was_known_is_told_and_it_is_asked_now_and_then(desk: Desk) -> None:
    class Sometimes:
        away, reads = False, 0

        def reading(self) -> Any:
            self.reads += 1
            if self.away:
                raise DatabaseDown("database: away")
            return desk.database.reading()

    desk.notes.add("Release", person="Ada", at=NOON - 1_000)
    sometimes = Sometimes()
    get = desk.asking(sometimes)
    for _ in range(5):
        assert len(get(since=NOON - HOUR_MS)["notes"]) == 1
    reads = sometimes.reads
    assert reads <= 3, "notices, windows and notes, once"
    sometimes.away = True
    desk.now += READ_EVERY_MS
    assert len(get(since=NOON - HOUR_MS)["notes"]) == 1
    assert get(since=NOON - 9 * HOUR_MS)["notes"] == [], "nothing is known of that time"
    sometimes.away = False
    for later in range(2 * KEPT_MAX):
        get(since=NOON - 9 * HOUR_MS + later * 60_000)
    assert len(get(since=NOON - HOUR_MS)["notes"]) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"text": " "}, "text: ' ': give 1 to 200 letters in one line"), ({"text": "a\nb"}, "in one line"),
     ({"person": ""}, "person: ''"), ({"until": NOON - 1}, "give a later until")],
)
def test_a_wrong_note_is_refused_with_the_remedy(desk: Desk, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(NoteRefused, match=said):
        desk.notes.add(**{"text": "Release", "person": "Ada", **wrong})
    assert desk.notes.between(0, NOON * 2) == []


def test_notes_are_written_listed_and_removed_by_command(tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(main, ["notes", *arguments], env={"HEADWATER_DATA": str(tmp_path)})

    added = run("add", "Release 4.2", "--by", "ada", "--feed", "flights")
    assert added.exit_code == 0, added.output
    at = run("add", "Strike", "--at", "2026-01-31T12:00Z", "--until", "2026-01-31T13:00Z", "--by", "ada")
    assert "2026-01-31 12:00:00Z – 2026-01-31 13:00:00Z  all feeds  Strike  (ada)" in at.output
    assert "Release 4.2" in run("list").output
    assert run("remove", "1").exit_code == 0
    assert "Release 4.2" not in run("list").output
    gone = run("remove", "1")
    assert (gone.exit_code, gone.stderr.strip()) == (1, "headwater: note 1: there is none; see headwater notes list")
    wrong = run("add", "x", "--at", "noon")
    assert wrong.exit_code == 2
    assert "--at: 'noon': give milliseconds" in wrong.stderr
    assert "no such feed; name one of" in run("add", "x", "--feed", "nowhere").stderr
