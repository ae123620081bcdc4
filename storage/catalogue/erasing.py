"""What is kept of an erased screening goes: its rows, and its objects.

A record that erases a screening makes a row of `erased`. `note_erased` runs with every batch of rows: it notes each
erased screening of which the batch holds something, whichever came first, the erasure or the rest. `sweep` deletes the
rows of what was noted, and remembers where its objects lie; `delete_objects` deletes these from the store. Each is one
transaction, and doing it again is harmless, so that a crash in between leaves nothing behind for good.

Frames, masks and reports go by folders, with whatever lies there: a frame that was segmented twice may have a mask that
no row names, and a worker that died before it sent its result leaves an object. Packs lie in the folders of what they
hold, and go with them. A folder is that of the van whose record it was, so that nobody has another van's objects
deleted.

A site on legal hold keeps what it has: its screenings stay noted, and are swept once the hold has ended.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, Table, delete, select, text

from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.packing import now_ms, stale_before
from sonovan.storage.catalogue.tables import HOLD, REJECTION, REVIEW, WRITTEN
from sonovan.storage.catalogue.tables_erased import ERASED, TO_DELETE, TO_SWEEP
from sonovan.storage.catalogue.tables_found import FRAME, FRAME_REPLAYED, REVISION
from sonovan.storage.catalogue.tables_listed import LISTED
from sonovan.storage.catalogue.tables_packed import PACKED, PACKING
from sonovan.storage.catalogue.tables_sent import OPENING, SCREENING_CLOSING, SEQUENCE_CLOSING
from sonovan.storage.keys import SHADOW, Bucket, quarantine_key, report_folder, sweep_folder
from sonovan.storage.stores import ObjectStore

_SWEEPS: Final = (FRAME, FRAME_REPLAYED, SEQUENCE_CLOSING)
"""Tables whose rows say which van sent which sequence."""
_SENT_BY: Final = (OPENING, REVISION, SCREENING_CLOSING)
"""Tables whose rows say which van a screening is of."""

_SWEPT: Final[tuple[Table, ...]] = (
    *(table for table in WRITTEN if "screening_id" in table.columns and table is not ERASED),
    LISTED,
    PACKED,
)
_AT_ONCE: Final = 500


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
    """Delete the rows of what was noted, unless its site is on hold or somebody packs it at this moment, and list the
    objects that they named; of how many screenings that was.
    """
    on_hold = select(OPENING.c.screening_id).join(HOLD, HOLD.c.site_code == OPENING.c.site_code)
    packed_now = select(PACKING.c.screening_id).where(PACKING.c.since_ms >= stale_before(now_ms()))
    not_now = (TO_SWEEP.c.screening_id.not_in(each) for each in (on_hold, packed_now))
    free = select(TO_SWEEP.c.screening_id).where(*not_now).limit(_AT_ONCE)
    ids = list(connection.execute(free).scalars())
    if not ids:
        return 0
    for table in _SWEEPS:
        told = select(table.c.van_id, table.c.sequence_id).where(table.c.screening_id.in_(ids)).distinct()
        for row in connection.execute(told).all():
            folder = sweep_folder(row.van_id, row.sequence_id)
            _list(connection, Bucket.FRAMES, [folder])
            _list(connection, Bucket.MASKS, [folder, sweep_folder(row.van_id, row.sequence_id, SHADOW)])
    for table in _SENT_BY:
        told = select(table.c.van_id, table.c.screening_id).where(table.c.screening_id.in_(ids)).distinct()
        folders = [report_folder(row.van_id, row.screening_id) for row in connection.execute(told).all()]
        _list(connection, Bucket.REPORTS, folders)
    drawn = select(REVIEW.c.mask_key).where(REVIEW.c.screening_id.in_(ids), REVIEW.c.mask_key.is_not(None))
    _list(connection, Bucket.MASKS, connection.execute(drawn).scalars())
    kept = select(REJECTION.c.content_sha256).where(REJECTION.c.screening_id.in_(ids), REJECTION.c.kept)
    _list(connection, Bucket.QUARANTINE, map(quarantine_key, connection.execute(kept).scalars()))
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


def delete_objects(database: Database, store: ObjectStore) -> int:
    """Delete from the store what is listed, some at a time, and take it off the list; how many objects and folders that
    were.

    Raises Transient and Fatal as the store; what was not deleted stays listed.
    """
    with database.writing() as connection:
        rows = connection.execute(select(TO_DELETE).limit(_AT_ONCE)).all()
    for row in rows:
        if row.object_key.endswith("/"):
            while keys := store.below(row.bucket, row.object_key):
                for key in keys:
                    store.delete(row.bucket, key)
        else:
            store.delete(row.bucket, row.object_key)
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
