"""The outbox's database: opened with its tables, and its errors in the project's three kinds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.engine import Engine

from sonovan.storage.databases import engine_of, failing_as_ours

SETTING: Final = "SONOVAN_ALERT_DATABASE_URL"

_TABLES_LOCK: Final = 0x536F6E6F
"""PostgreSQL's `CREATE TABLE IF NOT EXISTS` fails when two run at once, so that workers take turns by this lock."""


def sqlite_url(path: Path) -> str:
    """The URL of an outbox in one file. Every worker that shares the path shares the outbox."""
    return f"sqlite:///{path.absolute()}"


def open_engine(url: str, tables: MetaData) -> Engine:
    """Connect and make the tables that are missing. Raises Transient where the database is away, Fatal for a bad URL.

    No message holds a part of the URL: it may carry a password.
    """
    engine = engine_of(url, SETTING)
    with transaction(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _TABLES_LOCK})
        tables.create_all(connection)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """All or nothing. Raises Transient for what waiting mends, Fatal for every other error of the database."""
    with failing_as_ours("the outbox"), engine.begin() as connection:
        yield connection
