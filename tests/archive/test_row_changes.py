"""Row changes: what one row was and when it changed, and nothing of the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import insert

from services.archive.row_changes import read_row_changes
from services.database import Database
from services.database.tables import archive_deltas
from services.declare import ChannelRef
from tests.archive.test_reading import HOUR, HOUR_MS, Rows, module, sale, sell
from tests.system import System

ALL = (HOUR - HOUR_MS, HOUR + HOUR_MS)


@pytest.fixture
def system(broker_url: str) -> Iterator[System]:
    made = System(broker_url, module())
    made.now_ms = HOUR
    made.drain()
    yield made
    made.close()


def changes(database: Database, key: str, since: int, until: int, **limits: int) -> Any:
    with database.reading() as connection:
        return read_row_changes(connection, ChannelRef(Rows), key, since, until, **limits)


def write(database: Database, *deltas: tuple[int, bool, Any]) -> None:
    """Deltas as they lie in the archive: (time, whether a snapshot, data)."""
    rows = [
        {"channel": Rows.name, "epoch": "e", "seq": seq, "whole": whole, "at": at, "data": orjson.dumps(data).decode()}
        for seq, (at, whole, data) in enumerate(deltas, 1)
    ]
    with database.writing() as connection:
        connection.execute(insert(archive_deltas), rows)


def test_the_changes_of_one_row_are_told_up_to_the_archives_position(system: System, each_database: Database) -> None:
    sell(system, each_database, sale(1, HOUR + 1_000), sale(2, HOUR + 2_000),
         sale(1, HOUR + 5_000, price=12.5) | {"id": "s1b"})  # fmt: skip
    found = changes(each_database, "o1", *ALL)
    assert [(row["at"], row["key"], row["price"]) for row in found.rows] == [
        (HOUR + 1_000, "o1", 10.0), (HOUR + 5_000, "o1", 12.5),
    ]  # fmt: skip
    head = system.broker.read_heads([ChannelRef(Rows)])[ChannelRef(Rows)].position
    assert (found.epoch, found.seq, found.since, found.gaps) == (head.epoch, head.seq, ALL[0], [])
    assert changes(each_database, "nothing", *ALL).rows == []


def test_a_key_is_taken_as_it_is_written(each_database: Database) -> None:
    for number, key in enumerate(['50%_"quoted"\\', "50x_", "zürich/ä", "\x00", "O1"]):
        write_at = HOUR + number
        with each_database.writing() as connection:
            connection.execute(archive_deltas.delete())
        write(
            each_database,
            (write_at, False, {"set": {key: {"n": number}, key.lower() + "!": {"n": -1}, "o1": {"n": -2}}}),
        )
        assert changes(each_database, key, *ALL).rows == [{"at": write_at, "key": key, "n": number}]


def test_a_row_that_went_and_one_that_was_replaced_are_told(each_database: Database) -> None:
    write(
        each_database,
        (HOUR, True, {"rows": {"a": {"n": 1, "note": "x"}}}),
        (HOUR + 1, False, {"set": {"a": {"n": 2}}, "del": ["a"]}),
        (HOUR + 2, False, {"set": {"b": {"note": "a"}}}),
        (HOUR + 3, False, {"del": ["a", "b"]}),
        (HOUR + 4, True, {"rows": {"b": {"n": 9}}}),
        (HOUR + 5, False, {"set": {"a": {"n": 3}}}),
        (HOUR + 6, True, {"rows": {}}),
    )
    assert changes(each_database, "a", *ALL).rows == [
        {"at": HOUR, "key": "a", "n": 1, "note": "x", "whole": True},
        {"at": HOUR + 1, "key": "a", "n": 2, "whole": True},
        {"at": HOUR + 3, "key": "a", "deleted": True},
        {"at": HOUR + 5, "key": "a", "n": 3},
        {"at": HOUR + 6, "key": "a", "deleted": True},
    ]


def test_the_newest_part_comes_first_and_the_rest_is_asked_for_from_there(each_database: Database) -> None:
    write(each_database, *((HOUR + n, False, {"set": {"a" if n % 2 else "b": {"n": n}}}) for n in range(40)))
    for limits in ({"deltas_max": 7}, {"changes_max": 3}):
        until, found, parts = HOUR + 40, [], 0
        while until > HOUR:
            part = changes(each_database, "a", HOUR, until, **limits)
            found, until, parts = [row["n"] for row in part.rows] + found, part.since, parts + 1
        assert found == list(range(1, 40, 2))
        assert parts > 4
