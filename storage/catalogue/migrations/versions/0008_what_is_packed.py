"""The tables of what is packed in the object store."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "packing",
        sa.Column("screening_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("screening_id"),
    )
    op.create_table(
        "packed",
        sa.Column("screening_id", sa.Text(), nullable=False),
        sa.Column("through_ms", sa.BigInteger(), nullable=False),
        sa.Column("objects_before", sa.Integer(), nullable=False),
        sa.Column("packs", sa.Integer(), nullable=False),
        sa.Column("pack_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("screening_id"),
    )
