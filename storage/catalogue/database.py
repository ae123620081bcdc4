"""Where the catalogue is: a file of SQLite or a schema of PostgreSQL, and another one beside it while it is made again.

Whoever writes holds the catalogue's lock together with others; whoever switches to another one holds it alone. So
nothing is written into the old one after the new one has read it to its end, and a worker needs not be told: with its
next transaction it writes to the new one.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import Connection, make_url, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError

from sonovan.contracts.errors import Fatal
from sonovan.storage.catalogue.files import SqliteCatalogue
from sonovan.storage.catalogue.schema import bring_up, grant_reader
from sonovan.storage.databases import engine_of, failing_as_ours

SETTING: Final = "SONOVAN_CATALOG_DATABASE_URL"
WHAT: Final = "the catalogue"

CURRENT: Final = "catalog"
NEXT: Final = "catalog_next"
BEFORE: Final = "catalog_before"
"""PostgreSQL's schemas: the one that answers, the one that is being made, the one that answered before."""

_WRITING: Final = 0x63617431
_PREPARING: Final = 0x63617432
"""Advisory locks: shared by whoever writes and held alone by whoever switches; held while tables are made."""


TakeOver = Callable[[Connection, str], None]
"""Takes rows from the old catalogue: (a transaction on the new one, under which name the old one's tables are
there)."""


class Database(Protocol):
    """One place with a catalogue in it. Every method raises Transient where it is away, Fatal where it is unusable."""

    dialect: str

    def prepare(self) -> None:
        """Make the tables and views that are missing, or bring them to this version."""

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction on the catalogue that answers now, which is not replaced meanwhile."""

    def next_is_there(self) -> bool:
        """Whether another catalogue is being made beside it."""

    def begin_next(self) -> None:
        """Make an empty catalogue beside it, in place of one that is there."""

    def writing_next(self) -> AbstractContextManager[Connection]:
        """A transaction on the catalogue that is being made."""

    def switch(self, last: Callable[[Connection], None], take_over: TakeOver) -> None:
        """Put the new one in the old one's place, nobody writing meanwhile. last: what it still needs before that."""

    def drop_next(self) -> None:
        """Remove what is being made."""

    def close(self) -> None:
        """Give back the connections."""


def open_database(url: str) -> Database:
    """The place that a URL names: `sqlite:////…/catalog.sqlite` or `postgresql+psycopg://…`; nothing is asked of it
    yet.

    Raises Fatal for any other; no message holds a part of the URL, which may carry a password.
    """
    try:
        made = make_url(url)
    except ArgumentError:
        raise Fatal(f"{SETTING} is no database URL that can be used") from None
    if made.get_backend_name() == "sqlite":
        if made.database in (None, "", ":memory:"):
            raise Fatal(f"{SETTING} names no file: a catalogue in memory would be lost")
        return SqliteCatalogue(Path(str(made.database)), SETTING, WHAT)
    if made.get_backend_name() != "postgresql":
        raise Fatal(f"{SETTING}: the catalogue is kept in sqlite or postgresql, not in {made.get_backend_name()}")
    return PostgresCatalogue(url)


class PostgresCatalogue:
    """A catalogue in schemas of one database of PostgreSQL."""

    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        """Nothing is asked of the database yet."""
        self._engine = _in_schema(url, CURRENT)
        # What is being made is gone on with from its own offsets: a commit that a power cut takes back loses nothing.
        self._building = _in_schema(url, NEXT, "-c synchronous_commit=off")

    def prepare(self) -> None:
        """Make the schema, its tables and its views, or bring them to this version."""
        with self._begun(self._engine) as connection:
            _make(connection, CURRENT)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction on the catalogue that answers now, which is not replaced meanwhile."""
        with self._begun(self._engine) as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": _WRITING})
            yield connection

    def next_is_there(self) -> bool:
        """Whether another catalogue is being made beside it."""
        with self._begun(self._engine) as connection:
            return _has(connection, NEXT)

    def begin_next(self) -> None:
        """Make an empty catalogue beside it, in place of one that is there."""
        self._drop(NEXT, BEFORE)
        with self._begun(self._building) as connection:
            _make(connection, NEXT)

    @contextmanager
    def writing_next(self) -> Iterator[Connection]:
        """A transaction on the catalogue that is being made."""
        with self._begun(self._building) as connection:
            yield connection

    def switch(self, last: Callable[[Connection], None], take_over: TakeOver) -> None:
        """Put the new one in the old one's place, nobody writing meanwhile. last: what it still needs before that."""
        self._drop(BEFORE)
        with self._begun(self._building) as connection:
            connection.execute(text("SET LOCAL synchronous_commit = on"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITING})
            last(connection)
            take_over(connection, CURRENT)
            grant_reader(connection)
            connection.execute(text(f"ALTER SCHEMA {CURRENT} RENAME TO {BEFORE}"))
            connection.execute(text(f"ALTER SCHEMA {NEXT} RENAME TO {CURRENT}"))
        self._drop(BEFORE)  # in a transaction of its own: it waits for whoever still reads there

    def drop_next(self) -> None:
        """Remove what is being made."""
        self._drop(NEXT)

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()
        self._building.dispose()

    def _drop(self, *schemas: str) -> None:
        with self._begun(self._engine) as connection:
            for schema in schemas:
                connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))

    @contextmanager
    def _begun(self, engine: Engine) -> Iterator[Connection]:
        with failing_as_ours(WHAT), engine.begin() as connection:
            yield connection


def _make(connection: Connection, schema: str) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _PREPARING})
    if not _has(connection, schema):  # who may not create schemas may use one that is there
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    bring_up(connection)


def _has(connection: Connection, schema: str) -> bool:
    asked = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
    return connection.execute(asked, {"name": schema}).scalar() is not None


def _in_schema(url: str, schema: str, more: str = "") -> Engine:
    # The names of tables are found in this schema alone, so that one text of a statement serves both.
    options = f"-c search_path={schema} -c TimeZone=UTC -c client_min_messages=warning {more}"
    return engine_of(url, SETTING, connect_args={"options": options}, pool_pre_ping=True)
