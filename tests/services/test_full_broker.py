"""A broker whose memory runs full: no more events are taken, what was taken is processed, nothing is lost."""

from __future__ import annotations

import pytest
import redis

from services.broker import Broker, BrokerFull, MemoryHigh
from services.declare import Lane
from services.embedded import EmbeddedBroker
from tests.system import System, order

LANE = Lane("orders", 0)


def set_memory(broker: EmbeddedBroker, spare_bytes: int) -> None:
    """Give the server so much memory beyond what it uses now."""
    client = redis.Redis.from_url(broker.url)
    used: int = client.info("memory")["used_memory"]
    client.config_set("maxmemory", used + spare_bytes)
    client.close()


def test_ingest_stops_before_the_memory_is_full_and_goes_on_when_there_is_room(own_broker: EmbeddedBroker) -> None:
    system = System(own_broker.url)
    system.post([order(1)])
    set_memory(own_broker, 10_000)
    hurried = Broker(own_broker.url, clock=system.clock)
    with pytest.raises(MemoryHigh, match="raise maxmemory"):
        hurried.ingest(LANE, [("x", b"{}")])
    set_memory(own_broker, 100_000_000)
    later = Broker(own_broker.url, clock=system.clock)
    body = b'{"id":"e2","created_at":1,"ingested_at":1,"order":"o2","shop":"s","price":1}'
    assert later.ingest(LANE, [("e2", body)]) == (1, 0)
    for broker in (system.broker, hurried, later):
        broker.close()


def test_a_full_broker_still_commits_trims_and_tells_progress(own_broker: EmbeddedBroker) -> None:
    system = System(own_broker.url)
    system.drain()
    system.post([order(number) for number in range(200)])
    set_memory(own_broker, -1_000)
    with pytest.raises(BrokerFull, match="out of memory"):
        system.post([order(1_000)])
    system.drain()
    assert system.data("orders.total")["rows"]["all"]["orders"] == 200
    progress = system.broker.lane_progress([LANE])[LANE]
    assert (progress.accepted, progress.backlog) == (200, 0)
    system.broker.write_telemetry("test", b"{}")
    system.close()
