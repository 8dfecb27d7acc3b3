"""Served: broker, worker and web processes of the bench project on a free port, as they are deployed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.rig.servers import free_port, release
from services.embedded import EmbeddedBroker

ROOT = Path(__file__).parents[2]
KEY = "the-key-of-the-benches"
_READY_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """Where the project answers, and the processes that serve it by their role."""

    port: int
    pids: dict[str, int]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def served(*, tick_ms: int = 16, web_processes: int = 2) -> Iterator[Served]:
    """The bench project, running; ended with its data."""
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        broker = EmbeddedBroker(folder / "broker")
        broker.start()
        port, processes = free_port(), {}
        environment = {
            **os.environ, "REDIS_URL": broker.url, "PORT": str(port), "HOST": "127.0.0.1",
            "HEADWATER_DATA": str(folder / "data"), "WEB_CONCURRENCY": str(web_processes),
            "HEADWATER_TICK_MS": str(tick_ms), "HEADWATER_INGEST_KEYS": f"bench:{KEY}:*",
            "HEADWATER_LOG_LEVEL": "warning",
        }
        release(folder / "data")
        try:
            for role in ("worker", "web"):
                command = [sys.executable, "-m", "bench.project", role]
                processes[role] = subprocess.Popen(command, cwd=ROOT, env=environment)
            _wait_until_ready(port, list(processes.values()))
            yield Served(port, {"broker": broker.pid or 0, **{role: one.pid for role, one in processes.items()}})
        finally:
            for process in processes.values():
                process.send_signal(signal.SIGTERM)
            for process in processes.values():
                process.wait(15)
            broker.close()


def _wait_until_ready(port: int, processes: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while not _is_ready(port):
        if time.monotonic() > deadline or any(one.poll() is not None for one in processes):
            raise SystemExit(f"the bench project did not become ready within {_READY_WITHIN_S:g} s")
        time.sleep(0.2)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
