"""The table of revisions: every migration that the database has had, so that an older release knows itself in it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from services.database.tables.metadata import METADATA

revisions = Table(
    "revisions",
    METADATA,
    Column("revision", Text, primary_key=True),
    Column("applied_at", BigInteger, nullable=False),
)
"""One row for each; the newest is also in Alembic's own `alembic_version`."""
