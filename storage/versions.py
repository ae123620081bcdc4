"""At which version the tables of a database are, read without making or changing anything."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Select, column, inspect, make_url, select, table
from sqlalchemy.exc import ArgumentError

from sonovan.contracts.errors import Fatal
from sonovan.storage.databases import engine_of, failing_as_ours

_VERSION = "alembic_version"


@dataclass(frozen=True, slots=True)
class Tables:
    """What a database holds. there: whether there is anything. version: that of its tables, where it has one."""

    there: bool
    version: str | None = None


def tables_of(url: str, setting: str, schema: str) -> Tables:
    """What the database at `url` holds. schema: where PostgreSQL has the tables. setting: names the URL in messages.

    A file of SQLite is opened for reading. Raises Transient where it does not answer, Fatal where it cannot be used.
    """
    try:
        made = make_url(url)
    except ArgumentError:
        raise Fatal(f"{setting} is no database URL that can be used") from None
    if made.get_backend_name() == "sqlite":
        return _in_file(Path(str(made.database)), setting)
    engine = engine_of(url, setting)
    try:
        with failing_as_ours(f"the database of {setting}"), engine.connect() as connection:
            there = inspect(connection).get_table_names(schema)
            if _VERSION not in there:
                return Tables(there=bool(there))
            asked: Select[str] = select(column("version_num")).select_from(table(_VERSION, schema=schema))
            return Tables(there=True, version=connection.execute(asked).scalar_one_or_none())
    finally:
        engine.dispose()


def _in_file(path: Path, setting: str) -> Tables:
    if not path.exists():
        return Tables(there=False)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            told = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
            if told != ["ok"]:
                raise Fatal(f"the file of {setting} is damaged: {told[0][:100]}")
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_VERSION,)).fetchone():
                return Tables(there=True)
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return Tables(there=True, version=found[0] if found else None)
    except sqlite3.Error as error:
        raise Fatal(f"the file of {setting} cannot be read ({type(error).__name__}: {error})") from None
