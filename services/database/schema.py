"""Schema: brings the database to this release's tables, and says where it stands.

The chain of migrations is Alembic's; each revision has a name and its predecessor. All that are due run in one
transaction, and one process at a time: a second one waits and finds nothing left to do.

A migration only adds: tables, columns that may be left out, indexes. So a release goes on with the database of a newer
one while a deployment replaces it, or is taken back. What nobody uses any more goes a release later than its last use.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect, select, text

from services.database.database import Database
from services.database.errors import DatabaseBehind, DatabaseNewer
from services.database.tables import revisions
from services.positions import wall_clock

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 4_813_947
"""Names the advisory lock of PostgreSQL that migrations hold; any number that nobody else uses."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Which revision a database is at ('' where it is empty), and which one this release needs.

    `newer`: a newer release migrated it, and this one's own revision is among those that it has had.
    """

    found: str
    needed: str
    newer: bool = False

    @property
    def current(self) -> bool:
        return self.newer or self.found == self.needed


def standing_of(database: Database) -> Standing:
    """Where the database stands. Raises DatabaseDown, and DatabaseNewer where it is not known to hold our tables."""
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
            _record(connection)
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
    if not found or found in _known():
        return Standing(found, _head())
    if not inspect(connection).has_table(revisions.name) or _head() not in _applied(connection):
        raise DatabaseNewer(
            f"database {address}: at revision {found}, which this release does not know; run the newer release"
        )
    return Standing(found, _head(), newer=True)


def _record(connection: Connection) -> None:
    """Note which revisions the database has had, for a release that does not know the newest of them."""
    new, now = _known() - _applied(connection), wall_clock()
    if new:
        connection.execute(insert(revisions), [{"revision": one, "applied_at": now} for one in sorted(new)])


def _applied(connection: Connection) -> set[str]:
    return set(connection.execute(select(revisions.c.revision)).scalars())


def _known() -> set[str]:
    return {revision.revision for revision in ScriptDirectory.from_config(_configuration()).walk_revisions()}


def _head() -> str:
    return ScriptDirectory.from_config(_configuration()).get_current_head() or ""


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return configuration
