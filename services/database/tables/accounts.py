"""The tables of accounts: who may sign in, and the audit log of what was done by whom."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, text

from services.database.tables.metadata import METADATA

accounts = Table(
    "accounts",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("password", Text, nullable=False),  # its argon2id hash, with salt and parameters; '' where it has none
    Column("issuer", Text, nullable=False),  # the identity provider that signs it in, '' for a local account
    Column("subject", Text, nullable=False),  # who it is for that provider
    Column("roles", Text, nullable=False),  # their names, separated by spaces
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger, nullable=False),  # 0 where it may sign in
    Column("signed_in_at", BigInteger, nullable=False),
    Index("uq_accounts_subject", "issuer", "subject", unique=True, sqlite_where=text("issuer <> ''"),
          postgresql_where=text("issuer <> ''")),
)  # fmt: skip
"""One row for each account; one is disabled and never removed, so that its name is never given to another."""

audit = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("what", Text, nullable=False),
    Column("who", Text, nullable=False),  # the principal who did it, '' where nobody was recognised
    Column("subject", Text, nullable=False),  # the account, key, channel or clause that it was done to
    Column("address", Text, nullable=False),  # whence it came; 'command' for a command of this installation
    Column("detail", Text, nullable=False),
    Index(None, "at"),
)
"""One row for each act; rows are added and never changed."""
