"""What stands in a catalogue, for comparing two of them."""

from typing import Any

from sqlalchemy import Connection

from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.tables import READ_OFFSET, WRITTEN
from sonovan.storage.catalogue.tables_listed import LISTED


def rows(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Table → its rows, sorted."""
    found = {}
    for table in (*WRITTEN, READ_OFFSET, LISTED):
        names = ", ".join(f'"{column.name}"' for column in table.columns if column.name != "changed_ms")
        found[table.name] = sorted(
            map(tuple, connection.exec_driver_sql(f"SELECT {names} FROM {table.name}").all()), key=repr
        )
    return found


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """What stands in the catalogue that answers now."""
    with database.writing() as connection:
        return rows(connection)


def asked(database: Database, query: str) -> list[dict[str, Any]]:
    """The rows of a query, each by its columns."""
    with database.writing() as connection:
        return [dict(row) for row in connection.exec_driver_sql(query).mappings()]
