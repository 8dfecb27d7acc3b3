"""An installation for tests: real broker, worker and web processes of the test project, on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.embedded import EmbeddedBroker
from tests.waiting import wait_until

SECRET = "a-secret-for-the-tests"
ROOT = Path(__file__).parents[1]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Installation:
    """The system as it is deployed: processes that can be stopped, killed and started one by one."""

    def __init__(self, folder: Path, *, web_processes: int = 2) -> None:
        self.folder, self.port = folder, free_port()
        self.broker = EmbeddedBroker(folder / "broker")
        self._web_processes = web_processes
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start all and wait until `/readyz` says so."""
        self.broker.start()
        self.start_process("worker")
        self.start_process("web")
        self.wait_ready()

    def wait_ready(self) -> None:
        wait_until(lambda: self.status("/readyz") == 200, 30, f"{self.url}/readyz; log: {self.folder}")

    def start_process(self, role: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ, "REDIS_URL": self.broker.url, "PORT": str(self.port), "HOST": "127.0.0.1",
            "WEB_CONCURRENCY": str(self._web_processes), "HEADWATER_INGEST_KEYS": f"test:{SECRET}:*",
        }
        with (self.folder / f"{role}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.project", role], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        self._running[role] = process
        return process

    def end_process(self, role: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to the role's process and wait for its end."""
        process = self._running.pop(role)
        process.send_signal(number)
        process.wait(15)

    def signal_process(self, role: str, number: int) -> None:
        self._running[role].send_signal(number)

    def restart_broker_empty(self) -> None:
        """The broker dies and comes back without its data, as after a lost disk."""
        self.broker.kill()
        shutil.rmtree(self.folder / "broker" / "broker")
        self.broker.start()

    def stop(self) -> None:
        for role in list(self._running):
            self.signal_process(role, signal.SIGCONT)
            self.end_process(role, signal.SIGTERM)
        self.broker.close()

    # The system's own doors ----------------------------------------------------------------------

    def post(self, records: Sequence[Any] | Any, feed: str = "orders") -> dict[str, Any]:
        """Post events; the answer of `POST /api/ingest/<feed>`."""
        request = urllib.request.Request(
            f"{self.url}/api/ingest/{feed}", json.dumps(records).encode(),
            {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            body: dict[str, Any] = json.load(answer)
            return body

    def snapshot(self, channel: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/api/channels/{channel}/snapshot", timeout=10) as answer:
            body: dict[str, Any] = json.load(answer)
            return body

    def status(self, path: str) -> int:
        """The HTTP status of a GET, 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as answer:
                code: int = answer.status
                return code
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0
