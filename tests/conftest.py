"""What every test may ask for: a real broker, fresh for each test, and a system on top of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from services.broker import leading
from services.database import Database, migrate
from services.embedded import EmbeddedBroker
from tests.postgres import Postgres
from tests.system import System


@pytest.fixture(autouse=True)
def long_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the test's own process leases outlive a machine that is busy for two seconds: tests say who takes over."""
    monkeypatch.setattr(leading, "LEASE_TTL_MS", 60_000)


@pytest.fixture(scope="session")
def shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """One server for the whole run, for tests that leave it standing."""
    with EmbeddedBroker(tmp_path_factory.mktemp("shared-broker")) as broker:
        yield broker


@pytest.fixture
def broker_url(shared_broker: EmbeddedBroker) -> str:
    """The URL of a real broker that is empty."""
    client = redis.Redis.from_url(shared_broker.url)
    client.flushall()
    client.close()
    return shared_broker.url


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A real broker for one test that stops, kills or empties it."""
    with EmbeddedBroker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def system(broker_url: str) -> Iterator[System]:
    """Ingestion and a processor over the test feeds, on a clock that the test moves."""
    made = System(broker_url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the whole run, for tests that leave it standing."""
    server = Postgres()
    server.start()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database of its own, once in each of the two that there are."""
    sqlite = f"sqlite:///{tmp_path / 'headwater.db'}"
    made = Database(sqlite if request.param == "sqlite" else request.getfixturevalue("shared_postgres").create())
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A migrated database of its own, in SQLite."""
    made = Database(f"sqlite:///{tmp_path / 'headwater.db'}")
    migrate(made)
    yield made
    made.close()
