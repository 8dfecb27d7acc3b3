"""Schema: brings the database to this release's tables, and says where it stands.

The chain of migrations is Alembic's; each revision has a name and its predecessor. All that are due run in one
transaction, and one process at a time: a second one waits and finds nothing left to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from services.database.database import Database
from services.database.errors import DatabaseBehind, DatabaseNewer

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 4_813_947
"""Names the advisory lock of PostgreSQL that migrations hold; any number that nobody else uses."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Which revision a database is at ('' where it is empty), and which one this release needs."""

    found: str
    needed: str

    @property
    def current(self) -> bool:
        return self.found == self.needed


def standing_of(database: Database) -> Standing:
    """Where the database stands. Raises DatabaseDown, and DatabaseNewer where a newer release migrated it."""
    if database.absent:  # looking at it would make it
        return Standing("", _head())
    with database.reading() as connection:
        return _standing(connection, database.address)


def migrate(database: Database) -> Standing:
    """Make or change the tables as this release needs them; returns where the database stood before.

    Raises DatabaseDown or DatabaseNewer, and has then changed nothing.
    """
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before = _standing(connection, database.address)
        if not before.current:
            configuration = _configuration()
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
        return before


def require_current(database: Database) -> None:
    """Raises DatabaseBehind where tables of this release are missing."""
    standing = standing_of(database)
    if not standing.current:
        raise DatabaseBehind(
            f"database {database.address}: at revision {standing.found or 'none'}, this release needs "
            f"{standing.needed}; run `headwater release`"
        )


def prepare(database: Database) -> None:
    """Make sure that the tables are there: a file of this machine is migrated, a server by `headwater release` only.

    Raises DatabaseBehind where that is still to be done, else DatabaseDown or DatabaseNewer.
    """
    if database.is_sqlite and not standing_of(database).current:
        migrate(database)
    require_current(database)


def _standing(connection: Connection, address: str) -> Standing:
    found = MigrationContext.configure(connection).get_current_revision() or ""
    known = {revision.revision for revision in ScriptDirectory.from_config(_configuration()).walk_revisions()}
    if found and found not in known:
        raise DatabaseNewer(
            f"database {address}: at revision {found}, which this release does not know; run the newer release"
        )
    return Standing(found, _head())


def _head() -> str:
    return ScriptDirectory.from_config(_configuration()).get_current_head() or ""


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return configuration
