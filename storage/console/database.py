"""Where the console's own tables are: a file of SQLite or the schema `console` of PostgreSQL, brought to this
version."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, make_url, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError

from sonovan.contracts.errors import Fatal
from sonovan.storage.console.tables import META
from sonovan.storage.databases import engine_of, failing_as_ours
from sonovan.storage.migrating import migrate

SETTING: Final = "SONOVAN_CONSOLE_DATABASE_URL"
WHAT: Final = "the console's database"
SCHEMA: Final = "console"
HEAD: Final = "0006"
"""The newest migration."""

_PREPARING: Final = 0x636F6E73


class ConsoleDatabase:
    """The console's tables. Any thread may use it."""

    def __init__(self, url: str) -> None:
        """url: `sqlite:////…/console.sqlite` or `postgresql+psycopg://…`; nothing is asked of it yet.

        Raises Fatal for any other; no message holds a part of the URL, which may carry a password.
        """
        try:
            kind = make_url(url).get_backend_name()
        except ArgumentError:
            raise Fatal(f"{SETTING} is no database URL that can be used") from None
        if kind == "sqlite":
            self._engine = engine_of(url, SETTING)
        elif kind == "postgresql":
            options = f"-c search_path={SCHEMA} -c TimeZone=UTC -c client_min_messages=warning"
            self._engine = engine_of(url, SETTING, connect_args={"options": options}, pool_pre_ping=True)
        else:
            raise Fatal(f"{SETTING}: accounts are kept in sqlite or postgresql, not in {kind}")

    def prepare(self) -> None:
        """Make the tables that are missing, or bring them to this version. Raises Transient and Fatal."""
        if self._engine.dialect.name == "sqlite":
            Path(str(self._engine.url.database)).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.begun() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _PREPARING})
                asked = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
                if connection.execute(asked, {"name": SCHEMA}).scalar() is None:
                    connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
            bring_up(connection)

    @contextmanager
    def begun(self) -> Iterator[Connection]:
        """A transaction. Raises Transient for what waiting mends, Fatal for every other error of the database."""
        with failing_as_ours(WHAT), self._engine.begin() as connection:
            yield connection

    @property
    def engine(self) -> Engine:
        """The engine, for tests."""
        return self._engine

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()


def bring_up(connection: Connection) -> None:
    """Make or migrate the tables, within the transaction of the connection. Raises Fatal for those of a newer
    version."""
    found = version(connection)
    if found is None:
        META.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
    elif found > HEAD:
        raise Fatal(f"{WHAT} is of version {found}, newer than {HEAD}, known here: upgrade sonovan")
    elif found < HEAD:
        migrate(connection, Path(__file__).parent / "migrations", HEAD)


def version(connection: Connection) -> str | None:
    """The migration at which the tables are; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
