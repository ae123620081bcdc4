"""The tables of what people decide: conclusions, outcomes, and what was done with alerts."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"

JSON = sa.Text().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
DAY = sa.Date().with_variant(sa.Text(), "sqlite")


def must(name: str, kind: Any = sa.Text) -> sa.Column[Any]:
    """A column that is never NULL."""
    return sa.Column(name, kind, nullable=False)


def may(name: str, kind: Any = sa.Text) -> sa.Column[Any]:
    """A column that may be NULL."""
    return sa.Column(name, kind)


def place() -> list[sa.Column[Any]]:
    """Where a row's message stands."""
    return [must("at_ms", sa.BigInteger), must("at_partition", sa.SmallInteger), must("at_offset", sa.BigInteger)]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "conclusion",
        must("conclusion_id"),
        must("screening_id"),
        must("conclusion_number", sa.Integer),
        must("role"),
        may("amends"),
        may("because"),
        must("van_id"),
        must("revision_id"),
        must("revision_number", sa.Integer),
        must("rules_version"),
        must("reader"),
        may("opened_at", MOMENT),
        must("signed_at", MOMENT),
        may("claim"),
        must("sides", sa.SmallInteger),
        must("frames", sa.Integer),
        must("frames_seen", sa.Integer),
        must("looked_at", JSON),
        may("bi_rads"),
        may("ti_rads"),
        may("c_tirads"),
        must("action"),
        must("calls_back", sa.Boolean),
        must("recommends"),
        must("worry", sa.Integer),
        must("record", JSON),
        *place(),
        sa.PrimaryKeyConstraint("conclusion_id"),
    )
    op.create_index("conclusion_by_screening", "conclusion", ["screening_id"])
    op.create_table(
        "concluded_side",
        must("conclusion_id"),
        must("ordinal", sa.SmallInteger),
        must("screening_id"),
        must("organ"),
        may("laterality"),
        may("bi_rads"),
        may("ti_rads"),
        may("c_tirads"),
        must("blocks", JSON),
        must("action"),
        may("months", sa.SmallInteger),
        must("calls_back", sa.Boolean),
        *place(),
        sa.PrimaryKeyConstraint("conclusion_id", "ordinal"),
    )
    op.create_index("concluded_side_by_screening", "concluded_side", ["screening_id"])
    op.create_table(
        "finding_read",
        must("conclusion_id"),
        must("ordinal", sa.SmallInteger),
        must("screening_id"),
        must("organ"),
        may("laterality"),
        may("finding_id"),
        must("verdict"),
        may("frame_id"),
        may("position"),
        may("largest_mm", sa.Double),
        must("words", JSON),
        must("confirmed", sa.SmallInteger),
        must("changed", sa.SmallInteger),
        must("entered", sa.SmallInteger),
        must("undetermined", sa.SmallInteger),
        may("bi_rads"),
        may("ti_rads"),
        may("ti_rads_points", sa.SmallInteger),
        may("c_tirads"),
        *place(),
        sa.PrimaryKeyConstraint("conclusion_id", "ordinal"),
    )
    op.create_index("finding_read_by_screening", "finding_read", ["screening_id"])
    op.create_table(
        "outcome",
        must("outcome_id"),
        must("screening_id"),
        must("kind"),
        must("happened_on", DAY),
        may("organ"),
        may("laterality"),
        may("finding_id"),
        may("result"),
        may("bi_rads"),
        may("bethesda"),
        may("amends"),
        may("because"),
        must("operator"),
        must("recorded_at", MOMENT),
        *place(),
        sa.PrimaryKeyConstraint("outcome_id"),
    )
    op.create_index("outcome_by_screening", "outcome", ["screening_id"])
    op.create_table(
        "alert_step",
        must("alert_id"),
        must("message_partition", sa.SmallInteger),
        must("message_offset", sa.BigInteger),
        must("screening_id"),
        must("raised_in"),
        must("step"),
        may("handed_to"),
        may("because"),
        must("operator"),
        must("handled_at", MOMENT),
        *place(),
        sa.PrimaryKeyConstraint("alert_id", "message_partition", "message_offset"),
    )
