"""Forgetting: after it no byte of a key is in the broker or in the database, and everything else is as it was."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis
from sqlalchemy import make_url, select, text

from services.accounts.audit import Audit
from services.archive.archiver import Archiver
from services.archive.recording import read_recorded
from services.database import Database
from services.database.tables import METADATA, archive_deltas
from services.declare import Lane, Retired
from services.forgetting import Forgetting, NotForgotten, hash_with
from tests import visits
from tests.system import START_MS, System

KEY = 'canary/ключ "7"'
CANARIES = (b"canary", "ключ".encode(), b"31337.25")
LANE = Lane("visits", 0)


@pytest.fixture
def system(broker_url: str) -> Iterator[System]:
    made = System(broker_url, visits)
    made.drain()
    yield made
    made.close()


class Running:
    """Worker and archive of a system, which go on whenever somebody waits for them."""

    def __init__(self, system: System, database: Database) -> None:
        self.system = system
        self.archiver = Archiver(
            system.broker, database, system.declarations, system.telemetry, worker="worker-1", clock=system.clock
        )

    def go_on(self, _: float = 0.0) -> None:
        self.system.drain()
        self.archiver.drain()


def visit(number: int, visitor: str, page: str = "home", **more: Any) -> dict[str, Any]:
    at = START_MS + number * 1_000
    return {"id": f"v{number}", "created_at": at, "visitor": visitor, "page": page, "spent": float(number), **more}


def own_visit(number: int, page: str = "home") -> dict[str, Any]:
    return visit(number, KEY, page, mail="canary@example.com", spent=31337.25)


def fill(running: Running) -> None:
    """Visits of the canary among others, over several commits, with something refused and something in quarantine."""
    system = running.system
    for number in range(0, 30, 3):
        system.now_ms += 3_000
        system.post([own_visit(number), visit(number + 1, "ada"), visit(number + 2, "bob", "shop")], "visits")
        running.go_on()
    system.post([own_visit(40, "shop"), own_visit(41, "third page of two that may be parts")], "visits")
    refused = [{**own_visit(42), "spent": "canary"}, {**own_visit(43), "mail": ["canary"]}, ["canary"], "canary"]
    refused += [{**own_visit(44), "id": 200 * "canary"}, {"visitor": 300 * "canary", "page": "home"}]
    assert len(system.post(refused, "visits").rejected) == len(refused)
    poison = {**own_visit(105), "ingested_at": "canary"}
    system.broker.ingest(LANE, [("v105", orjson.dumps(poison))])
    system.broker._redis.xadd("hw:{visits.0}:events", {"events": b'[{"visitor": "canary', "n": 1})
    running.go_on()


def broker_bytes(url: str) -> bytes:
    """Every key with all that it holds."""
    client = redis.Redis.from_url(url)
    found = bytearray()
    readers: dict[bytes, Any] = {
        b"string": client.get, b"hash": client.hgetall, b"set": client.smembers, b"stream": client.xrange,
        b"zset": lambda key: client.zrange(key, 0, -1),
    }  # fmt: skip
    for key in client.scan_iter(count=1_000):
        if b":ids:" not in key:
            found += key + _flat(readers[client.type(key)](key))
    client.close()
    return bytes(found)


def _flat(held: Any) -> bytes:
    if isinstance(held, dict):
        held = [part for pair in held.items() for part in pair]
    return b" ".join(map(_flat, held)) if isinstance(held, list | set | tuple) else bytes(held or b"")


def database_bytes(database: Database) -> bytes:
    """The database's own files, or all that can be read of it."""
    if database.is_sqlite:
        path = Path(make_url(database.address).database or "")
        return b"".join(one.read_bytes() for one in path.parent.glob(path.name + "*"))
    with database.reading() as connection:
        rows = [connection.execute(text(f"SELECT t::text FROM {name} t")).scalars() for name in METADATA.tables]  # noqa: S608
        return "\n".join(str(row) for part in rows for row in part).encode()


def found_in(held: bytes) -> list[bytes]:
    return [canary for canary in CANARIES if canary in held]


def around(held: bytes) -> list[bytes]:
    """What stands around the canaries that were found, to tell where they are."""
    return [held[max(0, m.start() - 120) : m.end() + 60] for one in CANARIES for m in re.finditer(re.escape(one), held)]


def recorded(database: Database, system: System, name: str) -> list[dict[str, Any]]:
    ref = system.declarations.resolve(name)
    assert ref is not None
    with database.reading() as connection:
        recording = read_recorded(connection, ref, 0, system.now_ms + 10_000)
    return [orjson.loads(orjson.dumps(frame)) for frame in recording.frames]


def seqs(database: Database) -> list[tuple[str, str, int]]:
    table = archive_deltas.c
    wanted = select(table.channel, table.epoch, table.seq).where(~table.whole).order_by(table.channel, table.seq)
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(wanted)]


def test_after_it_no_byte_of_the_key_is_in_broker_or_database_and_the_rest_is_as_it_was(
    system: System, each_database: Database
) -> None:
    running = Running(system, each_database)
    fill(running)
    assert found_in(broker_bytes(system.url)) == list(CANARIES)
    assert found_in(database_bytes(each_database)) == list(CANARIES)
    before = {name: system.data(name) for name in ("visits.visitors", "visits.totals", "visits.sums", "visits.last")}
    archived = seqs(each_database)

    forgetting = Forgetting(system.broker, each_database, system.declarations, sleep=running.go_on)
    found = forgetting.forget(system.declarations.feeds["visits"], KEY, "ada")
    running.go_on()
    assert around(broker_bytes(system.url)) == []
    assert around(database_bytes(each_database)) == []
    assert found.archive["archive_events"] == 13
    assert set(found.channels) >= {"visits.visitors", "visits.pages", "visits.totals", "visits.course", "visits.last"}

    del before["visits.visitors"]["rows"][KEY]
    assert system.data("visits.visitors") == before["visits.visitors"]
    assert system.data("visits.totals")["rows"].keys() == before["visits.totals"]["rows"].keys() - {KEY}
    assert system.data("visits.sums") == before["visits.sums"]
    assert len(system.data("visits.last")["entries"]) == 20
    assert set(archived) <= set(seqs(each_database)), "a delta keeps its place"
    last = [frame for frame in recorded(each_database, system, "visits.visitors") if frame["op"] == "delta"]
    assert "ada" in last[0]["data"]["set"]

    again = forgetting.forget(system.declarations.feeds["visits"], KEY, "ada")
    assert not any(again.channels.values())
    assert not any(again.archive.values())
    entries = [entry for entry in Audit(each_database).entries() if entry.what == "forgotten"]
    assert [entry.who for entry in entries] == ["ada", "ada"]
    scheme, salt, told = entries[0].subject.removeprefix("visits ").split(":")
    assert (scheme, told) == ("scrypt", hash_with(bytes.fromhex(salt), KEY))

    system.post([visit(45, KEY, spent=1.0)], "visits")
    running.go_on()
    assert system.data("visits.visitors")["rows"][KEY]["spent"] == 1.0, "what comes afterwards is new"


def test_a_part_that_is_the_keys_own_goes_with_its_name(system: System, database: Database) -> None:
    running = Running(system, database)
    system.post([{"id": str(n), "room": room, "degrees": 20} for n, room in enumerate(["canary", "b", "c"])], "rooms")
    running.go_on()
    assert b"rooms.room:canary" in broker_bytes(system.url)
    feed = system.declarations.feeds["rooms"]
    Forgetting(system.broker, database, system.declarations, sleep=running.go_on).forget(feed, "canary", "ada")
    assert around(broker_bytes(system.url)) == []
    assert around(database_bytes(database)) == []
    system.post([{"id": "9", "room": "canary", "degrees": 21}], "rooms")
    running.go_on()
    assert system.data("rooms.room:canary")["rows"]["canary"]["degrees"] == 21
    assert set(system.data("rooms.room:b")["rows"]) == {"b"}


def test_without_a_worker_or_an_archive_it_says_what_to_start(system: System, database: Database) -> None:
    running = Running(system, database)
    fill(running)
    feed = system.declarations.feeds["visits"]
    forgetting = Forgetting(system.broker, database, system.declarations, wait_s=0.0)
    with pytest.raises(NotForgotten, match=r"lane visits.0: no worker .* start one, then run it again"):
        forgetting.forget(feed, KEY, "ada")

    def work(_: float) -> None:
        system.drain()

    forgetting = Forgetting(system.broker, database, system.declarations, wait_s=0.3, sleep=work)
    with pytest.raises(NotForgotten, match=r"the archive did not come up to now"):
        forgetting.forget(feed, KEY, "ada")
    Forgetting(system.broker, database, system.declarations, sleep=running.go_on).forget(feed, KEY, "ada")
    running.go_on()
    assert around(broker_bytes(system.url)) == []
    assert around(database_bytes(database)) == []


def next_release(broker_url: str, running: Running) -> Running:
    """The same data as the release after finds it, which declares something of it as retired."""
    running.system.processor.hand_over()
    stopped = threading.Event()
    stopped.set()
    running.archiver.run(stopped)
    after = System(broker_url, visits, worker="worker-2")
    after.now_ms = running.system.now_ms
    return Running(after, running.archiver._database)


def test_a_retired_feed_is_forgotten_though_nobody_leads_its_lane(
    system: System, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Running(system, database)
    fill(running)
    feed = replace(system.declarations.feeds["visits"], retired=Retired(since="2026-11-01"))
    channels = [one for one in vars(visits).values() if isinstance(one, type) and getattr(one, "feed", None)]
    monkeypatch.setattr(visits.Visits, "declaration", feed)
    for channel in channels:
        if channel.feed.name == "visits":
            monkeypatch.setattr(channel, "feed", feed)
    after = next_release(system.url, running)
    assert set(after.system.declarations.retired_feeds) == {"visits"}
    before = seqs(database)
    forgetting = Forgetting(after.system.broker, database, after.system.declarations, sleep=after.go_on)
    found = forgetting.forget(feed, KEY, "ada")
    after.go_on()
    assert (found.broker, found.archive["archive_events"]) == ({"retired lanes": 1}, 13)
    assert around(broker_bytes(system.url)) == []
    assert around(database_bytes(database)) == []
    assert set(before) <= set(seqs(database)), "a delta keeps its place"
    assert not any(forgetting.forget(feed, KEY, "ada").archive.values()), "it may be run again"
    after.system.close()


def test_a_retired_channel_of_a_feed_is_let_go_and_never_repeats_a_position(
    system: System, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Running(system, database)
    fill(running)
    epoch = system.broker.archive_standing(LANE)
    monkeypatch.setattr(visits.Totals, "retired", Retired(since="2026-11-01"))
    after = next_release(system.url, running)
    after.go_on()
    assert b"visits.totals" in broker_bytes(system.url), "it is kept as long as it is declared"
    forgetting = Forgetting(after.system.broker, database, after.system.declarations, sleep=after.go_on)
    found = forgetting.forget(after.system.declarations.feeds["visits"], KEY, "ada")
    after.go_on()
    assert found.broker["retired channels"] == 1
    assert around(broker_bytes(system.url)) == []
    assert around(database_bytes(database)) == []
    assert "ada" in after.system.data("visits.visitors")["rows"]
    monkeypatch.setattr(visits.Totals, "retired", None)
    again = next_release(system.url, after)
    again.go_on()
    assert again.system.broker.archive_standing(LANE) != epoch
    again.system.close()
    after.system.close()
