"""A spread: the same frames to many sockets on the gateway's own loop; each as fast as its reader takes them."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from services.gateway.handover import HandedOver
from services.gateway.inbound import Received
from services.gateway.links import Link, SocketLimits
from services.gateway.sockets import Sockets
from tests.gateway.echo import Plain

LIMITS = SocketLimits(ping_after_s=600, silent_s=600, stalled_s=600, send_buffer_bytes=4_096)


class Spread:
    """`add` a socket and it gets all frames, in order. Used in a `with`; leaves no thread behind."""

    def __init__(self, frames: Sequence[bytes] = (), limits: SocketLimits = LIMITS) -> None:
        self.sockets, self._frames = Sockets(self, limits), [Plain(frame) for frame in frames]
        self.next: dict[Link, int] = {}
        self.held_links: set[Link] = set()
        self.theirs: list[socket.socket] = []

    def __enter__(self) -> Self:
        self.sockets.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sockets.stop()
        for one in self.theirs:
            one.close()

    def add(self, count: int, timeout_s: float = 30) -> list[socket.socket]:
        """So many viewers' ends of connections over TCP, which get their frames together; also kept in `theirs`."""
        theirs, ours = list[socket.socket](), list[int]()
        with socket.create_server(("127.0.0.1", 0), backlog=count) as server:
            for _ in range(count):
                theirs.append(socket.create_connection(server.getsockname(), timeout=30))
                theirs[-1].settimeout(timeout_s)
                ours.append(server.accept()[0].detach())
        self.theirs += theirs
        for fd in ours:
            self.sockets.adopt(HandedOver(fd, False, False, False), self)
        self.sockets.call(self._go_on)
        return theirs

    def _go_on(self) -> None:
        """To all that stand at the same frame in one fan-out, as the gateway does."""
        while ready := [link for link, at in self.next.items() if at < len(self._frames) and not link.busy]:
            first = min(self.next[link] for link in ready)
            together = [link for link in ready if self.next[link] == first]
            for link in together:
                self.next[link] += 1
            self.sockets.send_all(together, self._frames[first])

    def opened(self, link: Link) -> None:
        self.next[link] = 0

    def received(self, link: Link, message: Received) -> None:
        """Viewers say nothing here."""

    def held(self, link: Link) -> None:
        self.held_links.add(link)

    def drained(self, link: Link) -> None:
        self._go_on()

    def closed(self, link: Link) -> None:
        del self.next[link]

    def ticked(self) -> None:
        """Nothing to do."""

    def rested(self) -> bool:
        return False
