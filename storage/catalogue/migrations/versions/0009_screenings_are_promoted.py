"""The table of which screenings shall take another network's results."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    names = ("screening_id", "van_id", "model_id", "weights_sha256", "fingerprint", "because", "operator")
    op.create_table(
        "promotion",
        sa.Column("promotion_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in names),
        sa.Column("promoted_at", MOMENT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("promotion_id"),
    )
    op.create_index("promotion_by_screening", "promotion", ["screening_id"])
