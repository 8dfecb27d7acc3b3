"""The quarantine on the operations page: an admin replays and discards, nobody else sees it, the audit log keeps it."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from app.doors import Doors
from app.factory import Web
from app.loading import load_declarations
from app.quarantine import QuarantineKeeper
from app.settings import Settings
from services.accounts import Principal
from services.database import Database, migrate
from services.processor import Processor
from services.quarantine import Quarantine


@pytest.fixture
def keeper(web: Web, settings: Settings) -> Iterator[QuarantineKeeper]:
    """The keeper of a quarantine with two events in it."""
    declarations, database = load_declarations(), Database(settings.database_address)
    migrate(database)
    for number in range(2):
        bad = {"id": f"bad-{number}", "created_at": 1_700_000_000_000, "ingested_at": 1, "name": "s", "value": "x"}
        web.broker._redis.xadd("hw:{signals.0}:events", {"events": orjson.dumps([bad]), "n": 1})
    Processor(web.broker, declarations, web.publisher.telemetry, worker="worker-1").drain()
    with web.server.test_request_context("/operations"):
        yield QuarantineKeeper(Quarantine(web.broker, database, declarations), declarations, Doors(settings))
    database.close()


def test_an_admin_replays_one_and_discards_another(keeper: QuarantineKeeper) -> None:
    newer, older = keeper.entries() or []
    assert keeper.act("discard", str(older.lane), older.id) == f"Discarded signals.0/{older.id}."
    assert "Replayed 1 event" in keeper.act("replay", str(newer.lane), newer.id)
    assert keeper.entries() == []
    assert "not in quarantine" in keeper.act("discard", str(older.lane), older.id)
    assert "no lane" in keeper.act("replay", "nothing.0", older.id)


def test_nobody_else_sees_or_does_anything(keeper: QuarantineKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    held = keeper.entries() or []
    monkeypatch.setattr(Doors, "principal", lambda self: Principal("reader", channels=("*",)))
    assert keeper.entries() is None
    assert "Only an admin" in keeper.act("discard", str(held[0].lane), held[0].id)
    monkeypatch.undo()
    assert len(keeper.entries() or []) == 2
