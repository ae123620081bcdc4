"""The outbox's database: opened so that a commit lasts, and its errors in the project's three kinds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, MetaData, create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sonovan.contracts.errors import Fatal, Transient

SETTING: Final = "SONOVAN_ALERT_DATABASE_URL"
BUSY_MS: Final = 4000
"""How long SQLite waits for another writer."""

_WAITING_MENDS: Final = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""Away, locked, full, shutting down. What is left is a wrong schema, a missing right, a file that is no database."""

_TABLES_LOCK: Final = 0x536F6E6F
"""PostgreSQL's `CREATE TABLE IF NOT EXISTS` fails when two run at once, so that workers take turns by this lock."""


def sqlite_url(path: Path) -> str:
    """The URL of an outbox in one file. Every worker that shares the path shares the outbox."""
    return f"sqlite:///{path.absolute()}"


def open_engine(url: str, tables: MetaData) -> Engine:
    """Connect and make the tables that are missing. Raises Transient where the database is away, Fatal for a bad URL.

    No message holds a part of the URL: it may carry a password.
    """
    try:
        engine = create_engine(url)
    except ImportError as error:
        raise Fatal(f"{SETTING} needs the package {error.name}, which is not installed") from None
    except (ArgumentError, ValueError) as error:
        raise Fatal(f"{SETTING} is no database URL that can be used ({type(error).__name__})") from None
    if engine.dialect.name == "sqlite":
        if engine.url.database in (None, "", ":memory:"):
            raise Fatal(f"{SETTING} names no file: messages in memory would be lost")
        event.listen(engine, "connect", _make_sqlite_durable)
        event.listen(engine, "begin", _lock_sqlite_at_once)
    with transaction(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _TABLES_LOCK})
        tables.create_all(connection)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """All or nothing. Raises Transient for what waiting mends, Fatal for every other error of the database."""
    try:
        with engine.begin() as connection:
            yield connection
    except IntegrityError as error:
        raise Transient(f"the outbox met another writer ({_kind(error)})") from None
    except _WAITING_MENDS as error:
        raise Transient(f"the outbox does not answer ({_kind(error)})") from None
    except DBAPIError as error:
        raise Fatal(f"the outbox cannot be used as it is ({_kind(error)})") from None


def _kind(error: SQLAlchemyError) -> str:
    return type(error.orig if isinstance(error, DBAPIError) else error).__name__


def _make_sqlite_durable(connection: Any, _record: Any) -> None:
    # SQLAlchemy begins transactions itself below; the driver must not begin them late on its own.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _lock_sqlite_at_once(connection: Connection) -> None:
    # A deferred transaction that reads first fails at once, busy_timeout or not, when another one has written.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
