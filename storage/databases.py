"""SQL databases of the centre: a URL to an engine, commits that last, and a database's errors in the project's
kinds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event
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

BUSY_MS: Final = 4000
"""How long SQLite waits for another writer."""

_WAITING_MENDS: Final = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""Away, locked, full, shutting down. What is left is a wrong schema, a missing right, a file that is no database."""

_NEVER_MENDED: Final = ("NotNullViolation", "CheckViolation", "SQLITE_CONSTRAINT_NOTNULL", "SQLITE_CONSTRAINT_CHECK")
"""A row that this schema never takes, by PostgreSQL and by SQLite: no other writer was met."""


def engine_of(url: str, setting: str, **options: Any) -> Engine:
    """An engine whose transactions last once they are committed. Raises Fatal for a URL that cannot be used.

    setting: the variable that holds the URL, for messages; no message holds a part of the URL, which may carry a
    password. options: of `sqlalchemy.create_engine`.
    """
    try:
        engine = create_engine(url, **options)
    except ImportError as error:
        raise Fatal(f"{setting} needs the package {error.name}, which is not installed") from None
    except (ArgumentError, ValueError) as error:
        raise Fatal(f"{setting} is no database URL that can be used ({type(error).__name__})") from None
    if engine.dialect.name == "sqlite":
        if engine.url.database in (None, "", ":memory:"):
            raise Fatal(f"{setting} names no file: what is kept in memory would be lost")
        event.listen(engine, "connect", _make_sqlite_durable)
        event.listen(engine, "begin", _lock_sqlite_at_once)
    return engine


@contextmanager
def failing_as_ours(what: str) -> Iterator[None]:
    """Raise Transient for what waiting mends, Fatal for every other error of the database. what: "the outbox"."""
    try:
        yield
    except IntegrityError as error:
        if _kind(error) in _NEVER_MENDED:
            raise Fatal(f"{what} does not take such a row ({_kind(error)})") from None
        raise Transient(f"{what} met another writer ({_kind(error)})") from None
    except _WAITING_MENDS as error:
        raise Transient(f"{what} does not answer ({_kind(error)})") from None
    except DBAPIError as error:
        raise Fatal(f"{what} cannot be used as it is ({_kind(error)})") from None


def _kind(error: SQLAlchemyError) -> str:
    """The driver's class of error, or SQLite's own name of what was violated."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorname", type(cause).__name__)


def _make_sqlite_durable(connection: Any, _record: Any) -> None:
    # SQLAlchemy begins transactions itself below; the driver must not begin them late on its own.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten: an erasure leaves nothing in the file
    cursor.close()


def _lock_sqlite_at_once(connection: Connection) -> None:
    # A deferred transaction that reads first fails at once, busy_timeout or not, when another one has written.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
