"""Viewer: a socket as a browser holds it: it applies frames by position, and remembers what it received when."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import urlsplit

import orjson
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

_OPEN_WITHIN_S = 10.0
REOPENED_MAX = 3
"""A deployment that closes its viewers again and again has failed."""


class Viewer:
    """One channel of rows. `gaps` counts deltas that do not start where the frame before ended."""

    def __init__(self, url: str, channel: str, cookie: str = "") -> None:
        parts = urlsplit(url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        self._address = f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/live?protocols=1"
        self._channel, self._cookie = channel, cookie
        self._socket: ClientConnection | None = None
        self._opened = ExitStack()
        self.position: tuple[str, int] | None = None
        self.rows: dict[str, dict[str, Any]] = {}
        self.received: dict[str, float] = {}
        """When each row's newest value came, by its key, in seconds of the wall clock."""
        self.told: dict[str, Any] = {}
        self.times: dict[str, Any] = {}
        self.gaps = 0
        self.refused = ""
        self.reopened = 0

    def open(self) -> None:
        """Subscribe, from the position that was reached. Raises OSError or WebSocketException."""
        headers = {"Cookie": self._cookie} if self._cookie else {}
        opening = connect(
            self._address, open_timeout=_OPEN_WITHIN_S, close_timeout=1, proxy=None, ping_interval=None,
            additional_headers=headers,
        )  # fmt: skip
        self._socket = self._opened.enter_context(opening)
        at = None if self.position is None else {"epoch": self.position[0], "seq": self.position[1]}
        self._socket.send(orjson.dumps({"op": "subscribe", "channels": {self._channel: at}}).decode())

    def drop(self) -> None:
        """Lose the socket, as a network does: without a word to the other side."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.socket.shutdown(SHUT_RDWR)
            self._socket = None
            self._opened.close()

    def look(self, for_s: float) -> None:
        """Take what comes for so long; a socket that the other side closed is opened anew, as a browser does.

        Raises OSError or WebSocketException where it cannot be.
        """
        assert self._socket is not None, "look at an open viewer"
        until = time.monotonic() + for_s
        while (left := until - time.monotonic()) > 0:
            try:
                self._apply(orjson.loads(self._socket.recv(timeout=left)), time.time())
            except TimeoutError:
                return
            except ConnectionClosed:
                self.drop()
                self.reopened += 1
                if self.reopened > REOPENED_MAX:
                    raise
                self.open()

    def _apply(self, frame: dict[str, Any], at: float) -> None:
        op = frame.get("op")
        if op == "heartbeat":
            self.told = frame["channels"].get(self._channel, self.told)
        elif op == "error":
            self.refused = str(frame.get("code"))
        elif frame.get("channel") == self._channel and op == "snapshot":
            self.rows, self.position = dict(frame["data"]["rows"]), (frame["epoch"], frame["seq"])
            self.received.update(dict.fromkeys((key for key in self.rows if key not in self.received), at))
        elif frame.get("channel") == self._channel and op == "delta":
            self._delta(frame, at)

    def _delta(self, frame: dict[str, Any], at: float) -> None:
        self.gaps += self.position != (frame["epoch"], frame["after"])
        self.position = (frame["epoch"], frame["seq"])
        for key in frame["data"].get("del", ()):
            self.rows.pop(key, None)
        for key, fields in frame["data"].get("set", {}).items():
            self.rows[key] = {**self.rows.get(key, {}), **fields}
            self.received[key] = at
            self.times[key] = frame["times"]
