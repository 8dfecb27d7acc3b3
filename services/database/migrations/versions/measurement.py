"""Measurement: sheets, probe samples and closed hours."""

import sqlalchemy as sa
from alembic import op

revision = "measurement"
down_revision = "reports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "measured_sheets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_measured_sheets"),
    )
    op.create_index("ix_measured_sheets_minute", "measured_sheets", ["minute"])
    op.create_table(
        "probe_samples",
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("took_s", sa.Float(53), nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("at", "place", "lane", name="pk_probe_samples"),
    )
    op.create_table(
        "objective_hours",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("objective", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "hour", name="pk_objective_hours"),
    )
    op.create_index("ix_objective_hours_hour", "objective_hours", ["hour"])


def downgrade() -> None:
    for table in ("objective_hours", "probe_samples", "measured_sheets"):
        op.drop_table(table)
