"""Processor: state equals the fold of what was accepted, whatever the order, the batching, or who works."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.batch import Batch
from services.broker import Broker, LaneLost
from services.declare import Lane
from services.processor import Processor
from services.reducers.rows import LatestRows
from tests.feeds import Everything
from tests.services import oracle
from tests.system import START_MS, System, order

LANE = Lane("orders", 0)

EVENTS = st.lists(
    st.builds(
        lambda number, shop, cents, seconds, paid: {
            "order": f"o{number}",
            "shop": shop,
            "price": cents / 100,
            "created_at": START_MS + seconds * 700,
            **({} if paid is None else {"paid": paid}),
        },
        number=st.integers(0, 9),
        shop=st.sampled_from(["north", "south"]),
        cents=st.integers(0, 30_000),
        seconds=st.integers(0, 60),
        paid=st.sampled_from([True, False, None]),
    ),
    min_size=1,
    max_size=40,
).map(lambda events: [{**event, "id": f"e{index:02}"} for index, event in enumerate(events)])


def assert_as_oracle(system: System, events: Sequence[dict[str, Any]]) -> None:
    """Every channel of the test feeds shows what the oracle says."""
    assert system.data("orders.everything") == oracle.latest(events)
    assert system.data("orders.board") == oracle.latest(events, rows_max=5)
    assert system.data("orders.recent") == oracle.latest(events, evict_ms=10_000)
    assert system.data("orders.prices") == oracle.prices(events)
    assert {"points": system.data("orders.turnover")["points"]} == oracle.turnover(events)
    dear = [event for event in events if event["price"] >= 100]
    assert system.data("orders.dear") == oracle.log(dear, 4)
    for shop in ("north", "south"):
        mine = [event for event in events if event["shop"] == shop]
        assert system.data(f"orders.shop_board:{shop}") == oracle.latest(mine)
    rows = system.data("orders.by_shop")["rows"]
    expected = oracle.by_shop(events)
    assert rows.keys() == expected.keys()
    for shop, row in expected.items():
        assert {name: rows[shop][name] for name in row} == row


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=EVENTS, seed=st.integers(0, 2**32))
def test_every_order_and_batching_of_events_gives_the_state_of_the_oracle(
    broker_url: str, events: list[dict[str, Any]], seed: int
) -> None:
    system = System(broker_url)
    system.broker._redis.flushall()
    system.now_ms = START_MS + 120_000
    shuffled, chance = list(events), random.Random(seed)
    chance.shuffle(shuffled)
    while shuffled:
        batch = [shuffled.pop() for _ in range(min(len(shuffled), chance.randint(1, 9)))]
        system.post(batch)
        if chance.random() < 0.5:
            system.drain()
        if chance.random() < 0.2:
            system.broker._redis.delete("hw:{orders.0}:lease")
            system.processor = system.new_processor(f"worker-{chance.random()}")
    system.drain()
    try:
        assert_as_oracle(system, events)
    finally:
        system.close()


def test_an_event_sent_again_counts_once(system: System) -> None:
    events = [order(n) for n in range(10)]
    assert system.post(events).accepted == 10
    receipt = system.post([*events, order(10)])
    assert (receipt.accepted, receipt.duplicates) == (1, 10)
    system.drain()
    assert system.data("orders.total")["rows"]["all"]["orders"] == 11


def test_wrong_records_are_refused_one_by_one_and_the_rest_is_accepted(system: System) -> None:
    receipt = system.post([order(1), {"order": "o2"}, order(3)])
    assert receipt.accepted == 2
    assert [(rejection.index, rejection.reason) for rejection in receipt.rejected] == [(1, "missing_field")]
    system.drain()
    progress = system.broker.lane_progress([LANE])[LANE]
    assert (progress.rejected, progress.rejection.split(":")[0]) == (1, "missing_field")
    samples = system.broker.rejection_samples(LANE, "0-0")
    assert samples[0][1]["reason"] == "missing_field"


def test_each_commit_moves_state_seq_delta_and_checkpoint_together(system: System) -> None:
    ref = system.declarations.resolve("orders.everything")
    assert ref is not None
    for number in range(3):
        system.post([order(number)])
        system.drain()
        stored = system.broker.read_channel(ref)
        assert stored.position is not None
        assert stored.position.seq == number + 1
    deltas = system.broker.read_range(ref, 1)
    assert [(delta.seq, list(orjson.loads(delta.data)["set"])) for delta in deltas] == [(2, ["o1"]), (3, ["o2"])]
    assert {delta.epoch for delta in deltas} == {stored.position.epoch}


def test_a_writer_that_lost_its_lease_is_refused_and_changes_nothing(system: System) -> None:
    system.post([order(1)])
    system.drain()
    stale = system.processor._led[LANE]
    system.broker._redis.delete("hw:{orders.0}:lease")
    fresh = system.new_processor("worker-2")
    system.post([order(2)])
    stale.fold(system.broker.read_events({LANE: stale.checkpoint}, 10, 0)[LANE])
    before = system.data("orders.everything")
    fresh.drain()
    with pytest.raises(LaneLost):
        stale.commit()
    fresh.drain()
    assert before == oracle.latest([order(1)])
    assert system.data("orders.everything") == oracle.latest([order(1), order(2)])
    assert system.data("orders.total")["rows"]["all"]["orders"] == 2


def test_a_standby_leads_only_after_the_lease_is_given_back(system: System) -> None:
    system.drain()
    standby = system.new_processor("worker-2")
    standby.drain()
    assert system.processor.leads(LANE)
    assert not standby.leads(LANE)
    system.processor.hand_over()
    standby.drain()
    assert standby.leads(LANE)


def test_a_poison_event_is_quarantined_and_the_feed_goes_on(system: System) -> None:
    body = orjson.dumps(
        {"id": "p", "created_at": START_MS, "ingested_at": START_MS, "order": "o9", "shop": "north", "price": "dear"}
    )
    system.broker.ingest(LANE, [("p", body)])
    system.broker._redis.xadd("hw:{orders.0}:events", {"events": b"{broken", "n": 1})
    system.post([order(1)])
    system.drain()
    assert system.data("orders.everything") == oracle.latest([order(1)])
    progress = system.broker.lane_progress([LANE])[LANE]
    assert progress.quarantined == 2
    kept: Any = system.broker._redis.xrange("hw:{orders.0}:quarantine")
    whys = [orjson.loads(fields[b"entry"])["why"] for _, fields in kept]
    assert {why.partition(":")[0] for why in whys} == {"TypeError", "not JSON"}


def test_more_partitions_than_declared_go_to_quarantine(system: System) -> None:
    system.post([order(n, shop=f"shop{n}") for n in range(4)])
    system.drain()
    assert system.broker.lane_progress([LANE])[LANE].quarantined == 1
    assert len(system.data("orders.everything")["rows"]) == 3


def test_a_changed_declaration_starts_its_channel_anew_in_a_new_epoch(system: System) -> None:
    system.post([order(1)])
    system.drain()
    everything = system.declarations.channels["orders.everything"]
    ref = system.declarations.resolve("orders.everything")
    assert ref is not None
    epoch = system.processor._led[LANE].epoch
    system.processor.hand_over()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(everything, "signature", lambda: "another")
        changed = system.new_processor("worker-2")
        changed.drain()
        assert changed._led[LANE].epoch != epoch
        assert system.data("orders.everything") == {"rows": {}}
        assert system.data("orders.board") == oracle.latest([order(1)])


def test_processed_entries_leave_the_stream_and_unprocessed_ones_stay(system: System) -> None:
    for number in range(300):
        system.post([order(number)])
    assert system.broker._redis.xlen("hw:{orders.0}:events") == 300
    system.drain()
    assert system.broker._redis.xlen("hw:{orders.0}:events") < 110  # trimming is by whole nodes of the stream


def test_backlog_is_what_was_accepted_and_not_processed(system: System) -> None:
    system.drain()
    system.post([order(n) for n in range(7)])
    system.now_ms += 5_000
    progress = system.broker.report_progress(LANE, START_MS, "e", (0, 0))
    assert progress.backlog == 7
    assert progress.backlog_since > 0
    system.drain()
    assert system.broker.lane_progress([LANE])[LANE].backlog == 0


def test_backlog_grows_also_while_no_worker_is_there_to_say_so(system: System) -> None:
    system.drain()
    said = system.broker.report_progress(LANE, START_MS, "e", (0, 0))
    system.post([order(n) for n in range(7)])
    found = system.broker.lane_progress([LANE])[LANE]
    assert (found.backlog, found.backlog_since) == (7, said.at)


def test_a_commit_whose_reply_is_lost_is_not_done_twice(system: System) -> None:
    system.post([order(1)])
    system.processor._keep_leases()
    system.processor._read(0)
    led = system.processor._led[LANE]
    led.commit()  # as if the reply never came: the lane is thrown away and opened again
    system.processor._drop_all()
    again: Processor = system.new_processor("worker-1", Broker(system.url, clock=system.clock))
    system.broker._redis.delete("hw:{orders.0}:lease")
    again.drain()
    assert system.data("orders.total")["rows"]["all"]["orders"] == 1


def test_refusals_in_a_row_are_counted_until_an_event_is_accepted(system: System) -> None:
    system.drain()
    for _ in range(3):
        system.post([{"order": "no price"}] * 4)
    system.now_ms += 500
    told = system.broker.report_progress(LANE, START_MS, "e", (0, 0))
    assert (told.refused_run, told.refused_from) == (12, START_MS)
    system.post([order(1)])
    assert system.broker.report_progress(LANE, START_MS, "e", (0, 0)).refused_run == 0


@pytest.mark.parametrize(("ahead_ms", "lag_ms"), [(0, 0), (2_500, -2_500), (-700, 700)])
def test_a_source_whose_clock_is_off_is_told_by_how_much(system: System, ahead_ms: int, lag_ms: int) -> None:
    system.drain()
    system.post([order(1, at=system.now_ms + ahead_ms - 40), order(2, at=system.now_ms + ahead_ms)])
    told = system.broker.report_progress(LANE, START_MS, "e", (0, 0))
    assert told.lag_ms == lag_ms


def test_a_clock_that_was_set_right_is_forgotten_after_two_minutes(system: System) -> None:
    system.drain()
    system.post([order(1, at=system.now_ms + 2_500)])
    for number in range(2, 5):
        system.now_ms += 61_000
        system.post([order(number, at=system.now_ms - 5)])
    assert system.broker.report_progress(LANE, START_MS, "e", (0, 0)).lag_ms == 5


@pytest.mark.parametrize("key", ["~newest", "~", "a:b", "ключ", "a/b", "\x1f"])
def test_a_key_may_be_any_text(system: System, key: str) -> None:
    record = order(1) | {"order": key, "shop": key, "price": 150.0}
    system.post([record])
    system.drain()
    assert system.data("orders.everything") == oracle.latest([record])
    assert set(system.data("orders.by_shop")["rows"]) == {key}
    assert set(system.data("orders.prices")["points"]) == {f"price:{key}"}
    system.processor.hand_over()
    system.processor = system.new_processor("worker-2")
    system.post([order(2)])
    system.drain()
    assert set(system.data("orders.by_shop")["rows"]) == {key, "north"}


def test_the_stream_s_own_tools_tell_where_the_processor_stands(system: System) -> None:
    system.post([order(1)])
    system.drain()
    system.post([order(2)])
    groups: Any = system.broker._redis.xinfo_groups("hw:{orders.0}:events")
    assert [(group["name"], group["pending"]) for group in groups] == [(b"processor", 0)]
    checkpoint = system.broker._redis.hget("hw:{orders.0}:lane", "checkpoint")
    assert groups[0]["last-delivered-id"] == checkpoint


def test_a_large_backlog_is_committed_in_parts(system: System) -> None:
    system.drain()
    for first in range(0, 12_000, 1_000):
        system.post([order(number) for number in range(first, first + 1_000)])
    system.drain()
    ref = system.declarations.resolve("orders.total")
    assert ref is not None
    events = [delta.times.events for delta in system.broker.read_range(ref, 0)]
    assert sum(events) == 12_000
    assert max(events) <= 5_000


def test_a_row_that_never_changes_does_not_make_the_others_changes_pile_up() -> None:
    reducer = LatestRows(Everything)
    for number in range(20_000):
        key = "still" if number == 0 else f"o{number % 10}"
        event = {"id": f"e{number:06}", "created_at": START_MS + number, "ingested_at": START_MS, "order": key}
        reducer.apply(reducer.prepare(Batch([event])))
    assert len(reducer._oldest) < 2_000
    change = reducer.take()
    assert change is not None
    assert len(change.data["set"]) == 11
