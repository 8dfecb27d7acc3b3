"""Link: a TCP port that forwards to a process of the system, and that can be damaged like a network.

It may be cut, refuse, hold everything back, be slow, or lose a reply and close. One stands between each process
and the broker, one between viewers and web, one between producers and web.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence

from tests.chaos.world import World
from tests.waiting import slowness

Target = int | str
"""A port on loopback, or the path of a Unix socket."""
CHUNK_BYTES = 16_384
SMALL_BYTES = 4_096


class _Connection:
    """Both ends of one forwarded connection."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._ends = (near, far)
        self.loses_reply = False

    def abort(self) -> None:
        for end in self._ends:
            end.transport.abort()


class Link:
    """Forwards to the first of its targets that answers, in turn. Methods may be called from any thread.

    A `small` one holds little on its way, so that a slow reader is felt at the other end.
    """

    def __init__(self, world: World, *targets: Target, small: bool = False) -> None:
        self._world = world
        self._targets: list[Target] = list(targets)
        self._turn = 0
        self._connections: set[_Connection] = set()
        self._refusing = False
        self._delay_s = 0.0
        self._losing: bytes | None = None
        self.lost = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._small = small
        if small:  # accepted sockets inherit it
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BYTES)
        self._gate = world.call(asyncio.Event)
        world.call(self._gate.set)
        self._server = world.do(asyncio.start_server(self._accept, sock=self._listener, limit=CHUNK_BYTES))

    # Faults --------------------------------------------------------------------------------------

    def retarget(self, *targets: Target) -> None:
        """New connections go there; open ones stay."""
        self._targets = list(targets)

    def cut(self) -> None:
        """Reset every open connection; new ones are made."""
        self._world.call(self._cut)

    def refuse(self, refusing: bool) -> None:
        """Reset new connections at once, as a machine that is down would."""
        self._refusing = refusing

    def hold(self) -> None:
        """Forward nothing more, and keep everything open: a half-open link."""
        self._world.call(self._gate.clear)

    def release(self) -> None:
        self._world.call(self._gate.set)

    def slow(self, delay_s: float) -> None:
        """Each piece of at most 16 KB takes so long; 0 ends it."""
        self._delay_s = delay_s

    def lose_reply(self, request: bytes) -> None:
        """The next request that contains these bytes is carried out, its reply lost, and its connection closed."""
        self._losing = request

    def heal(self) -> None:
        """Be a good link again."""
        self._refusing, self._delay_s, self._losing = False, 0.0, None
        self.release()

    def close(self) -> None:
        self._world.call(self._server.close)
        self.cut()

    # In the world's thread -----------------------------------------------------------------------

    def _cut(self) -> None:
        for connection in list(self._connections):
            connection.abort()

    async def _accept(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        self._world.keep(asyncio.ensure_future(self._serve(reader, near)))

    async def _serve(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        opened = None if self._refusing else await self._open()
        if opened is None:
            near.transport.abort()
            return
        far_reader, far = opened
        for writer in (near, far):
            writer.transport.set_write_buffer_limits(high=SMALL_BYTES if self._small else CHUNK_BYTES)
        connection = _Connection(near, far)
        self._connections.add(connection)
        try:
            await asyncio.gather(
                self._pump(connection, reader, far, replies=False),
                self._pump(connection, far_reader, near, replies=True),
            )
        finally:
            connection.abort()
            self._connections.discard(connection)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        targets = self._targets
        self._turn += 1
        for offset in range(len(targets)):
            target = targets[(self._turn + offset) % len(targets)]
            with contextlib.suppress(OSError):
                if isinstance(target, int):
                    return await asyncio.open_connection(sock=self._dial(target), limit=CHUNK_BYTES)
                return await asyncio.open_unix_connection(target, limit=CHUNK_BYTES)
        return None

    def _dial(self, port: int) -> socket.socket:
        """On loopback a connection is made or refused at once."""
        opened = socket.socket()
        try:
            if self._small:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)
            opened.connect(("127.0.0.1", port))
        except OSError:
            opened.close()
            raise
        opened.setblocking(False)
        return opened

    async def _pump(
        self, connection: _Connection, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, replies: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(CHUNK_BYTES):
                await self._gate.wait()
                if self._delay_s:
                    await slowness(self._delay_s)
                if replies and connection.loses_reply:
                    self.lost += 1
                    break
                if not replies and self._losing is not None and self._losing in chunk:
                    self._losing, connection.loses_reply = None, True
                sink.write(chunk)
                await sink.drain()
        if replies or connection.loses_reply:
            connection.abort()
        else:
            with contextlib.suppress(OSError, RuntimeError):
                sink.write_eof()


def path_of(url: str) -> Sequence[str]:
    """The Unix socket of a broker's url, as targets."""
    return [url.removeprefix("unix://")]
