"""Tables of what vans send, of what could not be used, and of the catalogue itself."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

JSON = sa.Text().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "amendment",
        sa.Column("screening_id", sa.Text(), nullable=False),
        sa.Column("van_id", sa.Text(), nullable=False),
        sa.Column("amendment_number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text()),
        sa.Column("amended_at", MOMENT, nullable=False),
        sa.Column("taken_back_number", sa.Integer()),
        sa.Column("subject_key", sa.Text()),
        sa.Column("slip_number", sa.Text()),
        sa.Column("laterality", sa.Text()),
        sa.Column("sequence_ids", JSON),
        sa.Column("withdraws_screening", sa.Boolean(), nullable=False),
        sa.Column("withdraws_ai", sa.Boolean(), nullable=False),
        sa.Column("withdraws_research", sa.Boolean(), nullable=False),
        sa.Column("withdraws_sharing", sa.Boolean(), nullable=False),
        sa.Column("mark", JSON),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("screening_id", "van_id", "amendment_number"),
    )
    op.create_table(
        "clinical_record",
        sa.Column("screening_id", sa.Text(), nullable=False),
        sa.Column("van_id", sa.Text(), nullable=False),
        sa.Column("features_number", sa.Integer(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("age_years", sa.Integer()),
        sa.Column("sex", sa.Text()),
        sa.Column("palpable_lump", sa.Text()),
        sa.Column("nipple_discharge", sa.Text()),
        sa.Column("skin_or_nipple_change", sa.Text()),
        sa.Column("menopause", sa.Text()),
        sa.Column("brca", sa.Text()),
        sa.Column("tsh_miu_per_l", sa.Double()),
        sa.Column("answers", JSON, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("screening_id", "van_id", "features_number"),
    )
    op.create_table(
        "fault",
        sa.Column("fault_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text()),
        sa.Column("instance", sa.Integer()),
        sa.Column("worker", sa.Text()),
        sa.Column("van_id", sa.Text()),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("because", JSON, nullable=False),
        sa.Column("as_of", MOMENT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fault_id"),
    )
    op.create_table(
        "hold",
        sa.Column("site_code", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_code"),
    )
    op.create_table(
        "made",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "opening",
        sa.Column("screening_id", sa.Text(), nullable=False),
        sa.Column("van_id", sa.Text(), nullable=False),
        sa.Column("subject_key", sa.Text(), nullable=False),
        sa.Column("slip_number", sa.Text()),
        sa.Column("site_code", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("consent_screening", sa.Boolean(), nullable=False),
        sa.Column("consent_ai", sa.Boolean(), nullable=False),
        sa.Column("consent_research", sa.Boolean(), nullable=False),
        sa.Column("consent_sharing", sa.Boolean(), nullable=False),
        sa.Column("consent_text", sa.Text()),
        sa.Column("planned", JSON, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("screening_id"),
    )
    op.create_index("opening_by_site", "opening", ["site_code"])
    op.create_index("opening_by_woman", "opening", ["subject_key"])
    op.create_table(
        "read_offset",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("message_partition", sa.SmallInteger(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "message_partition"),
    )
    op.create_table(
        "rejection",
        sa.Column("rejection_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("retryable", sa.Boolean(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("message_partition", sa.Integer(), nullable=False),
        sa.Column("message_offset", sa.BigInteger(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("rejected_at", MOMENT, nullable=False),
        sa.Column("screening_id", sa.Text()),
        sa.Column("frame_id", sa.Text()),
        sa.Column("van_id", sa.Text()),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rejection_id"),
    )
    op.create_index("rejection_by_screening", "rejection", ["screening_id"])
    op.create_table(
        "retention",
        sa.Column("site_code", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_code"),
    )
    op.create_table(
        "screening_closing",
        sa.Column("screening_id", sa.Text(), nullable=False),
        sa.Column("van_id", sa.Text(), nullable=False),
        sa.Column("closing_number", sa.Integer(), nullable=False),
        sa.Column("sequence_ids", JSON, nullable=False),
        sa.Column("quality_warnings", JSON, nullable=False),
        sa.Column("covered", JSON),
        sa.Column("excused", JSON, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("screening_id", "van_id", "closing_number"),
    )
    op.create_table(
        "sequence_closing",
        sa.Column("sequence_id", sa.Text(), nullable=False),
        sa.Column("van_id", sa.Text(), nullable=False),
        sa.Column("closing_number", sa.Integer(), nullable=False),
        sa.Column("screening_id", sa.Text(), nullable=False),
        sa.Column("frame_count", sa.Integer(), nullable=False),
        sa.Column("frames_digest", sa.Text(), nullable=False),
        sa.Column("organ", sa.Text(), nullable=False),
        sa.Column("laterality", sa.Text()),
        sa.Column("view", sa.Text()),
        sa.Column("position", sa.Text()),
        sa.Column("frames_held", sa.Integer(), nullable=False),
        sa.Column("frames_discarded", sa.Integer(), nullable=False),
        sa.Column("closed_at", MOMENT, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence_id", "van_id", "closing_number"),
    )
    op.create_index("sequence_closing_by_screening", "sequence_closing", ["screening_id"])
    op.create_table(
        "van_report",
        sa.Column("van_id", sa.Text(), nullable=False),
        sa.Column("reported_at", MOMENT, nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("waiting_bytes", sa.BigInteger(), nullable=False),
        sa.Column("oldest_s", sa.BigInteger()),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("unfinished", sa.Integer(), nullable=False),
        sa.Column("disk_free_bytes", sa.BigInteger(), nullable=False),
        sa.Column("clock_ahead_s", sa.Double()),
        sa.Column("link_bits_per_s", sa.BigInteger()),
        sa.Column("metered", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_partition", sa.SmallInteger(), nullable=False),
        sa.Column("at_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("van_id"),
    )
