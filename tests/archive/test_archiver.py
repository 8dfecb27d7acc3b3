"""Archiver: what was accepted is kept, all of it, once, whoever dies in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select, text

from services.archive.archiver import Archiver
from services.archive.batch import Batch
from services.archive.writing import write
from services.broker import caps
from services.database import Database, migrate
from services.database.tables import archive_deltas, archive_events, archive_gaps, archive_lanes
from services.declare import History, Lane
from services.embedded import EmbeddedBroker
from services.positions import wall_clock
from tests.project.feeds import shop
from tests.system import START_MS, System, order

LANE = Lane("orders", 0)
STREAM = "hw:{orders.0}:events"


@pytest.fixture
def system(broker_url: str) -> Iterator[System]:
    made = System(broker_url, shop)
    made.drain()
    yield made
    made.close()


def archiver(system: System, database: Database, worker: str = "worker-1") -> Archiver:
    return Archiver(system.broker, database, system.declarations, system.telemetry, worker=worker, clock=system.clock)


def take_over(system: System, database: Database) -> Archiver:
    """Another worker's archiver, after the first one's lease ran out."""
    system.broker._redis.delete("hw:{orders.0}:archive:lease")
    return archiver(system, database, "worker-2")


def ids(database: Database) -> list[str]:
    table = archive_events.c
    with database.reading() as connection:
        return list(
            connection.execute(select(table.id).order_by(table.entry_at, table.entry_no, table.number)).scalars()
        )


def deltas(database: Database, channel: str = "orders.everything") -> list[tuple[int, bool]]:
    table = archive_deltas.c
    with database.reading() as connection:
        found = connection.execute(
            select(table.seq, table.whole).where(table.channel == channel).order_by(table.at, table.seq, table.whole)
        )
        return [(seq, whole) for seq, whole in found]


def gaps(database: Database) -> list[tuple[str, str, int]]:
    table = archive_gaps.c
    with database.reading() as connection:
        found = connection.execute(select(table.channel, table.reason, table.events).order_by(table.number))
        return [(channel, reason, events) for channel, reason, events in found]


def unarchived(system: System) -> int:
    system.drain()
    return system.broker.lane_progress([LANE])[LANE].unarchived


def test_accepted_events_are_archived_as_they_are_and_in_order(system: System, each_database: Database) -> None:
    posted = [order(n, price=n + 0.1, note="grün \\ \"'") for n in range(25)]
    system.post(posted[:10])
    system.post(posted[10:])
    assert unarchived(system) == 25
    archiver(system, each_database).drain()
    assert ids(each_database) == [event["id"] for event in posted]
    with each_database.reading() as connection:
        bodies = [orjson.loads(body) for body in connection.execute(select(archive_events.c.body)).scalars()]
    assert sorted(bodies, key=lambda body: body["price"]) == [
        {**event, "ingested_at": system.now_ms} for event in posted
    ]
    assert unarchived(system) == 0


def test_every_delta_is_archived_once(system: System, each_database: Database) -> None:
    keeping = archiver(system, each_database)
    for number in range(5):
        system.post([order(number)])
        system.drain()
        if number % 2:
            keeping.drain()
    keeping.drain()
    assert deltas(each_database) == [(seq, False) for seq in range(1, 6)]
    assert gaps(each_database) == []


def test_nothing_is_trimmed_before_it_is_archived(system: System, database: Database) -> None:
    for number in range(300):
        system.post([order(number)])
        system.drain()
    assert system.broker._redis.xlen(STREAM) == 300
    archiver(system, database).drain()
    assert system.broker._redis.xlen(STREAM) < 110  # trimming is by whole nodes of the stream
    assert len(ids(database)) == 300


def test_an_archiver_that_dies_before_it_told_the_broker_repeats_nothing(
    system: System, each_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.post([order(n) for n in range(7)])
    system.drain()
    first = archiver(system, each_database)
    with monkeypatch.context() as patch:
        patch.setattr(first, "_tell", lambda batch: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            first.drain()
    assert unarchived(system) == 7
    system.post([order(n) for n in range(7, 10)])
    system.drain()
    take_over(system, each_database).drain()
    assert ids(each_database) == [f"e{n}-{START_MS}" for n in range(10)]
    assert unarchived(system) == 0
    assert deltas(each_database) == [(1, False), (2, False)]


def test_an_archiver_that_dies_within_a_transaction_leaves_nothing_half_done(
    system: System, each_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.post([order(n) for n in range(7)])
    system.drain()

    def dying(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("services.archive.writing._add_gaps", dying)
        with pytest.raises(KeyboardInterrupt):
            archiver(system, each_database).drain()
    assert ids(each_database) == []
    take_over(system, each_database).drain()
    assert len(ids(each_database)) == 7


def test_an_archiver_that_slept_through_the_loss_of_its_lease_writes_nothing_twice(
    system: System, each_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = archiver(system, each_database)
    system.post([order(1)])
    slow.drain()
    system.post([order(2)])
    overtaken: list[Batch] = []

    def write_after_another(database: Database, batches: Any, now: int) -> None:
        if not overtaken:
            overtaken.extend(batches)
            take_over(system, each_database).drain()
        write(database, overtaken if batches else [], now)

    monkeypatch.setattr("services.archive.archiver.write", write_after_another)
    with monkeypatch.context() as patch:
        patch.setattr(slow, "_keep_leases", lambda: None)
        assert slow.step()  # it was refused, and is to open the lane again
    assert ids(each_database) == [f"e1-{START_MS}", f"e2-{START_MS}"]
    with each_database.reading() as connection:
        assert connection.execute(select(archive_lanes.c.events)).scalar_one() == 2


def test_events_that_were_shed_are_a_gap_with_their_number(
    system: System, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = archiver(system, database)
    system.post([order(0)])
    system.drain()
    keeping.drain()
    for number in range(1, 101):
        system.post([order(number, note="x" * 150)])
    monkeypatch.setattr(caps, "STREAM_LIMIT_BYTES", 20_000)
    system.drain()
    system.post([order(101)])
    keeping.drain()
    assert ids(database) == [f"e0-{START_MS}", f"e101-{START_MS}"]
    assert gaps(database) == [("", "shed", 100)]
    assert unarchived(system) == 0


def test_what_is_archived_already_may_be_shed_without_a_word(
    system: System, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(100):
        system.post([order(number, note="x" * 150)])
    system.drain()
    archiver(system, database).drain()
    monkeypatch.setattr(caps, "STREAM_LIMIT_BYTES", 1)
    assert system.broker.shed(LANE) == 0
    assert system.broker._redis.xlen(STREAM) == 0


def test_an_archive_that_stands_still_never_stops_ingest(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "broker", memory_mb=32) as broker:
        system = System(broker.url, shop)
        system.drain()
        database = Database(f"sqlite:///{tmp_path / 'headwater.db'}")
        migrate(database)
        keeping = archiver(system, database)
        system.now_ms = wall_clock() + 60_000  # what waits for the archive has waited for long
        for batch in range(20):  # 80 MB through a broker of 32
            numbers = range(batch * 1_000, (batch + 1) * 1_000)
            system.post([order(n % 10, at=START_MS + n, note="x" * 3_900) for n in numbers])
            system.broker._memory_due = 0.0
            system.drain()
        keeping.drain()
        (gap,) = gaps(database)
        assert gap[:2] == ("", "shed")
        assert gap[2] + len(ids(database)) == 20_000
        database.close()
        system.close()


def test_deltas_that_were_trimmed_meanwhile_are_a_gap_closed_by_a_snapshot(
    system: System, each_database: Database
) -> None:
    keeping = archiver(system, each_database)
    system.post([order(0)])
    system.drain()
    keeping.drain()
    for number in range(1, 10):
        system.post([order(number)])
        system.drain()
    system.broker._redis.xtrim("hw:{orders.0}:c:orders.everything:deltas", minid="8-0", approximate=False)
    system.post([order(10)])
    system.drain()
    keeping.drain()
    assert deltas(each_database) == [(1, False), (8, False), (9, False), (10, False), (11, False), (11, True)]
    assert gaps(each_database) == [("orders.everything", "deltas_trimmed", 0)]
    assert len(ids(each_database)) == 11
    system.post([order(11)])
    system.drain()
    keeping.drain()
    assert deltas(each_database)[-1] == (12, False)


def test_a_channel_that_was_there_before_the_archive_begins_with_a_snapshot_and_no_gap(
    system: System, database: Database
) -> None:
    for number in range(3):
        system.post([order(number)])
        system.drain()
    system.broker._redis.xtrim("hw:{orders.0}:c:orders.everything:deltas", minid="3-0", approximate=False)
    archiver(system, database).drain()
    assert deltas(database) == [(3, False), (3, True)]
    assert gaps(database) == []


def test_an_archive_that_is_turned_on_later_begins_with_what_is_there_and_counts_right(
    system: System, database: Database
) -> None:
    system.post([order(n) for n in range(5)])
    system.drain()
    system.broker._redis.xgroup_destroy(STREAM, "archive")
    system.broker._redis.hdel("hw:{orders.0}:lane", "archive", "archived")
    system.broker.ingest(LANE, [("", b'{"id":"probe"}')], None, "probe")
    assert unarchived(system) == 0  # nobody waits for an archive
    system.processor.hand_over()
    system.processor = system.new_processor("worker-2")
    system.post([order(n) for n in range(5, 8)])
    waiting = unarchived(system)
    archiver(system, database).drain()
    assert waiting == len(ids(database)) == 8
    assert "probe" not in ids(database)
    assert unarchived(system) == 0


def test_a_feed_that_is_archived_no_more_is_waited_for_no_more(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(system.declarations.feeds["orders"]), "history", History(days=0))
    system.processor.hand_over()
    system.processor = system.new_processor("worker-2")
    for number in range(300):
        system.post([order(number)])
    system.drain()
    assert system.broker._redis.xlen(STREAM) < 110
    assert unarchived(system) == 0


def test_a_broker_that_comes_back_empty_is_followed_from_its_beginning(system: System, each_database: Database) -> None:
    keeping = archiver(system, each_database)
    for number in range(3):
        system.post([order(number)])
        system.drain()
    keeping.drain()
    system.broker._redis.flushall()
    system.processor = system.new_processor("worker-3")
    system.drain()
    system.post([order(3)])
    system.drain()
    archiver(system, each_database, "worker-3").drain()
    assert ids(each_database) == [f"e{n}-{START_MS}" for n in range(4)]
    assert [seq for seq, _ in sorted(deltas(each_database))] == [1, 1, 2, 3]
    assert gaps(each_database) == [("", "broker_lost", 0)]
    assert unarchived(system) == 0


def test_an_entry_that_cannot_be_read_is_a_gap_and_the_rest_goes_on(system: System, database: Database) -> None:
    system.broker._redis.xadd(STREAM, {"events": b"{broken", "n": 3})
    system.post([order(1)])
    archiver(system, database).drain()
    assert gaps(database) == [("", "unreadable", 3)]
    assert ids(database) == [f"e1-{START_MS}"]


def test_a_long_backlog_is_archived_in_several_transactions(
    system: System, each_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.archive.gathering.EVENTS_PER_BATCH", 100)
    monkeypatch.setattr("services.archive.gathering.ENTRIES_PER_READ", 1)
    for first in range(0, 1_000, 70):
        system.post([order(n) for n in range(first, min(first + 70, 1_000))])
    archiver(system, each_database).drain()
    assert len(set(ids(each_database))) == len(ids(each_database)) == 1_000
    with each_database.reading() as connection:
        assert connection.execute(select(archive_lanes.c.version)).scalar_one() > 5


def test_the_text_of_an_event_is_kept_whatever_it_holds(system: System, each_database: Database) -> None:
    texts = ["Ünïcode 🚀", "quotes \" ' \\", "%s %(x)s :name", "tab\tnewline\n", "\u2028\u0001"]
    system.post([order(n, note=note) for n, note in enumerate(texts)])
    archiver(system, each_database).drain()
    with each_database.reading() as connection:
        bodies = connection.execute(select(archive_events.c.body).order_by(archive_events.c.number)).scalars()
        assert [orjson.loads(body)["note"] for body in bodies] == texts
        assert connection.execute(select(func.count()).select_from(archive_events)).scalar_one() == len(texts)
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
