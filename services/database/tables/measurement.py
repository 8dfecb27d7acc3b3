"""The measurement's tables: sheets and probe samples as received, and the hours of each objective."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, LargeBinary, Table, Text

from services.database.tables.metadata import METADATA

measured_sheets = Table(
    "measured_sheets",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("minute", BigInteger, nullable=False),
    Column("process", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),  # by the broker
    Column("late", Boolean, nullable=False),  # after its hour was closed: kept, and counted nowhere
    Column("body", LargeBinary, nullable=False),  # the sheet's JSON, deflated
    Index(None, "minute"),
)
"""One row for each process and minute. A sheet that comes twice has the same id, and is written once."""

probe_samples = Table(
    "probe_samples",
    METADATA,
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("place", Text, primary_key=True),
    Column("lane", Text, primary_key=True),
    Column("worker", Text, nullable=False),
    Column("took_s", Float(53), nullable=True),  # null: it did not arrive in time
    Column("fault", Text, nullable=False),
    Column("late", Boolean, nullable=False),
)
"""One row for each probe."""

objective_hours = Table(
    "objective_hours",
    METADATA,
    Column("rule", Text, primary_key=True),  # what of the objective decides its minutes
    Column("hour", BigInteger, primary_key=True, autoincrement=False),  # its begin
    Column("objective", Text, nullable=False),  # its name when the hour was closed
    Column("minutes", Text, nullable=False),  # JSON
    Column("closed_at", BigInteger, nullable=False),
    Index(None, "hour"),
)
"""Closed hours; written once, never changed."""
