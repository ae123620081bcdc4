"""The tables: made at once or migrated, they are the same; and what does not fit is said."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from sonovan.contracts.errors import Fatal
from sonovan.storage.catalogue.columns import META
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.storage.catalogue.schema import HEAD, bring_up, drop_views, migrate, version
from sonovan.storage.catalogue.views import VIEWS


def shape(connection: Connection) -> dict[str, Any]:
    """Tables with their columns, keys and indexes, as the database tells them; the order of columns means nothing."""
    found = inspect(connection)
    return {
        name: (
            sorted((column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(name)),
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((index["name"], tuple(index["column_names"])) for index in found.get_indexes(name)),
        )
        for name in found.get_table_names()
    }


def bare(connection: Connection) -> None:
    """Take everything away again."""
    drop_views(connection)
    META.drop_all(connection)
    connection.execute(text("DROP TABLE alembic_version"))


def test_tables_that_are_made_at_once_and_tables_that_are_migrated_are_the_same(database: Database) -> None:
    with database.writing() as connection:
        at_once = shape(connection)
        bare(connection)
        migrate(connection, HEAD)
        assert shape(connection) == at_once
        assert version(connection) == HEAD
        told = MigrationContext.configure(connection)
        # What Alembic keeps itself, and an index over an expression, which it cannot compare: `shape` did.
        apart = ("alembic_version", "screening_by_suspicion")
        assert [each for each in compare_metadata(told, META) if each[1].name not in apart] == []


def test_an_earlier_version_is_migrated_and_gets_its_views(database: Database) -> None:
    with database.writing() as connection:
        at_once = shape(connection)
        bare(connection)
        migrate(connection, "0001")
        assert "frame" not in shape(connection)
        bring_up(connection)
        assert shape(connection) == at_once
        assert set(VIEWS) <= set(inspect(connection).get_view_names())


def test_views_are_made_again_where_their_text_changed_and_only_then(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("DROP VIEW thyroid_records"))
    database.prepare()
    with database.writing() as connection:
        assert "thyroid_records" not in inspect(connection).get_view_names()
        connection.execute(text("UPDATE made SET value = 'another text'"))
    database.prepare()
    with database.writing() as connection:
        assert "thyroid_records" in inspect(connection).get_view_names()


def test_a_catalogue_of_a_newer_version_is_refused(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Fatal, match="newer than"):
        database.prepare()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite://", "names no file"),
        ("mysql://somebody:secret@somewhere/x", "not in mysql"),
        ("nonsense", "no database URL"),
        ("postgresql+nothing://somebody:secret@somewhere/x", "can be used"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_a_word_of_it(url: str, told: str) -> None:
    with pytest.raises(Fatal, match=told) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)
