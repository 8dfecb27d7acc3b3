"""Viewers that cannot keep up: merged deltas instead of queues, and no memory for what they do not take."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator
from itertools import count

import psutil
import pytest

from services.gateway import sockets
from services.gateway.gateway import GatewayLimits
from services.gateway.links import SocketLimits
from services.gateway.sockets import TICK_S
from services.telemetry import Measurement
from tests.gateway.echo import Echo
from tests.gateway.raw import BINARY, PING, PONG, RawViewer, masked
from tests.gateway.served import Served
from tests.gateway.tab import Tab
from tests.system import System, order
from tests.waiting import wait_until

PATIENT = GatewayLimits(sockets=SocketLimits(silent_s=60, stalled_s=60))
ROWS = 150


@pytest.fixture
def served(system: System) -> Iterator[Served]:
    with Served(system.url, system.declarations, clock=system.clock, limits=PATIENT) as made:
        yield made


def flood(system: System, rounds: int, first: int = 0) -> None:
    """Each round replaces all rows by ones that hardly compress: about 50 KB of delta."""
    for turn in range(first, first + rounds):
        at, chance = system.now_ms + turn, random.Random(turn)
        system.post([order(n, price=float(turn), at=at, note=chance.randbytes(80).hex()) for n in range(ROWS)])
        system.drain()


def measured(served: Served) -> Measurement:
    return Measurement.decoded(served.telemetry.payload())


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("deflate", [True, False], ids=["deflate", "plain"])
def test_a_slow_viewer_gets_one_delta_with_the_newest_values(served: Served, system: System, deflate: bool) -> None:
    flood(system, 1)
    with Tab(served.url) as fast, RawViewer(served.url, deflate=deflate, receive_buffer=4096) as slow:
        slow.subscribe("orders.everything")
        slow.take_until(lambda: "orders.everything" in slow.positions)
        fast.subscribe("orders.everything")
        for turn in range(40):
            flood(system, 1, first=1 + turn)
            fast.until(lambda t, seq=turn + 2: t.seq("orders.everything") >= seq)
        slow.take_until(lambda: slow.positions == fast.positions)
        assert slow.data("orders.everything") == fast.data("orders.everything") == system.data("orders.everything")
        merged = [frame for frame in slow.frames if frame.get("merged", 1) > 1]
        assert merged or slow.snapshots > 1
        assert len([frame for frame in slow.frames if frame["op"] == "delta"]) < 40


@pytest.mark.usefixtures("each_way")
def test_a_stalled_viewer_costs_no_memory_and_is_right_again_afterwards(served: Served, system: System) -> None:
    flood(system, 1)
    with RawViewer(served.url, deflate=False, receive_buffer=4096) as slow:
        slow.subscribe("orders.everything", "orders.prices")
        slow.take_until(lambda: len(slow.positions) == 2)
        flood(system, 20, first=1)
        before = psutil.Process().memory_info().rss
        flood(system, 40, first=21)
        assert psutil.Process().memory_info().rss - before < 24 * 2**20
        assert measured(served).gauges["slow_viewers"] == 1
        slow.take_until(lambda: slow.positions == {
            name: system.broker.read_channel(ref).position
            for name in ("orders.everything", "orders.prices") if (ref := system.declarations.resolve(name))
        })
        assert slow.data("orders.everything") == system.data("orders.everything")
        assert slow.data("orders.prices") == system.data("orders.prices")


def test_a_slow_viewer_is_told_what_it_is_owed_or_its_rate(served: Served, system: System) -> None:
    flood(system, 1)
    with RawViewer(served.url, deflate=False, receive_buffer=4096) as slow:
        slow.subscribe("orders.everything")
        slow.take_until(lambda: bool(slow.positions))

        turns = count(1, 3)

        def told() -> bool:
            flood(system, 3, first=next(turns))
            slow.take()
            beats = [frame["channels"]["orders.everything"] for frame in slow.frames if frame["op"] == "heartbeat"]
            return any("rate_hz" in beat for beat in beats)

        wait_until(told, what="a reduced rate in a heartbeat")


def test_a_slow_viewer_gets_news_of_every_channel_and_heartbeats_too(served: Served, system: System) -> None:
    channels = ("orders.everything", "orders.recent")
    flood(system, 1)
    with RawViewer(served.url, deflate=False, receive_buffer=4096) as slow:
        slow.subscribe(*channels)
        slow.take_until(lambda: len(slow.positions) == 2)
        first, turns = dict(slow.positions), count(1)

        def told() -> bool:
            flood(system, 2, first=2 * next(turns))
            slow.take()
            beats = [frame["channels"] for frame in slow.frames if frame["op"] == "heartbeat"]
            owed = sum("behind" in beat[channels[0]] for beat in beats)
            return owed > 1 and all(slow.positions[name].seq > first[name].seq + 10 for name in channels)

        wait_until(told, what="news of both channels and heartbeats")


def test_viewers_stay_when_the_process_itself_was_held_up(system: System) -> None:
    limits = GatewayLimits(heartbeat_s=0.3, sockets=SocketLimits(ping_after_s=0.3, silent_s=0.75))
    with Served(system.url, system.declarations, clock=system.clock, limits=limits) as served, Tab(served.url) as tab:
        tab.take()
        served.gateway._sockets.call(lambda: held_up(1.5))
        tab.say({"op": "ping", "t": 1})
        tab.until_frame(op="pong")
        tab.say({"op": "ping", "t": 2})
        tab.until_frame(op="pong", t=2)
        assert measured(served).gauges["viewers"] == 1


def held_up(seconds: float) -> None:
    """The loop stands still, as in a suspended process."""
    threading.Event().wait(seconds)


@pytest.mark.usefixtures("each_way")
def test_a_fast_viewer_is_not_held_up_by_a_stalled_one(served: Served, system: System) -> None:
    flood(system, 1)
    with RawViewer(served.url, deflate=False, receive_buffer=4096) as slow, Tab(served.url) as fast:
        slow.subscribe("orders.everything")
        fast.subscribe("orders.everything")
        fast.until_frame(op="snapshot")
        for turn in range(1, 40):
            flood(system, 1, first=turn)
            fast.until(lambda t, seq=turn + 1: t.seq("orders.everything") == seq)
        assert len(fast.of("delta")) == 39


def test_a_viewer_that_takes_nothing_for_too_long_is_dropped(system: System) -> None:
    limits = GatewayLimits(sockets=SocketLimits(stalled_s=1.0, silent_s=60))
    with Served(system.url, system.declarations, clock=system.clock, limits=limits) as served:
        flood(system, 1)
        with RawViewer(served.url, deflate=False, receive_buffer=4096) as slow:
            slow.subscribe("orders.everything")
            flood(system, 40, first=1)
            wait_until(lambda: measured(served).gauges["viewers"] == 0, what="the stalled viewer dropped")


@pytest.mark.usefixtures("each_way")
def test_ten_megabytes_arrive_byte_for_byte_through_a_small_window() -> None:
    sent = random.Random(1).randbytes(10_000_000)
    with Echo() as echo, RawViewer(f"ws://{echo.address}/", receive_buffer=65_536) as viewer:
        viewer.send(masked(BINARY, sent))
        viewer.send(masked(PING, b"between"))
        opcode, received = viewer.take_raw()
        assert (opcode, hashlib.sha256(received).digest()) == (BINARY, hashlib.sha256(sent).digest())
        assert viewer.take_raw() == (PONG, b"between")


def test_a_large_snapshot_arrives_whole_through_a_small_window(served: Served, system: System) -> None:
    chance = random.Random(2)
    for first in range(0, 4_000, 1_000):
        numbers = range(first, first + 1_000)
        system.post([order(n, note=chance.randbytes(100).hex()) for n in numbers])
        system.drain()
    with RawViewer(served.url, receive_buffer=65_536) as slow:
        slow.subscribe("orders.everything")
        slow.take_until(lambda: "orders.everything" in slow.positions)
        assert len(slow.data("orders.everything")["rows"]) == 4_000
        assert slow.data("orders.everything") == system.data("orders.everything")


def test_a_silent_socket_is_freed_within_two_and_a_half_heartbeats() -> None:
    limits = GatewayLimits()
    assert limits.sockets.silent_s + limits.sockets.linger_s + 2 * TICK_S <= 2.5 * limits.heartbeat_s
    assert limits.sockets.silent_s - limits.sockets.ping_after_s >= 2.0, "a slow link has time to answer"


def test_a_half_open_socket_is_freed(system: System) -> None:
    limits = GatewayLimits(heartbeat_s=0.3, sockets=SocketLimits(ping_after_s=0.3, silent_s=0.75))
    with (
        Served(system.url, system.declarations, clock=system.clock, limits=limits) as served,
        RawViewer(served.url, answers_pings=False) as gone,
    ):
        wait_until(lambda: measured(served).gauges.get("viewers") == 1, what="the viewer counted")
        wait_until(lambda: measured(served).gauges["viewers"] == 0, what="the silent viewer freed")
        assert gone.close_code() == 4408, "one that is there after all is told"


def test_a_viewer_stays_whose_answer_waits_unread_behind_those_of_others(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = GatewayLimits(heartbeat_s=0.3, sockets=SocketLimits(ping_after_s=0.3, silent_s=0.75))
    with (
        Served(system.url, system.declarations, clock=system.clock, limits=limits) as served,
        RawViewer(served.url) as there,
    ):
        there.take_until(lambda: there.pings)
        monkeypatch.setattr(sockets, "ROUND_LINKS", 0)  # others come first in every round
        there.take_until(lambda: there.pings > 3)
        assert measured(served).gauges["viewers"] == 1


def test_a_viewer_that_answers_pings_stays(system: System) -> None:
    limits = GatewayLimits(heartbeat_s=0.3, sockets=SocketLimits(ping_after_s=0.3, silent_s=0.75))
    with (
        Served(system.url, system.declarations, clock=system.clock, limits=limits) as served,
        RawViewer(served.url) as there,
    ):
        there.take_until(lambda: there.pings >= 3)
        assert measured(served).gauges["viewers"] == 1
