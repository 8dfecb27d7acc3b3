"""Ingest keys, and when they were used."""

import sqlalchemy as sa
from alembic import op

revision = "keys"
down_revision = "accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ingest_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("feeds", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ingest_keys")),
    )
    op.create_index(op.f("ix_ingest_keys_name"), "ingest_keys", ["name"])
    op.create_table(
        "ingest_key_uses",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ingest_key_uses")),
    )


def downgrade() -> None:
    op.drop_table("ingest_key_uses")
    op.drop_table("ingest_keys")
