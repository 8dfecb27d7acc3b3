"""Sending: a WebSocket server of its own process that sends what a test puts to it, and remembers what it was told.

It is driven by lines on its standard input, as JSON: `{"send": ...}` to all who listen, `{"close": [code, reason]}`,
`{"refuse": status}`. Each line is answered with what the clients said so far.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http import HTTPStatus
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from services.leash import leashed
from tests.ports import free_port


class Sending:
    """The server, as a test drives it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.address = f"ws://127.0.0.1:{self.port}/feed"

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.sources.sending", str(self.port)]
        self._process = subprocess.Popen(leashed(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.do(said=True)
        return self

    def do(self, **line: Any) -> dict[str, Any]:
        """Tell it something; returns how many listen, what they said, and the headers they came with."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


class _Server:
    def __init__(self) -> None:
        self.sockets: list[ServerConnection] = []
        self.said: list[str] = []
        self.headers: list[str] = []
        self.refuse = 0

    def admit(self, connection: ServerConnection, _: Any) -> Any:
        return connection.respond(HTTPStatus(self.refuse), "no\n") if self.refuse else None

    def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.headers.append(socket.request.headers.get("Authorization", ""))
        self.sockets.append(socket)
        try:
            for text in socket:
                self.said.append(str(text))
        except ConnectionClosed:
            return
        finally:
            self.sockets.remove(socket)

    def obey(self, line: dict[str, Any]) -> None:
        self.refuse = line.get("refuse", self.refuse)
        for socket in list(self.sockets):
            if "send" in line:
                socket.send(line["send"] if isinstance(line["send"], str) else json.dumps(line["send"]))
            if "close" in line:
                threading.Thread(target=socket.close, args=tuple(line["close"])).start()


if __name__ == "__main__":
    ours = _Server()
    with serve(ours.serve, "127.0.0.1", int(sys.argv[1]), process_request=ours.admit) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        for told in sys.stdin:
            ours.obey(json.loads(told))
            print(json.dumps({"listen": len(ours.sockets), "said": ours.said, "headers": ours.headers}), flush=True)
