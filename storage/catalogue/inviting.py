"""How many women were invited, as the programme counts them: by site, month and organ, and never who."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from sonovan.contracts.lexicon import Organ
from sonovan.storage.catalogue.bound import as_stored
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.tables import INVITED


@dataclass(frozen=True, slots=True)
class Invited:
    """How many women a site invited in a month. month: `2026-03`. women: None takes back what was counted before."""

    site_code: str
    month: str
    organ: Organ
    women: int | None


def record_invited(database: Database, counts: Sequence[Invited], *, by: str, now: datetime) -> None:
    """Keep these counts, each in the place of the one of the same site, month and organ. by: the code of who says
    so."""
    with database.writing() as connection:
        for each in counts:
            connection.execute(
                delete(INVITED).where(
                    INVITED.c.site_code == each.site_code,
                    INVITED.c.month == each.month,
                    INVITED.c.organ == each.organ,
                )
            )
            if each.women is not None:
                connection.execute(
                    insert(INVITED).values(
                        site_code=each.site_code, month=each.month, organ=each.organ, women=each.women,
                        recorded_at=as_stored(connection, now), operator=by,
                    )
                )  # fmt: skip


def invited(database: Database) -> list[Invited]:
    """All counts, by site, month and organ."""
    order = (INVITED.c.site_code, INVITED.c.month, INVITED.c.organ)
    with database.writing() as connection:
        rows = connection.execute(select(INVITED).order_by(*order)).all()
    return [Invited(row.site_code, row.month, row.organ, row.women) for row in rows]
