"""The archive: events, deltas, positions, gaps and roll-ups."""

import sqlalchemy as sa
from alembic import op

revision = "archive"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archive_events",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ingested_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "lane", "entry_at", "entry_no", "number", "id", name="pk_archive_events"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_archive_events_feed_created_at", "archive_events", ["feed", "created_at"])
    op.create_table(
        "archive_deltas",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "epoch", "seq", "whole", name="pk_archive_deltas"),
    )
    op.create_index("ix_archive_deltas_channel_at", "archive_deltas", ["channel", "at"])
    op.create_table(
        "archive_lanes",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("entry_at", sa.BigInteger(), nullable=False),
        sa.Column("entry_no", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("shed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "lane", name="pk_archive_lanes"),
    )
    op.create_table(
        "archive_channels",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("rolled_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name="pk_archive_channels"),
    )
    op.create_table(
        "archive_gaps",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_archive_gaps"),
    )
    op.create_index("ix_archive_gaps_feed_until", "archive_gaps", ["feed", "until"])
    op.create_table(
        "archive_hours",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("least", sa.Float(53), nullable=False),
        sa.Column("most", sa.Float(53), nullable=False),
        sa.Column("total", sa.Float(53), nullable=False),
        sa.Column("last", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("channel", "hour", "name", "field", name="pk_archive_hours"),
    )


def downgrade() -> None:
    for table in ("hours", "gaps", "channels", "lanes", "deltas", "events"):
        op.drop_table(f"archive_{table}")
