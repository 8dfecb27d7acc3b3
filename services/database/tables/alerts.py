"""The tables of alerts: incidents with their alerts and entries, silences, and what was sent to whom."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from services.database.tables.metadata import METADATA

incidents = Table(
    "incidents",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("topic", Text, nullable=False),  # alerts of one topic are told together
    Column("severity", Text, nullable=False),
    Column("objective", Text),
    Column("channel", Text),
    Column("stage", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("by_hand", Boolean, nullable=False),  # opened by a person, who also ends it
    Column("began_at", BigInteger, nullable=False),
    Column("detected_at", BigInteger, nullable=False),
    Column("acknowledged_at", BigInteger, nullable=False),
    Column("acknowledged_by", Text, nullable=False),
    Column("mitigated_at", BigInteger, nullable=False),
    Column("resolved_at", BigInteger, nullable=False),
    Column("told", Text, nullable=False),  # the severity that was told last; 'over' once its end was
    Column("told_at", BigInteger, nullable=False),
    Index("uq_incidents_open", "topic", unique=True, sqlite_where=text("resolved_at = 0"),
          postgresql_where=text("resolved_at = 0")),
    Index(None, "began_at"),
)  # fmt: skip
"""One row for each trouble; of one topic only one is open, so that of many who see it one makes it."""

alerts = Table(
    "alerts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("incident", Integer, ForeignKey("incidents.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("fired_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("watcher", Text, nullable=False),
    Column("cleared_at", BigInteger, nullable=False),
    Index("uq_alerts_open", "key", unique=True, sqlite_where=text("cleared_at = 0"),
          postgresql_where=text("cleared_at = 0")),
    Index(None, "incident"),
)  # fmt: skip
"""One row for each time that a condition fired; a key fires once at a time."""

incident_entries = Table(
    "incident_entries",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("incident", Integer, ForeignKey("incidents.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("what", Text, nullable=False),
    Column("person", Text, nullable=False),  # '' where Headwater did it
    Column("text", Text, nullable=False),
    Index(None, "incident", "at"),
)
"""The timeline of an incident; only added to."""

silences = Table(
    "silences",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("pattern", Text, nullable=False),  # of topics, as shells have it: objective:*
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("person", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""Topics that are recorded and not told for a while."""

messages = Table(
    "messages",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("body", Text, nullable=False),  # a Message as JSON
    Column("incident", Integer, ForeignKey("incidents.id")),
    Column("created_at", BigInteger, nullable=False),
)
"""What was to be told."""

message_files = Table(
    "message_files",
    METADATA,
    Column("message", Integer, ForeignKey("messages.id"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""What goes with a message."""

deliveries = Table(
    "deliveries",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("message", Integer, ForeignKey("messages.id"), nullable=False),
    Column("sink", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),  # of the next attempt; 0 where there is none
    Column("delivered_at", BigInteger, nullable=False),
    Column("error", Text, nullable=False),  # of the last attempt that failed
    Index(None, "next_at"),
    Index(None, "sink", "delivered_at"),
)
"""One row for each message and sink; kept when delivered, and when given up."""
