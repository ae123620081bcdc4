"""The table of the worklist; its rows are made when the views are there (`storage/catalogue/listing.py`)."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    waiting, signed = sa.text("waiting"), sa.text("signed_at IS NOT NULL")
    truths = ("referred", "marked", "silenced")
    op.create_table(
        "listed",
        sa.Column("screening_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text()) for name in ("van_id", "site_code", "slip_number")),
        sa.Column("opened_at", MOMENT),
        sa.Column("closed_at", MOMENT),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("breast", "thyroid")),
        sa.Column("status", sa.Text()),
        sa.Column("revision_number", sa.Integer()),
        sa.Column("as_of", MOMENT),
        *(sa.Column(name, sa.Integer()) for name in ("frames", "findings")),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in truths),
        sa.Column("unseen", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Double(), nullable=False),
        sa.Column("signed_at", MOMENT),
        sa.Column("signed_by", sa.Text()),
        sa.Column("signed_revision_number", sa.Integer()),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("to_arbitrate", sa.Boolean(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("screening_id"),
    )
    _index("listed_waiting", ["rank", "screening_id"], waiting)
    _index("listed_signed", ["rank", "screening_id"], signed)
    changed = sa.text("signed_at IS NOT NULL AND revision_number > signed_revision_number")
    _index("listed_changed", ["rank", "screening_id"], changed)
    op.create_index("listed_by_opening", "listed", ["opened_at"])
    op.create_index("listed_by_van", "listed", ["van_id", "opened_at"])
    _index("listed_by_site", ["site_code", "rank", "screening_id"], waiting)
    op.create_index("listed_by_change", "listed", ["changed_ms"])


def _index(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, "listed", columns, postgresql_where=where, sqlite_where=where)
