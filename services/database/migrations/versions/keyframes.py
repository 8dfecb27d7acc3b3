"""The archive's keyframes: whole states from which a replay goes on."""

import sqlalchemy as sa
from alembic import op

revision = "keyframes"
down_revision = "notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archive_keyframes",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("keep", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "epoch", "seq", name=op.f("pk_archive_keyframes")),
    )
    op.create_index(op.f("ix_archive_keyframes_channel_at"), "archive_keyframes", ["channel", "at"])


def downgrade() -> None:
    op.drop_table("archive_keyframes")
