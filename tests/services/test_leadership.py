"""Leadership: lanes spread over living workers, move when one comes, stops or dies, and poison does not stop them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count
from types import ModuleType

import pytest

from headwater import Feed, Freshness, Http, Latest, Text
from services.broker import Broker
from services.broker.leading import LEASE_TTL_MS
from services.declare import Lane
from services.leadership import Leadership
from services.processor import Processor
from tests.services import oracle
from tests.system import System, order
from tests.waiting import wait_until

WIDE = ModuleType("wide")


class Parcels(
    Feed,
    name="parcels",
    key="parcel",
    source=Http(),
    lanes=4,
    partition="depot",
    freshness=Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10),
):
    """A feed of four lanes."""

    parcel = Text()
    depot = Text()


class Depot(Latest, feed=Parcels, partition=Parcels.depot):
    """Each depot's parcels."""


for declared in (Parcels, Depot):
    declared.__module__ = WIDE.__name__
    setattr(WIDE, declared.__name__, declared)
LANES = set(Parcels.declaration.all_lanes())
ORDERS = Lane("orders", 0)


@pytest.fixture(autouse=True)
def long_leases() -> None:
    """Here they live as long as in use."""


@pytest.fixture
def wide(broker_url: str) -> Iterator[System]:
    made = System(broker_url, WIDE)
    yield made
    made.close()


def led(processor: Processor) -> set[Lane]:
    return {lane for lane in LANES if processor.leads(lane)}


def second(system: System) -> Processor:
    """A worker with connections of its own."""
    return system.new_processor("worker-2", Broker(system.url, clock=system.clock))


def test_a_lone_worker_leads_every_lane(wide: System) -> None:
    wide.drain()
    assert led(wide.processor) == LANES


def test_lanes_spread_over_a_worker_that_comes_and_each_has_one_writer(wide: System) -> None:
    wide.drain()
    other = second(wide)

    def spread() -> bool:
        wide.drain()
        other.drain()
        assert not led(wide.processor) & led(other)
        return len(led(wide.processor)) == len(led(other)) == 2

    wait_until(spread, what="two lanes each")


def test_a_worker_that_stops_hands_its_lanes_over_at_once_and_in_order(wide: System) -> None:
    wide.drain()
    other = second(wide)
    wide.post([{"parcel": f"p{n}", "depot": f"d{n}"} for n in range(20)], "parcels")
    wide.processor._read(0)
    wide.processor.hand_over()
    other.drain()
    assert led(other) == LANES
    parcels = {key for n in range(20) for key in wide.data(f"parcels.depot:d{n}")["rows"]}
    assert parcels == {f"p{n}" for n in range(20)}


def test_the_lanes_of_a_worker_that_died_are_taken_within_three_seconds(wide: System) -> None:
    wide.drain()
    other = second(wide)
    other.drain()

    def taken() -> bool:
        other.drain()
        return led(other) == LANES

    wait_until(taken, 3.0, "all lanes with the one that is left")


def test_a_worker_of_an_older_release_hands_over_to_a_newer_one_and_takes_nothing_from_it(broker_url: str) -> None:
    lanes = Parcels.declaration.all_lanes()
    older, newer = (
        Leadership(Broker(broker_url), "processor", lanes, f"of-{release}", release=release) for release in (1, 2)
    )
    assert set(older.renew().taken) == LANES

    def handed_over() -> bool:
        excess = older.renew().excess
        if excess is not None:
            older.give_back(excess)
        newer.renew()
        return set(newer.held) == LANES

    wait_until(handed_over, what="every lane with the newer release")
    assert not older.renew().taken
    newer.leave()
    wait_until(lambda: set(older.renew().taken), what="the older release leading again, once it is alone")


def die_of_the_next_entry(system: System, worker: str) -> None:
    """What a worker leaves behind that takes the lane, begins with the next entry, and dies."""
    lease = system.broker.lease("processor", {ORDERS: ""}, worker)[ORDERS]
    system.broker.try_entry(ORDERS, lease)
    system.broker._redis.delete("hw:{orders.0}:lease")


def test_an_entry_that_no_worker_survives_is_set_aside_after_three_tries(system: System) -> None:
    for number in range(3):
        system.post([order(number)])
    for worker in ("died-1", "died-2", "died-3"):
        die_of_the_next_entry(system, worker)
    system.drain()
    progress = system.broker.lane_progress([ORDERS])[ORDERS]
    assert (progress.quarantined, progress.backlog) == (1, 0)
    assert system.data("orders.everything") == oracle.latest([order(1), order(2)])


def test_an_entry_that_two_workers_died_with_gets_another_try(system: System) -> None:
    system.post([order(0)])
    for worker in ("died-1", "died-2", "died-2"):
        die_of_the_next_entry(system, worker)
    system.drain()
    assert system.broker.lane_progress([ORDERS])[ORDERS].quarantined == 0
    assert system.data("orders.everything") == oracle.latest([order(0)])


def test_a_worker_that_slept_through_its_loss_takes_no_event_from_its_successor(system: System) -> None:
    system.drain()
    system.broker._redis.delete("hw:{orders.0}:lease")
    successor = system.new_processor("worker-2", Broker(system.url, clock=system.clock))
    successor.drain()
    system.post([order(1)])
    assert system.processor._read(0)  # it wakes, and believes that it leads
    system.post([order(2)])
    successor.drain()
    system.processor._commit_due()
    assert not system.processor.leads(ORDERS)
    assert system.data("orders.everything") == oracle.latest([order(1), order(2)])


def test_a_lease_that_ran_out_costs_no_worker_its_lane_while_nobody_takes_it(system: System) -> None:
    system.drain()
    system.broker._redis.delete("hw:{orders.0}:lease")
    system.post([order(1)])
    assert system.processor._read(0)
    system.processor._commit_due()
    assert system.processor.leads(ORDERS)
    assert system.data("orders.everything") == oracle.latest([order(1)])
    assert system.broker._redis.get("hw:{orders.0}:tokens") == b"1"  # led once, never anew
    assert system.broker._redis.pttl("hw:{orders.0}:lease") > LEASE_TTL_MS / 2  # the commit renewed it


def test_a_worker_whose_lane_another_took_is_refused_though_the_others_lease_ran_out_as_well(system: System) -> None:
    system.drain()
    system.broker._redis.delete("hw:{orders.0}:lease")
    successor = system.new_processor("worker-2", Broker(system.url, clock=system.clock))
    successor.drain()
    system.broker._redis.delete("hw:{orders.0}:lease")
    system.post([order(1)])
    assert system.processor._read(0)
    system.processor._commit_due()
    assert not system.processor.leads(ORDERS)
    successor.drain()
    assert successor.leads(ORDERS)
    assert system.data("orders.everything") == oracle.latest([order(1)])


def test_a_backlog_that_takes_longer_to_fold_than_a_lease_lasts_does_not_cost_the_lane(system: System) -> None:
    events = [order(number, shop="north") for number in range(30_000)]
    for first in range(0, len(events), 2_000):
        system.post(events[first : first + 2_000])
    slow = Processor(
        system.broker,
        system.declarations,
        system.telemetry,
        worker="slow",
        clock=system.clock,
        monotonic=a_clock_that_the_lease_runs_down_by(system, LEASE_TTL_MS * 3 // 10),
    )
    slow.step(threading.Event())
    while system.broker.lane_progress([ORDERS])[ORDERS].backlog:
        slow.step(threading.Event())
    assert system.broker._redis.get("hw:{orders.0}:tokens") == b"1"  # led once, never anew


def a_clock_that_the_lease_runs_down_by(system: System, step_ms: int) -> Callable[[], float]:
    """A monotonic clock in seconds: each look at it takes so long, for the broker's lease, too.

    The time that really passes does not count: the lease is kept for a minute, until none of its own time is left.
    """
    looks, lease, left_ms = count(1), "hw:{orders.0}:lease", LEASE_TTL_MS

    def look() -> float:
        nonlocal left_ms
        renewed = int(system.broker._redis.pttl(lease)) <= LEASE_TTL_MS
        left_ms = (LEASE_TTL_MS if renewed else left_ms) - step_ms
        system.broker._redis.pexpire(lease, 60_000 if left_ms > 0 else -1)
        return next(looks) * step_ms / 1000

    return look
