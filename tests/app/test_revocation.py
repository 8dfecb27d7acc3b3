"""Revocation: what is taken away is gone within two seconds, on whichever of two web processes it is open.

Measured at the client, as the last byte that it should not have had any more.
"""

from __future__ import annotations

import json
import re
import socket as sockets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from click.testing import CliRunner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.cli import main
from app.settings import Settings
from services.accounts.key_register import KeyRegister
from services.accounts.register import Register
from services.broker import Broker
from services.database import Database
from services.embedded import EmbeddedBroker
from tests.app.running import Running, running
from tests.app.signing import PASSWORD, browser, cookie, migrated
from tests.waiting import wait_until

pytestmark = pytest.mark.alone

WITHIN_S = 2.0
CHANNEL = "signals.entries"
KEY = "0123456789abcdef"
EVENTS = {
    "signals": {"name": "of-a-key", "value": 1},
    "probe": {"name": "signals.0 here", "lane": "signals.0", "place": "here", "token": "0123456789abcdef"},
}
"""An event of each feed that a key is for: of a source, and of the probe that takes the whole path."""
SENT_EVERY_S = 0.02


class Watcher:
    """One way in of somebody who is signed in: `last` is when it was given the channel last, `end` how it ended."""

    def __init__(self, receive: Callable[[], bool]) -> None:
        self.last, self.end = 0.0, ""
        self._receive = receive
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while True:
                if self._receive():
                    self.last = time.monotonic()
        except ConnectionClosed as closed:
            self.end = str(closed.rcvd.code if closed.rcvd else "cut off")
        except PermissionError as refused:
            self.end = str(refused)


@pytest.fixture(scope="module")
def web(shared_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("revocation")
    migrated(Settings(data=folder / "data"), ann="desk", bob="desk", carl="desk")
    with served(shared_broker.url, folder) as made:
        yield made


@contextmanager
def served(broker_url: str, folder: Path) -> Iterator[Running]:
    """Two web processes and a worker, to which events are posted all the time."""
    given = {"REDIS_URL": broker_url, "HEADWATER_INGEST_KEYS": f"all:{KEY}:*", "HEADWATER_DATA": str(folder / "data")}
    with running("web", folder, WEB_CONCURRENCY="2", **given) as web, running("worker", folder, **given):
        web.wait_until_ready()
        ending = threading.Event()
        posting = threading.Thread(target=_post, args=(web.url, ending))
        posting.start()
        try:
            yield web
        finally:
            ending.set()
            posting.join()


def _post(url: str, ending: threading.Event) -> None:
    """Twenty events a second: between two of them nobody is forgotten."""
    headers = {"Authorization": f"Bearer {KEY}"}
    while not ending.wait(0.05):
        requests.post(f"{url}/api/ingest/signals", json={"name": "a", "value": 1}, headers=headers, timeout=10)


def process_of(web: Running, port: int) -> int:
    """The web process that holds the other end of the connection from this port, 0 where none has taken it yet."""
    for process in web.descendants():
        if any(one.raddr and one.raddr.port == port for one in process.net_connections("tcp")):
            return int(process.pid)
    return 0


def socket_of_each_process(web: Running, held_by: dict[str, str], stack: ExitStack) -> list[ClientConnection]:
    """A live socket on each of the two."""
    held: dict[int, ClientConnection] = {}

    def both() -> bool:
        url = web.url.replace("http", "ws") + "/live?protocols=1"
        socket = stack.enter_context(connect(url, additional_headers=held_by, proxy=None))
        held.setdefault(process_of(web, socket.local_address[1]), socket)
        return len(held.keys() - {0}) == 2

    wait_until(both, 30, what="a socket on each process")
    held.pop(0, None)
    for socket in held.values():
        socket.send(json.dumps({"op": "subscribe", "channels": {CHANNEL: None}}))
    return list(held.values())


def by_socket(socket: ClientConnection) -> Callable[[], bool]:
    return lambda: holds_it([json.loads(socket.recv(30))])


def by_poll(web: Running, held_by: dict[str, str]) -> Callable[[], bool]:
    """Polls, each from the position of the one before."""
    position: dict[str, Any] = {"at": None}

    def receive() -> bool:
        body = {"channels": {CHANNEL: position["at"]}, "wait_s": 5}
        answer = requests.post(f"{web.url}/api/changes", json=body, headers=held_by, timeout=30)
        if answer.status_code != 200:
            raise PermissionError(str(answer.status_code))
        frames = answer.json()
        if refused := [one["code"] for one in frames if one["op"] == "error"]:
            raise PermissionError(refused[0])
        for one in frames:
            if one["op"] in ("snapshot", "delta"):
                position["at"] = {"epoch": one["epoch"], "seq": one["seq"]}
        return holds_it(frames)

    return receive


def holds_it(frames: list[dict[str, Any]]) -> bool:
    """Whether the channel is told of, be it in a heartbeat."""
    return any(
        one.get("channel") == CHANNEL or CHANNEL in one.get("channels", ()) for one in frames if one["op"] != "error"
    )


@pytest.mark.parametrize(
    ("name", "taken_away", "ends"),
    [
        ("ann", "roles", {"4403", "403", "unknown_channel"}),
        ("bob", "disable", {"4401", "401"}),
        ("carl", "sign-out", {"4401", "401"}),
    ],
)
def test_what_is_taken_away_is_gone_within_two_seconds_on_every_process(
    web: Running, name: str, taken_away: str, ends: set[str]
) -> None:
    signed_in = browser(web.url, name)
    held_by = cookie(signed_in)  # as somebody would go on who does not know that it is over
    with ExitStack() as stack:
        watchers = watching(web, held_by, stack)
        since = take_away(web, name, taken_away, signed_in)
        wait_until(lambda: all(one.end for one in watchers), 10, what="the end everywhere")
    late = [round(one.last - since, 2) for one in watchers]
    assert max(late) < WITHIN_S, late
    assert {one.end for one in watchers} <= ends


def watching(web: Running, held_by: dict[str, str], stack: ExitStack) -> list[Watcher]:
    """A socket on each process and a long poll, all of which are given the channel."""
    held = socket_of_each_process(web, held_by, stack)
    watchers = [*(Watcher(by_socket(one)) for one in held), Watcher(by_poll(web, held_by))]
    wait_until(lambda: all(one.last for one in watchers), 30, what="the channel everywhere")
    return watchers


def test_the_first_account_shuts_the_door_of_what_runs_within_two_seconds(
    own_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    with served(own_broker.url, tmp_path) as web, ExitStack() as stack:
        watchers = watching(web, {}, stack)
        given = {"HEADWATER_DATA": str(web.data)}
        added = CliRunner().invoke(main, ["users", "add", "root", "--role", "admin"], input=f"{PASSWORD}\n", env=given)
        since = time.monotonic()
        assert added.exit_code == 0, added.output
        wait_until(lambda: all(one.end for one in watchers), 10, what="the end everywhere")
        assert max(one.last - since for one in watchers) < WITHIN_S
        assert {one.end for one in watchers} == {"4401", "401"}
        page = requests.get(web.url, allow_redirects=False, timeout=10)
        assert (page.status_code, page.headers["Location"]) == (303, "/sign-in")
        known = browser(web.url, "root").get(f"{web.url}/api/session", timeout=10).json()
        assert known == {"principal": "root", "roles": ["admin"]}, "and it is signed in to without a restart"


def take_away(web: Running, name: str, what: str, signed_in: requests.Session) -> float:
    """Take it away, as the commands do; returns when that began."""
    if what == "sign-out":
        page = signed_in.get(f"{web.url}/sign-out", timeout=10).text
        word = re.search(r'name="form" value="([^"]+)"', page)
        assert word
        since = time.monotonic()
        answer = signed_in.post(f"{web.url}/sign-out", data={"form": word[1]}, timeout=10, allow_redirects=False)
        assert answer.status_code == 303
        return since
    database = Database(Settings(data=web.data).database_address)
    broker = Broker(psutil.Process(web.process.pid).environ()["REDIS_URL"])
    register, since = Register(database), time.monotonic()
    if what == "roles":
        register.set_roles(name, ["client"], who="tests")
    else:
        register.disable(name, who="tests")
    broker.tell_grants_changed()
    broker.close()
    database.close()
    return since


# Keys --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("feed", EVENTS)
def test_a_revoked_key_posts_nothing_after_two_seconds_to_any_process_not_even_what_it_had_begun(
    web: Running, feed: str
) -> None:
    database = Database(Settings(data=web.data).database_address)
    keys = KeyRegister(database)
    key, secret = keys.add(f"of-{feed}", [feed], "tests")
    with ExitStack() as stack:
        connections = connection_of_each_process(web, stack)
        wait_until(lambda: all(map(knowing(feed, secret), connections)), 10, what="the key known everywhere")
        half_sent = [half_a_post(web, feed, secret, stack) for _ in range(4)]
        watchers = [Watcher(by_key(one, feed, secret)) for one in connections]
        wait_until(lambda: all(one.last for one in watchers), 30, what="events accepted by each process")
        since = time.monotonic()
        keys.revoke(key.id, "tests")
        wait_until(lambda: all(one.end for one in watchers), 10, what="the end everywhere")
        answers = [the_rest(one, feed) for one in half_sent]
    database.close()
    late = [round(one.last - since, 2) for one in watchers]
    assert max(late) < WITHIN_S, late
    assert {one.end for one in watchers} == {"401"}
    assert answers == ["HTTP/1.1 401 UNAUTHORIZED"] * 4


def connection_of_each_process(web: Running, stack: ExitStack) -> list[HTTPConnection]:
    """A kept-alive connection to each of the two."""
    held: dict[int, HTTPConnection] = {}

    def both() -> bool:
        made = stack.enter_context(closing(HTTPConnection("127.0.0.1", web.port, timeout=30)))
        made.request("GET", "/healthz")
        made.getresponse().read()
        held.setdefault(process_of(web, made.sock.getsockname()[1]), made)
        return len(held.keys() - {0}) == 2

    wait_until(both, 30, what="a connection to each process")
    held.pop(0, None)
    return list(held.values())


def sending(feed: str, secret: str) -> Callable[[HTTPConnection], bool]:
    """Whether a process takes an event by this key; raises PermissionError where it refuses the key."""
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def send(connection: HTTPConnection) -> bool:
        connection.request("POST", f"/api/ingest/{feed}", json.dumps(EVENTS[feed]), headers)
        answer = connection.getresponse()
        told = answer.read()
        if answer.status == 401:
            raise PermissionError("401")
        assert answer.status == 202, told
        return bool(json.loads(told)["accepted"])

    return send


def knowing(feed: str, secret: str) -> Callable[[HTTPConnection], bool]:
    """Whether a process knows the key: it asks for new ones four times a second at most."""
    send = sending(feed, secret)

    def know(connection: HTTPConnection) -> bool:
        try:
            return send(connection)
        except PermissionError:
            return False

    return know


def by_key(connection: HTTPConnection, feed: str, secret: str) -> Callable[[], bool]:
    send, pace = sending(feed, secret), threading.Event()
    return lambda: not pace.wait(SENT_EVERY_S) and send(connection)


def half_a_post(web: Running, feed: str, secret: str, stack: ExitStack) -> sockets.socket:
    """A request that the server has let through and whose body is still to come."""
    body = json.dumps(EVENTS[feed]).encode()
    made = stack.enter_context(closing(sockets.create_connection(("127.0.0.1", web.port), timeout=30)))
    head = (
        f"POST /api/ingest/{feed} HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    made.sendall(head.encode() + body[:10])
    assert made.recv(1_000).startswith(b"HTTP/1.1 100"), "it is under way"
    return made


def the_rest(half_sent: sockets.socket, feed: str) -> str:
    """The first line of the answer to the whole of it."""
    half_sent.sendall(json.dumps(EVENTS[feed]).encode()[10:])
    return half_sent.recv(1_000).decode().partition("\r\n")[0]
