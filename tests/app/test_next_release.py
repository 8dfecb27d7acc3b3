"""The next release's database: this release goes on with it, while a deployment lasts and when it is taken back."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, insert, inspect, select

from services.database import Database, migrate, require_current, schema, standing_of
from services.database.tables import archive_events, archive_gaps
from tests.chaos.viewers import now_ms
from tests.installation import Installation
from tests.postgres import Postgres
from tests.system import order
from tests.waiting import wait_until

TOMORROW = '''
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "of_tomorrow", "{head}", None, None


def upgrade():
    op.create_table("things_of_tomorrow", sa.Column("id", sa.BigInteger(), primary_key=True))
    op.add_column("archive_gaps", sa.Column("told_to", sa.Text(), nullable=True))
'''
ADDS = r"CREATE TABLE|CREATE (UNIQUE )?INDEX|ALTER TABLE \S+ ADD COLUMN (?=.*DEFAULT|(?!.*NOT NULL))"
ALEMBIC = r"(INSERT INTO|UPDATE) alembic_version"
Tomorrow = Callable[[Database], None]


@pytest.fixture
def tomorrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tomorrow:
    """Migrates a database as the next release will, which has a migration more."""
    migrations = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    text = TOMORROW.format(head=schema._head())
    (migrations / "versions" / "of_tomorrow.py").write_text(text)

    def migrate_further(database: Database) -> None:
        with monkeypatch.context() as next_release:
            next_release.setattr(schema, "MIGRATIONS", migrations)
            assert standing_of(database).needed == "of_tomorrow"
            migrate(database)

    return migrate_further


def test_this_release_works_on_what_the_next_one_migrated_and_leaves_it_so(
    each_database: Database, tomorrow: Tomorrow
) -> None:
    tomorrow(each_database)
    require_current(each_database)
    before = migrate(each_database)
    assert (before.found, before.newer, before.current) == ("of_tomorrow", True, True)
    gap = {"feed": "orders", "channel": "", "events": 1, "reason": "shed", "since": 1, "until": 2, "recorded_at": 3}
    with each_database.writing() as connection:
        connection.execute(insert(archive_gaps), gap)
        assert inspect(connection).has_table("things_of_tomorrow")
    with each_database.reading() as connection:
        assert connection.execute(select(archive_gaps.c.events)).scalars().all() == [1]


def test_every_migration_only_adds(shared_postgres: Postgres) -> None:
    database, said = Database(shared_postgres.create()), list[str]()

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(" ".join(statement.split()))

    event.listen(database._engine, "before_cursor_execute", hear)
    migrate(database)
    database.close()
    changes = [one for one in said if re.match(r"CREATE|ALTER|DROP|INSERT|UPDATE|DELETE|TRUNCATE", one)]
    assert len(changes) > 20
    others = [one for one in changes if not re.match(rf"{ADDS}|{ALEMBIC}|INSERT INTO revisions", one)]
    assert others == [], "a release that still runs, or that is taken back to, would fail on it"


@pytest.fixture
def database(shared_postgres: Postgres) -> Iterator[Database]:
    made = Database(shared_postgres.create())
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def installation(tmp_path: Path, database: Database) -> Iterator[Installation]:
    running = Installation(tmp_path / "running", web_processes=1)
    running.folder.mkdir()
    running.broker.start()
    environment = {"DATABASE_URL": database._url.render_as_string(hide_password=False)}
    for role in ("worker", "web"):
        running.start_process(role, more=environment)
    try:
        running.wait_ready()
        yield running
    finally:
        running.stop()


def archived(database: Database) -> int:
    """How many orders the archive holds; of the contract's own feed it holds some as well."""
    orders = select(func.count()).select_from(archive_events).where(archive_events.c.feed == "orders")
    with database.reading() as connection:
        return connection.execute(orders).scalar_one()


def test_running_processes_and_one_that_is_started_again_go_on_while_the_next_release_migrates(
    installation: Installation, database: Database, tomorrow: Tomorrow
) -> None:
    installation.post([order(1, at=now_ms())])
    wait_until(lambda: archived(database) == 1, what="the first order in the archive")
    tomorrow(database)
    installation.post([order(2, at=now_ms())])
    wait_until(lambda: archived(database) == 2, what="the second order in the archive")
    installation.end_process("worker")
    installation.start_process("worker", more={"DATABASE_URL": database._url.render_as_string(hide_password=False)})
    installation.post([order(3, at=now_ms())])
    wait_until(lambda: archived(database) == 3, what="the third order in the archive, by the worker started again")
    assert installation.status("/api/channels/orders.everything/history?since=0&until=9999999999999") == 200
