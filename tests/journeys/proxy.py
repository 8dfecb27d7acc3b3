"""A TCP proxy between browser and web that can lose a WebSocket frame, cut every socket, go mute, or bar upgrades.

It can also take headers out of requests, cut what idles, and put a header into answers, as routers and CDNs do.

It parses the server's frames (RFC 6455, section 5.2), so that losing one leaves the others whole. Frames
are compressed without context takeover, hence losing one leaves the next readable.
"""

from __future__ import annotations

import re
import socket
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress

_HEADER_END = b"\r\n\r\n"


class FaultProxy:
    """Listens on a port of its own and forwards to `target`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._to_lose = 0
        self.lost: list[str] = []
        self._open = threading.Event()
        self._open.set()
        self._refusing = False
        self._barring = False
        self.barred = 0
        self._taken_out: tuple[str, ...] = ()
        self._put_in = b""
        self._idle_s = 0.0
        self._holding = False
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lose_deltas(self, count: int) -> None:
        """Drop the next delta frames on their way to the browser."""
        self._to_lose = count

    def hold_frames(self) -> None:
        """Pass no frame on to the browser any more."""
        self._holding = True

    def cut(self) -> None:
        """Close every connection at once, without a close frame."""
        with self._lock:
            held, self._sockets = self._sockets, set()
        for each in held:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mute(self) -> None:
        """Forward nothing more, but keep the connections open: a half-open link."""
        self._open.clear()

    def unmute(self) -> None:
        self._open.set()

    def refuse(self, refusing: bool) -> None:
        """Close new connections at once, as a server that is down would."""
        self._refusing = refusing

    def bar_upgrades(self, barring: bool) -> None:
        """Answer 403 to every request for an upgrade, as some company proxies do; HTTP goes through."""
        self._barring = barring

    def take_out(self, *headers: str) -> None:
        """Pass requests on without these headers."""
        self._taken_out = headers

    def put_in(self, header: str) -> None:
        """Pass answers on with this header."""
        self._put_in = header.encode() + b"\r\n"

    def cut_idle(self, after_s: float) -> None:
        """From now on end every new connection on which no byte went either way for so long; 0 ends none."""
        self._idle_s = after_s

    def close(self) -> None:
        """Stop listening, cut what is open, and wait for the threads."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes a blocked accept, which close alone does not
        self._listener.close()
        self._open.set()
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="fault-proxy", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            with self._lock:
                self._sockets |= {near, far}
            idle = _Idle(self._idle_s)
            down = _Downstream(self._keep, self._put_in)
            self._run(lambda near=near, far=far, idle=idle: self._pump(near, far, self._pass_requests(near), idle))
            self._run(lambda near=near, far=far, idle=idle, down=down: self._pump(far, near, down.feed, idle))

    def _pump(
        self, source: socket.socket, sink: socket.socket, change: Callable[[bytes], bytes], idle: _Idle
    ) -> None:
        with suppress(OSError):
            while chunk := idle.receive(source):
                self._open.wait()
                sink.sendall(change(chunk))
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        source.close()  # the other direction's thread closes the other socket
        with self._lock:
            self._sockets.discard(source)

    def _pass_requests(self, near: socket.socket) -> Callable[[bytes], bytes]:
        """What goes on to the server: everything, but for upgrades while they are barred."""

        def change(chunk: bytes) -> bytes:
            if self._barring and b"\r\nupgrade: websocket" in chunk.lower():
                self.barred += 1
                near.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                raise ConnectionAbortedError("an upgrade")
            for name in self._taken_out:
                chunk = re.sub(rb"(?i)\r\n" + name.encode() + rb":[^\r]*", b"", chunk, count=1)
            return chunk

        return change

    def _keep(self, text: str) -> bool:
        """Whether a text frame goes on to the browser."""
        if self._holding:
            return False
        if self._to_lose and '"op":"delta"' in text:
            self._to_lose -= 1
            self.lost.append(text)
            return False
        return True


class _Idle:
    """When a byte last went on a connection, either way; `limit_s` 0 is for ever."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s, self._moved = limit_s, time.monotonic()

    def receive(self, source: socket.socket) -> bytes:
        """The next bytes. Raises TimeoutError where the connection idled for too long."""
        source.settimeout(self._limit_s / 4 or None)
        while True:
            try:
                chunk = source.recv(65_536)
            except TimeoutError:
                if time.monotonic() - self._moved > self._limit_s:
                    raise
                continue
            self._moved = time.monotonic()
            return chunk


class _Downstream:
    """The server's bytes of one connection: HTTP with a header more, frames one by one after an upgrade."""

    def __init__(self, keep: Callable[[str], bool], put_in: bytes = b"") -> None:
        self._keep, self._put_in = keep, put_in
        self._buffer = b""
        self._upgraded: bool | None = None

    def feed(self, chunk: bytes) -> bytes:
        self._buffer += chunk
        if self._upgraded is None:
            if _HEADER_END not in self._buffer:
                return b""
            self._upgraded = self._buffer.startswith(b"HTTP/1.1 101")
            if self._upgraded:
                head, _, self._buffer = self._buffer.partition(_HEADER_END)
                return head + _HEADER_END + self._frames()
        if not self._upgraded:
            whole, self._buffer = self._buffer, b""
            if self._put_in and whole.startswith(b"HTTP/1.1 "):
                line, _, rest = whole.partition(b"\r\n")
                return line + b"\r\n" + self._put_in + rest
            return whole
        return self._frames()

    def _frames(self) -> bytes:
        passed = b""
        while (size := _frame_size(self._buffer)) and len(self._buffer) >= sum(size):
            frame, self._buffer = self._buffer[: sum(size)], self._buffer[sum(size) :]
            if frame[0] & 0x0F != 1 or self._keep(_text(frame[0], frame[size[0] :])):
                passed += frame
        return passed


def _frame_size(buffer: bytes) -> tuple[int, int] | None:
    """(header, payload) bytes of the first frame, None while its header is incomplete."""
    if len(buffer) < 2:
        return None
    short = buffer[1] & 0x7F
    if short < 126:
        return 2, short
    extended = 2 if short == 126 else 8
    if len(buffer) < 2 + extended:
        return None
    return 2 + extended, int.from_bytes(buffer[2 : 2 + extended], "big")


def _text(first: int, payload: bytes) -> str:
    if first & 0x40:
        payload = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
    return payload.decode()
