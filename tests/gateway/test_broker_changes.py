"""What viewers see when the broker loses, forgets or restarts: never a wrong value, a snapshot instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
import redis

from services.broker import BrokerDown
from services.embedded import EmbeddedBroker
from tests.chaos.link import Link
from tests.chaos.world import World
from tests.gateway.served import Served
from tests.gateway.tab import Tab
from tests.system import System, order
from tests.waiting import wait_until


@pytest.fixture
def served(system: System) -> Iterator[Served]:
    with Served(system.url, system.declarations, clock=system.clock) as made:
        yield made


def publish(system: System, *numbers: int) -> None:
    for number in numbers:
        system.post([order(number)])
        system.drain()


def pretend_another_server(system: System) -> None:
    """The lane's next writer finds another server's mark, as after a failover."""
    client = redis.Redis.from_url(system.url)
    client.delete("hw:{orders.0}:lease")
    client.hset("hw:{orders.0}:lane", "run_id", "another server")
    client.close()
    system.processor = system.new_processor("worker-2")


def test_a_new_epoch_brings_a_snapshot_to_everybody(served: Served, system: System) -> None:
    publish(system, 1, 2)
    with Tab(served.url) as one, Tab(served.url, deflate=False) as two:
        for tab in (one, two):
            tab.subscribe("orders.everything", "orders.board")
            tab.until(lambda t: len(t.positions) == 2)
        epoch = one.positions["orders.everything"].epoch
        pretend_another_server(system)
        publish(system, 3)
        for tab in (one, two):
            tab.until(lambda t: t.positions["orders.everything"].epoch != epoch and t.seq("orders.everything") == 3)
            tab.until(lambda t: t.positions["orders.board"].epoch != epoch)
            assert tab.data("orders.everything") == system.data("orders.everything")
        publish(system, 4)
        one.until(lambda t: t.seq("orders.everything") == 4)


def test_an_epoch_that_changes_while_nothing_happens_is_noticed_within_a_second_or_two(
    served: Served, system: System
) -> None:
    publish(system, 1)
    with Tab(served.url) as tab:
        tab.subscribe("orders.everything")
        tab.until_frame(op="snapshot")
        pretend_another_server(system)
        system.drain()
        tab.until_frame(5.0, op="snapshot")
        assert tab.data("orders.everything") == system.data("orders.everything")


def test_a_delta_that_is_missing_in_the_stream_brings_a_snapshot(served: Served, system: System) -> None:
    publish(system, 1)
    with Tab(served.url) as tab:
        tab.subscribe("orders.everything")
        tab.until_frame(op="snapshot")
        client = redis.Redis.from_url(system.url)
        key = "hw:{orders.0}:c:orders.everything"
        client.hset(key + ":head", "seq", 7)
        client.xadd(key + ":deltas", {"epoch": tab.positions["orders.everything"].epoch, "data": b"{}", "times": (
            b'{"created":[1,1],"ingested":[1,1],"processed":1,"events":1}')}, id="7-0")
        client.close()
        assert tab.until_frame(op="snapshot")["seq"] == 7
        assert not tab.of("delta")


def test_a_broker_that_restarts_with_its_data_costs_no_snapshot(own_broker: EmbeddedBroker) -> None:
    system = System(own_broker.url)
    with Served(own_broker.url, system.declarations, clock=system.clock) as served, Tab(served.url) as tab:
        publish(system, 1)
        tab.subscribe("orders.everything")
        tab.until_frame(op="snapshot")
        own_broker.stop()
        tab.until(lambda t: _told(t, "cause") == "broker_down", what="the cause in a heartbeat")
        own_broker.start()
        tab.until(lambda t: _told(t, "cause") != "broker_down", what="the cause gone")
        assert len(tab.of("snapshot")) == 1
        assert tab.data("orders.everything") == system.data("orders.everything")
    system.close()


def test_a_position_that_the_broker_cannot_replay_any_more_gets_a_snapshot(served: Served, system: System) -> None:
    publish(system, 1)
    with Tab(served.url) as before:
        before.subscribe("orders.everything")
        before.until_frame(op="snapshot")
    publish(system, *range(2, 9))
    client = redis.Redis.from_url(system.url)
    client.xtrim("hw:{orders.0}:c:orders.everything:deltas", maxlen=3, approximate=False)
    client.close()
    with Served(system.url, system.declarations, clock=system.clock) as other, Tab(other.url) as after:
        after.subscribe(orders__everything=before.positions["orders.everything"])
        assert after.until_frame(op="snapshot")["seq"] == 8
        assert after.data("orders.everything") == system.data("orders.everything")


def test_a_viewer_that_knows_a_newer_epoch_is_never_led_back_by_a_process_that_does_not(
    served: Served, system: System
) -> None:
    publish(system, 1)
    with World() as world:
        link = Link(world, system.url.removeprefix("unix://"))
        url = f"redis://127.0.0.1:{link.port}"
        with Served(url, system.declarations, clock=system.clock) as behind, Tab(behind.url) as still:
            still.subscribe("orders.everything")
            still.until_frame(op="snapshot")
            link.hold()
            pretend_another_server(system)
            publish(system, 2)
            with Tab(served.url) as one:
                one.subscribe("orders.everything")
                one.until_frame(op="snapshot")
            known = one.positions["orders.everything"]
            assert known.epoch != still.positions["orders.everything"].epoch
            with Tab(behind.url) as other:
                other.resume(one)
                other.subscribe(orders__everything=known)
                other.until_frame(op="heartbeat")
                link.release()
                publish(system, 3)
                other.until(lambda t: t.seq("orders.everything") == 3)
                assert {f["epoch"] for f in other.frames if f["op"] in ("snapshot", "delta")} == {known.epoch}
        link.close()


def test_lost_replies_and_cut_connections_cost_neither_a_delta_nor_a_snapshot(system: System) -> None:
    with World() as world:
        link = Link(world, system.url.removeprefix("unix://"))
        url = f"redis://127.0.0.1:{link.port}"
        with Served(url, system.declarations, clock=system.clock) as served, Tab(served.url) as tab:
            publish(system, 1)
            tab.subscribe("orders.everything", "orders.board")
            tab.until(lambda t: len(t.positions) == 2)
            faults = [lambda: link.lose_reply(b"XREAD"), link.cut, lambda: link.lose_reply(b"GET")]
            for last, fault in zip((3, 5, 7), faults, strict=True):
                fault()
                publish(system, last - 1, last)
                tab.until(lambda t, last=last: {t.seq(name) for name in t.positions} == {last})
            assert link.lost >= 1
            assert len(tab.of("snapshot")) == 2
            assert tab.data("orders.everything") == system.data("orders.everything")
            assert tab.data("orders.board") == system.data("orders.board")
        link.close()


def test_a_broker_that_takes_no_more_connections_for_a_while_costs_no_snapshot(own_broker: EmbeddedBroker) -> None:
    system, admin = System(own_broker.url), redis.Redis.from_url(own_broker.url)
    with Served(own_broker.url, system.declarations, clock=system.clock) as served, Tab(served.url) as tab:
        publish(system, 1)
        tab.subscribe("orders.everything")
        tab.until_frame(op="snapshot")
        admin.config_set("maxclients", 1)
        admin.client_kill_filter(_type="normal", skipme=True)
        tab.until(lambda t: _told(t, "cause") == "broker_down", what="the cause in a heartbeat")
        admin.config_set("maxclients", 1_000)
        tab.until(lambda t: _told(t, "cause") != "broker_down", what="the cause gone")
        wait_until(lambda: _published(system, 2), what="the worker is back as well")
        tab.until(lambda t: t.seq("orders.everything") == 2)
        assert len(tab.of("snapshot")) == 1
    admin.close()
    system.close()


def test_a_broker_that_restarts_empty_keeps_the_last_values_until_a_new_epoch_is_there(
    own_broker: EmbeddedBroker
) -> None:
    system = System(own_broker.url)
    with Served(own_broker.url, system.declarations, clock=system.clock) as served, Tab(served.url) as tab:
        publish(system, 1, 2)
        tab.subscribe("orders.everything")
        tab.until_frame(op="snapshot")
        redis.Redis.from_url(own_broker.url).flushall()
        own_broker.stop()
        tab.until(lambda t: _told(t, "cause") == "broker_down", what="the cause in a heartbeat")
        own_broker.start()
        tab.until(lambda t: _told(t, "cause") not in ("broker_down", None), what="another cause")
        assert len(tab.data("orders.everything")["rows"]) == 2
        system.processor = system.new_processor("worker-2")
        publish(system, 3)
        tab.until(lambda t: list(t.data("orders.everything")["rows"]) == ["o3"])
    system.close()


def test_a_viewer_that_comes_to_a_process_which_never_knew_anything_keeps_its_values_until_a_new_epoch_is_there(
    own_broker: EmbeddedBroker
) -> None:
    system = System(own_broker.url)
    with Served(own_broker.url, system.declarations, clock=system.clock) as gone, Tab(gone.url) as one:
        publish(system, 1, 2)
        one.subscribe("orders.everything")
        one.until_frame(op="snapshot")
    redis.Redis.from_url(own_broker.url).flushall()
    with Served(own_broker.url, system.declarations, clock=system.clock) as fresh, Tab(fresh.url) as other:
        other.resume(one)
        other.subscribe(orders__everything=one.positions["orders.everything"])
        other.until(lambda t: _told(t, "behind"), what="a heartbeat that owes it something")
        assert list(other.data("orders.everything")["rows"]) == ["o1", "o2"]
        system.processor = system.new_processor("worker-2")
        publish(system, 3)
        other.until(lambda t: list(t.data("orders.everything")["rows"]) == ["o3"])
        assert len({frame["epoch"] for frame in other.frames if frame["op"] == "snapshot"}) == 1
    system.close()


def _published(system: System, number: int) -> bool:
    """Post the event again, its id being known, until it is in the channel."""
    with suppress(BrokerDown):
        publish(system, number)
        return f"o{number}" in system.data("orders.everything")["rows"]
    return False


def _told(tab: Tab, what: str) -> object:
    """What the last heartbeat says of the channel."""
    beats = [beat["channels"]["orders.everything"] for beat in tab.of("heartbeat") if beat["channels"]]
    return beats[-1].get(what) if beats else None
