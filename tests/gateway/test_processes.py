"""The gateway under gunicorn: sockets leave its threads, several processes agree, and a stop is quick."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psutil
import pytest

from tests.gateway.gunicorn import Gunicorn
from tests.gateway.raw import RawViewer
from tests.gateway.tab import Tab
from tests.system import System, order

pytestmark = pytest.mark.alone


@pytest.fixture
def gunicorn(system: System) -> Iterator[Gunicorn]:
    made = Gunicorn(system.url)
    yield made
    made.end()


def test_more_viewers_than_threads_leave_http_free_and_all_agree(gunicorn: Gunicorn, system: System) -> None:
    system.post([order(1)])
    system.drain()
    with ExitStack() as opened:
        tabs = [opened.enter_context(Tab(gunicorn.url, deflate=n % 2 == 0)) for n in range(24)]
        for tab in tabs:
            tab.subscribe("orders.everything")
        for number in range(2, 12):
            system.post([order(number)])
            system.drain()
        for tab in tabs:
            tab.until(lambda t: t.seq("orders.everything") == 11)
            assert tab.data("orders.everything") == system.data("orders.everything")
        assert {gunicorn.get_pid() for _ in range(20)} <= {worker.pid for worker in gunicorn.workers()}
        holding = [len([c for c in w.net_connections("tcp") if c.status == "ESTABLISHED"]) for w in gunicorn.workers()]
        assert all(holding), "both processes serve viewers"


def test_polls_leave_the_web_servers_threads_and_its_count_of_connections(gunicorn: Gunicorn, system: System) -> None:
    system.post([order(1)])
    system.drain()

    def poll(body: bytes) -> list[dict[str, Any]]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{gunicorn.port}/api/changes", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    with ThreadPoolExecutor(16) as clients:
        bodies = [b'{"channels":{"orders.everything":null}}'] * 40 + [b'{"channels":{},"wait_s":1}'] * 24
        answers = list(clients.map(poll, bodies))
    assert [[frame["op"] for frame in answer] for answer in answers] == [["snapshot", "heartbeat"]] * 40 + [[]] * 24
    assert gunicorn.get_pid()


def test_a_stop_closes_viewers_with_1012_and_ends_within_three_seconds(gunicorn: Gunicorn, system: System) -> None:
    with ExitStack() as opened:
        viewers = [opened.enter_context(RawViewer(gunicorn.url)) for _ in range(6)]
        for viewer in viewers:
            viewer.subscribe("orders.board")
            viewer.take_until(lambda v=viewer: bool(v.positions))
        workers, started = gunicorn.workers(), time.monotonic()
        gunicorn.process.send_signal(signal.SIGTERM)
        assert {viewer.close_code() for viewer in viewers} == {1012}
        psutil.wait_procs(workers, 10)
        assert time.monotonic() - started < 3.0
        assert gunicorn.process.wait(10) == 0


def test_a_killed_process_is_replaced_and_its_viewers_resume(gunicorn: Gunicorn, system: System) -> None:
    system.post([order(1)])
    system.drain()
    with Tab(gunicorn.url) as before:
        before.subscribe("orders.everything")
        before.until_frame(op="snapshot")
        for worker in gunicorn.workers():
            worker.kill()
    system.post([order(2)])
    system.drain()
    gunicorn.wait()
    with Tab(gunicorn.url) as after:
        after.resume(before)
        after.subscribe(orders__everything=before.positions["orders.everything"])
        after.until(lambda t: t.seq("orders.everything") == 2)
        assert not after.of("snapshot")
