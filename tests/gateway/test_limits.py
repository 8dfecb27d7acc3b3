"""Who is let in, how many at once, and what happens when a right is taken away."""

from __future__ import annotations

import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed

from services.accounts import Principal
from services.gateway.gateway import GatewayLimits
from tests.gateway.raw import Closed, RawViewer
from tests.gateway.served import Served
from tests.gateway.tab import Tab
from tests.system import System, order
from tests.waiting import wait_until

ANN = Principal("ann", roles=("admin",))


class Register:
    """Grants that the test changes."""

    def __init__(self) -> None:
        self.generation = self.asked = 0
        self.principal: Principal | None = ANN

    def renewed(self, principal: Principal) -> Principal | None:
        self.asked += 1
        return self.principal

    def change(self, principal: Principal | None) -> None:
        self.principal = principal
        self.generation += 1


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def served(system: System, register: Register) -> Iterator[Served]:
    with Served(system.url, system.declarations, clock=system.clock, principal=ANN, grants=register) as made:
        yield made


def greeting_or_code(viewer: RawViewer) -> object:
    """`hello` for a viewer that was let in, the close code for one that was not."""
    try:
        viewer.take()
    except Closed as closed:
        return closed.code
    return viewer.frames[-1]["op"]


def seconds_for_http(served: Served) -> float:
    started = time.monotonic()
    with urllib.request.urlopen(served.url.replace("ws:", "http:").replace("/live", "/healthz"), timeout=10) as answer:
        assert answer.status == 200
    return time.monotonic() - started


def test_an_address_with_too_many_sockets_is_refused_more_and_http_stays_free(system: System) -> None:
    limits = GatewayLimits(viewers_per_address=20)
    with Served(system.url, system.declarations, clock=system.clock, limits=limits) as served:
        with ExitStack() as opened:
            viewers = [opened.enter_context(RawViewer(served.url)) for _ in range(150)]
            assert seconds_for_http(served) < 2.0
            assert Counter(map(greeting_or_code, viewers)) == {"hello": 20, 4429: 130}
            assert seconds_for_http(served) < 2.0
        wait_until(lambda: not len(served.gateway._sockets), what="all sockets gone")
        with RawViewer(served.url) as again:
            assert greeting_or_code(again) == "hello"


def test_in_open_mode_everybody_together_has_no_limit_of_one_account(system: System) -> None:
    limits = GatewayLimits(viewers_per_principal=1)
    with (
        Served(system.url, system.declarations, clock=system.clock, limits=limits) as served,
        RawViewer(served.url) as one, RawViewer(served.url) as two,
    ):
        assert [greeting_or_code(one), greeting_or_code(two)] == ["hello", "hello"]


def watch(tab: Tab, system: System, *channels: str) -> None:
    system.post([order(1)])
    system.drain()
    tab.subscribe(*channels)
    tab.until(lambda t: len(t.positions) == len(channels))


def code_within_two_seconds(tab: Tab) -> int:
    started = time.monotonic()
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            tab.take(5.0)
    assert time.monotonic() - started < 2.0
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_a_viewer_that_is_signed_out_is_closed_within_two_seconds(
    served: Served, system: System, register: Register
) -> None:
    with Tab(served.url) as tab:
        watch(tab, system, "orders.board")
        register.change(None)
        assert code_within_two_seconds(tab) == 4401


def test_a_viewer_that_lost_all_that_it_watched_is_closed_with_4403(
    served: Served, system: System, register: Register
) -> None:
    with Tab(served.url) as tab:
        watch(tab, system, "orders.board", "orders.everything")
        register.change(Principal("ann"))
        assert code_within_two_seconds(tab) == 4403


def test_a_viewer_that_lost_one_channel_is_told_and_keeps_the_others(
    served: Served, system: System, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Tab(served.url) as tab:
        watch(tab, system, "orders.board", "orders.everything")
        monkeypatch.setattr("services.gateway.review.can", lambda _, action, name: name != "orders.board")
        register.change(ANN)
        system.post([order(2)])
        system.drain()
        assert tab.until_frame(op="error")["channel"] == "orders.board"
        tab.until(lambda t: t.seq("orders.everything") == 2)
        system.post([order(3)])
        system.drain()
        tab.until(lambda t: t.seq("orders.everything") == 3)
        assert tab.seq("orders.board") < 3


def test_nothing_more_is_fanned_out_to_one_whose_right_is_gone(
    served: Served, system: System, register: Register
) -> None:
    with Tab(served.url) as tab:
        watch(tab, system, "orders.everything")
        system.post([order(2)])
        register.change(None)
        system.drain()
        with pytest.raises(ConnectionClosed):
            while True:
                tab.take(5.0)
        assert tab.seq("orders.everything") == 1


def test_rights_that_do_not_change_are_not_asked_for_again(served: Served, system: System, register: Register) -> None:
    with Tab(served.url) as tab:
        watch(tab, system, "orders.everything")
        for number in range(2, 30):
            system.post([order(number)])
            system.drain()
        tab.until(lambda t: t.seq("orders.everything") == 29)
        assert register.asked == 1, "when it came"
        register.change(ANN)
        wait_until(lambda: register.asked == 2, what="asked once more")
