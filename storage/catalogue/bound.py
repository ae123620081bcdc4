"""Queries in text for either database: lists of any length as parameters, and moments as its columns have them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, TextClause, bindparam, text

from sonovan.storage.catalogue.changes import moment


def bound(query: str, given: Mapping[str, object]) -> TextClause:
    """A statement whose lists take any number of values, none among them (typed, for PostgreSQL compares no text with
    the number that an empty list would be)."""
    lists = [name for name, value in given.items() if isinstance(value, list)]
    return text(query).bindparams(*(bindparam(name, type_=Text(), expanding=True) for name in lists))


def rows_of_query(connection: Connection, query: str, given: Mapping[str, object]) -> list[dict[str, Any]]:
    """Every row that a query gives, each by the names of its columns."""
    return [dict(row) for row in connection.execute(bound(query, given), given).mappings()]


def as_stored(connection: Connection, value: datetime) -> datetime | str:
    """A moment as this database compares it with its own: SQLite has text."""
    return value if connection.dialect.name == "postgresql" else moment(value)
