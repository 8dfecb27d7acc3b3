"""One dyno: `headwater up` as the only process of a platform, its worker supervised beside it, the broker elsewhere."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import redis
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from services.embedded import EmbeddedBroker
from tests.chaos.drill import EXIT_S, LISTENING_S
from tests.chaos.dynos import Dyno
from tests.installation import ROOT, SECRET
from tests.platform_python import platform_python
from tests.waiting import wait_until

pytestmark = pytest.mark.alone

CONNECTIONS = 5
"""Two of its web process, three of its worker."""


@pytest.fixture
def dyno(own_broker: EmbeddedBroker, tmp_path: Path) -> Iterator[Dyno]:
    environment = {
        "REDIS_URL": own_broker.url, "HOST": "127.0.0.1", "WEB_CONCURRENCY": "1",
        "HEADWATER_INGEST_KEYS": f"test:{SECRET}:*",
    }
    python = platform_python(tmp_path / "environment")
    made = Dyno(tmp_path, "one", "up", environment=environment, python=python)
    yield made
    if made.running:
        made.stop()


def ready(dyno: Dyno) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{dyno.port}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def family(dyno: Dyno) -> list[psutil.Process]:
    """The supervisor, and everything that it started."""
    supervisor = psutil.Process(dyno.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def worker_of(dyno: Dyno) -> psutil.Process | None:
    children = psutil.Process(dyno.pid).children()
    return next((one for one in children if one.is_running() and "worker" in one.cmdline()), None)


def post(dyno: Dyno, value: int) -> None:
    answer = requests.post(
        f"http://127.0.0.1:{dyno.port}/api/ingest/signals", json={"id": f"s{value}", "name": "one", "value": value},
        headers={"Authorization": f"Bearer {SECRET}"}, timeout=10,
    )
    assert answer.status_code == 202, answer.text


@contextmanager
def watching(dyno: Dyno) -> Iterator[ClientConnection]:
    """A viewer of the newest signals."""
    with connect(f"ws://127.0.0.1:{dyno.port}/live?protocols=1", proxy=None) as socket:
        socket.send(json.dumps({"op": "subscribe", "channels": {"signals.newest": None}}))
        yield socket


def sees(socket: ClientConnection, value: int, within_s: float) -> bool:
    """Whether a frame of the channel brings the value."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        frame = json.loads(socket.recv(timeout=within_s))
        rows = frame.get("data", {}).get("rows" if frame["op"] == "snapshot" else "set", {})
        if rows.get("one", {}).get("value") == value:
            return True
    return False


def test_one_process_serves_on_the_platforms_port_and_a_killed_worker_comes_back_under_its_viewers(
    dyno: Dyno, own_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    assert dyno.wait_listening(60) <= LISTENING_S, "on the PORT that it was given"
    wait_until(lambda: ready(dyno), 60, f"readiness; log: {dyno.log}")
    wait_until(lambda: '"source started"' in dyno.log.read_text(), 60, "the stations beside the processor")
    assert not list(tmp_path.glob("disk-one/broker*")), "the broker is elsewhere"
    with watching(dyno) as socket:
        post(dyno, 1)
        assert sees(socket, 1, 10)
        killed = worker_of(dyno)
        assert killed is not None
        killed.kill()
        post(dyno, 2)  # accepted by web, processed by the worker that follows
        assert sees(socket, 2, 30), "on the same socket"
        follower = worker_of(dyno)
        assert follower is not None
        assert follower.pid != killed.pid
    wait_until(lambda: ready(dyno), 30, "readiness again")
    with redis.Redis.from_url(own_broker.url, client_name="watch") as client:
        names = [one["name"] for one in client.client_list()]
    assert len([name for name in names if name.startswith("headwater-")]) <= CONNECTIONS, names


def test_a_platforms_sigterm_to_every_process_twice_ends_all_of_them_in_time_and_tells_viewers(dyno: Dyno) -> None:
    dyno.wait_listening(60)
    wait_until(lambda: ready(dyno), 60, f"readiness; log: {dyno.log}")
    everything = family(dyno)
    with watching(dyno) as socket:
        json.loads(socket.recv(timeout=5))
        began = time.monotonic()
        for _ in range(2):
            for process in everything:
                if process.is_running():
                    process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(timeout=EXIT_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    assert dyno.wait() == 0, dyno.log.read_text()
    assert time.monotonic() - began <= EXIT_S
    assert psutil.wait_procs(everything, timeout=1)[1] == []
    assert "starting it again" not in dyno.log.read_text()


def test_the_line_that_the_operators_document_gives_starts_just_that() -> None:
    text = (ROOT / "docs/operating.md").read_text()
    (line,) = re.findall(r"`web: (HOST=[^`]* up)`", text)
    assert line == "HOST=${HOST:-0.0.0.0} python -m app.cli up"
