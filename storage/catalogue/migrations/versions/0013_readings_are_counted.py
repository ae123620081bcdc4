"""Whether the first reader alone has signed a screening, for the queue of second readers; rows are made again when the
catalogue is opened."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column and its index."""
    op.add_column("listed", sa.Column("single_reading", sa.Text(), nullable=True))
    single = sa.text("single_reading IS NOT NULL")
    op.create_index("listed_single", "listed", ["rank", "screening_id"], postgresql_where=single, sqlite_where=single)
