"""Scripted HTTP: a server of its own process that answers as it was told, and remembers what it was asked.

`PUT /script` takes a list of answers (`status`, `headers`, `body`, `pause_s`); the last is given for ever.
`GET /seen` tells the headers of each question since.
"""

from __future__ import annotations

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import requests

from services.leash import leashed
from tests.ports import free_port
from tests.waiting import be_slow, wait_until


class ScriptedHttp:
    """The server, as a test drives it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.sources.scripted_http", str(self.port)]
        self._process = subprocess.Popen(leashed(command))
        wait_until(self._answers, what="an answer of the server")

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.origin}/seen", timeout=1).ok
        except requests.RequestException:
            return False

    def script(self, *answers: dict[str, Any]) -> None:
        requests.put(f"{self.origin}/script", json=answers, timeout=5).raise_for_status()

    def seen(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = requests.get(f"{self.origin}/seen", timeout=5).json()
        return found

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Handler(BaseHTTPRequestHandler):
    answers: list[dict[str, Any]] = [{"status": 200, "body": []}]  # noqa: RUF012
    seen: list[dict[str, str]] = []  # noqa: RUF012

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).answers, type(self).seen = json.loads(body), []
        self._say(204, {}, b"")

    def do_GET(self) -> None:
        if self.path == "/seen":
            self._say(200, {}, json.dumps(self.seen).encode())
            return
        self.seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        be_slow(answer.get("pause_s", 0))
        body = answer.get("body", [])
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self._say(answer.get("status", 200), answer.get("headers", {}), raw)

    def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 304:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Handler).serve_forever()
