"""Tables of what people decided about rejected records, and of what was sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "rejection_handled",
        sa.Column("handling_id", sa.Text(), nullable=False),
        sa.Column("rejection_id", sa.Text(), nullable=False),
        sa.Column("screening_id", sa.Text()),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("because", sa.Text()),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("handled_at", MOMENT, nullable=False),
        *_place(),
        sa.PrimaryKeyConstraint("handling_id"),
    )
    op.create_index("rejection_handled_by_rejection", "rejection_handled", ["rejection_id"])
    op.create_table(
        "rejection_retried",
        sa.Column("message_partition", sa.SmallInteger(), nullable=False),
        sa.Column("message_offset", sa.BigInteger(), nullable=False),
        sa.Column("rejection_id", sa.Text(), nullable=False),
        sa.Column("screening_id", sa.Text()),
        sa.Column("handling_id", sa.Text()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("retried_at", MOMENT, nullable=False),
        *_place(),
        sa.PrimaryKeyConstraint("message_partition", "message_offset"),
    )
    op.create_index("rejection_retried_by_rejection", "rejection_retried", ["rejection_id"])


def _place() -> list[sa.Column[int]]:
    return [
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
    ]
