"""The tables of ingest keys: who may post which feeds, and when each key was used last."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from services.database.tables.metadata import METADATA

ingest_keys = Table(
    "ingest_keys",
    METADATA,
    Column("id", Text, primary_key=True),  # the part of the secret that is no secret, by which it is found
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False),  # SHA-256 of the secret, in hexadecimal
    Column("feeds", Text, nullable=False),  # names or patterns, joined by commas
    Column("added_at", BigInteger, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("revoked_at", BigInteger, nullable=False),  # 0 while it may be used
    Index(None, "name"),
)
"""One row for each key that was ever added; one is revoked and never removed."""

ingest_key_uses = Table(
    "ingest_key_uses",
    METADATA,
    Column("key", Text, primary_key=True),  # its id; 'env:' and its name for one of HEADWATER_INGEST_KEYS
    Column("last_used_at", BigInteger, nullable=False),
)
"""When each key was used last, to the minute; kept apart, so that who only reads keys meets no writer."""
