"""Patience: clients that are slow, silent, too many or too long cost a connection, never the others' answers."""

from __future__ import annotations

import http.client
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from app.patience import FIELD_BYTES_MAX, FIELDS_MAX, LINE_BYTES_MAX
from tests.ports import free_port
from tests.waiting import wait_until

SERVER = """
import sys
from gunicorn.app.base import BaseApplication
from app import patience
from app.server import gunicorn_settings
from app.settings import Settings

patience.HEAD_WITHIN_S, patience.BODY_WITHIN_S, patience.TAKEN_WITHIN_S = 5.0, 2.0, 2.0
own = {"workers": 1, "threads": 2, "worker_connections": 40, "post_worker_init": None, "worker_exit": None}

def answer(environ, start_response):
    body = environ["wsgi.input"].read()
    said = b"x" * 16_000_000 if environ["PATH_INFO"] == "/large" else b"%d" % len(body)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(said)))])
    return [said]

class Web(BaseApplication):
    def load_config(self):
        for name, value in {**gunicorn_settings(Settings(port=int(sys.argv[1]))), **own}.items():
            if name not in ("post_worker_init", "worker_exit"):
                self.cfg.set(name, value)

    def load(self):
        return answer

Web().run()
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a web process with two threads, room for forty connections, and little patience."""
    found = free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(found)], env={**os.environ, "PORT": str(found)})
    try:
        wait_until(lambda: answers(found), 100, "the web process")
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def answers(port: int, body: bytes = b"", path: str = "/", **headers: str) -> int:
    """The status of an honest request; 0 where nobody answers."""
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
    except OSError:
        return 0


Connect = Callable[..., socket.socket]


@pytest.fixture
def connected(port: int) -> Iterator[Connect]:
    """Opens connections that have sent some bytes; all are closed in the end."""
    with ExitStack() as opened:

        def connect(first: bytes = b"") -> socket.socket:
            made = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            made.sendall(first)
            return made

        yield connect


def is_closed(one: socket.socket) -> bool:
    """Whether the other end closes it in the end, whatever it says before."""
    try:
        while one.recv(65_536):
            pass
        return True
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "], ids=["silent", "half a head"])
def test_clients_that_never_finish_asking_hold_nobody_up_and_are_closed(
    port: int, connected: Connect, begun: bytes
) -> None:
    slow = [connected(begun) for _ in range(10)]
    assert answers(port) == 200
    assert select.select(slow, [], [], 0)[0] == [], "while nobody's time was up: no thread waits for them"
    assert all(map(is_closed, slow))


def test_more_connections_than_there_is_room_for_close_the_one_that_has_waited_longest(
    port: int, connected: Connect
) -> None:
    waiting = [connected() for _ in range(60)]
    assert answers(port) == 200
    assert is_closed(waiting[0])


def test_a_body_that_comes_too_slowly_is_given_up(port: int, connected: Connect) -> None:
    slow = connected(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    assert answers(port) == 200, "the other thread"
    assert is_closed(slow)


def test_an_answer_that_nobody_takes_is_given_up(port: int, connected: Connect) -> None:
    for _ in range(2):
        connected(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_until(lambda: answers(port) == 200, 10, "an answer although both threads wrote to who does not read")


def test_a_kept_connection_is_served_again_and_requests_in_a_row_are_too(port: int, connected: Connect) -> None:
    kept = connected()
    for _ in range(2):
        kept.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" * 2)
        got = b""
        while got.count(b"\r\n\r\n3") < 2:
            got += kept.recv(65_536)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/" + "a" * (LINE_BYTES_MAX - 100), {}, 200),
        ("/" + "a" * LINE_BYTES_MAX, {}, 414),
        ("/", {"X-Long": "a" * FIELD_BYTES_MAX}, 431),
        ("/", {f"X-{number}": "a" for number in range(FIELDS_MAX)}, 431),
        ("/", {f"X-{number}": "a" * 7_000 for number in range(6)}, 200),
    ],
    ids=["a long address", "too long an address", "too long a header", "too many headers", "a large head"],
)
def test_an_address_and_headers_have_their_limits(port: int, path: str, headers: dict[str, str], status: int) -> None:
    assert answers(port, b"", path, **headers) == status
