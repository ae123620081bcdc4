"""The table of what the stage quality measures."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

JSON = sa.Text().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    figures = ("dice", "dice_low", "dice_high", "iou", "iou_low", "iou_high")
    op.create_table(
        "quality_measurement",
        sa.Column("message_partition", sa.SmallInteger(), nullable=False),
        sa.Column("message_offset", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("stratum", "level", "model_id", "fingerprint", "organ")
        ),
        *(sa.Column(name, sa.Text()) for name in ("van_id", "manufacturer", "scanner_model")),
        sa.Column("as_of", MOMENT, nullable=False),
        sa.Column("verdict", sa.Text()),
        *(sa.Column(name, sa.Double()) for name in figures),
        sa.Column("screenings", sa.Integer()),
        sa.Column("needed", sa.Integer()),
        sa.Column("agreement", JSON),
        sa.Column("window_number", sa.Integer()),
        sa.Column("drifted", sa.Boolean()),
        sa.Column("measured_window", JSON),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message_partition", "message_offset"),
    )
    op.create_index("quality_measurement_by_stratum", "quality_measurement", ["stratum"])
    op.create_table(
        "flag",
        sa.Column("message_partition", sa.SmallInteger(), nullable=False),
        sa.Column("message_offset", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("screening_id", "sequence_id")),
        sa.Column("frame_index", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("model_id", "because", "feature")),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("as_of", MOMENT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message_partition", "message_offset", "ordinal"),
    )
    op.create_index("flag_by_screening", "flag", ["screening_id"])
