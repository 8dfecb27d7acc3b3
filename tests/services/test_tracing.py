"""Tracing: one event is followed from its creation to the screens that showed it."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from services.archive.archiver import Archiver
from services.database import Database
from services.tracing.trace import Trace
from services.tracing.tracer import Tracer
from tests.project.feeds import shop
from tests.system import START_MS, System, order

STREAM = "hw:{orders.0}:events"


@pytest.fixture
def system(broker_url: str) -> Iterator[System]:
    made = System(broker_url, shop)
    made.drain()
    yield made
    made.close()


@pytest.fixture
def tracer(system: System, database: Database) -> Tracer:
    return Tracer(system.broker, database, system.declarations, system.clock)


def _one(tracer: Tracer, wanted: str) -> Trace:
    (trace,) = tracer.follow(wanted)
    return trace


def _archive(system: System, database: Database) -> None:
    archiver = Archiver(
        system.broker, database, system.declarations, system.telemetry, worker="worker-1", clock=system.clock
    )
    archiver.drain()


def test_an_event_that_waits_says_so_and_where(system: System, tracer: Tracer) -> None:
    system.post([order(1)])
    trace = _one(tracer, f"e1-{START_MS}")
    assert (trace.state, trace.place, str(trace.lane)) == ("waiting", "stream", "orders.0")
    assert trace.steps()[-1] == ("processed", None, "not yet: it waits on the stream")


def test_a_processed_event_names_the_change_of_each_channel_that_it_is_in(system: System, tracer: Tracer) -> None:
    for number in range(3):
        system.now_ms += 100
        system.post([order(number)])
        system.drain()
    trace = _one(tracer, f"e1-{START_MS}")
    assert trace.state == "processed"
    assert {(one.channel, one.seq, one.exact) for one in trace.committed} >= {
        ("orders.everything", 2, True), ("orders.prices", 2, True), ("orders.total", 2, True),
    }
    assert "orders.dear" not in trace.channels  # 10 EUR are not
    assert next(one.at for one in trace.committed) == START_MS + 200
    assert [at for _, at, _ in trace.steps()][:2] == [START_MS, START_MS + 200]


def test_the_events_of_a_request_are_found_by_its_correlation_id(system: System, tracer: Tracer) -> None:
    orders = system.declarations.feeds["orders"]
    system.ingestion.accept(orders, [order(1), order(2)], correlation="req-7")
    system.post([order(3)])
    system.drain()
    assert [(trace.id, trace.correlation) for trace in tracer.follow("req-7")] == [
        (f"e1-{START_MS}", "req-7"), (f"e2-{START_MS}", "req-7"),
    ]
    assert all("correlation" not in row for row in system.data("orders.everything")["rows"].values())


def test_of_an_archived_event_whose_changes_the_broker_has_forgotten_the_first_change_after_it_is_named(
    system: System, tracer: Tracer, database: Database
) -> None:
    orders = system.declarations.feeds["orders"]
    system.ingestion.accept(orders, [order(1)], correlation="req-8")
    system.drain()
    _archive(system, database)
    for key in system.broker._redis.keys("*:deltas"):
        system.broker._redis.delete(key)
    system.broker._redis.xtrim(STREAM, maxlen=0)
    for wanted in (f"e1-{START_MS}", "req-8"):
        trace = _one(tracer, wanted)
        assert (trace.place, trace.correlation) == ("archive", "req-8")
        assert ("orders.everything", 1, False) in {(one.channel, one.seq, one.exact) for one in trace.committed}
    assert "or later" in " ".join(text for _, _, text in trace.steps())


def test_a_browser_that_told_of_the_frame_is_named_and_else_it_is_not_sampled(system: System, tracer: Tracer) -> None:
    system.post([order(1)])
    system.drain()
    (committed,) = [c for c in _one(tracer, f"e1-{START_MS}").committed if c.channel == "orders.everything"]
    assert "not sampled" in _one(tracer, f"e1-{START_MS}").steps()[-1][2]
    for seq, viewer in ((committed.seq, "ab12"), (committed.seq + 1, "cd34")):
        times = (START_MS + 5, START_MS + 9, START_MS + 21)
        system.telemetry.sample((viewer, "/", "orders.everything", committed.epoch, seq - 1, seq, *times))
    system.broker.write_samples(system.telemetry.take_samples())
    trace = _one(tracer, f"e1-{START_MS}")
    assert [one.viewer for one in trace.painted] == ["ab12"]
    assert trace.steps()[-1] == ("painted", START_MS + 21, "by viewer ab12 on /")


def test_an_event_in_quarantine_says_why(system: System, tracer: Tracer) -> None:
    bad = {"id": "bad-1", "created_at": START_MS, "ingested_at": START_MS, "order": "o", "shop": "s", "price": "dear"}
    system.broker._redis.xadd(STREAM, {"events": orjson.dumps([bad]), "n": 1})
    system.drain()
    trace = _one(tracer, "bad-1")
    assert trace.state == "quarantined"
    assert trace.why


def test_what_nobody_knows_is_nothing(system: System, tracer: Tracer) -> None:
    system.post([order(1)])
    assert tracer.follow("e1") == []
    assert tracer.follow("no-such-event") == []


def test_samples_of_a_busy_second_are_bounded(system: System) -> None:
    for number in range(1_000):
        system.telemetry.sample((number,))
    assert len(orjson.loads(system.telemetry.take_samples())) == 20
    assert system.telemetry.take_samples() == b""
