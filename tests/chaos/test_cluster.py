"""A Redis Cluster of three nodes: everything works over slots, and the restart of a slot's owner is survived."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.producers import Batch, Client
from tests.chaos.record import Record
from tests.chaos.viewers import Viewer, now_ms
from tests.chaos.world import World
from tests.cluster import ClusterOfThree
from tests.installation import SECRET, Installation
from tests.services import oracle
from tests.system import order
from tests.waiting import wait_until

CHANNELS = ("orders.everything", "orders.total", "orders.prices", "orders.dear")
VIEWERS = 4


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterOfThree]:
    with ClusterOfThree(tmp_path / "cluster") as running:
        yield running


@pytest.fixture
def installation(cluster: ClusterOfThree, tmp_path: Path) -> Iterator[Installation]:
    running = Installation(tmp_path, web_processes=1)
    for role in ("worker", "web"):
        running.start_process(role, broker_url=cluster.url)
    try:
        running.wait_ready()
        yield running
    finally:
        running.stop()


def orders(first: int, count: int) -> list[dict[str, object]]:
    now, numbers = now_ms(), range(first, first + count)
    return [order(number % 40, price=80.0 + number, at=now - 2 * count + number) for number in numbers]


def send(installation: Installation, events: list[dict[str, object]]) -> None:
    """Post until acknowledged, as a careful client does."""
    given_up = threading.Event()
    timer = threading.Timer(60, given_up.set)
    timer.start()
    client = Client(installation.port, SECRET, Counter())
    assert client.send(Batch(events), given_up) is not None, "not acknowledged within 60 s"
    client.close()
    timer.cancel()


def test_viewers_hold_the_right_states_before_and_after_a_slots_owner_was_restarted(
    cluster: ClusterOfThree, installation: Installation
) -> None:
    record, events = Record(), orders(0, 200)
    viewers = [
        Viewer(number, installation.port, CHANNELS, record, deflate=number % 2 == 1, slow_s=0, seed=number)
        for number in range(VIEWERS)
    ]

    def right(wanted: list[dict[str, object]]) -> bool:
        shown = [viewer.holding().get("orders.everything") for viewer in viewers]
        rows = oracle.latest(wanted)
        return all(held is not None and world.call(held.state.data) == rows for held in shown)

    with World() as world:
        for viewer in viewers:
            world.spawn(viewer.run())
        send(installation, events)
        wait_until(lambda: right(events), 60, "every viewer holds the orders")
        owner = cluster.owner("hw:{orders.0}:lane")
        assert len({cluster.owner(f"hw:{{{lane}}}:lane") for lane in ("orders.0", "probe.0", "contract.0")}) > 1
        cluster.kill_node(owner)
        cluster.start_node(owner)
        cluster.wait_whole()
        more = orders(200, 200)
        send(installation, more)
        wait_until(lambda: right(events + more), 60, "every viewer holds what came after the restart")
        total = installation.snapshot("orders.total")["data"]["rows"]["all"]
        for viewer in viewers:
            world.do(viewer.stop())
    assert total["orders"] == 400
    assert record.violations == []
