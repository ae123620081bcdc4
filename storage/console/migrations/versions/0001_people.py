"""Accounts, what they must show, sessions, and attempts that failed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "account",
        sa.Column("code", sa.Text(), primary_key=True),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("sites", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("totp_secret", sa.LargeBinary()),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger()),
    )
    op.create_table(
        "recovery_code",
        sa.Column("code_hash", sa.Text(), primary_key=True),
        sa.Column("account", sa.Text(), nullable=False),
    )
    op.create_index("recovery_code_by_account", "recovery_code", ["account"])
    op.create_table(
        "session",
        sa.Column("token_hash", sa.Text(), primary_key=True),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
    )
    op.create_index("session_by_account", "session", ["account"])
    op.create_table(
        "attempt",
        sa.Column("about", sa.Text(), primary_key=True),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
    )
