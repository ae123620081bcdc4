"""Who scanned each sweep, and whether she stays on the couch or when she left it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add the columns; of closings of before nobody told either."""
    op.add_column("sequence_closing", sa.Column("operator", sa.Text()))
    for table in ("screening_closing", "listed"):
        op.add_column(table, sa.Column("stays", sa.Boolean(), nullable=False, server_default=sa.false()))
        op.add_column(table, sa.Column("left_at", MOMENT))
