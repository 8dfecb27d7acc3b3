"""The contract's tables: notices that parties recorded, and the recurring windows that its file announced."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, text

from services.database.tables.metadata import METADATA

notices = Table(
    "notices",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("refused", Text, nullable=False),  # why it does not count; '' where it does
    Column("confirmed_by", Text, nullable=False),
    Column("confirmed_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Index(None, "since"),
)
"""One row for each notice, refused attempts included. A row is confirmed or ended once, and never removed."""

weekly_windows = Table(
    "weekly_windows",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("weekday", Integer, nullable=False),  # 0 is Monday
    Column("begins", Text, nullable=False),  # local time of `zone`
    Column("minutes", Integer, nullable=False),
    Column("zone", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("counts_from", BigInteger, nullable=False),
    Column("gone_at", BigInteger, nullable=False),
    Index("uq_weekly_windows_open", "name", unique=True, sqlite_where=text("gone_at = 0"),
          postgresql_where=text("gone_at = 0")),
)  # fmt: skip
"""One row for each version of a recurring window: a changed one is a new row, and must be announced in time anew."""
