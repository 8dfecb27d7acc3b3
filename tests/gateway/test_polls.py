"""Long polls: answered once with what is newer, parked on the loop, and never in the way of anybody."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from services.accounts import Principal
from services.gateway.gateway import GatewayLimits
from services.telemetry import Measurement
from tests.gateway.served import Served
from tests.gateway.tab import Tab
from tests.system import System, order
from tests.waiting import wait_until

pytestmark = pytest.mark.alone

Frames = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def _quick_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel's freshness is settled sooner."""
    monkeypatch.setattr("services.gateway.reading.PROGRESS_EVERY_S", 0.1)


@pytest.fixture
def served(system: System) -> Iterator[Served]:
    with Served(system.url, system.declarations, clock=system.clock) as made:
        yield made


def publish(system: System, *numbers: int) -> None:
    for number in numbers:
        system.post([order(number)])
        system.drain()


class Poll:
    """One request; `answer` waits for it."""

    def __init__(self, served: Served, channels: dict[str, Any], **more: Any) -> None:
        address = urlsplit(served.url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        encoding = {"Accept-Encoding": "gzip"} if more.pop("gzip", False) else {}
        body = json.dumps({"channels": channels, **more})
        self._connection.request("POST", "/api/changes", body, {"Content-Type": "application/json", **encoding})

    def answer(self) -> tuple[int, Any]:
        answer = self._connection.getresponse()
        self.headers = dict(answer.getheaders())
        body = answer.read()
        assert len(body) == int(self.headers["Content-Length"])
        assert answer.will_close
        self._connection.close()
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return answer.status, json.loads(body)

    def frames(self) -> Frames:
        status, frames = self.answer()
        assert status == 200, frames
        found: Frames = frames
        return found

    def abandon(self) -> None:
        self._connection.close()


def standing(served: Served, system: System, channel: str = "orders.everything") -> dict[str, Any]:
    """Publish the first event, and where its channel stands once its freshness is settled as well."""
    publish(system, 1)
    snapshot = Poll(served, {channel: None}).frames()[0]
    wait_until(lambda: served.gateway.standings()[channel].verdict.state == "live", what="the channel live")
    return at(snapshot)


def at(frame: dict[str, Any]) -> dict[str, Any]:
    return {"epoch": frame["epoch"], "seq": frame["seq"]}


def parked(served: Served) -> float:
    return Measurement.decoded(served.telemetry.payload()).gauges.get("parked_polls", 0)


def wait_for_parked(served: Served, number: int) -> None:
    wait_until(lambda: parked(served) == number, what=f"{number} parked polls")


def test_a_poll_from_nothing_is_answered_with_snapshots_and_where_they_stand(served: Served, system: System) -> None:
    publish(system, 1, 2)
    frames = Poll(served, {"orders.board": None, "orders.everything": None}).frames()
    assert [frame["op"] for frame in frames] == ["snapshot", "snapshot", "heartbeat"]
    by_channel = {frame["channel"]: frame for frame in frames[:2]}
    assert by_channel["orders.everything"]["data"] == system.data("orders.everything")
    assert frames[2]["channels"]["orders.board"]["seq"] == by_channel["orders.board"]["seq"]


def test_a_poll_from_a_position_is_answered_with_what_came_since(served: Served, system: System) -> None:
    publish(system, 1)
    snapshot = Poll(served, {"orders.everything": None}).frames()[0]
    publish(system, 2, 3)
    delta, heartbeat = Poll(served, {"orders.everything": at(snapshot)}).frames()
    assert (delta["op"], delta["after"], delta["seq"], delta["merged"]) == ("delta", 1, 3, 2)
    assert heartbeat["channels"]["orders.everything"]["seq"] == 3


def test_a_position_is_recovered_by_a_process_that_never_read_it(served: Served, system: System) -> None:
    publish(system, 1)
    snapshot = Poll(served, {"orders.everything": None}).frames()[0]
    publish(system, *range(2, 9))
    with Served(system.url, system.declarations, clock=system.clock) as other:
        frames = Poll(other, {"orders.everything": at(snapshot)}).frames()
    assert [frame["op"] for frame in frames] == ["delta", "heartbeat"]
    assert (frames[0]["after"], frames[0]["seq"]) == (1, 8)


def test_a_parked_poll_is_answered_as_soon_as_something_comes(served: Served, system: System) -> None:
    waiting = Poll(served, {"orders.everything": standing(served, system)})
    wait_for_parked(served, 1)
    started = time.monotonic()
    publish(system, 2)
    assert waiting.frames()[0]["seq"] == 2
    assert time.monotonic() - started < 1.0
    wait_for_parked(served, 0)


def test_polls_one_after_the_other_make_the_same_sequence_as_a_socket(served: Served, system: System) -> None:
    publish(system, 1)
    applied: list[tuple[int, int]] = []
    with Tab(served.url) as tab:
        tab.subscribe("orders.everything")
        position = at(Poll(served, {"orders.everything": None}).frames()[0])
        writer = threading.Thread(target=publish, args=(system, *range(2, 42)))
        writer.start()
        while position["seq"] < 41:
            for frame in Poll(served, {"orders.everything": position}).frames():
                if frame["op"] == "delta":
                    assert frame["after"] == position["seq"]
                    position = at(frame)
                    applied.append((frame["after"], frame["seq"]))
        writer.join()
        tab.until(lambda t: t.seq("orders.everything") == 41)
    assert applied[-1][1] == 41


def test_nothing_new_is_an_empty_list_after_the_time_asked_for(served: Served, system: System) -> None:
    position, started = standing(served, system), time.monotonic()
    assert Poll(served, {"orders.everything": position}, wait_s=0.5).frames() == []
    assert 0.5 <= time.monotonic() - started < 5.0
    beat, = Poll(served, {"orders.everything": position}, wait_s=0, heartbeat=True).frames()
    assert beat["op"] == "heartbeat"
    assert beat["channels"]["orders.everything"]["seq"] == 1


def test_a_change_of_state_answers_a_parked_poll(served: Served, system: System) -> None:
    waiting = Poll(served, {"orders.board": standing(served, system, "orders.board")})
    wait_for_parked(served, 1)
    system.now_ms += 60_000
    beat, = waiting.frames()
    assert beat["channels"]["orders.board"]["cause"] == "worker_down"


@pytest.mark.parametrize("position", [{"epoch": "other", "seq": 1}, {"epoch": "other", "seq": 10**9}])
def test_a_position_of_another_epoch_gets_a_snapshot(served: Served, system: System, position: Any) -> None:
    publish(system, 1)
    assert Poll(served, {"orders.everything": position}).frames()[0]["op"] == "snapshot"


def test_a_position_that_was_never_reached_gets_a_snapshot(served: Served, system: System) -> None:
    publish(system, 1)
    snapshot = Poll(served, {"orders.everything": None}).frames()[0]
    ahead = Poll(served, {"orders.everything": {**at(snapshot), "seq": 500}}).frames()[0]
    assert (ahead["op"], ahead["seq"]) == ("snapshot", 1)


def test_unknown_channels_are_answered_and_the_others_served(served: Served, system: System) -> None:
    publish(system, 1)
    frames = Poll(served, {"orders.board": None, "orders.nothing": None}).frames()
    assert [frame["op"] for frame in frames] == ["error", "snapshot", "heartbeat"]
    assert (frames[0]["code"], frames[0]["channel"]) == ("unknown_channel", "orders.nothing")


def test_a_poll_of_someone_who_may_see_nothing_answers_as_of_unknown_channels(system: System) -> None:
    publish(system, 1)
    with Served(system.url, system.declarations, clock=system.clock, principal=Principal("nobody")) as served:
        frames = Poll(served, {"orders.board": None}).frames()
    assert [frame["op"] for frame in frames] == ["error", "heartbeat"]
    assert frames[1]["channels"] == {}


def test_large_answers_are_compressed_for_those_who_take_it(served: Served, system: System) -> None:
    system.post([order(n) for n in range(200)])
    system.drain()
    squeezed, plain = (Poll(served, {"orders.everything": None}, gzip=taken) for taken in (True, False))
    assert squeezed.frames()[0] == plain.frames()[0]
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert int(squeezed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 3


@pytest.mark.parametrize(("body", "kind", "status"), [
    (b"{nonsense", "application/json", 400),
    (b"[]", "application/json", 400),
    (b"{}", "application/json", 400),
    (b'{"channels":{"orders.board":7}}', "application/json", 400),
    (b'{"channels":{},"wait_s":26}', "application/json", 400),
    (b'{"channels":{},"wait_s":-1}', "application/json", 400),
    (b'{"channels":{},"wait_s":"5"}', "application/json", 400),
    (b'{"channels":{},"heartbeat":1}', "application/json", 400),
    (b'{"channels":{},"x":' + b"[" * 17 + b"]" * 17 + b"}", "application/json", 400),
    (b'{"channels":{}}', "text/plain", 415),
    (b'{"channels":{}}', "application/x-www-form-urlencoded", 415),
    (b'{"channels":{},"x":"' + b"x" * 70_000 + b'"}', "application/json", 413),
])
def test_a_poll_that_breaks_a_rule_is_refused_by_http(served: Served, body: bytes, kind: str, status: int) -> None:
    address = urlsplit(served.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.request("POST", "/api/changes", body, {"Content-Type": kind})
    answer = connection.getresponse()
    assert answer.status == status
    assert json.loads(answer.read())["error"]
    connection.close()


def test_a_page_of_another_site_cannot_poll(served: Served) -> None:
    address = urlsplit(served.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    headers = {"Content-Type": "application/json", "Origin": "https://evil.example"}
    connection.request("POST", "/api/changes", b'{"channels":{}}', headers)
    assert connection.getresponse().status == 403
    connection.close()


def test_a_poll_that_is_given_up_is_forgotten(served: Served, system: System) -> None:
    waiting = Poll(served, {"orders.everything": standing(served, system)})
    wait_for_parked(served, 1)
    waiting.abandon()
    wait_for_parked(served, 0)
    wait_until(lambda: not len(served.gateway._sockets), what="no socket left")


def test_one_poll_too_many_is_told_to_come_later(system: System) -> None:
    limits = GatewayLimits(viewers_per_address=2)
    with Served(system.url, system.declarations, clock=system.clock, limits=limits) as served:
        position = standing(served, system)
        with Tab(served.url) as tab:
            tab.take()
            waiting = Poll(served, {"orders.everything": position})
            wait_for_parked(served, 1)
            refused = Poll(served, {"orders.everything": position})
            assert refused.answer()[0] == 429
            assert refused.headers["Retry-After"]
        publish(system, 2)
        assert waiting.frames()[0]["seq"] == 2


def test_a_stop_answers_parked_polls(system: System) -> None:
    with Served(system.url, system.declarations, clock=system.clock) as served:
        waiting = Poll(served, {"orders.everything": standing(served, system)})
        wait_for_parked(served, 1)
        served.gateway.stop()
        assert waiting.answer()[0] == 503
        assert waiting.headers["Retry-After"] == "1"
        late = Poll(served, {"orders.everything": None})
        assert late._connection.getresponse().status == 503
        late.abandon()


def test_a_large_answer_reaches_a_slow_reader_whole(served: Served, system: System) -> None:
    system.post([order(n, note="né→" * 60) for n in range(3_000)])
    system.drain()
    address = urlsplit(served.url)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        slow.settimeout(10)
        slow.connect((address.hostname, address.port))
        body = b'{"channels":{"orders.everything":null}}'
        slow.sendall(
            b"POST /api/changes HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (address.netloc.encode(), len(body), body)
        )
        received = b""
        while part := slow.recv(4_096):
            received += part
    _, _, payload = received.partition(b"\r\n\r\n")
    data = json.loads(payload)[0]["data"]
    assert len(data["rows"]) == 3_000
    assert data == system.data("orders.everything")


def test_a_thousand_parked_polls_leave_http_free_and_are_all_answered(system: System) -> None:
    with Served(system.url, system.declarations, clock=system.clock) as served, ExitStack() as opened:
        position = standing(served, system)
        waiting = [Poll(served, {"orders.everything": position}) for _ in range(1_000)]
        for poll in waiting:
            opened.callback(poll.abandon)
        wait_for_parked(served, 1_000)
        threads = threading.active_count()
        started = time.monotonic()
        assert Poll(served, {"orders.everything": None}).frames()[0]["op"] == "snapshot"
        assert time.monotonic() - started < 1.0
        assert threads < 60
        system.broker._redis.delete("hw:{orders.0}:lease")  # it may have run out meanwhile, or not yet
        system.processor = system.new_processor("worker-2")
        publish(system, 2)
        assert {poll.frames()[0]["seq"] for poll in waiting} == {2}
