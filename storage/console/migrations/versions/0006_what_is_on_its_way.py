"""What a conclusion on its way says, so that its id stands for nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; a row of before has none, and its id stands for nothing that is sent now."""
    op.add_column("signing", sa.Column("digest", sa.Text(), nullable=True))
