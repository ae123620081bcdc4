"""Errors of a database in the project's kinds: what another try may mend, and what none can."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine

from sonovan.contracts.errors import Fatal, Transient
from sonovan.storage.databases import engine_of, failing_as_ours
from tests.storage.postgres import new_database

TABLE = "CREATE TABLE seen (id INTEGER PRIMARY KEY, place TEXT NOT NULL CHECK (place <> ''))"


def insert(engine: Engine, number: int, place: str | None) -> None:
    with failing_as_ours("the table"), engine.begin() as connection:
        connection.execute(text("INSERT INTO seen VALUES (:number, :place)"), {"number": number, "place": place})


def hold(engine: Engine, null: str, check: str, unique: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(TABLE))
    insert(engine, 1, "here")
    with pytest.raises(Transient, match=rf"^the table met another writer \({unique}\)$"):
        insert(engine, 1, "there")
    with pytest.raises(Fatal, match=rf"^the table does not take such a row \({null}\)$"):
        insert(engine, 2, None)
    with pytest.raises(Fatal, match=rf"^the table does not take such a row \({check}\)$"):
        insert(engine, 2, "")
    engine.dispose()


def test_a_row_that_the_schema_never_takes_is_no_other_writer_in_sqlite(tmp_path: Path) -> None:
    engine = engine_of(f"sqlite:///{tmp_path / 'seen.sqlite'}", "A_URL")
    hold(engine, "SQLITE_CONSTRAINT_NOTNULL", "SQLITE_CONSTRAINT_CHECK", "SQLITE_CONSTRAINT_PRIMARYKEY")


def test_a_row_that_the_schema_never_takes_is_no_other_writer_in_postgresql(postgres_host: str) -> None:
    engine = engine_of(new_database(postgres_host, "databases"), "A_URL")
    hold(engine, "NotNullViolation", "CheckViolation", "UniqueViolation")
