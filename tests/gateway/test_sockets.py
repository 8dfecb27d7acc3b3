"""The wire below the channels: frames as bytes, the one `send`, and taking a socket over."""

from __future__ import annotations

import os
import socket
import ssl
import zlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage
from wsproto.extensions import PerMessageDeflate

from services.accounts import OPEN
from services.gateway.frames import Frame, Opcode, encode_close, join
from services.gateway.handover import CannotHandOver, hand_over, settle_deflate
from services.gateway.inbound import Fault, Inbound
from services.gateway.receive import Receive, by_os_read, make_receive
from services.gateway.transmit import ByOsWrite, BySend, Transmit
from services.gateway.tuning import still_acknowledging, tune
from services.messages import Close
from tests.gateway.raw import TEXT, deflated, masked
from tests.gateway.served import Served
from tests.system import System

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


def read_by_another_implementation(data: bytes, *, deflate: bool) -> list[str]:
    agreed = PerMessageDeflate()
    agreed._enabled = deflate
    client = Connection(ConnectionType.CLIENT, extensions=[agreed] if deflate else [])
    client.receive_data(data)
    texts: list[str] = []
    part = ""
    for event in client.events():
        assert isinstance(event, TextMessage)
        part += event.data
        if event.message_finished:
            texts, part = [*texts, part], ""
    return texts


@pytest.mark.parametrize("size", [0, 1, 125, 126, 255, 256, 65_535, 65_536, 300_000])
def test_every_size_of_frame_is_read_by_another_implementation(size: int) -> None:
    text = ("né→x" * (size // 4 + 1))[:size]
    frame = Frame(text.encode())
    assert frame.payload == text.encode()
    assert read_by_another_implementation(frame.plain, deflate=False) == [text]
    assert read_by_another_implementation(frame.deflated, deflate=True) == [text]


def test_plain_and_compressed_frames_may_be_mixed_in_any_order() -> None:
    frames = [Frame(f"{n}".encode() * (400 if n % 2 else 3)) for n in range(9)]
    both = b"".join(frame.plain if n % 3 == 0 else frame.deflated for n, frame in enumerate(frames))
    texts = [frame.payload.decode() for frame in frames]
    assert read_by_another_implementation(both, deflate=True) == texts
    assert read_by_another_implementation(join(frames).deflated, deflate=True) == texts
    assert read_by_another_implementation(join(frames).plain, deflate=False) == texts


def test_what_does_not_get_smaller_is_sent_plain() -> None:
    noise = Frame(os.urandom(2_000))
    assert noise.deflated is noise.plain


def test_a_reason_is_cut_between_characters() -> None:
    closing = encode_close(Close.BAD_MESSAGE, "é" * 100)
    assert len(closing) <= 2 + 125
    assert closing[4:].decode() == "é" * 61


@pytest.mark.parametrize("transmit", [BySend(), ByOsWrite()], ids=["best", "fallback"])
def test_a_send_takes_what_fits_then_nothing_and_tells_a_dead_socket(transmit: Transmit, pair: Pair) -> None:
    ours, theirs = pair
    assert transmit.one(ours.fileno(), b"hello") == 5
    assert theirs.recv(10) == b"hello"
    large = b"x" * 10_000_000
    assert 0 < transmit.one(ours.fileno(), large) < len(large)
    assert transmit.one(ours.fileno(), large) == 0
    theirs.close()
    assert transmit.one(ours.fileno(), b"hello") == -1
    assert transmit.one(-1, b"hello") == -1


@pytest.mark.parametrize("transmit", [BySend(), ByOsWrite()], ids=["best", "fallback"])
def test_a_fan_out_tells_of_each_socket_what_it_took(transmit: Transmit, pair: Pair) -> None:
    ours, _ = pair
    while transmit.one(ours.fileno(), b"x" * 1_000_000):
        pass
    other, reader = socket.socketpair()
    gone, ended = socket.socketpair()
    with other, reader, gone:
        ended.close()
        found = transmit.many([other.fileno(), ours.fileno(), gone.fileno(), -1, other.fileno()], b"hello")
        assert found == [5, 0, -1, -1, 5]
        assert reader.recv(100) == b"hellohello"


@pytest.mark.parametrize("receive", [make_receive(), by_os_read], ids=["best", "fallback"])
def test_a_read_takes_what_has_come_and_tells_an_ended_socket(receive: Receive, pair: Pair) -> None:
    ours, theirs = pair
    assert receive(ours.fileno()) is None
    theirs.sendall(b"hello")
    assert receive(ours.fileno()) == b"hello"
    theirs.close()
    assert receive(ours.fileno()) == b""
    assert receive(-1) == b""


def test_an_idle_viewer_holds_no_buffer_and_no_inflater() -> None:
    inbound = Inbound(1_000, deflate=True, keeps_window=False)
    message = masked(TEXT, deflated(b"x" * 500), rsv1=True)
    assert [received.payload for received in inbound.feed(message[:7])] == []
    assert [received.payload for received in inbound.feed(message[7:])] == [b"x" * 500]
    assert (inbound._buffer, inbound._parts, inbound._inflater) == (b"", b"", None)


def test_a_viewer_that_keeps_its_window_is_understood() -> None:
    inbound = Inbound(10_000, deflate=True, keeps_window=True)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    for n in range(4):
        payload = (compressor.compress(b"again and again") + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
        received = list(inbound.feed(masked(TEXT, payload, rsv1=True)))
        assert [(r.opcode, r.payload) for r in received] == [(Opcode.TEXT, b"again and again")], n


def test_an_inflate_bomb_is_not_inflated() -> None:
    inbound = Inbound(65_536, deflate=True, keeps_window=False)
    with pytest.raises(Fault) as fault:
        list(inbound.feed(masked(TEXT, deflated(b" " * 60_000_000), rsv1=True)))
    assert fault.value.close is Close.TOO_BIG


@pytest.mark.parametrize(("offer", "accepted"), [
    ("permessage-deflate; client_max_window_bits", True),
    ("permessage-deflate", True),
    ("permessage-deflate; server_max_window_bits=15; client_max_window_bits=\"10\"", True),
    ("permessage-deflate; server_max_window_bits=10", False),
    ("permessage-deflate; server_max_window_bits=10, permessage-deflate", True),
    ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", False),
    ("permessage-deflate; client_max_window_bits=99", False),
    ("permessage-deflate; colour=blue", False),
    ("permessage-bzip2", False),
    ("", False),
])
def test_an_offer_of_compression_is_taken_only_if_shared_frames_can_be_read(offer: str, accepted: bool) -> None:
    environ: dict[str, Any] = {"HTTP_SEC_WEBSOCKET_EXTENSIONS": offer}
    settle_deflate(environ)
    found = environ.get("HTTP_SEC_WEBSOCKET_EXTENSIONS")
    assert found == (
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover" if accepted else None
    )


def test_the_web_server_keeps_a_dead_socket(pair: Pair) -> None:
    ours, theirs = pair
    connection = Connection(ConnectionType.SERVER)
    ws: Any = SimpleNamespace(sock=ours, ws=SimpleNamespace(connection=connection), connected=True)
    taken = hand_over(ws)
    assert not ws.connected
    assert not taken.deflate
    assert ours.recv(10) == b"", "gunicorn finds its end closed"
    ours.close()
    os.write(taken.fd, b"alive")
    assert theirs.recv(10) == b"alive"
    os.close(taken.fd)


def test_a_tls_socket_is_refused_with_a_clean_close(system: System, pair: Pair) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    wrapped = context.wrap_socket(pair[0].dup(), server_hostname="x", do_handshake_on_connect=False)
    closed: list[tuple[int, str]] = []
    ws: Any = SimpleNamespace(sock=wrapped, close=lambda code, reason: closed.append((code, reason)))
    with pytest.raises(CannotHandOver):
        hand_over(ws)
    with Served(system.url, system.declarations) as served:
        served.gateway.adopt(ws, OPEN)
    assert closed == [(1011, "TLS ends at the router, not in the web process")]
    wrapped.close()


def test_options_of_a_socket_are_set_where_they_exist(pair: Pair) -> None:
    tune(pair[0].fileno(), 65_536, 30)
    assert not pair[0].getblocking() or not os.get_blocking(pair[0].fileno())
    assert not still_acknowledging(pair[0].fileno(), 5)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as there:
        here, _ = server.accept()
        with here:
            tune(here.fileno(), 65_536, 30)
            assert here.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert here.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * 65_536
            assert not still_acknowledging(here.fileno(), 5), "nothing is under way"
        there.close()
