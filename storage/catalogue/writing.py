"""Write what many messages change in one go: one statement a table, whatever order they come in and however often.

The rows of a batch that have one key are reduced to the one that stays before they are sent. On SQLite the rest are
upserted as they are; on PostgreSQL they are copied into a temporary table (COPY), and from there upserted by one
statement, which is several times as fast as statements with parameters.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

from sonovan.storage.catalogue.changes import Change, Row
from sonovan.storage.catalogue.columns import PLACE, Rule
from sonovan.storage.catalogue.erasing import note_erased
from sonovan.storage.catalogue.listing import SOURCES, list_again
from sonovan.storage.catalogue.tables import READ_OFFSET, WRITTEN, rule_of

_Values = tuple[Any, ...]
_STAGED: Final = "staged_"


@dataclass(frozen=True, slots=True)
class _Plan:
    """How rows of one table are compared and written. ranks: where in a row of values stands by what two are
    compared."""

    name: str
    columns: tuple[str, ...]
    keys: tuple[int, ...]
    ranks: tuple[int, ...]
    newest: bool
    sent: str
    copied: str

    def values(self, row: Row, place: _Values) -> _Values:
        """The row's values in the order of the columns; the message's place stands last."""
        return (*(row[name] for name in self.columns[: -len(PLACE)]), *place)

    def stays(self, one: _Values, other: _Values) -> bool:
        """Whether `other` stays where both have one key."""
        mine, others = [one[each] for each in self.ranks], [other[each] for each in self.ranks]
        return others > mine if self.newest else others < mine


def write(connection: Connection, changes: Iterable[Change], *, listing: bool = True) -> int:
    """Write what these messages change, and how far each topic was read; how many rows were sent.

    Within the transaction of the connection. listing: whether rows of the worklist are made as well; whoever writes
    without them makes them all at the end (`listing.list_all`). Raises what the driver raises.
    """
    tables: dict[str, dict[_Values, _Values]] = {}
    read: dict[tuple[str, int], int] = {}
    of: set[str] = set()
    listed: set[str] = set()
    for change in changes:
        place = change.place
        stand = (place.at_ms, place.partition, place.offset)
        spot = (place.topic, place.partition)
        read[spot] = max(read.get(spot, 0), place.offset + 1)
        for name, row in change.rows:
            plan = _PLANS[name]
            if screening_id := row.get("screening_id"):
                of.add(screening_id)
                if name in SOURCES:
                    listed.add(screening_id)
            values = plan.values(row, stand)
            kept = tables.setdefault(name, {})
            mine = tuple([values[each] for each in plan.keys])
            there = kept.get(mine)
            if there is None or plan.stays(there, values):
                kept[mine] = values
    written = 0
    put = _copied if connection.dialect.name == "postgresql" else _sent
    for name, plan in _PLANS.items():
        if name in tables:
            written += len(tables[name])
            # In the order of their keys: two workers that write the same rows wait for each other and never in a ring.
            put(connection, plan, [tables[name][each] for each in sorted(tables[name], key=str)])
    if listing:
        list_again(connection, listed)
    note_erased(connection, of)
    note_read(connection, read)
    return written


def merge(connection: Connection, table: Table, source: str) -> None:
    """Upsert every row of `source`, a table or query of the same columns, into `table`."""
    connection.exec_driver_sql(_upsert(table, f"SELECT {_listed(_names(table))} FROM {source} WHERE true"))


def _sent(connection: Connection, plan: _Plan, rows: Sequence[_Values]) -> None:
    connection.exec_driver_sql(plan.sent, list(rows))


def _copied(connection: Connection, plan: _Plan, rows: Sequence[_Values]) -> None:
    dbapi: Any = connection.dialect.dbapi
    with closing(connection.connection.cursor()) as cursor:
        try:
            # It stays with the connection, unless the transaction that made it was rolled back.
            like = f"(LIKE {plan.name}) ON COMMIT DELETE ROWS"
            cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS {_STAGED}{plan.name} {like}")
            with cursor.copy(f"COPY {_STAGED}{plan.name} ({_listed(plan.columns)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(plan.copied)
        except dbapi.Error as error:
            # As SQLAlchemy does it for statements of its own; the driver's message may show a row.
            raise DBAPIError.instance("COPY", None, error, dbapi.Error, hide_parameters=True) from None


def note_read(connection: Connection, read: Mapping[tuple[str, int], int]) -> None:
    """Note how far topics were read: (topic, partition) → the next offset."""
    if not read:
        return
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    statement = (
        f"INSERT INTO {READ_OFFSET.name} (topic, message_partition, next_offset) VALUES ({mark}, {mark}, {mark}) "
        "ON CONFLICT (topic, message_partition) DO UPDATE SET next_offset = excluded.next_offset "
        f"WHERE excluded.next_offset > {READ_OFFSET.name}.next_offset"
    )
    connection.exec_driver_sql(statement, [(*spot, offset) for spot, offset in sorted(read.items())])


def _upsert(table: Table, source: str) -> str:
    rule, names = rule_of(table), _names(table)
    keys = [column.name for column in table.primary_key.columns]
    ranks = _ranks(rule)
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in keys)
    new, old = (", ".join(f'{of}."{name}"' for name in ranks) for of in ("excluded", table.name))
    sign = ">" if rule.keep == "newest" else "<"
    return (
        f"INSERT INTO {table.name} ({_listed(names)}) {source} "
        f"ON CONFLICT ({_listed(keys)}) DO UPDATE SET {sets} WHERE ({new}) {sign} ({old})"
    )


def _ranks(rule: Rule) -> tuple[str, ...]:
    return PLACE if rule.number is None else (rule.number, *PLACE)


def _names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _plan(table: Table) -> _Plan:
    names, rule = _names(table), rule_of(table)
    assert names[-len(PLACE) :] == PLACE
    return _Plan(
        name=table.name,
        columns=names,
        keys=tuple(names.index(column.name) for column in table.primary_key.columns),
        ranks=tuple(map(names.index, _ranks(rule))),
        newest=rule.keep == "newest",
        sent=_upsert(table, f"VALUES ({', '.join('?' * len(names))})"),
        copied=_upsert(table, f"SELECT {_listed(names)} FROM {_STAGED}{table.name}"),
    )


_PLANS: Final = {table.name: _plan(table) for table in WRITTEN}
