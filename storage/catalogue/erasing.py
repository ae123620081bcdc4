"""What is kept of an erased screening goes: its rows, and the objects that they name.

A record that erases a screening makes a row of `erased`. `note_erased` runs with every batch of rows: it notes each
erased screening of which the batch holds something, whichever came first, the erasure or the rest. `sweep` deletes the
rows of what was noted, and remembers which objects they named; `delete_objects` deletes these from the store. Each is
one transaction, and doing it again is harmless, so that a crash in between leaves nothing behind for good.

A site on legal hold keeps what it has: its screenings stay noted, and are swept once the hold has ended.
"""

from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy import Connection, Table, delete, select, text

from sonovan.contracts.limits import MAX_FRAMES
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.tables import HOLD, WRITTEN
from sonovan.storage.catalogue.tables_erased import ERASED, TO_DELETE, TO_SWEEP
from sonovan.storage.catalogue.tables_sent import OPENING
from sonovan.storage.keys import Bucket

_NAMED: Final = {
    ("frame", "image_key"): Bucket.FRAMES,
    ("frame", "mask_key"): Bucket.MASKS,
    ("frame_replayed", "mask_key"): Bucket.MASKS,
    ("sighting", "image_key"): Bucket.FRAMES,
    ("sighting", "mask_key"): Bucket.MASKS,
    ("review", "mask_key"): Bucket.MASKS,
    ("revision", "report_html_key"): Bucket.REPORTS,
    ("revision", "report_json_key"): Bucket.REPORTS,
}
"""(table, column) of every object that a row names, and where it lies."""

_SWEPT: Final[tuple[Table, ...]] = tuple(
    table for table in WRITTEN if "screening_id" in table.columns and table is not ERASED
)
_AT_ONCE: Final = 500
_OBJECTS_AT_ONCE: Final = min(1000, MAX_FRAMES)


def note_erased(connection: Connection, screening_ids: Iterable[str]) -> None:
    """Note those of these screenings that are erased, within the transaction that writes rows of them."""
    there = connection.execute(select(ERASED.c.screening_id).limit(1)).first()
    ids = sorted(set(screening_ids)) if there is not None else []
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        erased = connection.execute(select(ERASED.c.screening_id).where(ERASED.c.screening_id.in_(some))).scalars()
        for screening_id in erased.all():
            noted = text(f"INSERT INTO {TO_SWEEP.name} VALUES (:id) ON CONFLICT DO NOTHING")
            connection.execute(noted, {"id": screening_id})


def sweep(connection: Connection) -> int:
    """Delete the rows of what was noted, unless its site is on hold, and list the objects that they named; of how many
    screenings that was.
    """
    on_hold = select(OPENING.c.screening_id).join(HOLD, HOLD.c.site_code == OPENING.c.site_code)
    free = select(TO_SWEEP.c.screening_id).where(TO_SWEEP.c.screening_id.not_in(on_hold)).limit(_AT_ONCE)
    ids = list(connection.execute(free).scalars())
    if not ids:
        return 0
    for (name, column), bucket in _NAMED.items():
        table = ERASED.metadata.tables[name]
        named = select(table.c[column]).where(table.c.screening_id.in_(ids), table.c[column].is_not(None)).distinct()
        _list(connection, bucket, connection.execute(named).scalars())
    rejection = ERASED.metadata.tables["rejection"]
    kept = select(rejection.c.content_sha256).where(rejection.c.screening_id.in_(ids), rejection.c.kept)
    _list(connection, Bucket.QUARANTINE, (f"{each[:2]}/{each}" for each in connection.execute(kept).scalars()))
    for table in _SWEPT:
        connection.execute(delete(table).where(table.c.screening_id.in_(ids)))
    connection.execute(delete(TO_SWEEP).where(TO_SWEEP.c.screening_id.in_(ids)))
    return len(ids)


def sweep_all(database: Database) -> int:
    """Sweep until nothing is left that may go, a transaction for some screenings each; of how many that was."""
    swept = 0
    while True:
        with database.writing() as connection:
            some = sweep(connection)
        swept += some
        if some < _AT_ONCE:
            return swept


def delete_objects(database: Database, delete_object: Callable[[str, str], None]) -> int:
    """Delete listed objects from the store, some at a time, and take them off the list; how many that were.

    delete_object: (bucket, key), `ObjectStore.delete`. Raises what it raises; what was not deleted stays listed.
    """
    with database.writing() as connection:
        rows = connection.execute(select(TO_DELETE).limit(_OBJECTS_AT_ONCE)).all()
    for row in rows:
        delete_object(row.bucket, row.object_key)
    for row in rows:
        with database.writing() as connection:
            mine = (TO_DELETE.c.bucket == row.bucket, TO_DELETE.c.object_key == row.object_key)
            connection.execute(delete(TO_DELETE).where(*mine))
    return len(rows)


def left_of(database: Database) -> tuple[int, int]:
    """How many erased screenings still have rows, and how many objects are still to be deleted."""
    with database.writing() as connection:
        counts = [
            int(connection.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one())
            for table in (TO_SWEEP, TO_DELETE)
        ]
    return counts[0], counts[1]


def _list(connection: Connection, bucket: Bucket, keys: Iterable[str]) -> None:
    listed = text(f"INSERT INTO {TO_DELETE.name} VALUES (:bucket, :key) ON CONFLICT DO NOTHING")
    rows = [{"bucket": bucket.value, "key": key} for key in keys]
    if rows:
        connection.execute(listed, rows)
