"""The report's tables: the reports that were made, and what pages last knew of the contract."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, Table, Text

from services.database.tables.metadata import METADATA

reports = Table(
    "reports",
    METADATA,
    Column("key", Text, primary_key=True),  # week:2026-W47, period:2026-11
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("message", Integer, ForeignKey("messages.id"), nullable=False),  # how it was sent
    Column("html", LargeBinary, nullable=False),
    Column("pdf", LargeBinary, nullable=False),
)
"""One row for each report that was sent, written in the transaction that puts it into the outbox: it is sent once."""

standings = Table(
    "standings",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
"""How the contract stands now, as the contract station last said it; one row, replaced each time."""
