"""Worker: its stations keep apart, work in processes of their own, and end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.embedded import EmbeddedBroker
from services.telemetry import Measurement
from tests.busy.feeds import busy
from tests.system import System
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def system(own_broker: EmbeddedBroker) -> Iterator[System]:
    made = System(own_broker.url, busy)
    yield made
    made.close()


def start(broker: EmbeddedBroker, log: Path, *stations: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"REDIS_URL": broker.url}
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.busy", *stations], cwd=ROOT, env=environment, stdout=output, stderr=output
        )


def doing(system: System) -> str:
    row = system.data("busy.doing")["rows"].get("source", {})
    text: str = row.get("doing", "")
    return text


def orders(system: System) -> set[str]:
    return set(system.data("orders.newest")["rows"])


def end(worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGTERM)
    worker.wait(5)


def test_a_source_that_keeps_the_interpreter_busy_delays_no_commit(
    own_broker: EmbeddedBroker, system: System, tmp_path: Path
) -> None:
    worker = start(own_broker, tmp_path / "worker.log")
    wait_until(lambda: doing(system) == "burning", 20, "the source that burns")
    system.post([{"id": "o1", "order": "o1"}], "orders")
    wait_until(lambda: "o1" in orders(system), what="the order in its channel")
    assert doing(system) == "burning"
    wait_until(lambda: doing(system) == "done", 60, "the end of the burning")
    children = psutil.Process(worker.pid).children(recursive=True)
    assert children
    end(worker)
    wait_until(lambda: not any(child.is_running() for child in children), 5, "the end of the sources' process")


def test_stations_run_in_workers_of_their_own(own_broker: EmbeddedBroker, system: System, tmp_path: Path) -> None:
    workers = [start(own_broker, tmp_path / f"{station}.log", station) for station in ("sources", "processor")]
    wait_until(lambda: doing(system), 20, "the source's first word")

    def roles() -> set[str]:
        return {Measurement.decoded(payload).role for payload in system.broker.read_telemetry().values()}

    wait_until(lambda: roles() == {"sources", "processor"}, 60, "both roles, the burning one once it is done")
    for worker in workers:
        end(worker)


def test_a_sources_process_that_is_killed_is_started_again(
    own_broker: EmbeddedBroker, system: System, tmp_path: Path
) -> None:
    worker = start(own_broker, tmp_path / "worker.log")
    wait_until(lambda: doing(system) == "burning", 20, "the source that burns")
    first = {child.pid for child in psutil.Process(worker.pid).children(recursive=True)}
    for pid in first:
        os.kill(pid, signal.SIGKILL)

    def another() -> bool:
        running = {child.pid for child in psutil.Process(worker.pid).children(recursive=True)}
        return bool(running - first)

    wait_until(another, 15, "another process for the sources")
    end(worker)
