"""How far personal fields are blanked in the archive."""

import sqlalchemy as sa
from alembic import op

revision = "personal"
down_revision = "keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("archive_lanes", "archive_channels"):
        op.add_column(table, sa.Column("blanked_until", sa.BigInteger(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    for table in ("archive_lanes", "archive_channels"):
        op.drop_column(table, "blanked_until")
