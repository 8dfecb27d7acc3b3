"""Incidents over HTTP: what charts mark, also while the database is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from app.annotations import Annotations
from app.doors import Doors
from app.incident_marks import READ_EVERY_MS, SHOWN_MS, IncidentMarks
from app.settings import Settings
from services.alerts.finding import Finding
from services.alerts.register import Register
from services.database import Database, DatabaseDown
from services.declare import Declarations


@dataclass(slots=True)
class Asked:
    """The route over a register, on a clock that the test moves."""

    register: Register
    annotations: Annotations
    now: int = field(default_factory=lambda: int(time.time() * 1_000))

    def fire(self, key: str, **more: Any) -> int:
        usual = {"topic": key, "severity": "major", "stage": "worker", "text": key, "since": self.now - 1_000}
        number = self.register.fire(Finding(key, **{**usual, **more}), self.now, "test")
        assert number is not None
        return number


@pytest.fixture
def asked(database: Database) -> Asked:
    return Asked(Register(database), Annotations(database, Declarations({}, {}), None, lambda: 0))


def ask(asked: Asked, register: Any = None) -> Callable[[], dict[str, Any]]:
    server = Flask("test")
    IncidentMarks(register or asked.register, asked.annotations, Doors(Settings()), lambda: asked.now).register(server)
    client = server.test_client()
    return lambda: client.get("/api/incidents").get_json()


def test_an_incident_that_goes_on_lasts_until_now_and_one_that_is_over_until_its_end(asked: Asked) -> None:
    asked.fire("backlog:flights")
    asked.fire("burn", channel="host.now", topic="objective:x")
    asked.register.clear(asked.register.open_alerts()[0], asked.now + 500)
    asked.now += 2_000
    answer = ask(asked)()
    assert [(one["feed"], one["until"] - asked.now, one["over"]) for one in answer["incidents"]] == [
        ("flights", -1_500, True), ("host", 0, False),
    ]  # fmt: skip


def test_incidents_of_the_last_day_are_told_and_older_ones_are_not(asked: Asked) -> None:
    number = asked.fire("old")
    asked.register.clear(asked.register.open_alerts()[0], asked.now)
    asked.register.resolve(number, asked.now, "ada")
    get = ask(asked)
    asked.now += SHOWN_MS - 1
    assert len(get()["incidents"]) == 1
    asked.now += READ_EVERY_MS
    assert get()["incidents"] == []


def test_while_the_database_is_away_what_was_known_is_told(asked: Asked) -> None:
    class Sometimes:
        away = False

        def incidents(self, since: int) -> Any:
            if self.away:
                raise DatabaseDown("database: away")
            return asked.register.incidents(since)

    asked.fire("broker:down", topic="broker")
    register = Sometimes()
    get = ask(asked, register)
    assert len(get()["incidents"]) == 1
    register.away = True
    asked.now += READ_EVERY_MS
    assert [one["until"] for one in get()["incidents"]] == [asked.now]


def test_who_may_not_see_a_channel_is_not_told_of_its_incidents(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.fire("one", channel="flights.board", topic="a")
    asked.fire("all", topic="b")
    monkeypatch.setattr("app.incident_marks.can", lambda principal, action, channel: channel != "flights.board")
    assert [one["text"] for one in ask(asked)()["incidents"]] == ["all"]
    monkeypatch.setattr(Doors, "principal", lambda self: None)
    assert ask(asked)()["error"] == "not_signed_in"


def test_a_chart_that_looks_back_further_is_told_of_older_ones_and_the_database_is_asked_now_and_then(
    asked: Asked,
) -> None:
    class Counting:
        reads = 0

        def incidents(self, since: int, until: int | None = None) -> Any:
            self.reads += 1
            return asked.register.incidents(since, until)

    begun = asked.now
    number = asked.fire("old")
    asked.register.clear(asked.register.open_alerts()[0], asked.now)
    asked.register.resolve(number, asked.now, "ada")
    asked.now += 7 * SHOWN_MS
    register, server = Counting(), Flask("test")
    IncidentMarks(register, asked.annotations, Doors(Settings()), lambda: asked.now).register(  # type: ignore[arg-type]
        server
    )
    client = server.test_client()
    for _ in range(5):
        found = client.get(f"/api/incidents?since={begun - 5_000}").get_json()["incidents"]
        assert [one["id"] for one in found] == [number]
    assert register.reads == 1
    for later in range(40):
        client.get(f"/api/incidents?since={begun + 1 + later}")
    asked.now += READ_EVERY_MS
    assert client.get(f"/api/incidents?since={begun - 5_000}").get_json()["incidents"] == found
    assert register.reads == 42
