"""Which screenings may be packed, and who packs one now.

A screening is packed once nothing works on it any more: it is closed, the newest revision says that it is complete, and
no record of it came for some days. One that stays incomplete waits until `assess` keeps no row of it either.

Whoever packs a screening claims it first: an erased one is never claimed, and one that is claimed is swept only when
the claim has ended (`erasing.sweep`), so that no pack is put of what was deleted a moment before. A claim that nobody
ended counts for CLAIM_S.
"""

import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select, text

from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.tables_packed import PACKED, PACKING
from sonovan.storage.keys import SHADOW, Bucket, sweep_folder

CLAIM_S: Final = 20 * 60
PUT_WITHIN_S: Final = 10 * 60
"""Nothing is put under a claim that is older."""

INCOMPLETE_DAYS: Final = 91
"""For one day longer than `assess` keeps rows of a screening that is not complete (docs/scale.md, Row life)."""

_DAY_MS: Final = 24 * 60 * 60 * 1000

_QUIET: Final = "\n".join(
    f"AND NOT EXISTS (SELECT 1 FROM {table} o WHERE o.screening_id = s.screening_id AND o.at_ms >= :quiet)"
    for table in (
        "opening", "frame", "frame_replayed", "sequence_closing", "screening_closing", "clinical_record", "amendment",
        "revision", "rejection",
    )
)  # fmt: skip
_NEWEST: Final = """(
  SELECT max(n.at_ms) FROM (
    SELECT s.at_ms UNION ALL SELECT r.at_ms FROM frame_replayed r WHERE r.screening_id = s.screening_id) n)"""
_FREE: Final = f"""
SELECT s.screening_id, s.van_id, {_NEWEST} AS through_ms FROM screening s
WHERE s.screening_id > :after
AND (s.status = 'complete' AND s.at_ms < :quiet OR s.status = 'incomplete' AND s.at_ms < :long_quiet)
AND NOT EXISTS (SELECT 1 FROM packed p WHERE p.screening_id = s.screening_id AND p.through_ms >= {_NEWEST})
AND NOT EXISTS (SELECT 1 FROM erased e WHERE e.screening_id = s.screening_id)
AND EXISTS (SELECT 1 FROM screening_closing c WHERE c.screening_id = s.screening_id AND c.van_id = s.van_id)
AND EXISTS (SELECT 1 FROM frame f WHERE f.screening_id = s.screening_id AND f.van_id = s.van_id)
AND NOT EXISTS (SELECT 1 FROM frame f WHERE f.screening_id = s.screening_id AND f.van_id = s.van_id AND NOT EXISTS
    (SELECT 1 FROM sequence_closing q WHERE q.sequence_id = f.sequence_id AND q.van_id = f.van_id))
{_QUIET}
ORDER BY s.screening_id LIMIT :many"""


@dataclass(frozen=True, slots=True)
class ToPack:
    """A screening that may be packed. through_ms: the append time of its newest revision, or of a replay's result if
    that is newer. folders: by bucket.
    """

    screening_id: str
    through_ms: int
    folders: tuple[tuple[Bucket, str], ...]


def to_pack(database: Database, now_ms: int, quiet_days: float, after: str = "", many: int = 100) -> list[ToPack]:
    """Screenings behind the id `after` that may be packed and are not yet, the oldest first.

    quiet_days: for so long no record of it came.
    """
    quiet = now_ms - int(quiet_days * _DAY_MS)
    asked = {
        "after": after, "many": many, "quiet": quiet,
        "long_quiet": min(quiet, now_ms - INCOMPLETE_DAYS * _DAY_MS),
    }  # fmt: skip
    with database.writing() as connection:
        rows = connection.execute(text(_FREE), asked).all()
        return [
            ToPack(row.screening_id, row.through_ms, _folders(connection, row.screening_id, row.van_id)) for row in rows
        ]


def claim(database: Database, screening_id: str, holder: str, now_ms: int) -> bool:
    """Claim a screening; whether it is claimed now: not if it was erased, or if another run has it."""
    mine = {"id": screening_id, "holder": holder, "since": now_ms, "stale": stale_before(now_ms)}
    with database.writing() as connection:
        connection.execute(text("DELETE FROM packing WHERE screening_id = :id AND since_ms < :stale"), mine)
        made = connection.execute(
            text("INSERT INTO packing VALUES (:id, :holder, :since) ON CONFLICT DO NOTHING"), mine
        ).rowcount
    if not made:
        return False
    with database.writing() as connection:  # a transaction of its own: it sees every erasure that did not see the claim
        erased = connection.execute(text("SELECT 1 FROM erased WHERE screening_id = :id"), mine).scalar() is not None
    if erased:
        release(database, screening_id, holder)
    return not erased


def release(database: Database, screening_id: str, holder: str) -> None:
    """End a claim; nothing happens where it is another's."""
    with database.writing() as connection:
        mine = (PACKING.c.screening_id == screening_id, PACKING.c.holder == holder)
        connection.execute(PACKING.delete().where(*mine))


def release_all(database: Database, holder: str) -> None:
    """End every claim of this holder: those of a run that was ended in the middle."""
    with database.writing() as connection:
        connection.execute(PACKING.delete().where(PACKING.c.holder == holder))


def note_packed(database: Database, which: ToPack, before: int, packs: int, pack_bytes: int) -> None:
    """Note that a screening is packed as far as it was known, unless it was erased meanwhile."""
    with database.writing() as connection:
        erased = text("SELECT 1 FROM erased WHERE screening_id = :id")
        if connection.execute(erased, {"id": which.screening_id}).scalar() is not None:
            return
        known = connection.execute(select(PACKED).where(PACKED.c.screening_id == which.screening_id)).one_or_none()
        earlier = (known.objects_before, known.pack_bytes) if known is not None else (0, 0)
        connection.execute(PACKED.delete().where(PACKED.c.screening_id == which.screening_id))
        connection.execute(
            PACKED.insert().values(
                screening_id=which.screening_id, through_ms=which.through_ms, packs=packs,
                objects_before=before + earlier[0], pack_bytes=pack_bytes + earlier[1],
            )
        )  # fmt: skip


def packed_so_far(database: Database) -> tuple[int, int, int, int]:
    """How many screenings are packed, how many objects that were, how many packs they are, and of how many bytes."""
    query = text(
        "SELECT count(*), coalesce(sum(objects_before), 0), coalesce(sum(packs), 0), coalesce(sum(pack_bytes), 0) "
        "FROM packed"
    )
    with database.writing() as connection:
        row = connection.execute(query).one()
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])


def stale_before(now_ms: int) -> int:
    """Claims since before this moment, ms since 1970, count no more."""
    return now_ms - CLAIM_S * 1000


def now_ms() -> int:
    """The time, ms since 1970."""
    return time.time_ns() // 1_000_000


def _folders(connection: Connection, screening_id: str, van_id: str) -> tuple[tuple[Bucket, str], ...]:
    query = text(
        "SELECT sequence_id FROM frame WHERE screening_id = :id AND van_id = :van UNION "
        "SELECT sequence_id FROM frame_replayed WHERE screening_id = :id AND van_id = :van ORDER BY 1"
    )
    found: list[tuple[Bucket, str]] = []
    for sequence_id in connection.execute(query, {"id": screening_id, "van": van_id}).scalars():
        folder = sweep_folder(van_id, sequence_id)
        found += [(Bucket.FRAMES, folder), (Bucket.MASKS, folder)]
        found.append((Bucket.MASKS, sweep_folder(van_id, sequence_id, SHADOW)))
    return tuple(found)
