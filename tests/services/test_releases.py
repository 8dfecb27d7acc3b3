"""Two releases run side by side during a deploy: what a newer one adds is passed over by this one."""

from __future__ import annotations

import orjson

from services.declare import Lane
from services.telemetry import Measurement, Telemetry
from tests.services import oracle
from tests.system import System, order

LANE = Lane("orders", 0)


def test_progress_and_measurements_of_a_newer_release_are_read(system: System) -> None:
    system.drain()
    known = system.broker.lane_progress([LANE])[LANE]
    newer = {**orjson.loads(known.encoded()), "of_a_newer_release": [1]}
    system.broker._redis.set("hw:{orders.0}:progress", orjson.dumps(newer))
    assert system.broker.lane_progress([LANE])[LANE] == known
    payload = orjson.loads(Telemetry("p", "web", system.clock).payload())
    assert Measurement.decoded(orjson.dumps({**payload, "of_a_newer_release": 1})).process == "p"


def test_deltas_with_more_fields_and_events_with_more_fields_are_read(system: System) -> None:
    ref = system.declarations.resolve("orders.everything")
    assert ref is not None
    system.post([order(1)])
    system.drain()
    times = orjson.dumps({"created": [1, 2], "ingested": [1, 2], "processed": 3, "events": 1, "of_a_newer_release": 4})
    delta = {"epoch": "e", "data": b"{}", "times": times, "of_a_newer_release": "x"}
    system.broker._redis.xadd("hw:{orders.0}:c:orders.everything:deltas", delta, id="2-0")
    assert [found.seq for found in system.broker.read_range(ref, 1)] == [2]
    assert system.broker.read_range(ref, 1)[0].times.created == (1, 2)


def test_an_entry_with_more_fields_is_processed(system: System) -> None:
    system.drain()
    body = {**order(1), "ingested_at": system.now_ms}
    system.broker._redis.xadd(
        "hw:{orders.0}:events", {"events": orjson.dumps([body]), "n": 1, "of_a_newer_release": "x"}
    )
    system.drain()
    assert system.data("orders.everything") == oracle.latest([order(1)])
