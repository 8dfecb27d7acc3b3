"""Stand: broker, worker and web of the project that grows, on a core of their own, and what each of them takes."""

from __future__ import annotations

import os
import secrets
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

import psutil

from bench.growth.sizes import Sizes
from bench.rig.cores import LOAD, SERVER, pin
from bench.rig.servers import free_port, release
from services.embedded import EmbeddedBroker

KEY = secrets.token_hex(16)
READY_WITHIN_S = 60.0
BROKER_MB = 512


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took: processor time as a share of one core in percent, and resident memory."""

    cpu_percent: float
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the system listens, its processes by name, and the folder of its data."""

    port: int
    processes: dict[str, psutil.Process]
    data: Path

    def costs(self, seconds: float) -> dict[str, Cost]:
        """What each process takes during the next seconds."""
        began, before = time.monotonic(), self._cpu_s()
        time.sleep(seconds)
        took, after = time.monotonic() - began, self._cpu_s()
        return {
            name: Cost(100 * (after[name] - before[name]) / took, process.memory_info().rss / 1e6)
            for name, process in self.processes.items()
        }

    def _cpu_s(self) -> dict[str, float]:
        times = {name: process.cpu_times() for name, process in self.processes.items()}
        return {name: spent.user + spent.system for name, spent in times.items()}


@contextmanager
def stand(sizes: Sizes, *, web_alone: bool = False) -> Iterator[Stand]:
    """Start everything on the servers' core, or the web process alone; the other is the caller's and its clients'."""
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        data, port = Path(folder), free_port()
        pin(LOAD if web_alone else SERVER)  # what is started from here inherits it
        broker = EmbeddedBroker(data, memory_mb=BROKER_MB)
        children: list[subprocess.Popen[bytes]] = []
        release(data)
        try:
            environment = os.environ | _settings(port, data, broker.start()) | sizes.environment()
            children.append(_start("worker", environment))
            pin(SERVER)
            children.append(_start("web", environment))
            pin(LOAD)
            _wait_until_ready(port, children)
            yield Stand(port, _processes(broker, *children), data)
        finally:
            for child in children:
                child.send_signal(signal.SIGTERM)
            for child in children:
                child.wait(20)
            broker.close()


def _settings(port: int, data: Path, broker_url: str) -> dict[str, str]:
    return {
        "PORT": str(port), "HEADWATER_DATA": str(data), "REDIS_URL": broker_url, "DATABASE_URL": "",
        "WEB_CONCURRENCY": "1", "HEADWATER_LOG_LEVEL": "warning", "HEADWATER_INGEST_KEYS": f"bench:{KEY}:*",
        "HEADWATER_VIEWERS_MAX": "20000", "HEADWATER_VIEWERS_PER_ADDRESS": "0",
        "HEADWATER_VIEWERS_PER_PRINCIPAL": "0",
    }


def _start(role: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "bench.growth.project", role], env=environment)


def _wait_until_ready(port: int, children: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not _ready(port):
        if time.monotonic() > deadline or any(child.poll() is not None for child in children):
            raise RuntimeError(f"the system did not become ready within {READY_WITHIN_S:g} s")
        time.sleep(0.1)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _processes(
    broker: EmbeddedBroker, worker: subprocess.Popen[bytes], web: subprocess.Popen[bytes]
) -> dict[str, psutil.Process]:
    """The broker, the processor, the archive that it keeps apart, and the one process behind gunicorn's."""
    assert broker.pid is not None
    (archive,), (serving,) = psutil.Process(worker.pid).children(), psutil.Process(web.pid).children()
    return {
        "web": serving, "processor": psutil.Process(worker.pid), "archive": archive,
        "broker": psutil.Process(broker.pid),
    }
