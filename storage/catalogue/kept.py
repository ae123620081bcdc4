"""What `sonovan erase` asks of the catalogue: whose screenings they are, what there is of them, and what is left."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select, text

from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.tables import ALERT, REJECTION, REVIEW
from sonovan.storage.catalogue.tables_concluded import CONCLUSION, OUTCOME
from sonovan.storage.catalogue.tables_erased import ERASED, TO_DELETE
from sonovan.storage.catalogue.tables_found import FINDING, FRAME, FRAME_REPLAYED, REVISION
from sonovan.storage.catalogue.tables_sent import OPENING

_COUNTED: Final = (OPENING, FRAME, FRAME_REPLAYED, REVISION, FINDING, REVIEW, ALERT, REJECTION, CONCLUSION, OUTCOME)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the catalogue has of one screening. held: its site is on legal hold. erased: it was erased before. rows: of
    each table that has any.
    """

    screening_id: str
    held: bool
    erased: bool
    rows: Mapping[str, int]


def hers(database: Database, screening_id: str) -> list[str]:
    """Every screening of the woman whose screening this is, it among them; itself alone where nobody knows whose."""
    query = text(
        "SELECT other.screening_id FROM women one JOIN women other ON other.subject_key = one.subject_key "
        "WHERE one.screening_id = :screening ORDER BY other.screening_id"
    )
    with database.writing() as connection:
        found = list(connection.execute(query, {"screening": screening_id}).scalars())
    return found or [screening_id]


def kept_of(database: Database, screening_ids: Iterable[str]) -> list[Kept]:
    """What there is of each of these screenings."""
    held = text(
        "SELECT 1 FROM opening o JOIN hold h ON h.site_code = o.site_code WHERE o.screening_id = :screening LIMIT 1"
    )
    found = []
    with database.writing() as connection:
        for screening_id in screening_ids:
            named = {"screening": screening_id}
            counts = {
                table.name: int(
                    connection.execute(
                        select(func.count()).select_from(table).where(table.c.screening_id == screening_id)
                    ).scalar_one()
                )
                for table in _COUNTED
            }
            on_hold = connection.execute(held, named).scalar() is not None
            before = select(ERASED.c.screening_id).where(ERASED.c.screening_id == screening_id)
            erased = connection.execute(before).scalar() is not None
            found.append(Kept(screening_id, on_hold, erased, {name: count for name, count in counts.items() if count}))
    return found


def vans_of(database: Database, screening_ids: Iterable[str]) -> dict[str, str]:
    """The van that scanned each of these screenings; those without a revision, of which no van keeps anything, are left
    out.
    """
    asked = select(REVISION.c.screening_id, REVISION.c.van_id).distinct()
    with database.writing() as connection:
        found = connection.execute(asked.where(REVISION.c.screening_id.in_(list(screening_ids)))).all()
    return {row.screening_id: row.van_id for row in found}


def is_gone(database: Database, screening_ids: Iterable[str]) -> bool:
    """Whether the catalogue has taken in that these are erased, and nothing of them is left in it or in the store."""
    with database.writing() as connection:
        if connection.execute(select(TO_DELETE.c.bucket).limit(1)).scalar() is not None:
            return False
    return all(each.erased and not each.rows for each in kept_of(database, screening_ids))
