"""Accepting: what was sent in one request is on the stream in entries of a bounded size, in order and once."""

from __future__ import annotations

import threading

import pytest

from services.broker.accepting import ENTRY_BYTES
from services.declare import Lane
from tests.system import System, order

LANE = Lane("orders", 0)
LARGE = "x" * 150
MANY = 1_000


def test_a_large_request_is_in_entries_of_a_bounded_size_and_in_order(system: System) -> None:
    system.post([order(number, note=LARGE) for number in range(MANY)])
    entries = system.broker.read_entries(LANE, "0-0", MANY)
    assert len(entries) > 10
    assert all(len(entry.events) <= 1.01 * ENTRY_BYTES for entry in entries)  # its brackets and commas aside
    assert sum(entry.count for entry in entries) == MANY
    whole = b"".join(entry.events for entry in entries)
    places = [whole.index(b'"e%d-' % number) for number in range(MANY)]
    assert places == sorted(places)


def test_a_small_request_is_one_entry(system: System) -> None:
    system.post([order(number) for number in range(50)])
    assert [entry.count for entry in system.broker.read_entries(LANE, "0-0", MANY)] == [50]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_event_larger_than_an_entry_has_one_of_its_own(system: System, place: int) -> None:
    bodies = [("a", b'{"n":1}'), ("b", b'{"n":2}')]
    bodies.insert(place, ("large", b'{"n":"%s"}' % (b"x" * 2 * ENTRY_BYTES)))
    assert system.broker.ingest(LANE, bodies) == (3, 0)
    entries = system.broker.read_entries(LANE, "0-0", MANY)
    assert b",".join(entry.events[1:-1] for entry in entries) == b",".join(body for _, body in bodies)
    assert max(len(entry.events) for entry in entries) == 2 * ENTRY_BYTES + len(b'[{"n":""}]')


def test_a_large_request_that_is_sent_again_counts_once_and_leaves_no_backlog(system: System) -> None:
    events = [order(number, note=LARGE) for number in range(MANY)]
    assert system.post(events[:600]).accepted == 600
    again = system.post(events)
    assert (again.accepted, again.duplicates) == (400, 600)
    system.drain()
    assert system.data("orders.total")["rows"]["all"]["orders"] == MANY
    lane = system.broker._redis.hgetall("hw:{orders.0}:lane")
    assert lane[b"processed_bytes"] == lane[b"accepted_bytes"]


def test_an_id_that_is_twice_in_one_request_counts_once(system: System) -> None:
    bodies = [(f"e{number % 4_500}", b"{}") for number in range(5_000)]
    assert system.broker.ingest(LANE, [*bodies, ("", b"{}"), ("", b"{}")]) == (4_502, 500)
    assert system.broker.ingest(LANE, bodies) == (0, 5_000)


def test_a_commit_holds_no_more_than_its_share_of_bytes(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.lane.BYTES_PER_COMMIT", 50_000)
    system.drain()
    system.post([order(number, note=LARGE) for number in range(MANY)])
    system.drain()
    ref = system.declarations.resolve("orders.everything")
    assert ref is not None
    deltas = system.broker.read_range(ref, 0)
    assert len(deltas) > 4
    assert max(len(delta.data) for delta in deltas) < 50_000 + 2 * ENTRY_BYTES


def test_a_lane_with_a_backlog_commits_when_it_is_full_and_not_by_the_tick(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.processor.ENTRIES_PER_READ", 10)
    monkeypatch.setattr("services.lane.EVENTS_PER_COMMIT", 50)
    system.drain()
    for number in range(125):
        system.post([order(number)])
    eager = system.new_processor("worker-2", tick_ms=0)
    system.processor.hand_over()
    while system.broker.lane_progress([LANE])[LANE].backlog:
        eager.step(threading.Event())
    ref = system.declarations.resolve("orders.everything")
    assert ref is not None
    assert [len(delta.data.split(b'"order"')) - 1 for delta in system.broker.read_range(ref, 0)] == [50, 50, 25]
