"""The databases of these tests stand before a test's own time begins: starting one takes longer than a lease lives."""

from __future__ import annotations

import pytest

from tests.postgres import Postgres


@pytest.fixture(scope="session", autouse=True)
def _started(shared_postgres: Postgres) -> None:
    """PostgreSQL, started before everything else."""
