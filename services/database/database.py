"""Database: one engine for a process, transactions to read and to write in, and how failures surface.

SQLite runs in WAL mode, so that readers never wait for the archive; a writer takes its lock at once
(`BEGIN IMMEDIATE`): upgrading a read lock later could fail without any waiting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.database.errors import DatabaseBehind, DatabaseDown

CONNECTIONS_MAX = 5
CONNECT_TIMEOUT_S = 3
LOCK_TIMEOUT_S = 10
STATEMENT_TIMEOUT_S = 60
STATEMENTS_KEPT = 100
"""Of SQLAlchemy's compiled ones: tens of kilobytes each."""
CACHE_KB = 1_000
"""Of a SQLite connection's own pages: the file's are in the system's cache as well."""
_WRITES = "headwater_writes"
_MISSING_TABLE = ("no such table", "no such column", "UndefinedTable", "UndefinedColumn")


class Database:
    """The door to the database for one process; opens nothing until it is used.

    `url` is `sqlite:///<path>`, or a PostgreSQL url as platforms give it: `postgres://` and `postgresql://` both name
    the same driver.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(driver_url(url))
        shown = self._url.difference_update_query([name for name in self._url.query if "password" in name])
        self.address = shown.render_as_string(hide_password=True)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        options = _sqlite_options() if self.is_sqlite else _postgresql_options()
        self._engine = create_engine(
            self._url,
            pool_size=CONNECTIONS_MAX,
            max_overflow=0,
            pool_timeout=5,
            query_cache_size=STATEMENTS_KEPT,
            **options,
        )
        if self.is_sqlite:
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)

    @property
    def absent(self) -> bool:
        """Whether it is a file that nobody made yet."""
        return self.is_sqlite and not Path(self._url.database or "").exists()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction to read in. Raises DatabaseDown."""
        with self._surfacing(), self._made_directory().connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end of the block, whole or not at all. Raises DatabaseDown.

        IntegrityError passes: it is a statement's own outcome, not the database's.
        """
        with self._surfacing(), self._made_directory().execution_options(**{_WRITES: True}).begin() as connection:
            yield connection

    def scrub(self, tables: Sequence[str]) -> None:
        """Give up the bytes of rows that were removed or changed, as far as the database can be made to.

        SQLite's file is written anew, and its log emptied; nobody can write meanwhile. PostgreSQL may use the space
        again, while its own log and copies of it keep what was. Raises DatabaseDown.
        """
        with self._surfacing(), self._made_directory().connect() as connection:
            if self.is_sqlite:  # out of the transaction that was begun: neither can be done within one
                for statement in ("COMMIT", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                    connection.exec_driver_sql(statement)
                return
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            for statement in ("SET statement_timeout = 0", *(f"VACUUM {table}" for table in tables)):
                alone.exec_driver_sql(statement)
            alone.exec_driver_sql("RESET statement_timeout")

    def close(self) -> None:
        """Give the connections back; the database may be used again afterwards."""
        self._engine.dispose()

    def _made_directory(self) -> Any:
        if self.is_sqlite and self._url.database:
            try:
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DatabaseDown(f"database {self.address}: {error}; set HEADWATER_DATA or DATABASE_URL") from error
        return self._engine

    @contextmanager
    def _surfacing(self) -> Iterator[None]:
        """Turn the driver's errors into ours, with the address and the remedy."""
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            reason = f"{type(error.orig).__name__}: {str(error.orig).strip().splitlines()[0]}"
            if any(sign in reason for sign in _MISSING_TABLE):
                raise DatabaseBehind(f"database {self.address}: {reason}; run `headwater release`") from error
            raise DatabaseDown(f"database {self.address}: {reason}; start it, or correct DATABASE_URL") from error
        except PoolTimeout as error:
            raise DatabaseDown(f"database {self.address}: all {CONNECTIONS_MAX} connections are busy") from error


def driver_url(url: str) -> str:
    """The url with the driver that is installed."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def _sqlite_options() -> dict[str, Any]:
    # The connection used last is used next: each keeps pages in memory of its own, and one that is idle keeps none.
    return {"connect_args": {"timeout": LOCK_TIMEOUT_S}, "pool_use_lifo": True}


def _postgresql_options() -> dict[str, Any]:
    milliseconds = f"-c statement_timeout={1000 * STATEMENT_TIMEOUT_S} -c lock_timeout={1000 * LOCK_TIMEOUT_S}"
    return {
        "pool_pre_ping": True,  # a connection that an outage left half open is noticed before it is used
        "connect_args": {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "headwater",
            "options": milliseconds,
            "tcp_user_timeout": 10_000,
        },
    }


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: `_begin_sqlite` does
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"cache_size=-{CACHE_KB}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
