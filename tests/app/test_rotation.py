"""Rotation: each secret is replaced while viewers watch, by starting processes anew with the next one.

What the former release holds stays in force until its processes are gone: a second user of the broker, a second ingest
key. Sessions are in the broker, so nobody has to sign in again.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from app.settings import Settings
from tests.app.running import Running, running
from tests.app.signing import browser, cookie, migrated
from tests.chaos.drill import LIVE_AGAIN_S, Tab
from tests.chaos.producers import Batch, Client
from tests.chaos.record import Record
from tests.chaos.world import World
from tests.redis_server import PASSWORD, RedisServer
from tests.waiting import wait_until

pytestmark = pytest.mark.alone

VIEWERS = 40
CHANNELS = ("signals.newest", "signals.entries", "host.now")
NEXT_PASSWORD = "another-password-for-the-tests"
KEYS = {"former": "the-former-key-of-the-tests", "next": "the-next-key-of-the-tests"}
METRICS = {"former": "the-former-metrics-key", "next": "the-next-metrics-key"}


class Poster:
    """Posts a signal ten times a second, each until it is acknowledged; `client` is replaced to go elsewhere."""

    def __init__(self, client: Client) -> None:
        self.client, self.posted = client, 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="poster")

    def __enter__(self) -> Poster:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        for number in count(1):
            events = [{"id": f"s{number}", "name": "rotation", "value": number}]
            if self._stopping.wait(0.1) or self.client.send(Batch(events), self._stopping) is None:
                return
            self.posted = number

    def goes_on(self, by: int = 5) -> int:
        """Wait until so many more are acknowledged; the number of the last."""
        wanted = self.posted + by
        wait_until(lambda: self.posted >= wanted, 20, f"signal {wanted}")
        return self.posted


class Rotation:
    """An installation that asks for sign-in, with viewers who watch it through its two releases."""

    def __init__(self, folder: Path, broker: RedisServer, stack: ExitStack) -> None:
        self._folder, self._broker, self._stack = folder, broker, stack
        self.record, self.ports, self.answers = Record(), list[int](), Counter[str]()
        self.tabs: list[Tab] = []
        self._common = {
            "REDIS_TLS_CA": str(broker.certificate), "HEADWATER_DATA": str(folder / "data"), "HEADWATER_SIGN_IN": "1",
        }

    def release(self, name: str, url: str, keys: str) -> tuple[Running, Running]:
        """Web and worker that know these secrets, and all that come from now on go to them."""
        (self._folder / name).mkdir()
        variables = {
            **self._common, "REDIS_URL": url, "HEADWATER_INGEST_KEYS": keys, "HEADWATER_METRICS_KEY": METRICS[name],
        }
        started = [
            self._stack.enter_context(running(role, self._folder / name, **variables)) for role in ("web", "worker")
        ]
        web, worker = started
        web.wait_until_ready()
        self.ports[:] = [web.port]
        return web, worker

    @contextmanager
    def watched(self, world: World, headers: dict[str, str]) -> Iterator[None]:
        """Viewers, signed in, until the block ends."""
        self.tabs = [Tab(number, self.ports, CHANNELS, self.record) for number in range(VIEWERS)]
        for tab in self.tabs:
            tab.headers = headers
        watching: list[Future[None]] = [world.spawn(tab.run()) for tab in self.tabs]
        wait_until(self.all_live, 60, "every viewer live")
        yield
        for tab in self.tabs:
            world.do(tab.stop())
        for one in watching:
            one.result(20)

    def all_live(self) -> bool:
        return all(tab.live for tab in self.tabs)

    def client(self, web: Running, key: str) -> Client:
        made = Client(web.port, KEYS[key], self.answers, feed="signals")
        self._stack.callback(made.close)
        return made

    def shown(self) -> int:
        """The newest signal that every viewer holds."""
        held = [tab.holding().get("signals.newest") for tab in self.tabs]
        rows = [{} if one is None else one.state.data()["rows"] for one in held]
        return min(int(row.get("rotation", {}).get("value", 0)) for row in rows)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as started:
        yield started


def second_user(admin: redis.Redis) -> None:
    admin.execute_command("ACL", "SETUSER", "rotated", "on", f">{NEXT_PASSWORD}", "~*", "&*", "+@all")


def drop_first_user(admin: redis.Redis) -> None:
    admin.execute_command("AUTH", "rotated", NEXT_PASSWORD)
    admin.execute_command("ACL", "SETUSER", "default", "off")


def users_of_ours(admin: redis.Redis) -> set[str]:
    """As whom our processes are signed in at the broker."""
    listed: Any = admin.client_list()
    return {one["user"] for one in listed if one["name"].startswith("headwater-")}


def answer(web: Running, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{web.url}{path}", headers=headers, timeout=10)


def test_a_rolling_restart_replaces_every_secret_and_no_viewer_misses_anything(
    broker: RedisServer, tmp_path: Path
) -> None:
    migrated(Settings(data=tmp_path / "data"), ann="admin")
    next_url = broker.url.replace(f":{PASSWORD}@", f"rotated:{NEXT_PASSWORD}@")
    with World() as world, ExitStack() as stack, broker.client() as admin:
        rotation = Rotation(tmp_path, broker, stack)
        web, worker = rotation.release("former", broker.url, f"press:{KEYS['former']}:*")
        signed_in = cookie(browser(web.url, "ann"))
        with rotation.watched(world, signed_in), Poster(rotation.client(web, "former")) as poster:
            second_user(admin)
            following, _ = rotation.release("next", next_url, " ".join(f"press:{key}:*" for key in KEYS.values()))
            poster.client = rotation.client(following, "former")  # both keys are in force
            poster.goes_on()
            assert [web.stop(), worker.stop()] == [0, 0]
            drop_first_user(admin)
            wait_until(rotation.all_live, LIVE_AGAIN_S, "every viewer live again")
            poster.client = rotation.client(following, "next")
            last = poster.goes_on(10)
            wait_until(lambda: rotation.shown() >= last, 20, f"signal {last} at every viewer")
        assert rotation.record.violations == []
        assert {name: len(known) for name, known in rotation.record.epochs.items()} == dict.fromkeys(CHANNELS, 1)
        assert set(rotation.answers) <= {"answers 202", "answers 0", "answers 503"}, "no key was refused"
        assert max(away_s for tab in rotation.tabs for away_s in tab.away_s[1:]) <= LIVE_AGAIN_S
        assert users_of_ours(admin) == {"rotated"}
        assert answer(following, "/api/session", **signed_in).json()["principal"] == "ann", "nobody signs in again"
        metrics = {name: answer(following, "/metrics", Authorization=f"Bearer {key}").status_code
                   for name, key in METRICS.items()}
        assert metrics == {"former": 401, "next": 200}
