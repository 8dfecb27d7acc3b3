"""Connections: what each process holds to the broker, counted by the broker, while everything is asked of it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import urllib.error
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import redis

from tests.gateway.tab import Tab
from tests.installation import ROOT, Installation
from tests.waiting import wait_until

WEB, WORKER, COMMAND = 2, 3, 1


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    running = Installation(tmp_path_factory.mktemp("connections"), web_processes=1)
    try:
        running.start()
        yield running
    finally:
        running.stop()


class Watch:
    """Looks again and again who is connected, and keeps the most of each process."""

    def __init__(self, url: str) -> None:
        self.most: Counter[int] = Counter()
        self._client = redis.Redis.from_url(url, client_name="watch")
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        while not self._done.wait(0.01):
            names = [one["name"] for one in self._client.client_list()]
            held = Counter(int(name.rpartition("-")[2]) for name in names if name.startswith("headwater-"))
            self.most |= held

    def of(self, *pids: int) -> int:
        return sum(self.most[pid] for pid in pids)


def tree(pid: int) -> list[int]:
    return [pid, *(one.pid for one in psutil.Process(pid).children(recursive=True))]


def test_a_web_process_holds_two_and_a_worker_three_whatever_is_asked_of_them(installation: Installation) -> None:
    def ask(number: int) -> None:
        with contextlib.suppress(urllib.error.URLError):
            installation.post([{"order": f"o{number}", "shop": "north", "price": 1.0}])
            installation.snapshot("orders.everything")
            installation.status("/readyz")
            installation.get("/metrics")

    live = f"ws://127.0.0.1:{installation.port}/live?protocols=1"
    with Watch(installation.broker.url) as watch, Tab(live) as tab, ThreadPoolExecutor(16) as many:
        tab.subscribe("orders.everything", "orders.total")
        list(many.map(ask, range(120)))
        wait_until(lambda: len(watch.most) >= 3, what="web, processor and the other stations")
    assert watch.of(*tree(installation.pid("web"))) == WEB
    assert watch.of(*tree(installation.pid("worker"))) == WORKER


def test_a_command_holds_one(installation: Installation, tmp_path: Path) -> None:
    environment = os.environ | {"REDIS_URL": installation.broker.url, "HEADWATER_DATA": str(tmp_path)}
    with Watch(installation.broker.url) as watch:
        command = [sys.executable, "-m", "app.cli", "doctor"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        process.wait(60)
    assert watch.of(process.pid) == COMMAND
