"""kill -9 of the worker at any moment: after its restart each channel is the fold of the accepted events."""

from __future__ import annotations

import random
import signal
import threading
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation
from tests.services import oracle
from tests.waiting import wait_until

pytestmark = pytest.mark.alone

SEED = 1
KILLS = 6
LIFE_S = (0.05, 1.2)
"""How long a worker lives: from before it leads its lane to the middle of its commits."""


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    running = Installation(tmp_path, web_processes=1)
    running.start()
    yield running
    running.stop()


class Producer:
    """Posts orders until told to stop, sends again what was not acknowledged, and remembers what was."""

    def __init__(self, installation: Installation, seed: int) -> None:
        self._installation, self._chance = installation, random.Random(seed)
        self._stop = threading.Event()
        self.acknowledged: list[dict[str, Any]] = []
        self.resent = 0
        self._thread = threading.Thread(target=self._run, name="producer")
        self._thread.start()

    def stop(self) -> list[dict[str, Any]]:
        self._stop.set()
        self._thread.join()
        return self.acknowledged

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(0.002):
            batch = [self._order(number + offset) for offset in range(self._chance.randint(1, 20))]
            number += len(batch)
            self._send(batch)

    def _order(self, number: int) -> dict[str, Any]:
        late_ms = self._chance.choice([0, 0, 0, 40, 900])
        return {
            "id": f"e{number:06}", "created_at": int(time.time() * 1000) - late_ms,
            "order": f"o{self._chance.randint(0, 400)}", "shop": self._chance.choice(["north", "south"]),
            "price": self._chance.randint(0, 15_000) / 100,
        }

    def _send(self, batch: list[dict[str, Any]]) -> None:
        while True:
            try:
                answer = self._installation.post(batch)
            except (urllib.error.URLError, TimeoutError):
                self.resent += 1
                if self._stop.wait(0.1):
                    return
                continue
            assert answer["accepted"] + answer["duplicates"] == len(batch), answer
            if self._chance.random() < 0.05:  # as after a lost reply: the same again must change nothing
                assert self._installation.post(batch)["duplicates"] == len(batch)
            self.acknowledged += batch
            return


def test_state_is_the_fold_of_accepted_events_whenever_the_worker_is_killed(
    installation: Installation,
) -> None:
    chance = random.Random(SEED)
    producer = Producer(installation, SEED)
    try:
        for _ in range(KILLS):
            lived_until = time.monotonic() + chance.uniform(*LIFE_S)
            wait_until(lambda end=lived_until: time.monotonic() > end, what="the worker's time")
            installation.end_process("worker", signal.SIGKILL)
            installation.start_process("worker")
    finally:
        events = producer.stop()
    assert len(events) > 500
    wait_until(lambda: _processed(installation) == len(events), 30, f"{len(events)} events counted")
    assert installation.snapshot("orders.everything")["data"] == oracle.latest(events)
    assert installation.snapshot("orders.prices")["data"] == oracle.prices(events, 600_000)
    dear = [event for event in events if event["price"] >= 100]
    assert installation.snapshot("orders.dear")["data"] == oracle.log(dear, 20)


def _processed(installation: Installation) -> int:
    """Events that are counted in the state."""
    rows = installation.snapshot("orders.total")["data"]["rows"]
    count: int = rows["all"]["orders"] if rows else 0
    return count
