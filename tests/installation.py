"""An installation for tests: real broker, worker and web processes of the test project, on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from services.embedded import EmbeddedBroker
from tests.forking import Forked
from tests.ports import free_port
from tests.project import TOGETHER
from tests.waiting import PATIENCE_S, wait_until

SECRET = "a-secret-for-the-tests"
ROOT = Path(__file__).parents[1]


class Installation:
    """The system as it is deployed: processes that can be stopped, killed and started one by one."""

    program = "tests.project.__main__"
    """The module whose `main` is run, with the name of the role."""

    def __init__(self, folder: Path, *, web_processes: int = 2, forked: bool = False) -> None:
        """`forked`: its processes begin with everything imported, for tests that are not about processes."""
        self.folder, self.port = folder, free_port()
        self.broker = EmbeddedBroker(folder / "broker")
        self._web_processes, self._forked = web_processes, forked
        self._running: dict[str, subprocess.Popen[bytes] | Forked] = {}

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
        wait_until(lambda: self.status("/readyz") == 200, what=f"{self.url}/readyz; log: {self.folder}")

    def start_process(
        self, role: str, *arguments: str, name: str = "", port: int = 0, broker_url: str = "",
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Start a process of the role, `web` or `worker`; `name` tells several of one role apart."""
        name = name or role
        own = {TOGETHER: "1"} if self._forked else {}
        environment = {
            **os.environ, "REDIS_URL": broker_url or self.broker.url, "PORT": str(port or self.port),
            "HOST": "127.0.0.1", "HEADWATER_DATA": str(self.folder / "data"),
            "WEB_CONCURRENCY": str(self._web_processes),
            "HEADWATER_INGEST_KEYS": f"test:{SECRET}:*", **own, **(more or {}),
        }
        told, log = [role, *arguments], self.folder / f"{name}.log"
        if self._forked:
            self._running[name] = Forked(
                f"{self.program}:main", told, cwd=ROOT, environment=environment, stdout=log, stderr=log
            )
        else:
            command = [sys.executable, "-m", self.program.removesuffix(".__main__"), *told]
            with log.open("ab") as written:
                self._running[name] = subprocess.Popen(
                    command, cwd=ROOT, env=environment, stdout=written, stderr=written
                )

    def wait_archive(self) -> None:
        """Until the archive has its tables; a page may be open before."""
        history = "/api/channels/orders.everything/history"
        wait_until(lambda: self.status(history) == 200, what=f"the archive's tables; log: {self.folder}")

    @property
    def running(self) -> list[str]:
        """Names of the processes that were started and not ended."""
        return list(self._running)

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def end_process(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to the process and wait for its end."""
        process = self._running.pop(name)
        process.send_signal(number)
        process.wait(PATIENCE_S)

    def kill_tree(self, name: str) -> None:
        """`kill -9` of the process with all its children, as when a container dies."""
        process = self._running.pop(name)
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait(PATIENCE_S)

    def signal_process(self, name: str, number: int) -> None:
        self._running[name].send_signal(number)

    def signal_tree(self, name: str, number: int) -> None:
        """Send a signal to the process and all its children."""
        process = psutil.Process(self.pid(name))
        for one in (process, *process.children(recursive=True)):
            one.send_signal(number)

    def restart_broker_empty(self) -> None:
        """The broker dies and comes back without its data, as after a lost disk."""
        self.broker.kill()
        shutil.rmtree(self.folder / "broker" / "broker")
        self.broker.start()

    def stop(self) -> None:
        for name in self.running:
            self.signal_tree(name, signal.SIGCONT)
            self.end_process(name, signal.SIGTERM)
        self.broker.close()

    # The system's own doors ----------------------------------------------------------------------

    def post(self, records: Sequence[Any] | Any, feed: str = "orders") -> dict[str, Any]:
        """Post events; the answer of `POST /api/ingest/<feed>`."""
        request = urllib.request.Request(
            f"{self.url}/api/ingest/{feed}", json.dumps(records).encode(),
            {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            body: dict[str, Any] = json.load(answer)
            return body

    def snapshot(self, channel: str, port: int = 0) -> dict[str, Any]:
        base = f"http://127.0.0.1:{port or self.port}"
        with urllib.request.urlopen(f"{base}/api/channels/{channel}/snapshot", timeout=PATIENCE_S) as answer:
            body: dict[str, Any] = json.load(answer)
            return body

    def get(self, path: str, port: int = 0) -> str:
        """The text that a GET is answered with."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=PATIENCE_S) as answer:
            text: str = answer.read().decode()
            return text

    def status(self, path: str, port: int = 0) -> int:
        """The HTTP status of a GET, 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=5) as answer:
                code: int = answer.status
                return code
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0
