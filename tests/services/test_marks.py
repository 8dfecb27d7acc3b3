"""Marks: probe, acceptance and load events pass through a lane and leave no trace in what is a client's."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import pytest

from services.archive.events import event_rows
from services.broker import Broker
from services.declare import PROBE_FEED, ChannelRef, Lane, Mark
from services.declare import probe as probe_feed
from services.embedded import EmbeddedBroker
from tests import feeds
from tests.system import START_MS, System, order

EVENTS = [order(n, shop=shop, price=n * 1.5, at=START_MS + n * 700) for n in range(40) for shop in ("north", "south")]


def run(url: str, *, marked: bool) -> System:
    """The same events in the same steps, with or without marked ones before, between and after them."""
    system = System(url, feeds, probe_feed)
    Broker(url)._redis.flushall()
    for first in range(0, len(EVENTS), 8):
        system.now_ms = START_MS + 60_000 + first
        if marked:
            disturb(system, first)
        system.post([dict(event, id=f"{n}") for n, event in enumerate(EVENTS[first : first + 8], first)])
        system.drain()
        if marked:
            disturb(system, first)
            system.drain()
    return system


def disturb(system: System, number: int) -> None:
    lanes = [str(lane) for lane in system.declarations.lanes()]
    system.post([{"name": lane, "lane": lane, "place": "here", "token": f"{number}"} for lane in lanes], PROBE_FEED)
    feed = system.declarations.feeds["orders"]
    for mark in get_args(Mark):
        system.ingestion.accept(feed, [order(900 + number, price=1e6), {"order": "not one"}], mark)


def told(system: System) -> dict[str, Any]:
    """Everything of the client's that the broker holds: state, position and times of each channel, and the counts."""
    channels = {}
    for lane in system.declarations.lanes():
        if lane.feed == PROBE_FEED:
            continue
        for name in system.broker.channels_of(lane):
            ref = system.declarations.resolve(name)
            assert isinstance(ref, ChannelRef)
            stored = system.broker.read_channel(ref)
            assert stored.position is not None
            deltas = [(delta.seq, delta.data) for delta in system.broker.read_range(ref, 0)]
            channels[name] = (stored.position.seq, stored.cells, stored.times, deltas)
    progress = system.broker.lane_progress([lane for lane in system.declarations.lanes() if lane.feed != PROBE_FEED])
    counts = {
        str(lane): (one.accepted, one.processed, one.duplicates, one.rejected, one.backlog, one.quarantined)
        for lane, one in progress.items()
    }
    return {"channels": channels, "counts": counts}


def clients_figures(system: System) -> dict[Any, int]:
    """How much was measured of the client's channels, and how much every process counted."""
    figures: Counter[Any] = Counter()
    for sheet in system.telemetry.take_sheets(all_of_it=True):
        for key, line in sheet.lines.items():
            if not key.channel.startswith(PROBE_FEED):
                figures[key] += line.own.count
        figures.update(sheet.counts)
    return dict(figures)


def test_every_channel_is_the_same_with_and_without_marked_events(own_broker: EmbeddedBroker, broker_url: str) -> None:
    with_marks, without = run(own_broker.url, marked=True), run(broker_url, marked=False)
    with_marks.now_ms = without.now_ms = START_MS + 300_000
    assert told(with_marks)["channels"] == told(without)["channels"]
    assert told(with_marks)["counts"] == told(without)["counts"]
    assert clients_figures(with_marks) == clients_figures(without)
    for system in (with_marks, without):
        system.close()


def test_marked_events_are_no_sign_of_life_of_a_source(system: System) -> None:
    feed = system.declarations.feeds["orders"]
    system.ingestion.accept(feed, [order(1)], "load")
    system.drain()
    progress = system.broker.lane_progress(feed.all_lanes())
    assert all(told.alive_at == 0 and told.accepted == 0 and told.backlog == 0 for told in progress.values())


def test_marked_events_that_wait_are_no_backlog_of_the_client_and_none_of_them_is_archived(system: System) -> None:
    feed, lane = system.declarations.feeds["orders"], Lane("orders", 0)
    system.ingestion.accept(feed, [order(1)], "load")
    system.post([order(2)])
    rows, gaps = event_rows(lane, system.broker.read_entries(lane, "0-0", 10))
    assert [row.id for row in rows] == [order(2)["id"]]
    assert gaps == []


def test_a_probe_is_answered_once_the_lanes_worker_has_committed_it(broker_url: str) -> None:
    system = System(broker_url, feeds, probe_feed)
    lanes = [str(lane) for lane in system.declarations.lanes()]
    system.post([{"name": lane, "lane": lane, "place": "here", "token": f"t-{lane}"} for lane in lanes], PROBE_FEED)
    assert not system.data("probe.answers")["rows"]
    system.drain()
    rows = system.data("probe.answers")["rows"]
    assert {row["lane"]: row["token"] for row in rows.values()} == {lane: f"t-{lane}" for lane in lanes}
    assert {row.get("worker") for row in rows.values() if row["lane"] != "probe.0"} == {"worker-1"}
    system.close()


def test_a_probe_of_a_lane_that_is_not_there_is_refused(broker_url: str) -> None:
    system = System(broker_url, feeds, probe_feed)
    receipt = system.post([{"name": "x", "lane": "orders.99", "place": "here", "token": "t"}], PROBE_FEED)
    assert [(one.reason, receipt.accepted) for one in receipt.rejected] == [("wrong_type", 0)]
    system.close()


def test_bytes_of_marked_events_are_given_back_to_the_backlogs_cap(system: System) -> None:
    feed = system.declarations.feeds["orders"]
    system.ingestion.accept(feed, [order(1), order(2)], "load")
    system.drain()
    counts = Broker(system.url)._redis.hmget("hw:{orders.0}:lane", "accepted_bytes", "processed_bytes")
    assert counts[0] == counts[1] != b"0"


@pytest.mark.parametrize("name", ["probe", "probe.answers"])
def test_the_built_in_feed_is_known_by_its_name(name: str) -> None:
    assert probe_feed.is_built_in(name)
    assert not probe_feed.is_built_in("probes.answers")
