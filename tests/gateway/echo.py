"""An echo server on the gateway's own sockets: what the conformance cases run against."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

from flask import Flask, request
from flask_sock import Sock
from simple_websocket import Server
from werkzeug.serving import make_server

from services.gateway.frames import Opcode, encode
from services.gateway.handover import SOCK_SERVER_OPTIONS, hand_over, settle_deflate
from services.gateway.inbound import Received
from services.gateway.links import Link, SocketLimits
from services.gateway.sockets import Sockets

LIMITS = SocketLimits(
    message_bytes=16 << 20, frames_per_s=1e6, frames_burst=1_000_000, ping_after_s=600, silent_s=600, binary=True,
)


class EchoListener:
    """Sends every message back as it came, in order, also to one that reads slowly."""

    def __init__(self) -> None:
        self.sockets = Sockets(self, LIMITS)
        self._waiting: dict[Link, list[bytes]] = {}

    def opened(self, link: Link) -> None:
        link.owner = self

    def received(self, link: Link, message: Received) -> None:
        self._waiting.setdefault(link, []).append(encode(Opcode(message.opcode), message.payload))
        self._send(link)

    def _send(self, link: Link) -> None:
        waiting = self._waiting.get(link, [])
        while waiting and not link.busy and not link.closing:
            self.sockets.send_all([link], Plain(waiting.pop(0)))

    def held(self, link: Link) -> None:
        """Goes on when drained."""

    def drained(self, link: Link) -> None:
        self._send(link)

    def closed(self, link: Link) -> None:
        self._waiting.pop(link, None)

    def ticked(self) -> None:
        """Nothing to do."""

    def rested(self) -> bool:
        return False


class Plain:
    """Bytes that are a frame already; never compressed, which permessage-deflate allows."""

    def __init__(self, frame: bytes) -> None:
        self.plain = self.deflated = frame


class Echo:
    """`address` leads to it. Used in a `with`; leaves no thread behind."""

    def __init__(self) -> None:
        self.listener = EchoListener()
        app = Flask("echo")
        app.config["SOCK_SERVER_OPTIONS"] = SOCK_SERVER_OPTIONS
        app.before_request(lambda: settle_deflate(request.environ))

        @Sock(app).route("/")
        def echo(ws: Server) -> None:
            self.listener.sockets.adopt(hand_over(ws), self.listener)

        self._server: Any = make_server("127.0.0.1", 0, app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self.listener.sockets.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.listener.sockets.stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
