"""The archive's tables: events, deltas, how far both are kept, what is missing, and hourly roll-ups."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Table, Text, text

from services.database.tables.metadata import METADATA

archive_events = Table(
    "archive_events",
    METADATA,
    Column("feed", Text, primary_key=True),
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("entry_at", BigInteger, primary_key=True, autoincrement=False),  # the stream's entry: when it was accepted
    Column("entry_no", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),  # within the entry
    Column("id", Text, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("ingested_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # the event as JSON
    Index(None, "feed", "created_at"),
    sqlite_with_rowid=False,  # the rows lie in the order of their key, which is the order of acceptance
)
"""One row for each accepted event. The key is its place on the stream: what is read twice is written once."""

archive_deltas = Table(
    "archive_deltas",
    METADATA,
    Column("channel", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("whole", Boolean, primary_key=True),  # a snapshot, where deltas before it are missing
    Column("at", BigInteger, nullable=False),  # when it was committed
    Column("data", Text, nullable=False),
    Index(None, "channel", "at"),
)
"""One row for each delta of a channel, partitions included, and snapshots where deltas are missing."""

archive_keyframes = Table(
    "archive_keyframes",
    METADATA,
    Column("channel", Text, primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),  # of the last commit that is in it
    Column("kind", Text, nullable=False),
    Column("keep", Text, nullable=False),  # by what the channel was trimmed then, as JSON
    Column("data", Text, nullable=False),
    Index(None, "channel", "at"),
)
"""A channel's whole state now and then, from which a replay folds deltas on; `seq` 0 where a channel begins."""

archive_lanes = Table(
    "archive_lanes",
    METADATA,
    Column("feed", Text, primary_key=True),
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),  # raised by each write: a writer that was overtaken is refused
    Column("epoch", Text, nullable=False),
    Column("entry_at", BigInteger, nullable=False),
    Column("entry_no", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("shed", BigInteger, nullable=False),
    Column("blanked_until", BigInteger, nullable=False, server_default=text("0")),  # of personal fields
)
"""How far each lane is archived; moves in the transaction that writes the events."""

archive_channels = Table(
    "archive_channels",
    METADATA,
    Column("channel", Text, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("rolled_until", BigInteger, nullable=False),
    Column("blanked_until", BigInteger, nullable=False, server_default=text("0")),  # of personal fields
)
"""How far each channel is archived and rolled up."""

archive_gaps = Table(
    "archive_gaps",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("channel", Text, nullable=False),  # '' where events are missing
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),  # 0 where it is not known how many, or deltas are missing
    Column("reason", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Index(None, "feed", "until"),
)
"""What the archive knows to be missing."""

archive_hours = Table(
    "archive_hours",
    METADATA,
    Column("channel", Text, primary_key=True),
    Column("hour", BigInteger, primary_key=True, autoincrement=False),  # its begin
    Column("name", Text, primary_key=True),  # the row's key or the series
    Column("field", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("least", Float(53), nullable=False),
    Column("most", Float(53), nullable=False),
    Column("total", Float(53), nullable=False),
    Column("last", Float(53), nullable=False),
)
"""Roll-ups of a channel's numbers by hour; written anew where points of an hour came after it was rolled up."""
