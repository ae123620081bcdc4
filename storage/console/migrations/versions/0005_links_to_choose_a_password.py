"""Links by which a person chooses a password."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "invitation",
        sa.Column("token_hash", sa.Text(), primary_key=True),
        sa.Column("account", sa.Text(), nullable=False, unique=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
    )
