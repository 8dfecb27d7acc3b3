"""Trimming follows the slowest group; over the cap only processed events go, and they are counted."""

from __future__ import annotations

from typing import Any

import pytest

from services.broker import caps
from services.declare import Lane
from tests.system import System, order

LANE = Lane("orders", 0)
STREAM = "hw:{orders.0}:events"


def post_many(system: System, first: int, last: int) -> None:
    for number in range(first, last):
        system.post([order(number, note="x" * 150)])


def entries(system: System) -> int:
    found: int = system.broker._redis.xlen(STREAM)
    return found


def test_what_another_group_was_not_given_yet_stays(system: System) -> None:
    system.drain()
    system.broker._redis.xgroup_create(STREAM, "archive", id="0", mkstream=True)
    post_many(system, 0, 300)
    system.drain()
    assert entries(system) == 300


def test_what_another_group_was_given_and_has_not_acknowledged_stays(system: System) -> None:
    system.drain()
    system.broker._redis.xgroup_create(STREAM, "archive", id="0", mkstream=True)
    post_many(system, 0, 300)
    given: Any = system.broker._redis.xreadgroup("archive", "a", {STREAM: ">"}, count=300)
    ids = [entry_id for entry_id, _ in given[0][1]]
    system.drain()
    assert entries(system) == 300
    system.broker._redis.xack(STREAM, "archive", *ids)
    post_many(system, 300, 301)
    system.drain()
    assert entries(system) < 110  # trimming is by whole nodes of the stream


def test_over_the_cap_processed_events_are_dropped_and_counted_and_unprocessed_ones_stay(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caps, "STREAM_LIMIT_BYTES", 20_000)
    system.drain()
    system.broker._redis.xgroup_create(STREAM, "archive", id="0", mkstream=True)
    post_many(system, 0, 200)
    system.drain()
    post_many(system, 200, 230)
    assert system.broker.shed(LANE) == 0  # the drain before has told it already
    assert entries(system) == 30
    system.drain()
    progress = system.broker.lane_progress([LANE])[LANE]
    assert progress.shed >= 200
    assert progress.backlog == 0
    assert system.data("orders.total")["rows"]["all"]["orders"] == 230
