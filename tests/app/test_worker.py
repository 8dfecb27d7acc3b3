"""Worker: its stations keep apart, work in processes of their own, and end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from services.embedded import EmbeddedBroker
from services.telemetry import Measurement
from tests.busy.feeds import busy
from tests.system import System
from tests.waiting import wait_until

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[2]


@pytest.fixture
def system(own_broker: EmbeddedBroker) -> Iterator[System]:
    made = System(own_broker.url, busy)
    yield made
    made.close()


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(own_broker: EmbeddedBroker, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker of the busy project; whatever a test leaves running is killed."""
    running: list[subprocess.Popen[bytes]] = []

    def start_one(*stations: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {"REDIS_URL": own_broker.url}
        with (tmp_path / f"worker-{len(running)}.log").open("ab") as output:
            command = [sys.executable, "-m", "tests.busy", *stations]
            running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output))
        return running[-1]

    yield start_one
    for worker in running:
        worker.kill()
        worker.wait()


def doing(system: System) -> str:
    row = system.data("busy.doing")["rows"].get("source", {})
    text: str = row.get("doing", "")
    return text


def orders(system: System) -> set[str]:
    return set(system.data("orders.newest")["rows"])


def end(worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGTERM)
    worker.wait(5)


def test_a_source_that_keeps_the_interpreter_busy_delays_no_commit(start: Start, system: System) -> None:
    worker = start()
    wait_until(lambda: doing(system) == "burning", 20, "the source that burns")
    system.post([{"id": "o1", "order": "o1"}], "orders")
    wait_until(lambda: "o1" in orders(system), what="the order in its channel")
    assert doing(system) == "burning"
    wait_until(lambda: doing(system) == "done", 60, "the end of the burning")
    children = psutil.Process(worker.pid).children(recursive=True)
    assert children
    end(worker)
    wait_until(lambda: not any(child.is_running() for child in children), 5, "the end of the sources' process")


def test_stations_run_in_workers_of_their_own(start: Start, system: System) -> None:
    workers = [start("sources"), start("processor")]
    wait_until(lambda: doing(system) == "done", 60, "the source's last word")

    def roles() -> set[str]:
        return {Measurement.decoded(payload).role for payload in system.broker.read_telemetry().values()}

    wait_until(lambda: roles() == {"sources", "processor"}, what="both roles in the telemetry")
    for worker in workers:
        end(worker)


def test_a_sources_process_that_is_killed_is_started_again(start: Start, system: System) -> None:
    worker = start()
    wait_until(lambda: doing(system) == "burning", 20, "the source that burns")
    first = {child.pid for child in psutil.Process(worker.pid).children(recursive=True)}
    for pid in first:
        os.kill(pid, signal.SIGKILL)

    def another() -> bool:
        running = {child.pid for child in psutil.Process(worker.pid).children(recursive=True)}
        return bool(running - first)

    wait_until(another, 15, "another process for the sources")
    end(worker)
