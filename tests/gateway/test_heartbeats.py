"""Heartbeats: where a viewer stands, how fresh each channel is, and why not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from services.accounts import Principal
from services.broker import Paused
from services.broker.pausing import PAUSE_LASTS_S
from services.gateway.gateway import GatewayLimits
from tests.gateway.raw import RawViewer
from tests.gateway.served import Served
from tests.gateway.tab import Tab
from tests.system import System, order
from tests.waiting import wait_until


@pytest.fixture
def served(system: System) -> Iterator[Served]:
    limits = GatewayLimits(heartbeat_s=0.5)
    with Served(system.url, system.declarations, clock=system.clock, limits=limits) as made:
        yield made


def publish(system: System, number: int) -> None:
    system.post([order(number, at=system.now_ms)])
    system.drain()


@contextmanager
def let_in(served: Served) -> Iterator[RawViewer]:
    """A viewer that was greeted. A handshake alone does not say who of two is counted first."""
    with RawViewer(served.url) as viewer:
        viewer.take_until(lambda: any(frame["op"] == "hello" for frame in viewer.frames))
        yield viewer


def told(tab: Tab) -> dict[str, Any]:
    """What the next heartbeat with channels says of the board."""
    while True:
        frame = tab.until_frame(op="heartbeat")
        if "orders.board" in frame["channels"]:
            found: dict[str, Any] = frame["channels"]["orders.board"]
            return found


def test_a_heartbeat_comes_at_least_as_often_as_the_greeting_says(served: Served, system: System) -> None:
    with Tab(served.url) as tab:
        every_s = tab.take()["heartbeat_s"]
        tab.until_frame(op="heartbeat")
        for _ in range(2):
            started = time.monotonic()
            tab.until_frame(op="heartbeat")
            assert time.monotonic() - started < every_s + 0.5


def test_a_heartbeat_says_where_a_channel_stands_and_how_fresh_it_is(served: Served, system: System) -> None:
    publish(system, 1)
    with Tab(served.url) as tab:
        tab.subscribe("orders.board")
        tab.until_frame(op="snapshot")
        wait_until(lambda: told(tab)["state"] == "live", what="the channel live")
        system.now_ms += 250
        wait_until(lambda: told(tab)["event_age_ms"] == 250, what="the event's age")
        said = told(tab)
    assert said["epoch"] == tab.positions["orders.board"].epoch
    assert said["seq"] == tab.positions["orders.board"].seq
    assert said["cause"] is None
    assert said["backlog"] == 0
    assert "behind" not in said
    assert "rate_hz" not in said


def test_a_change_of_cause_is_told_at_once(system: System) -> None:
    limits = GatewayLimits(heartbeat_s=2.0)
    with Served(system.url, system.declarations, clock=system.clock, limits=limits) as served:
        publish(system, 1)
        with Tab(served.url) as tab:
            tab.subscribe("orders.board")
            wait_until(lambda: told(tab)["state"] == "live", what="the channel live")
            tab.until_frame(op="heartbeat")
            started = time.monotonic()
            system.now_ms += 3_500
            said = told(tab)
            while said["cause"] is None:
                said = told(tab)
            assert time.monotonic() - started < 1.0
    assert said["cause"] == "worker_down"
    assert said["since"] == system.now_ms - 500


def test_standings_tell_position_and_freshness_of_every_channel(served: Served, system: System) -> None:
    publish(system, 1)
    with Tab(served.url) as tab:
        tab.subscribe("orders.board", "orders.shop_board:north")
        tab.until(lambda t: len(t.positions) == 2)
        wait_until(lambda: served.gateway.standings()["orders.board"].verdict.state == "live", what="live")
        standings = served.gateway.standings()
    assert standings["orders.board"].position == tab.positions["orders.board"]
    assert standings["orders.shop_board:north"].position == tab.positions["orders.shop_board:north"]
    assert standings["orders.dear"].position is None
    assert standings["orders.dear"].verdict.state == "live"
    assert "orders.shop_board" not in standings


def test_a_snapshot_by_http_equals_the_one_by_socket(served: Served, system: System) -> None:
    publish(system, 1)
    ref = system.declarations.resolve("orders.board")
    assert ref is not None
    unwatched = served.gateway.snapshot(ref)
    with Tab(served.url) as tab:
        tab.subscribe("orders.board")
        tab.until_frame(op="snapshot")
        assert served.gateway.snapshot(ref) == unwatched
        assert tab.socket is not None
    with RawViewer(served.url) as raw:
        raw.subscribe("orders.board")
        frames = [raw.take_raw()[1] for _ in range(3)]
    assert unwatched in frames


def test_a_principal_that_may_not_see_a_channel_is_told_it_does_not_exist(system: System) -> None:
    with (
        Served(system.url, system.declarations, clock=system.clock, principal=Principal("nobody")) as served,
        Tab(served.url) as tab,
    ):
        tab.subscribe("orders.board")
        refused = tab.until_frame(op="error")
        tab.subscribe("orders.nothing")
        unknown = tab.until_frame(op="error")
    assert refused["code"] == unknown["code"] == "unknown_channel"
    assert refused["detail"].replace("board", "nothing") == unknown["detail"]


def test_a_process_that_is_full_says_come_back_later(system: System) -> None:
    limits = GatewayLimits(viewers_max=1, heartbeat_s=0.5)
    with (
        Served(system.url, system.declarations, clock=system.clock, limits=limits) as served,
        let_in(served) as first, RawViewer(served.url) as second,
    ):
        assert second.close_code() == 1013
        first.take()


def test_a_principal_with_too_many_sockets_is_refused_the_next(system: System) -> None:
    limits, ann = GatewayLimits(viewers_per_principal=1, heartbeat_s=0.5), Principal("ann", roles=("admin",))
    with (
        Served(system.url, system.declarations, clock=system.clock, limits=limits, principal=ann) as served,
        let_in(served) as first, RawViewer(served.url) as second,
    ):
        assert second.close_code() == 4429
        first.take()
    with Served(system.url, system.declarations, clock=system.clock, limits=limits, principal=ann) as served:
        for _ in range(3):
            with RawViewer(served.url) as one_at_a_time:
                one_at_a_time.take()
            wait_until(lambda: not len(served.gateway._sockets), what="the socket gone")


def test_no_more_channels_are_followed_than_allowed(system: System) -> None:
    limits = GatewayLimits(channels_max=2)
    with Served(system.url, system.declarations, clock=system.clock, limits=limits) as served, Tab(served.url) as tab:
        publish(system, 1)
        tab.subscribe("orders.shop_board:north", "orders.shop_board:a", "orders.shop_board:b")
        assert tab.until_frame(op="error")["code"] == "too_many"
        tab.until(lambda t: "orders.shop_board:north" in t.positions)


def test_a_feed_that_is_paused_for_everybody_is_told_of_while_its_frames_go_on(served: Served, system: System) -> None:
    publish(system, 1)
    with Tab(served.url) as tab:
        tab.subscribe("orders.board")
        tab.until_frame(op="snapshot")
        assert "paused" not in told(tab)
        assert system.broker.pause("orders", Paused("ann", 1_000))
        assert not system.broker.pause("orders", Paused("bob", 2_000)), "the first one counts"
        wait_until(lambda: told(tab).get("paused") == {"by": "ann", "since": 1_000}, what="the pause")
        publish(system, 2)
        assert tab.until_frame(op="delta")["channel"] == "orders.board"
        assert 0 < system.broker._redis.ttl("hw:paused:orders") <= PAUSE_LASTS_S
        assert system.broker.resume("orders")
        wait_until(lambda: "paused" not in told(tab), what="its end")
        assert not system.broker.resume("orders")
