"""The table of notes: what people wrote at a time, as charts show it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from services.database.tables.metadata import METADATA

notes = Table(
    "notes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),  # `at` for a moment
    Column("feed", Text, nullable=False),  # '' for all feeds
    Column("text", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    Index(None, "at"),
)
"""One row for each note; who removes one removes its row."""
