"""What readers looked at and drew."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "looked",
        sa.Column("reader", sa.Text(), primary_key=True),
        sa.Column("sequence_id", sa.Text(), primary_key=True),
        sa.Column("screening_id", sa.Text(), nullable=False),
        sa.Column("ranges", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("looked_by_screening", "looked", ["screening_id"])
    op.create_table(
        "drawing",
        sa.Column("drawing_id", sa.Text(), primary_key=True),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("screening_id", sa.Text(), nullable=False),
        sa.Column("frame_id", sa.Text(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("review", sa.Text(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
    )
    op.create_index("drawing_by_screening", "drawing", ["screening_id"])
