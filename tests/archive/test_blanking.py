"""Blanking: when their days are over, personal fields leave the archive, and the rest of each row stays."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from sqlalchemy import select, update

from services.archive.archiver import Archiver
from services.archive.keeping import DAY_MS, LOOK_EVERY_MS, Keeper
from services.database import Database
from services.database.tables import archive_deltas, archive_events, archive_hours, archive_keyframes, archive_lanes
from services.declare import Lane
from tests import visits
from tests.system import System

LANE = Lane("members", 0)


@pytest.fixture
def archived(broker_url: str, each_database: Database) -> Any:
    """Two days of members, each with a name and an age, archived as they came."""
    system = System(broker_url, visits)
    system.drain()
    archiver = Archiver(
        system.broker, each_database, system.declarations, system.telemetry, worker="w", clock=system.clock
    )
    for day in range(3):
        member = {"number": "7", "name": f"name-{day}", "age": 40 + day, "created_at": system.now_ms, "id": f"m{day}"}
        system.post([member], "members")
        system.drain()
        archiver.drain()
        system.now_ms += DAY_MS
    with each_database.writing() as connection:  # the stream's ids are of the broker's clock, which no test moves
        table = archive_events.c
        connection.execute(update(archive_events).values(entry_at=table.created_at))
        connection.execute(update(archive_lanes).values(entry_at=system.now_ms))
    system.now_ms -= DAY_MS // 2
    yield system
    system.close()


def texts(database: Database, table: Any, column: str) -> list[Any]:
    with database.reading() as connection:
        return [orjson.loads(text) for text in connection.execute(select(table.c[column])).scalars()]


def test_personal_fields_are_blanked_after_their_days_and_the_rest_stays(
    archived: System, each_database: Database
) -> None:
    keeper = Keeper(each_database, archived.declarations, archived.clock)
    for _ in range(2):
        while keeper.step([LANE]):
            pass
        archived.now_ms += LOOK_EVERY_MS + 1
    events = sorted(texts(each_database, archive_events, "body"), key=lambda event: event["id"])
    assert [(event["name"], event["age"], event["number"]) for event in events] == [
        (None, None, "7"), (None, None, "7"), ("name-2", 42, "7"),
    ]  # fmt: skip
    rows = [data["set"]["7"] for data in texts(each_database, archive_deltas, "data") if "set" in data]
    assert sorted(str(row["name"]) for row in rows) == ["None", "None", "name-2"]
    assert {row["number"] for row in rows} == {"7"}
    points = [data["points"] for data in texts(each_database, archive_deltas, "data") if "points" in data]
    assert sorted(map(len, points)) == [0, 0, 1]
    whole = str(texts(each_database, archive_keyframes, "data"))
    assert "name-0" not in whole
    with each_database.reading() as connection:
        hours = connection.execute(select(archive_hours.c.field).distinct()).scalars().all()
    assert "age" not in hours or len(hours) == 1
