"""Servers: Headwater's web process with a real broker, Node `ws`, and a bare C send loop; each measured by its CPU."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.rig.built import HERE, client, node_with_ws
from bench.rig.cores import LOAD, SERVER, pinned
from services.database import Database, migrate
from services.embedded import EmbeddedBroker


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def broker() -> Iterator[EmbeddedBroker]:
    """A broker of the bench's own, beside the load."""
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        made = EmbeddedBroker(Path(folder))
        made.start()
        if made.pid is not None and LOAD:
            psutil.Process(made.pid).cpu_affinity(list(LOAD))
        try:
            yield made
        finally:
            made.close()


class Server:
    """A running server: where it listens, and the processes that serve."""

    def __init__(self, port: int, process: subprocess.Popen[str]) -> None:
        self.port, self.process = port, process
        self.serving = [psutil.Process(process.pid)]

    def cpu_s(self) -> float:
        """CPU time that it took so far, kernel and user."""
        return sum(sum(one.cpu_times()[:2]) for one in self.serving)

    def rss_bytes(self) -> int:
        return sum(one.memory_info().rss for one in self.serving)

    def say(self, line: str) -> str:
        """Write a line to its stdin and wait for the answer's line."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@contextmanager
def _started(
    command: list[str], port: int, environment: Mapping[str, str] | None = None, cores: frozenset[int] = SERVER,
) -> Iterator[Server]:
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE.parent,
        env=None if environment is None else dict(environment), preexec_fn=pinned(cores),
    )
    try:
        yield Server(port, process)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.communicate()


def release(data: Path) -> None:
    """Make the database of a system's data as a deployment does before it starts."""
    data.mkdir(parents=True, exist_ok=True)
    database = Database(f"sqlite:///{data / 'headwater.db'}")
    migrate(database)
    database.close()


@contextmanager
def headwater(
    broker_url: str, *, processes: int = 1, cores: frozenset[int] = SERVER, command: tuple[str, ...] = (),
    settings: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """The product's web process with all of its pages; `command` is put before its own (limits)."""
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        port = free_port()
        environment = {
            **os.environ, "PORT": str(port), "HEADWATER_DATA": folder, "REDIS_URL": broker_url,
            "WEB_CONCURRENCY": str(processes), "HEADWATER_VIEWERS_PER_ADDRESS": "0", "HEADWATER_LOG_LEVEL": "warning",
            **(settings or {}),
        }
        release(Path(folder))
        web = [*command, sys.executable, "-m", "bench.rig.web"]
        with _started(web, port, environment, cores) as server:
            _wait_until_served(server, processes)
            yield server


@contextmanager
def worker(broker_url: str) -> Iterator[Server]:
    """A worker of the bench project that runs the processor alone."""
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        environment = {
            **os.environ, "HEADWATER_DATA": folder, "REDIS_URL": broker_url, "HEADWATER_LOG_LEVEL": "warning",
        }
        with _started([sys.executable, "-m", "bench.project", "worker", "processor"], 0, environment) as server:
            yield server


def _wait_until_served(server: Server, processes: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        children = psutil.Process(server.process.pid).children(recursive=True)
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{server.port}/healthz", timeout=2):
            if len(children) >= processes:
                server.serving = children
                for path in ("/", "/_dash-layout", "/_dash-dependencies"):  # what is loaded at a first visit is loaded
                    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=30) as answer:
                        answer.read()
                return
        time.sleep(0.1)
    raise SystemExit("bench: the web process did not answer within 60 s")


@contextmanager
def node_ws(broker_url: str, stream: str, channel: str, *, deflate: bool = False) -> Iterator[Server]:
    """Node `ws`, reading the same stream of deltas from the same broker."""
    node, environment = node_with_ws()
    port = free_port()
    script, address = str(HERE / "peers" / "fanout.mjs"), broker_url.removeprefix("unix://")
    command = [node, script, str(port), address, stream, channel, str(int(deflate))]
    with _started(command, port, environment) as server:
        assert server.process.stdout is not None
        server.process.stdout.readline()
        yield server


@contextmanager
def send_loop(rows: int) -> Iterator[Server]:
    """The bare send loop in C, which ticks by itself: `say("RATE SECONDS")`."""
    port = free_port()
    with _started([client("send_loop"), str(port), str(rows)], port) as server:
        assert server.process.stdout is not None
        server.process.stdout.readline()
        yield server
