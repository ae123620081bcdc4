"""What a frame needs beside its pixels to be shown, measured and reviewed: how it is coded, its panels, its network.

Rows of before have none of it; `sonovan catalog rebuild` fills them from the topics.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"

JSON = sa.Text().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Add the columns."""
    op.add_column("frame", sa.Column("channels", sa.SmallInteger()))
    op.add_column("frame", sa.Column("bits", sa.SmallInteger()))
    op.add_column("frame", sa.Column("panels", JSON))
    op.add_column("frame", sa.Column("weights_sha256", sa.Text()))
