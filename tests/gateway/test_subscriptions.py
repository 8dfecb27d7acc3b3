"""What a viewer gets for what it asks: snapshots, deltas, recovery, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from headwater import Latest, Retired
from services.accounts import Principal
from services.declare import Declarations
from services.positions import Position
from tests import feeds
from tests.feeds import Orders
from tests.gateway.served import Served
from tests.gateway.tab import Tab
from tests.system import System, order


@pytest.fixture
def served(system: System) -> Iterator[Served]:
    with Served(system.url, system.declarations, clock=system.clock) as made:
        yield made


@pytest.fixture(params=[True, False], ids=["deflate", "plain"])
def tab(served: Served, request: pytest.FixtureRequest) -> Iterator[Tab]:
    with Tab(served.url, deflate=request.param) as made:
        yield made


def publish(system: System, *numbers: int, **fields: object) -> None:
    """One event each, each in a commit of its own."""
    for number in numbers:
        system.post([order(number, **fields)])  # type: ignore[arg-type]
        system.drain()


def head(system: System, *names: str) -> dict[str, Position | None]:
    """Where the broker's channels stand."""
    refs = {name: system.declarations.resolve(name) for name in names}
    return {name: system.broker.read_channel(ref).position for name, ref in refs.items() if ref is not None}


def test_a_viewer_is_greeted_with_the_protocol_and_the_servers_time(tab: Tab, system: System) -> None:
    hello = tab.take()
    assert hello["op"] == "hello"
    assert hello["protocol"] == 1
    assert hello["server_time"] == system.now_ms
    assert 0 < hello["heartbeat_s"] <= 5
    assert hello["viewer"]


def test_a_subscription_gives_a_snapshot_and_then_every_delta_in_order(tab: Tab, system: System) -> None:
    publish(system, 1, 2)
    tab.subscribe("orders.everything")
    tab.until_frame(op="snapshot")
    assert tab.data("orders.everything") == system.data("orders.everything")
    publish(system, *range(3, 40))
    tab.until(lambda t: t.positions["orders.everything"].seq == 39)
    assert tab.data("orders.everything") == system.data("orders.everything")
    assert len(tab.of("snapshot")) == 1


def test_every_kind_of_channel_arrives_value_by_value(tab: Tab, system: System) -> None:
    names = ("orders.board", "orders.by_shop", "orders.prices", "orders.turnover", "orders.dear")
    publish(system, 1, price=150)
    tab.subscribe(*names)
    tab.until(lambda t: len(t.positions) == len(names))
    for number in range(2, 30):
        publish(system, number, price=number * 10.0, shop="north" if number % 2 else "süd", at=system.now_ms)
        system.now_ms += 700
    tab.until(lambda t: t.positions == head(system, *names))
    assert {name: tab.data(name) for name in names} == {name: system.data(name) for name in names}


def test_large_and_small_frames_arrive_exactly_whether_compressed_or_not(served: Served, system: System) -> None:
    publish(system, 1)
    with Tab(served.url, deflate=True) as squeezed, Tab(served.url, deflate=False) as plain:
        for tab in (squeezed, plain):
            tab.subscribe("orders.everything")
            tab.until_frame(op="snapshot")
        for number, size in enumerate((1, 200, 100, 190, 3, 150)):
            system.post([order(1000 * number + n, note="né→" * (size // 3)) for n in range(2, 2 + size)])
            system.drain()
        for tab in (squeezed, plain):
            tab.until(lambda t: len(t.data("orders.everything")["rows"]) == 645)
            assert tab.data("orders.everything") == system.data("orders.everything")
        assert squeezed.socket.protocol.extensions
        assert not plain.socket.protocol.extensions


def test_a_viewer_that_reconnects_gets_what_it_missed_and_no_snapshot(served: Served, system: System) -> None:
    publish(system, 1)
    with Tab(served.url) as before:
        before.subscribe("orders.everything")
        before.until_frame(op="snapshot")
    publish(system, 2, 3, 4)
    with Tab(served.url) as after:
        after.resume(before)
        after.subscribe(orders__everything=before.positions["orders.everything"])
        after.until(lambda t: t.positions["orders.everything"].seq == 4)
        assert not after.of("snapshot")
        assert after.data("orders.everything") == system.data("orders.everything")


def test_a_position_is_recovered_from_the_broker_by_a_gateway_that_never_read_it(
    served: Served, system: System
) -> None:
    publish(system, 1)
    with Tab(served.url) as before:
        before.subscribe("orders.everything")
        before.until_frame(op="snapshot")
    publish(system, *range(2, 30))
    with (
        Served(system.url, system.declarations, clock=system.clock) as other,
        Tab(other.url) as after,
    ):
        after.resume(before)
        after.subscribe(orders__everything=before.positions["orders.everything"])
        after.until(lambda t: t.positions["orders.everything"].seq == 29)
        assert not after.of("snapshot")
        assert after.of("delta")[0]["merged"] == 28
        assert after.data("orders.everything") == system.data("orders.everything")


def test_a_viewer_with_nothing_to_replay_gets_a_heartbeat_at_once(served: Served, system: System) -> None:
    publish(system, 1)
    with Tab(served.url) as before:
        before.subscribe("orders.everything")
        before.until_frame(op="snapshot")
    here = before.positions["orders.everything"]
    with Tab(served.url) as after:
        after.subscribe(orders__everything=here)
        told = after.until_frame(1.0, op="heartbeat")
        while "orders.everything" not in told["channels"] or not told["channels"]["orders.everything"]["epoch"]:
            told = after.until_frame(1.0, op="heartbeat")
        assert told["channels"]["orders.everything"]["epoch"] == here.epoch
        assert told["channels"]["orders.everything"]["seq"] == here.seq
        assert not after.of("snapshot")
        assert not after.of("delta")


@pytest.mark.parametrize("position", [Position("other", 1), Position("other", 10**9)])
def test_a_position_of_another_epoch_gets_a_snapshot(served: Served, system: System, position: Position) -> None:
    publish(system, 1, 2)
    with Tab(served.url) as tab:
        tab.subscribe(orders__everything=position)
        tab.until_frame(op="snapshot")
        assert tab.data("orders.everything") == system.data("orders.everything")


def test_a_position_that_was_never_reached_gets_a_snapshot_after_a_moment(served: Served, system: System) -> None:
    publish(system, 1)
    with Tab(served.url) as tab:
        tab.subscribe("orders.everything")
        epoch = tab.until_frame(op="snapshot")["epoch"]
    with Tab(served.url) as tab:
        tab.subscribe(orders__everything=Position(epoch, 500))
        assert tab.until_frame(op="snapshot")["seq"] == 1


def test_a_new_subscription_replaces_the_former_and_goes_on_from_its_own_cursor(tab: Tab, system: System) -> None:
    publish(system, 1)
    tab.subscribe("orders.everything", "orders.board")
    tab.until(lambda t: len(t.positions) == 2)
    tab.frames.clear()
    tab.subscribe("orders.prices", orders__everything=Position("ignored", 7))
    tab.until_frame(op="snapshot", channel="orders.prices")
    publish(system, 2)
    tab.until(lambda t: t.positions["orders.prices"].seq == 2 and t.positions["orders.everything"].seq == 2)
    assert [frame["channel"] for frame in tab.of("snapshot")] == ["orders.prices"]
    assert {frame["channel"] for frame in tab.of("delta")} == {"orders.prices", "orders.everything"}


def test_null_forces_a_snapshot_of_a_subscribed_channel(tab: Tab, system: System) -> None:
    publish(system, 1)
    tab.subscribe("orders.everything")
    tab.until_frame(op="snapshot")
    tab.subscribe("orders.everything")
    tab.until_frame(op="snapshot", channel="orders.everything")
    publish(system, 2)
    tab.until_frame(op="delta", seq=2)


def test_unknown_channels_are_answered_and_the_others_served(tab: Tab, system: System) -> None:
    publish(system, 1)
    tab.subscribe("orders.board", "orders.nothing", "orders.shop_board", "orders.board:x", "")
    tab.until(lambda t: len(t.of("error")) == 4 and t.positions)
    assert {frame["channel"] for frame in tab.of("error")} == {
        "orders.nothing", "orders.shop_board", "orders.board:x", "",
    }
    assert {frame["code"] for frame in tab.of("error")} == {"unknown_channel"}


def test_a_retired_channel_is_answered_with_its_successor(system: System, broker_url: str) -> None:
    module = ModuleType("later")

    class Former(Latest, feed=Orders):
        """What was."""

        retired = Retired(since="2026-11-01", successor="orders.board")

    Former.__module__ = module.__name__
    vars(module)["Former"] = Former
    publish(system, 1)
    with Served(broker_url, Declarations.read([feeds, module]), clock=system.clock) as served, Tab(served.url) as tab:
        tab.subscribe("orders.board", "orders.former", "orders.former:x")
        tab.until(lambda t: len(t.of("error")) == 2 and t.positions)
        assert {frame["channel"] for frame in tab.of("error")} == {"orders.former", "orders.former:x"}
        (detail,) = {frame["detail"] for frame in tab.of("error")}
        assert detail == "retired since 2026-11-01; its successor is orders.board"


def test_a_partition_is_a_channel_of_its_own(tab: Tab, system: System) -> None:
    publish(system, 1, shop="north")
    tab.subscribe("orders.shop_board:north", "orders.shop_board:south")
    tab.until(lambda t: len(t.positions) == 2)
    publish(system, 2, shop="south")
    tab.until(lambda t: len(t.data("orders.shop_board:south")["rows"]) == 1)
    assert list(tab.data("orders.shop_board:north")["rows"]) == ["o1"]


def test_a_channel_whose_lane_no_worker_opened_is_shown_empty_and_comes_to_life(tab: Tab, system: System) -> None:
    tab.subscribe("orders.board")
    assert tab.until_frame(op="snapshot")["data"] == {"rows": {}}
    publish(system, 1)
    tab.until(lambda t: len(t.data("orders.board")["rows"]) == 1)


def test_a_ping_is_answered_with_its_own_time(tab: Tab, system: System) -> None:
    tab.say({"op": "ping", "t": 12.5})
    assert tab.until_frame(op="pong") == {"op": "pong", "t": 12.5, "server_time": system.now_ms}


def test_two_gateways_on_one_broker_serve_the_same_sequence(served: Served, system: System) -> None:
    publish(system, 1)
    with (
        Served(system.url, system.declarations, clock=system.clock) as other,
        Tab(served.url) as one, Tab(other.url) as two,
    ):
        for tab in (one, two):
            tab.subscribe("orders.everything", "orders.prices")
            tab.until(lambda t: len(t.positions) == 2)
        for number in range(2, 14):
            publish(system, number, price=number * 3.0)
            system.now_ms += 100
        for tab in (one, two):
            tab.until(lambda t: t.positions == head(system, *t.positions))
        assert one.data("orders.everything") == two.data("orders.everything")
        assert one.data("orders.prices") == two.data("orders.prices")


def test_a_snapshot_on_one_channel_costs_nothing_on_another_of_the_same_read(served: Served, system: System) -> None:
    publish(system, 1)
    with Tab(served.url) as tab:
        tab.subscribe("orders.board", "orders.everything")
        tab.until(lambda t: len(t.positions) == 2)
        reader = served.gateway._reader
        refs = [ref for name in tab.positions if (ref := system.declarations.resolve(name)) is not None]
        for ref in refs:
            reader.forget(ref)
        publish(system, 2)  # wakes the reader, which then reads neither
        publish(system, *range(3, 40))
        reader._changes.extend((ref, tab.positions[ref.name].seq) for ref in refs)
        reader._changed.set()
        tab.until(lambda t: t.positions == head(system, *t.positions))
        assert tab.data("orders.board") == system.data("orders.board")
        assert tab.data("orders.everything") == system.data("orders.everything")


def test_a_viewer_that_may_not_see_a_channel_any_more_gets_no_further_snapshot_of_it(
    served: Served, system: System
) -> None:
    publish(system, 1)
    with Tab(served.url) as tab:
        tab.subscribe("orders.board")
        tab.until_frame(op="snapshot")
        for audience in served.gateway._delivery.audiences:
            for link in audience.ready:
                link.owner.principal = Principal("nobody")
        served.gateway._sockets.call(lambda: _force(served))
        assert tab.until_frame(op="error")["code"] == "unknown_channel"
        assert len(tab.of("snapshot")) == 1


def _force(served: Served) -> None:
    delivery = served.gateway._delivery
    for audience in delivery.audiences:
        for link in list(audience.ready):
            delivery.subscribe(link.owner, dict.fromkeys(audience.channels))
