"""Completeness: accepted events compared with the archive, through killed archivers and a database that is away.

Real processes, on both databases: what ingestion called accepted is in the archive, none missing, none twice; and the
live path does not notice that the database is gone.
"""

from __future__ import annotations

import os
import signal
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from services.broker import Broker
from services.database import Database, migrate
from services.database.tables import archive_deltas, archive_events, archive_gaps
from services.declare import ChannelRef, Declarations, Lane
from services.embedded import EmbeddedBroker
from services.ingestion import Ingestion
from services.telemetry import Telemetry
from tests.forking import Forked
from tests.postgres import Postgres
from tests.project.feeds import shop
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
LANE = Lane("orders", 0)
EVERYTHING = ChannelRef(shop.Everything)


class Arena:
    """A broker, a worker for the processor, one for the archive, and a producer that notes what was accepted."""

    def __init__(self, folder: Path, broker: EmbeddedBroker, database_url: str) -> None:
        self._folder, self._url, self._database_url = folder, broker.url, database_url
        self.broker = Broker(broker.url)
        self._ingestion = Ingestion(self.broker, Declarations.read((shop,)), Telemetry("test", "test"))
        self._feed = shop.Orders.declaration
        self._processes: dict[str, Forked] = {}
        self._stopping = threading.Event()
        self._producer = threading.Thread(target=self._produce)
        self.accepted: list[str] = []

    def start(self, station: str) -> None:
        environment = os.environ | {
            "REDIS_URL": self._url,
            "DATABASE_URL": self._database_url,
            "HEADWATER_DATA": str(self._folder),
        }
        log = self._folder / f"{station}.log"
        self._processes[station] = Forked(
            "tests.project.__main__:main", ["worker", station],
            cwd=ROOT, environment=environment, stdout=log, stderr=log,
        )

    def kill(self, station: str) -> None:
        process = self._processes.pop(station)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def log(self, station: str) -> str:
        return (self._folder / f"{station}.log").read_text()

    def post(self, *ids: str) -> None:
        records = [{"id": one, "order": one[-2:], "shop": "north", "price": 1.0} for one in ids]
        assert self._ingestion.accept(self._feed, records).accepted == len(ids)
        self.accepted += ids

    def produce(self) -> None:
        self._producer.start()

    def _produce(self) -> None:
        number = 0
        while not self._stopping.wait(0.005):
            self.post(*(f"p{number}-{event}" for event in range(10)))
            number += 1

    def stop_producing(self) -> None:
        self._stopping.set()
        self._producer.join()

    def unarchived(self) -> int:
        progress = self.broker.lane_progress([LANE]).get(LANE)
        return -1 if progress is None else progress.unarchived

    def latency_s(self, event: str) -> float:
        """From the post of an event until its channel shows it."""
        started = time.monotonic()
        self.post(event)
        key = event[-2:]
        wait_until(lambda: key in self.broker.read_channel(EVERYTHING).cells, 5, "the event in its channel")
        return time.monotonic() - started

    def close(self) -> None:
        self._stopping.set()
        if self._producer.is_alive():
            self._producer.join()
        for station in list(self._processes):
            self.kill(station)
        self.broker.close()


class SqliteTrouble:
    """SQLite has no server that could end: another process keeps its lock."""

    def __init__(self, database: Database) -> None:
        self._database, self._held = database, ExitStack()

    def begin(self) -> None:
        self._held.enter_context(self._database.writing())

    def end(self) -> None:
        self._held.close()


class PostgresTrouble:
    """The server ends at once, as in a crash, and comes back."""

    def __init__(self, server: Postgres) -> None:
        self._server = server

    def begin(self) -> None:
        self._server.stop()

    def end(self) -> None:
        self._server.start()


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    try:
        yield server
    finally:
        server.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_accepted_event_is_archived_once_through_killed_archivers_and_a_database_outage(
    kind: str, own_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        trouble: SqliteTrouble | PostgresTrouble
        if kind == "sqlite":
            database = Database(f"sqlite:///{tmp_path / 'headwater.db'}")
            trouble, url = SqliteTrouble(database), f"sqlite:///{tmp_path / 'headwater.db'}"
        else:
            server = stack.enter_context(own_postgres())
            url = server.create()
            database, trouble = Database(url), PostgresTrouble(server)
        stack.callback(database.close)
        migrate(database)
        arena = Arena(tmp_path, own_broker, url)
        stack.callback(arena.close)
        arena.start("processor")
        arena.start("archive")
        wait_until(lambda: arena.unarchived() == 0, what="a lane that is led")
        calm = statistics.median(arena.latency_s(f"calm-{n:02}") for n in range(20))
        arena.produce()
        for _ in range(5):
            seen = len(archived(database))
            wait_until(lambda seen=seen: len(archived(database)) > seen, what="more in the archive")
            arena.kill("archive")
            arena.start("archive")
        seen = len(archived(database))
        wait_until(lambda: len(archived(database)) > seen, what="more in the archive")
        trouble.begin()
        wait_until(lambda: "archive waits" in arena.log("archive"), what="the archive's word on its trouble")
        cut_off = statistics.median(arena.latency_s(f"cut-{n:02}") for n in range(50, 70))
        assert arena.unarchived() > 0
        trouble.end()
        arena.stop_producing()
        wait_until(lambda: arena.unarchived() == 0, what="everything archived")
        assert Counter(archived(database)) == Counter(arena.accepted)
        assert len(arena.accepted) > 1_000
        assert whole_sequence(database)
        assert cut_off < calm + 0.1, f"median latency {calm:.3f} s, with the database away {cut_off:.3f} s"


def archived(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.execute(select(archive_events.c.id)).scalars())


def whole_sequence(database: Database) -> bool:
    """Whether the deltas of the channel are there from the first to the last, none twice, and no gap is noted."""
    table = archive_deltas.c
    with database.reading() as connection:
        seqs = list(
            connection.execute(
                select(table.seq).where(table.channel == EVERYTHING.name, table.whole.is_(False)).order_by(table.seq)
            ).scalars()
        )
        assert connection.execute(select(archive_gaps)).all() == []
    return seqs == list(range(1, len(seqs) + 1))
