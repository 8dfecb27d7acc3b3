"""Processes: web and worker end quickly, close sockets with the right code, and load only what they need."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from socket import create_connection

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from services.embedded import EmbeddedBroker
from tests.app.running import ROOT, environment, running
from tests.waiting import wait_until

pytestmark = pytest.mark.alone

STOP_LIMIT_S = 3.0


def _read_on(socket: ClientConnection) -> None:
    while True:
        socket.recv(timeout=STOP_LIMIT_S)


def test_on_sigterm_the_web_process_closes_sockets_with_1012_and_ends_in_time(
    own_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    with running("web", tmp_path, REDIS_URL=own_broker.url, WEB_CONCURRENCY="2") as web:
        wait_until(lambda: web.get("/healthz")[0] == 200, 30, what="the web process")
        with connect(web.url.replace("http", "ws") + "/live?protocols=1") as socket:
            assert json.loads(socket.recv(timeout=5))["op"] == "hello"
            asked = time.monotonic()
            web.process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                _read_on(socket)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        assert web.process.wait(STOP_LIMIT_S) == 0
        assert time.monotonic() - asked < STOP_LIMIT_S


def test_connections_that_say_nothing_keep_no_thread_from_others(own_broker: EmbeddedBroker, tmp_path: Path) -> None:
    with running("web", tmp_path, REDIS_URL=own_broker.url, WEB_CONCURRENCY="1") as web, ExitStack() as opened:
        wait_until(lambda: web.get("/healthz")[0] == 200, 30, what="the web process")
        for _ in range(40):
            opened.enter_context(create_connection(("127.0.0.1", web.port)))
        asked = time.monotonic()
        assert web.get("/healthz")[0] == 200
        assert time.monotonic() - asked < 2.0


def test_clients_that_keep_a_finished_connection_open_hold_up_nobody(
    own_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    with running("web", tmp_path, REDIS_URL=own_broker.url, WEB_CONCURRENCY="1") as web, ExitStack() as opened:
        wait_until(lambda: web.get("/healthz")[0] == 200, 30, what="the web process")
        asked = time.monotonic()
        for _ in range(6):
            over = opened.enter_context(create_connection(("127.0.0.1", web.port), timeout=10))
            over.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert over.recv(4_096).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - asked < 2.0


def test_connections_that_are_kept_alive_delay_neither_the_stop_nor_the_word_to_viewers(
    own_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    with (
        running("web", tmp_path, REDIS_URL=own_broker.url, WEB_CONCURRENCY="1") as web, ExitStack() as opened,
    ):
        wait_until(lambda: web.get("/healthz")[0] == 200, 30, what="the web process")
        for path in ("/healthz", "/healthz", "/api/session", "/healthz"):
            kept = opened.enter_context(closing(HTTPConnection("127.0.0.1", web.port, timeout=10)))
            kept.request("GET", path)
            kept.getresponse().read()
        opened.enter_context(create_connection(("127.0.0.1", web.port)))  # and one that never says a word
        poll = opened.enter_context(closing(HTTPConnection("127.0.0.1", web.port, timeout=10)))
        poll.request("POST", "/api/changes", b'{"channels":{}}', {"Content-Type": "application/json"})
        socket = opened.enter_context(connect(web.url.replace("http", "ws") + "/live?protocols=1"))
        assert json.loads(socket.recv(timeout=5))["op"] == "hello"
        asked = time.monotonic()
        web.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            _read_on(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert time.monotonic() - asked < 1.0
        answer = opened.enter_context(poll.getresponse())
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert web.process.wait(STOP_LIMIT_S) == 0
        assert time.monotonic() - asked < STOP_LIMIT_S


def test_a_worker_ends_in_time_and_another_takes_over_at_once(own_broker: EmbeddedBroker, tmp_path: Path) -> None:
    with running("worker", tmp_path, REDIS_URL=own_broker.url) as worker:
        wait_until(lambda: "lane led" in worker.output, 30, what="a lane")
        asked = time.monotonic()
        assert worker.stop() == 0, worker.output
        assert time.monotonic() - asked < STOP_LIMIT_S
    (tmp_path / "next").mkdir()
    with running("worker", tmp_path / "next", REDIS_URL=own_broker.url) as follower:
        wait_until(lambda: '"lane":"host.0"' in follower.output, 30, what="the lane in other hands")


def test_a_running_worker_has_neither_dash_nor_pandas_in_memory(own_broker: EmbeddedBroker) -> None:
    script = (
        "import os, signal, sys, threading\n"
        "from app.settings import Settings\n"
        "from app.worker import Worker\n"
        f"worker = Worker(Settings(redis_url={own_broker.url!r}))\n"
        "threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        "worker.run()\n"
        "heavy = ('dash', 'plotly', 'flask', 'pandas', 'numpy')\n"
        "print('services.archive.archiver' in sys.modules, [name for name in heavy if name in sys.modules])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60,
        check=True,
    )
    assert ended.stdout.splitlines()[-1] == "True []"


def test_a_web_process_starts_without_pandas() -> None:
    script = (
        "import sys\n"
        "from app.factory import create_app\n"
        "from app.settings import Settings\n"
        "create_app(Settings(redis_url='redis://127.0.0.1:1'))\n"
        "print([name for name in ('pandas', 'numpy') if name in sys.modules])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60,
        check=True,
    )
    assert ended.stdout == "[]\n"


def test_importing_any_module_of_the_app_does_nothing() -> None:
    script = (
        "import pkgutil, sys, threading\n"
        "import app\n"
        "for found in pkgutil.walk_packages(app.__path__, 'app.'):\n"
        "    __import__(found.name)\n"
        "import dash\n"
        "print(threading.active_count(), len(dash.page_registry))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60,
        check=True,
    )
    assert ended.stdout == "1 0\n"
