"""Slow link: a TCP proxy with the rate, the delay and the short queues of a phone's; fast until it is made slow.

Bytes wait in the sender's socket, as they would in a modem, so that the server notices a viewer that cannot follow.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_CHUNK, _BUFFER = 2_048, 16_384


@dataclass(slots=True)
class Way:
    """One direction of the link, shared by all its connections."""

    bytes_s: float = float("inf")
    delay_s: float = 0.0
    free_at: float = 0.0

    async def pass_on(self, size: int) -> float:
        """Wait while the link is busy with what came before and with these bytes; returns when they arrive."""
        now = asyncio.get_running_loop().time()
        self.free_at = max(now, self.free_at) + size / self.bytes_s
        await asyncio.sleep(self.free_at - now)
        return self.free_at + self.delay_s


class SlowLink:
    """Forwards a port of its own to `target`; `slow_down` makes it the phone's link."""

    def __init__(self, target: int) -> None:
        self._target, self.port = target, 0
        self._up, self._down, self._ended = Way(), Way(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def slow_down(self, *, kbit_s: float, round_trip_ms: float) -> None:
        for way in (self._up, self._down):
            way.bytes_s, way.delay_s = kbit_s * 125, round_trip_ms / 2000

    async def serve(self, listening: threading.Event) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=_BUFFER)
        self.port, self._loop = server.sockets[0].getsockname()[1], asyncio.get_running_loop()
        listening.set()
        async with server:
            await self._ended.wait()

    def end(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)

    async def _connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        ours = socket.socket()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        ours.setblocking(False)
        await asyncio.get_running_loop().sock_connect(ours, ("127.0.0.1", self._target))
        server, to_server = await asyncio.open_connection(sock=ours, limit=_BUFFER)
        await asyncio.gather(_carry(client, to_server, self._up), _carry(server, to_client, self._down))


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: Way) -> None:
    """One direction of one connection: bytes leave at the link's rate and arrive after its delay."""
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)

    async def arrive() -> None:
        while True:
            at, some = await under_way.get()
            await asyncio.sleep(at - asyncio.get_running_loop().time())
            if not some:
                return sink.close()
            sink.write(some)
            await sink.drain()

    arriving = asyncio.create_task(arrive())
    with suppress(OSError):
        while some := await source.read(_CHUNK):
            await under_way.put((await way.pass_on(len(some)), some))
    await under_way.put((0.0, b""))
    with suppress(OSError):
        await arriving


@contextmanager
def slow_link(target: int) -> Iterator[SlowLink]:
    """The proxy in a thread of its own."""
    link, listening = SlowLink(target), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(link.serve(listening)), daemon=True)
    thread.start()
    listening.wait(5.0)
    try:
        yield link
    finally:
        link.end()
        thread.join(5.0)
