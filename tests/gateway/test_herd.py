"""A herd: 2,000 viewers that reconnect at once are served, and neither HTTP nor those at head wait for them."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import resource
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from services.gateway import turns as turns_module
from services.gateway.turns import ROUND_S, Turns
from tests.gateway.gunicorn import Gunicorn
from tests.gateway.raw import TEXT, masked
from tests.system import System, order
from tests.waiting import wait_until

pytestmark = pytest.mark.alone

HERD = 2_000
SUBSCRIBE = masked(TEXT, json.dumps({"op": "subscribe", "channels": {"orders.everything": None}}).encode())


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Enough of them for the herd, where the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = HERD + 1_000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"only {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def one_process(system: System) -> Iterator[Gunicorn]:
    made = Gunicorn(system.url, processes=1)
    yield made
    made.end()


class Member:
    """One of the herd: connects, subscribes, and reads until its snapshot is whole."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self.seqs: list[int] = []

    async def connect(self) -> None:
        host, port = self._address.hostname, self._address.port
        self._reader, self._writer = await asyncio.open_connection(host, port, limit=1 << 20)
        key = base64.b64encode(os.urandom(16)).decode()
        self._writer.write(
            f"GET /live HTTP/1.1\r\nHost: {self._address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        self._writer.write(SUBSCRIBE)
        await self.take_until_data()

    async def take_until_data(self) -> None:
        while True:
            first, size = await self._reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await self._reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self._reader.readexactly(8), "big")
            payload = await self._reader.readexactly(size)
            assert first & 0x0F != 8, payload
            if first & 0x0F == TEXT and (frame := json.loads(payload))["op"] in ("snapshot", "delta"):
                self.seqs.append(frame["seq"])
                return

    def leave(self) -> None:
        self._writer.transport.abort()


async def stampede(url: str) -> tuple[float, list[float]]:
    """The whole herd at once; how long until all have their snapshot, and how long HTTP took meanwhile."""
    members, done, answers = [Member(url) for _ in range(HERD)], asyncio.Event(), list[float]()

    async def ask_http() -> None:
        while not done.is_set():
            answers.append(await asyncio.to_thread(time_healthz, url))
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), 0.05)

    asking, started = asyncio.create_task(ask_http()), time.monotonic()
    try:
        await asyncio.gather(*(member.connect() for member in members))
        took_s = time.monotonic() - started
    finally:
        done.set()
        await asking
        for member in members:
            member.leave()
    return took_s, answers


def time_healthz(url: str) -> float:
    """Seconds that one request took, a new connection included."""
    started = time.monotonic()
    with urllib.request.urlopen(url.replace("ws:", "http:").replace("/live", "/healthz"), timeout=30) as answer:
        answer.read()
    return time.monotonic() - started


def counts(url: str) -> dict[str, int]:
    with urllib.request.urlopen(url.replace("ws:", "http:").replace("/live", "/counts"), timeout=30) as answer:
        found: dict[str, int] = json.load(answer)
    return found


@pytest.mark.usefixtures("descriptors")
def test_two_thousand_reconnects_share_one_encoding_and_leave_http_free(system: System) -> None:
    system.post([order(n, note="n" * 40) for n in range(150)])
    system.drain()
    with one_process(system) as gunicorn:
        took_s, answers = asyncio.run(stampede(gunicorn.url))
        wait_until(lambda: counts(gunicorn.url).get("snapshots", 0) >= HERD, what="every snapshot counted")
        counted = counts(gunicorn.url)
    assert counted["snapshots_encoded"] == 1
    assert took_s < 20.0
    assert max(answers) < 5.0  # a new connection waits for the handshakes before it, about half a millisecond each


def test_a_row_of_viewers_is_served_in_order_and_a_bounded_while_each_round(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, served, now = Turns(), list[Any](), [0.0]
    monkeypatch.setattr(turns_module, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def serve(viewer: Any) -> None:
        served.append(viewer)
        now[0] += ROUND_S / 4

    row: list[Any] = [object() for _ in range(20)]
    for viewer in [*row, *row]:
        turns.add(viewer)
    assert turns.take(serve)
    assert served == row[:5]
    turns.discard(row[-1])
    while turns.take(serve):
        pass
    assert served == row[:-1]
