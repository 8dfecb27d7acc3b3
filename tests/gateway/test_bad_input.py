"""What a viewer must not send: each is closed with its code, costs nothing, and disturbs nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from services.gateway.gateway import GatewayLimits
from services.gateway.links import SocketLimits
from tests.gateway.raw import BINARY, CLOSE, PING, PONG, TEXT, Closed, RawViewer, deflated, masked
from tests.gateway.served import Served
from tests.gateway.tab import Tab
from tests.system import System, order

PING_MESSAGE = json.dumps({"op": "ping", "t": 1}).encode()
MANY = b",".join(b'"c%d":null' % n for n in range(500))
BOMB = deflated(b" " * 50_000_000)


@pytest.fixture
def served(system: System) -> Iterator[Served]:
    limits = GatewayLimits(sockets=SocketLimits(frames_burst=60))
    with Served(system.url, system.declarations, clock=system.clock, limits=limits) as made:
        yield made


FAULTS = {
    "binary": (masked(BINARY, b"{}"), 1003),
    "not JSON": (masked(TEXT, b"{nonsense"), 4400),
    "not an object": (masked(TEXT, b"[1]"), 4400),
    "NaN": (masked(TEXT, b'{"op":"ping","t":NaN}'), 4400),
    "unknown op": (masked(TEXT, b'{"op":"drop tables"}'), 4400),
    "nested deeply": (masked(TEXT, b"[" * 30_000), 4400),
    "17 deep": (masked(TEXT, b'{"op":"ping","t":1,"x":' + b"[" * 16 + b"]" * 16 + b"}"), 4400),
    "bad position": (masked(TEXT, b'{"op":"subscribe","channels":{"orders.board":7}}'), 4400),
    "many channels": (masked(TEXT, b'{"op":"subscribe","channels":{%s}}' % MANY), 4400),
    "bad UTF-8": (masked(TEXT, b'{"op":"\xff\xfe"}'), 1007),
    "surrogate": (masked(TEXT, b"\xed\xa0\x80"), 1007),
    "too long": (masked(TEXT, b" " * 65_537), 1009),
    "said to be huge": (b"\x81\xff" + (2**62).to_bytes(8, "big"), 1009),
    "huge in fragments": (masked(TEXT, b" " * 40_000, fin=False) + masked(0, b" " * 40_000), 1009),
    "unmasked": (b"\x81\x02{}", 1002),
    "reserved bit": (b"\xa1\x80\x00\x00\x00\x00", 1002),
    "unknown opcode": (masked(3, b""), 1002),
    "continuation of nothing": (masked(0, b"x"), 1002),
    "fragments mixed": (masked(TEXT, b"a", fin=False) + masked(TEXT, b"b"), 1002),
    "fragmented ping": (masked(PING, b"a", fin=False), 1002),
    "long ping": (masked(PING, b"a" * 126), 1002),
    "close code nobody may send": (masked(CLOSE, (1005).to_bytes(2, "big")), 1002),
    "half a close code": (masked(CLOSE, b"\x03"), 1002),
}
DEFLATE_FAULTS = {
    "inflate bomb": (masked(TEXT, BOMB, rsv1=True), 1009),
    "bomb in fragments": (masked(TEXT, BOMB[:30_000], rsv1=True, fin=False) + masked(0, BOMB[30_000:]), 1009),
    "not deflated": (masked(TEXT, b"\xff\xff\xff\xff\xff", rsv1=True), 1007),
    "compressed ping": (masked(PING, b"a", rsv1=True), 1002),
    "compressed continuation": (masked(TEXT, b"a", fin=False) + masked(0, b"a", rsv1=True), 1002),
}


@pytest.mark.parametrize(("data", "code"), FAULTS.values(), ids=FAULTS.keys())
def test_a_viewer_that_breaks_a_rule_is_closed_with_its_code(served: Served, data: bytes, code: int) -> None:
    with RawViewer(served.url) as viewer:
        viewer.send(data)
        assert viewer.close_code() == code


@pytest.mark.parametrize(("data", "code"), DEFLATE_FAULTS.values(), ids=DEFLATE_FAULTS.keys())
def test_a_viewer_that_breaks_a_rule_of_compression_is_closed(served: Served, data: bytes, code: int) -> None:
    with RawViewer(served.url, deflate=True) as viewer:
        viewer.send(data)
        assert viewer.close_code() == code


def test_compression_without_having_agreed_on_it_is_refused(served: Served) -> None:
    with RawViewer(served.url) as viewer:
        viewer.send(masked(TEXT, deflated(PING_MESSAGE), rsv1=True))
        assert viewer.close_code() == 1002


def test_a_bad_message_is_named_before_the_socket_is_closed(served: Served) -> None:
    with RawViewer(served.url) as viewer:
        viewer.say({"op": "subscribe"})
        with pytest.raises(Closed) as closed:
            while True:
                viewer.take()
    assert viewer.frames[-1]["op"] == "error"
    assert viewer.frames[-1]["code"] == "bad_message"
    assert "channels" in viewer.frames[-1]["detail"]
    assert closed.value.code == 4400
    assert "channels" in closed.value.reason


def test_a_message_may_come_in_fragments_with_a_ping_between(served: Served) -> None:
    with RawViewer(served.url) as viewer:
        viewer.send(masked(TEXT, PING_MESSAGE[:5], fin=False))
        viewer.send(masked(PING, b"between"))
        viewer.send(masked(0, PING_MESSAGE[5:9], fin=False) + masked(0, b"", fin=False))
        viewer.send(masked(0, PING_MESSAGE[9:]))
        seen = [viewer.take_raw() for _ in range(3)]
    assert (PONG, b"between") in seen
    assert json.loads(seen[-1][1])["op"] == "pong"


def test_a_message_may_come_byte_by_byte(served: Served) -> None:
    with RawViewer(served.url) as viewer:
        for byte in masked(TEXT, PING_MESSAGE):
            viewer.send(bytes((byte,)))
        viewer.take_until(lambda: any(frame["op"] == "pong" for frame in viewer.frames))


def test_a_compressed_message_is_read_and_the_window_is_not_kept(served: Served) -> None:
    with RawViewer(served.url, deflate=True) as viewer:
        assert "client_no_context_takeover" in viewer.extensions
        for _ in range(3):
            viewer.send(masked(TEXT, deflated(PING_MESSAGE), rsv1=True))
        viewer.take_until(lambda: sum(frame["op"] == "pong" for frame in viewer.frames) == 3)


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xe8bye", (4000).to_bytes(2, "big") + b"gap"])
def test_a_close_is_answered_with_the_same_code(served: Served, payload: bytes) -> None:
    with RawViewer(served.url) as viewer:
        viewer.send(masked(CLOSE, payload))
        assert viewer.close_code() == int.from_bytes(payload[:2], "big")


def test_a_viewer_that_sends_without_end_is_closed(served: Served) -> None:
    with RawViewer(served.url) as viewer:
        viewer.send(masked(TEXT, PING_MESSAGE) * 200)
        assert viewer.close_code() == 4400


def test_a_flood_of_pings_is_closed_too(served: Served) -> None:
    with RawViewer(served.url) as viewer:
        viewer.send(masked(PING, b"") * 200)
        assert viewer.close_code() == 4400


def test_a_report_reaches_its_reader(served: Served) -> None:
    with Tab(served.url) as tab:
        tab.say({"op": "report", "gaps": 1})
        tab.say({"op": "ping", "t": 0})
        tab.until_frame(op="pong")
    assert served.reports == [{"op": "report", "gaps": 1}]


def test_other_viewers_notice_nothing_of_bad_ones(served: Served, system: System) -> None:
    system.post([order(1)])
    system.drain()
    with Tab(served.url) as tab:
        tab.subscribe("orders.everything")
        tab.until_frame(op="snapshot")
        for data, _ in (*FAULTS.values(), *DEFLATE_FAULTS.values()):
            with RawViewer(served.url, deflate=True) as bad:
                bad.subscribe("orders.everything")
                bad.send(data)
                bad.close_code()
        system.post([order(2)])
        system.drain()
        tab.until_frame(op="delta", seq=2)
