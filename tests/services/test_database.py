"""Database: migrated by one chain, whole or not at all, and clear about what is wrong with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text

from services.database import Database, DatabaseBehind, DatabaseDown, DatabaseNewer, migrate, require_current
from services.database.tables import METADATA, archive_gaps


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database that nobody migrated, once in each of the two that there are."""
    sqlite = f"sqlite:///{tmp_path / 'made' / 'headwater.db'}"
    made = Database(sqlite if request.param == "sqlite" else request.getfixturevalue("shared_postgres").create())
    yield made
    made.close()


def gap(reason: str) -> dict[str, object]:
    times = {"since": 1, "until": 2, "recorded_at": 3}
    return {"feed": "orders", "channel": "", "events": 0, "reason": reason, **times}


def test_an_empty_database_is_behind_and_migrating_makes_it_current(empty: Database) -> None:
    with pytest.raises(DatabaseBehind, match=r"at revision none.*run `headwater release`"):
        require_current(empty)
    assert migrate(empty).found == ""
    require_current(empty)
    assert migrate(empty).current


def test_the_migrations_make_the_tables_that_the_code_names(empty: Database) -> None:
    migrate(empty)
    with empty.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_several_processes_may_migrate_at_once(empty: Database) -> None:
    standings = []
    threads = [threading.Thread(target=lambda: standings.append(migrate(empty))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(standing.current for standing in standings) == [False, True, True, True]


def test_a_database_of_a_newer_release_is_left_alone(empty: Database) -> None:
    migrate(empty)
    with empty.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'of_tomorrow'"))
        connection.execute(text("DELETE FROM revisions"))  # nothing tells that it ever had our tables
    with pytest.raises(DatabaseNewer, match="of_tomorrow, which this release does not know"):
        migrate(empty)


def test_a_transaction_that_fails_writes_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        connection.execute(insert(archive_gaps), gap("never"))
        raise ZeroDivisionError
    with database.reading() as connection:
        assert connection.execute(select(archive_gaps.c.reason)).all() == []


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.writing() as writer:
        writer.execute(insert(archive_gaps), gap("half done"))
        with database.reading() as reader:
            assert reader.execute(select(archive_gaps.c.reason)).all() == []
    with database.reading() as reader:
        assert reader.execute(select(archive_gaps.c.reason)).scalars().all() == ["half done"]


def test_a_missing_table_is_told_with_the_remedy(empty: Database) -> None:
    with (
        pytest.raises(DatabaseBehind, match=r"(no such table|UndefinedTable).*run `headwater release`"),
        empty.reading() as reader,
    ):
        reader.execute(select(archive_gaps.c.reason))


def test_a_database_that_is_away_is_told_without_its_password() -> None:
    away = Database("postgres://user:canary@127.0.0.1:1/headwater")
    with pytest.raises(DatabaseDown, match=r"user:\*\*\*@127.0.0.1:1.*correct DATABASE_URL"), away.reading():
        pass


def test_a_directory_that_cannot_be_made_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    away = Database(f"sqlite:///{tmp_path / 'file' / 'headwater.db'}")
    with pytest.raises(DatabaseDown, match="set HEADWATER_DATA or DATABASE_URL"), away.writing():
        pass
