"""Tables of screenings that were erased, of what is still to be deleted because of that, and of replayed frames."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "erased",
        sa.Column("screening_id", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("erased_at", MOMENT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("screening_id"),
    )
    op.create_table(
        "frame_replayed",
        sa.Column("sequence_id", sa.Text(), nullable=False),
        sa.Column("frame_index", sa.Integer(), nullable=False),
        sa.Column("van_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("screening_id", sa.Text(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("assessable", sa.Boolean(), nullable=False),
        sa.Column("regions", sa.SmallInteger(), nullable=False),
        sa.Column("predicted_dice", sa.Double()),
        sa.Column("mask_key", sa.Text()),
        sa.Column("mask_sha256", sa.Text()),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence_id", "frame_index", "van_id", "fingerprint"),
    )
    op.create_index("frame_replayed_by_screening", "frame_replayed", ["screening_id"])
    op.create_table("to_sweep", sa.Column("screening_id", sa.Text(), nullable=False, primary_key=True))
    op.create_table(
        "to_delete",
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "object_key"),
    )
