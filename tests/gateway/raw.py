"""A viewer on a bare socket: reads only when told, with a small receive buffer, and sends any bytes."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
import zlib
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from services.declare import Keep
from services.positions import Position
from services.state import State, state_of

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def masked(opcode: int, payload: bytes, *, fin: bool = True, rsv1: bool = False) -> bytes:
    """A frame as a browser sends it."""
    key = os.urandom(4)
    first = (0x80 if fin else 0) | (0x40 if rsv1 else 0) | opcode
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    else:
        head = struct.pack("!BBH", first, 0xFE, size) if size < 65_536 else struct.pack("!BBQ", first, 0xFF, size)
    return head + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def deflated(payload: bytes) -> bytes:
    """A payload as permessage-deflate has it on the wire."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


class Closed(EOFError):
    """The gateway closed: `code` and `reason` as in its close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


class RawViewer:
    """Keeps only what the last snapshot and the deltas since say; `frames` hold no data."""

    def __init__(
        self, url: str, *, deflate: bool = False, receive_buffer: int = 0, answers_pings: bool = True
    ) -> None:
        self._address = urlsplit(url)
        self._deflate, self._receive_buffer, self._answers_pings = deflate, receive_buffer, answers_pings
        self._buffer = b""
        self.frames: list[dict[str, Any]] = []
        self.positions: dict[str, Position] = {}
        self.states: dict[str, State] = {}
        self.snapshots = self.pings = 0
        self.extensions = ""

    def __enter__(self) -> Self:
        self._socket = socket.socket()
        if self._receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        self._socket.settimeout(10)
        self._socket.connect((self._address.hostname, self._address.port))
        self._shake_hands()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def _shake_hands(self) -> None:
        offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" if self._deflate else ""
        self._socket.sendall(
            f"GET {self._address.path} HTTP/1.1\r\nHost: {self._address.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n{offer}"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        for line in head.decode().split("\r\n"):
            if line.lower().startswith("sec-websocket-extensions:"):
                self.extensions = line.partition(":")[2].strip()

    def _fill(self) -> None:
        received = self._socket.recv(65_536)
        if not received:
            raise EOFError("the connection ended")
        self._buffer += received

    def _need(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def say(self, message: object) -> None:
        self.send(masked(TEXT, json.dumps(message).encode()))

    def subscribe(self, *channels: str) -> None:
        self.say({"op": "subscribe", "channels": dict.fromkeys(channels)})

    def take_raw(self) -> tuple[int, bytes]:
        """The next frame: opcode and inflated payload. Raises Closed on a close frame."""
        first, second = self._need(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", self._need(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._need(8))[0]
        payload = self._need(size)
        if first & 0x40:
            payload = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
        if first & 0x0F == CLOSE:
            raise Closed(int.from_bytes(payload[:2], "big"), payload[2:].decode())
        return first & 0x0F, payload

    def take(self) -> None:
        """Take one frame and fold it in."""
        opcode, payload = self.take_raw()
        if opcode == PING:
            self.pings += 1
            if self._answers_pings:
                self.send(masked(PONG, payload))
        elif opcode == TEXT:
            self._fold(json.loads(payload))

    def _fold(self, frame: dict[str, Any]) -> None:
        if frame["op"] == "snapshot":
            self.snapshots += 1
            state = self.states[frame["channel"]] = state_of(frame["kind"], Keep(**frame["keep"]))
            data = frame.pop("data")
            state.apply({"set": data["rows"]} if frame["kind"] == "latest" else data)
        elif frame["op"] == "delta":
            assert self.positions[frame["channel"]] == Position(frame["epoch"], frame["after"])
            self.states[frame["channel"]].apply(frame.pop("data"))
        if frame["op"] in ("snapshot", "delta"):
            self.positions[frame["channel"]] = Position(frame["epoch"], frame["seq"])
        self.frames.append(frame)

    def take_until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.take()

    def close_code(self) -> int:
        """Take frames until the gateway closes, and return the code."""
        try:
            while True:
                self.take_raw()
        except Closed as closed:
            return closed.code

    def data(self, channel: str) -> Any:
        return self.states[channel].data()
