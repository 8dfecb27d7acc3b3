"""Tab: one socket of the crowd. It takes bytes as a browser does; those that watch also read them.

A few hundred viewers at many frames a second are more than one process can read: reading a sample of them is enough
to know how all are served, as frames at head are the same bytes for everybody.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from services.load.sight import Sight

OPEN_WITHIN_S = 15.0
PING_EVERY_S = 2.0
"""A viewer that says nothing for four seconds is freed."""
Position = Mapping[str, Any]


_NUMBERS = itertools.count()


class TabRefused(Exception):
    """The socket was not opened; the text says what was answered."""


class Tab(asyncio.Protocol):
    """A socket with its subscription. `watches`: whether frames are read. `hidden`: nobody looks, nothing is noted."""

    def __init__(self, address: str, cookie: str, sight: Sight, *, watches: bool) -> None:
        self._protocol = ClientProtocol(parse_uri(address), max_size=None)
        self._cookie, self._sight, self._watches = cookie, sight, watches
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = asyncio.Event()
        self.hidden = False
        self.number = next(_NUMBERS)
        self.positions: dict[str, Position] = {}
        self._shown: set[str] = set()
        self._updated: dict[str, float] = {}
        self._created: dict[str, int] = {}

    # What asyncio calls ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        request = self._protocol.connect()
        if self._cookie:
            request.headers = Headers([*request.headers.raw_items(), ("Cookie", self._cookie)])
        self._protocol.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        if self.opened.done() and not self._watches:
            if not self.first.done() and (b'"op":"snapshot"' in data or b'"op":"delta"' in data):
                self.first.set_result(None)
            return
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                self._answered(event)
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._read(orjson.loads(bytes(event.data)))
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()
        for waiting in (self.opened, self.first):
            if not waiting.done():
                waiting.set_exception(TabRefused("the connection was lost"))
                waiting.exception()  # whoever waits for it is told; nobody need

    # What a viewer does ------------------------------------------------------------------------------

    def subscribe(self, channels: Sequence[str]) -> None:
        """The whole wanted set; a position asks to recover."""
        wanted = {channel: self.positions.get(channel) for channel in channels}
        self._shown = {channel.partition(":")[0] for channel in channels}
        self._say({"op": "subscribe", "channels": wanted})

    def ping(self) -> None:
        self._say({"op": "ping", "t": time.monotonic()})

    def lose(self) -> None:
        """Lose the network: without a word to the other side."""
        if self._transport is not None:
            self._transport.abort()

    def _say(self, message: Mapping[str, Any]) -> None:
        if not self.closed.is_set():
            self._protocol.send_text(orjson.dumps(message))
            self._flush()

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            for data in self._protocol.data_to_send():
                if data:
                    self._transport.write(data)

    def _answered(self, answer: Response) -> None:
        if self.opened.done():
            return
        if self._protocol.handshake_exc is None:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(TabRefused(f"the socket was answered {answer.status_code}"))

    # What a watching one reads -------------------------------------------------------------------------

    def _read(self, frame: Mapping[str, Any]) -> None:
        op = frame.get("op")
        if op == "heartbeat":
            self._beat(frame["channels"])
        elif op in ("snapshot", "delta"):
            self._take(frame, str(op))

    def _take(self, frame: Mapping[str, Any], op: str) -> None:
        channel, now = str(frame["channel"]), time.time()
        at = self.positions.get(channel)
        if op == "delta" and at is not None and at != {"epoch": frame["epoch"], "seq": frame["after"]}:
            self._sight.tally("gaps")
        self.positions[channel] = {"epoch": frame["epoch"], "seq": frame["seq"]}
        if not self.first.done():
            self.first.set_result(None)
        times = frame.get("times") or {}
        if "created" in times:
            self._created[channel] = max(self._created.get(channel, 0), times["created"][1])
        if op == "snapshot":
            self._sight.rows = max(self._sight.rows, len(frame["data"].get("rows", ())))
        elif not self.hidden:
            self._note(channel.partition(":")[0], times, now)
            before = self._updated.get(channel)
            if before is not None:
                self._sight.note("interval", now - before, channel.partition(":")[0])
        self._updated[channel] = now

    def _note(self, channel: str, times: Mapping[str, Any], now: float) -> None:
        """A frame's events count at its two ends: half as old as the oldest, half as the newest."""
        half = max(1, int(times.get("events", 1)) // 2)
        for end in (0, 1):
            created, ingested = times["created"][end] / 1000, times["ingested"][end] / 1000
            self._sight.note("received", now - created, channel, half)
            self._sight.note("sent", times["sent"] / 1000 - ingested, channel, half)
            self._sight.note("processed", times["processed"] / 1000 - ingested, channel, half)

    def _beat(self, channels: Mapping[str, Mapping[str, Any]]) -> None:
        for name, told in channels.items():
            channel = name.partition(":")[0]
            self._sight.note("backlog", float(told.get("backlog", 0)), channel)
            if not self.hidden:
                self._sight.note("unfresh", float(told["state"] not in ("live", "quiet")), channel)

    def note_second(self) -> None:
        """Once a second, as view-seconds are counted: what is looked at, and how old each channel's newest event is."""
        if self.hidden:
            return
        for channel, created in self._created.items():
            if (name := channel.partition(":")[0]) in self._shown:
                self._sight.note("age", time.time() - created / 1000, name)
        if self._watches and self.first.done():
            for channel in self._shown:
                self._sight.note("looked", 1.0, channel)


async def open_tab(url: str, cookie: str, sight: Sight, *, watches: bool) -> Tab:
    """An open socket, not subscribed yet. Raises OSError, TimeoutError or TabRefused."""
    parts = urlsplit(url)
    secure, host = parts.scheme == "https", parts.hostname or ""
    address = f"{'wss' if secure else 'ws'}://{parts.netloc}{parts.path.rstrip('/')}/live?protocols=1"
    loop, made = asyncio.get_running_loop(), Tab(address, cookie, sight, watches=watches)
    port = parts.port or (443 if secure else 80)
    async with asyncio.timeout(OPEN_WITHIN_S):
        await loop.create_connection(lambda: made, host, port, ssl=True if secure else None)
        await made.opened
    return made
