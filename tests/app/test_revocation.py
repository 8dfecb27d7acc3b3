"""Revocation: what is taken away is gone within two seconds, on whichever of two web processes it is open.

Measured at the client, as the last byte that it should not have had any more.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psutil
import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.settings import Settings
from services.accounts.register import Register
from services.broker import Broker
from services.database import Database
from services.embedded import EmbeddedBroker
from tests.app.running import Running, running
from tests.app.signing import PASSWORD, migrated
from tests.waiting import wait_until

pytestmark = pytest.mark.alone

WITHIN_S = 2.0
CHANNEL = "signals.entries"
KEY = "0123456789abcdef"


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
    given = {
        "REDIS_URL": shared_broker.url, "HEADWATER_INGEST_KEYS": f"all:{KEY}:*", "HEADWATER_DATA": str(folder / "data"),
    }  # fmt: skip
    with running("web", folder, WEB_CONCURRENCY="2", **given) as web, running("worker", folder, **given):
        web.wait_until_ready()
        ending = threading.Event()
        posting = threading.Thread(target=_post, args=(web.url, ending))
        posting.start()
        yield web
        ending.set()
        posting.join()


def _post(url: str, ending: threading.Event) -> None:
    """Twenty events a second: between two of them nobody is forgotten."""
    headers = {"Authorization": f"Bearer {KEY}"}
    while not ending.wait(0.05):
        requests.post(f"{url}/api/ingest/signals", json={"name": "a", "value": 1}, headers=headers, timeout=10)


def browser(web: Running, name: str) -> requests.Session:
    """Somebody who signed in."""
    made = requests.Session()
    word = re.search(r'name="form" value="([^"]+)"', made.get(f"{web.url}/sign-in", timeout=10).text)
    assert word
    data = {"form": word[1], "name": name, "password": PASSWORD}
    answer = made.post(f"{web.url}/sign-in", data=data, timeout=10, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    return made


def cookie(signed_in: requests.Session) -> dict[str, str]:
    return {"Cookie": f"headwater={signed_in.cookies['headwater']}"}


def process_of(web: Running, socket: ClientConnection) -> int:
    """The web process that holds the other end."""
    port = socket.local_address[1]
    for process in web.descendants():
        if any(one.raddr and one.raddr.port == port for one in process.net_connections("tcp")):
            return int(process.pid)
    return 0


def socket_of_each_process(web: Running, signed_in: requests.Session, stack: ExitStack) -> list[ClientConnection]:
    """A live socket on each of the two."""
    held: dict[int, ClientConnection] = {}

    def both() -> bool:
        url = web.url.replace("http", "ws") + "/live?protocols=1"
        socket = stack.enter_context(connect(url, additional_headers=cookie(signed_in), proxy=None))
        held.setdefault(process_of(web, socket), socket)
        return len(held.keys() - {0}) == 2

    wait_until(both, 30, what="a socket on each process")
    held.pop(0, None)
    for socket in held.values():
        socket.send(json.dumps({"op": "subscribe", "channels": {CHANNEL: None}}))
    return list(held.values())


def by_socket(socket: ClientConnection) -> Callable[[], bool]:
    return lambda: holds_it([json.loads(socket.recv(30))])


def by_poll(web: Running, signed_in: requests.Session) -> Callable[[], bool]:
    """Polls, each from the position of the one before."""
    position: dict[str, Any] = {"at": None}
    held = cookie(signed_in)  # as somebody would go on who does not know that it is over

    def receive() -> bool:
        body = {"channels": {CHANNEL: position["at"]}, "wait_s": 5}
        answer = requests.post(f"{web.url}/api/changes", json=body, headers=held, timeout=30)
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
    signed_in = browser(web, name)
    with ExitStack() as stack:
        sockets = socket_of_each_process(web, signed_in, stack)
        watchers = [*(Watcher(by_socket(one)) for one in sockets), Watcher(by_poll(web, signed_in))]
        wait_until(lambda: all(one.last for one in watchers), 30, what="the channel everywhere")
        since = take_away(web, name, taken_away, signed_in)
        wait_until(lambda: all(one.end for one in watchers), 10, what="the end everywhere")
    late = [round(one.last - since, 2) for one in watchers]
    assert max(late) < WITHIN_S, late
    assert {one.end for one in watchers} <= ends


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
