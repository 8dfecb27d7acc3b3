"""Enriched: what a recompute folds went through the feed's steps, as what the processor folded did."""

from __future__ import annotations

import orjson
from sqlalchemy import delete

from services.archive.archiver import Archiver
from services.archive.recomputing import read_recomputed
from services.database import Database
from services.database.tables import archive_deltas, archive_keyframes
from services.state import state_of
from tests.services import enriched
from tests.system import START_MS, System


def test_a_recompute_enriches_what_was_archived_as_it_was_accepted(broker_url: str, database: Database) -> None:
    system = System(broker_url, enriched)
    values = [20.0, 21.0, -300.0, 13.0, *(float(20 + number % 4) for number in range(20)), 90.0]
    for number, value in enumerate(values):
        record = {"id": f"r{number:03}", "created_at": START_MS - 1_000, "sensor": "a", "value": value}
        system.post([record], "readings")
    system.drain()
    Archiver(system.broker, database, system.declarations, system.telemetry, worker="a", clock=system.clock).drain()
    with database.writing() as connection:
        connection.execute(delete(archive_deltas))
        connection.execute(delete(archive_keyframes))
    for name in ("readings.newest", "readings.entries"):
        ref = system.declarations.resolve(name)
        assert ref is not None
        entries = system.broker.read_entries(ref.lane, "0-0", 100)
        begun, ended = (int(entry.id.partition("-")[0]) for entry in (entries[0], entries[-1]))
        with database.reading() as connection:
            found = read_recomputed(connection, ref, begun, ended + 1)
        state = state_of(ref.channel.kind, ref.channel.keep)
        for frame in found.frames:
            state.apply(orjson.loads(orjson.dumps(frame["data"])))
        assert state.data() == system.data(name)
    shown = system.data("readings.newest")["rows"]["a"]
    assert (shown["hall"], shown["unusual"] > 10) == ("North", True)
    system.close()
