"""The databases of these tests stand before a test's own time begins: starting one takes longer than a lease lives."""

from __future__ import annotations

import pytest

from services.broker import leading
from tests.postgres import Postgres


@pytest.fixture(scope="session", autouse=True)
def _started(shared_postgres: Postgres) -> None:
    """PostgreSQL, started before everything else."""


@pytest.fixture(autouse=True)
def _long_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy for two seconds changes nothing of what is tested here: the tests say who takes over."""
    monkeypatch.setattr(leading, "LEASE_TTL_MS", 60_000)
