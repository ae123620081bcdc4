"""A catalogue that is made again beside the one that answers: begun, filled, and put in its place."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from sonovan.contracts.errors import Transient
from sonovan.storage.catalogue.changes import Change
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.erasing import sweep
from sonovan.storage.catalogue.listing import list_all
from sonovan.storage.catalogue.schema import version
from sonovan.storage.catalogue.tables import READ_OFFSET, REMEMBERED, SETTLED, WRITTEN, rule_of
from sonovan.storage.catalogue.writing import merge, write

_EXPIRING: Final = tuple(table for table in WRITTEN if rule_of(table).expires)


Wanted = Callable[[], Mapping[tuple[str, int], int]]


class Rebuilding:
    """One catalogue in the making. Every method raises Transient and Fatal as the database does."""

    def __init__(self, database: Database) -> None:
        """Nothing is made yet."""
        self._database = database

    def begin(self, *, fresh: bool) -> dict[tuple[str, int], int]:
        """Go on with what was begun, or begin anew where nothing was, or where `fresh`; how far each topic was read."""
        if fresh or not self._database.next_is_there():
            self._database.begin_next()
        with self._database.writing_next() as connection:
            return offsets(connection)

    def write(self, changes: Iterable[Change]) -> int:
        """Write what messages change, in one transaction; how many rows were sent."""
        with self._database.writing_next() as connection:
            return write(connection, changes, listing=False)

    def switch(self, rest: Callable[[], Iterable[Iterable[Change]]], wanted: Wanted = dict) -> None:
        """Put the new catalogue in the old one's place.

        wanted: how far each topic must have been read by then, as (topic, partition) → the next offset; asked behind
        `rest`. Raises Transient, and leaves the old catalogue where it is, where one was not.

        Nobody writes into the old one meanwhile: `rest` is asked for what came in since, which is written, and what
        topics forget and people decided is taken over from the old one.
        """

        def last(connection: Connection) -> None:
            for changes in rest():
                write(connection, changes, listing=False)
            read = offsets(connection)
            short = [spot for spot, end in wanted().items() if read.get(spot, 0) < end]
            if short:
                raise Transient(f"{len(short)} partitions were not read to their end, {short[0][0]} among them")

        self._database.switch(last, _take_over)


@dataclass(frozen=True)
class Census:
    """A catalogue counted. rows: of each table. read, making: how far topics were read, of this one and the next."""

    version: str | None
    rows: Mapping[str, int]
    read: Mapping[tuple[str, int], int]
    making: Mapping[tuple[str, int], int] | None


def census(database: Database) -> Census:
    """Count a catalogue. Raises Transient where it is away or was never made."""
    making = None
    if database.next_is_there():
        with database.writing_next() as connection:
            making = offsets(connection)
    with database.writing() as connection:
        found = version(connection)
        if found is None:
            raise Transient("there is no catalogue yet: it is made when the worker catalog starts (sonovan up)")
        rows = {table.name: _count(connection, table.name) for table in WRITTEN}
        return Census(found, rows, offsets(connection), making)


def _count(connection: Connection, name: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())


def offsets(connection: Connection) -> dict[tuple[str, int], int]:
    """(topic, partition) → the offset behind the last message of which rows were written."""
    rows = connection.execute(READ_OFFSET.select()).all()
    return {(row.topic, row.message_partition): row.next_offset for row in rows}


def _take_over(connection: Connection, old: str) -> None:
    """Rows of the old catalogue that no topic may have any more; one that a topic has stays as it was made from
    that."""
    for table in _EXPIRING:
        merge(connection, table, f"{old}.{table.name}")
    for table in (*SETTLED, *REMEMBERED):
        names = ", ".join(column.name for column in table.columns)
        there = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {old}.{table.name} WHERE true"
        connection.execute(text(f"{there} ON CONFLICT DO NOTHING"))
    while sweep(connection):  # topics may still have what was erased: it must not be seen for a moment
        pass
    list_all(connection)
