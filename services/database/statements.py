"""Statements: what the two databases say differently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(connection: Connection, table: Table) -> Any:
    """An insert that passes over rows whose key is there already."""
    return _insert(connection, table).on_conflict_do_nothing()


def insert_or_change(connection: Connection, table: Table, keys: Sequence[str], kept: Sequence[str] = ()) -> Any:
    """An insert that changes the columns of a row whose `keys` are there already, all but `kept`."""
    statement = _insert(connection, table)
    names = [column.name for column in table.columns if column.name not in {*keys, *kept}]
    changed = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=changed)


def _insert(connection: Connection, table: Table) -> Any:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
