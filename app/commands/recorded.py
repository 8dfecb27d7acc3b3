"""Recorded: the database, for commands that need it and no contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.settings import read_settings

if TYPE_CHECKING:
    from services.database import Database


@contextmanager
def database_at_hand() -> Iterator[Database]:
    """The installation's database with its tables of this release. Raises DatabaseDown."""
    from services.database import Database, prepare

    database = Database(read_settings().database_address)
    try:
        prepare(database)
        yield database
    finally:
        database.close()
