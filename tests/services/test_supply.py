"""What each source brings: interval, lateness, duplicates, order, refusals, against what the contract expects of it."""

from __future__ import annotations

import pytest

from services.contract.exclusions import Expected, Upstream
from services.events import Validator
from services.feeds import flights, operations
from services.freshness import Progress
from services.sources.upstream import source_record
from services.supply import Supplies, Supply, merged
from services.telemetry import Measurement, Telemetry
from tests.feeds import Orders
from tests.system import START_MS, System, order

FEED = Orders.declaration
AGREED = Upstream("orders", 10.0, "the shop sends late", 1, expects=Expected(3.0, 0.1, 1.0, 0.1, 1.0))
NOW = START_MS + 60_000


def record(supply: Supply, upstream: Upstream | None = AGREED, lag_ms: int = 0) -> dict[str, object]:
    told = Progress("e", NOW, NOW, alive_at=NOW - 4_000, lag_ms=lag_ms)
    return source_record(FEED, told, supply, upstream, NOW)


def test_what_ingestion_takes_in_is_counted_by_source(system: System) -> None:
    late = system.clock() - 7_000
    system.post([order(1, at=system.clock()), order(2, at=late)])
    system.post([order(1, at=system.clock()), {"order": "without price"}])
    found = Measurement.decoded(system.telemetry.payload()).supplies["orders"]
    assert (found.deliveries, found.accepted, found.duplicates, found.rejected) == (1, 2, 1, 1)
    assert found.out_of_order == 1
    assert found.lateness.quantile(0.95) == pytest.approx(7.0, rel=0.02)


def test_what_several_processes_saw_is_one_figure() -> None:
    parts = []
    for _ in range(2):
        supplies = Supplies(lambda: NOW)
        for number in range(5):
            supplies.delivered("orders", "orders.0", [NOW - number], NOW, new=1, known=0)
        parts.append(supplies.recent())
    whole = merged(parts)["orders"]
    assert (whole.deliveries, whole.accepted, whole.out_of_order) == (10, 10, 8)
    assert record(whole)["interval_s"] == 6.0  # ten deliveries in a minute


def test_a_minute_later_it_is_forgotten() -> None:
    now = NOW
    supplies = Supplies(lambda: now)
    supplies.delivered("orders", "orders.0", [NOW], NOW, new=1, known=0)
    now += 61_000
    assert supplies.recent() == {}


def test_a_source_that_keeps_what_was_agreed_is_as_expected() -> None:
    supply = Supply(deliveries=20, accepted=1_000)
    supply.lateness.add(2.0, 1_000)
    found = record(supply)
    assert found["verdict"] == "as expected"
    assert found["expected"] == (
        "interval ≤ 3 s, lateness ≤ 10 s, duplicates ≤ 0.1 %, out of order ≤ 1 %, rejected ≤ 0.1 %, skew ≤ 1 s"
    )
    assert (found["interval_s"], found["answered_s"]) == (3.0, 4.0)


def test_each_thing_that_is_not_kept_is_named() -> None:
    supply = Supply(deliveries=10, accepted=900, duplicates=50, rejected=50, out_of_order=20)
    supply.lateness.add(30.0, 900)
    found = record(supply, lag_ms=1_500)
    assert found["verdict"] == "over: interval, lateness, duplicates, out of order, rejected, skew"
    assert (found["duplicates_percent"], found["rejected_percent"], found["out_of_order_percent"]) == (5.0, 5.0, 2.0)
    assert found["skew_ms"] == -1_500


def test_where_nothing_was_agreed_that_is_said_and_what_was_not_seen_is_left_out() -> None:
    found = record(Supply(), None)
    assert (found["verdict"], found["expected"]) == ("nothing agreed", "–")
    assert "interval_s" not in found
    Validator(operations.Operations.declaration).event(found, NOW)


def test_a_recording_has_no_lateness_since_it_sets_its_stamps_itself() -> None:
    supply = Supply(deliveries=20, accepted=1_000)
    supply.lateness.add(600.0, 1_000)
    told = Progress("e", NOW, NOW, alive_at=NOW)
    found = source_record(flights.Flights.declaration, told, supply, AGREED, NOW)
    assert found["verdict"] == "as expected"
    assert "lateness_p95_s" not in found


def test_a_process_of_an_earlier_release_publishes_none() -> None:
    payload = Telemetry("web-1", "web", lambda: NOW).payload().replace(b',"supplies":{}', b"")
    assert Measurement.decoded(payload).supplies == {}
