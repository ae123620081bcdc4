"""Alembic's scripts, run within a transaction that the caller holds; Alembic is imported only where there is something
to migrate."""

from pathlib import Path

from sqlalchemy import Connection


def migrate(connection: Connection, scripts: Path, target: str) -> None:
    """Run the scripts of a folder up to `target`, within the transaction of the connection."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)
