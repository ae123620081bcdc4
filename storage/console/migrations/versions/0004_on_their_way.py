"""Conclusions that are on their way to the catalogue."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "signing",
        sa.Column("conclusion_id", sa.Text(), primary_key=True),
        sa.Column("screening_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("signing_by_screening", "signing", ["screening_id"])
