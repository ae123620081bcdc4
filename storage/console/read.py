"""What readers looked at and drew: which frames each one saw, and each drawing as the record that it became.

A drawing has an id that the browser made, so that one that is sent again, because an answer was lost, is the same
review and not another one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import RowMapping, delete, insert, select, union, update

from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.tables import DRAWING, LOOKED

Range = tuple[int, int]
"""Places from the first to the last, both of them included."""

MOST_RANGES: Final = 4096


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawing of a reader. review: the record as JSON. sent: whether Kafka has it."""

    drawing_id: str
    reader: str
    screening_id: str
    frame_id: str
    blind: bool
    review: str
    sent: bool


class Read:
    """Both tables. Every method raises Transient where the database is away."""

    def __init__(self, database: ConsoleDatabase) -> None:
        self._database = database

    def look(self, reader: str, screening_id: str, seen: Mapping[str, Iterable[Range]], at: int) -> None:
        """Add what a reader saw: by sweep, ranges of frames' indices. at: ms since 1970."""
        with self._database.begun() as connection:
            for sequence_id, ranges in seen.items():
                is_it = (LOOKED.c.reader == reader) & (LOOKED.c.sequence_id == sequence_id)
                before = connection.execute(select(LOOKED.c.ranges).where(is_it)).scalar_one_or_none()
                known = [] if before is None else [(first, last) for first, last in json.loads(before)]
                text = json.dumps(joined([*known, *ranges]))
                if before is None:
                    values = {"reader": reader, "sequence_id": sequence_id, "screening_id": screening_id}
                    connection.execute(insert(LOOKED).values(**values, ranges=text, at=at))
                else:
                    connection.execute(update(LOOKED).where(is_it).values(ranges=text, at=at))

    def looked(self, reader: str, screening_id: str) -> dict[str, list[Range]]:
        """What a reader saw of a screening: by sweep, ranges of frames' indices."""
        asked = select(LOOKED.c.sequence_id, LOOKED.c.ranges).where(
            LOOKED.c.reader == reader, LOOKED.c.screening_id == screening_id
        )
        with self._database.begun() as connection:
            rows = connection.execute(asked).all()
        return {row.sequence_id: [(first, last) for first, last in json.loads(row.ranges)] for row in rows}

    def find(self, drawing_id: str) -> Drawing | None:
        """The drawing of an id; None where there is none yet."""
        with self._database.begun() as connection:
            row = connection.execute(select(DRAWING).where(DRAWING.c.drawing_id == drawing_id)).mappings().first()
        return None if row is None else _drawing(row)

    def keep(self, drawing: Drawing) -> Drawing:
        """Keep a drawing, or return the one that is kept under its id already."""
        with self._database.begun() as connection:
            is_it = DRAWING.c.drawing_id == drawing.drawing_id
            row = connection.execute(select(DRAWING).where(is_it)).mappings().first()
            if row is not None:
                return _drawing(row)
            connection.execute(insert(DRAWING).values(**{name: getattr(drawing, name) for name in _NAMES}))
        return drawing

    def sent(self, drawing_id: str) -> None:
        """Note that Kafka has the review of a drawing."""
        with self._database.begun() as connection:
            connection.execute(update(DRAWING).where(DRAWING.c.drawing_id == drawing_id).values(sent=True))

    def drawings(self, reader: str, screening_id: str) -> list[Drawing]:
        """What a reader drew of a screening and Kafka has, in the order of the reviews."""
        asked = select(DRAWING).where(
            DRAWING.c.reader == reader, DRAWING.c.screening_id == screening_id, DRAWING.c.sent.is_(True)
        )
        with self._database.begun() as connection:
            rows = connection.execute(asked).mappings().all()
        found = [_drawing(row) for row in rows]
        return sorted(found, key=lambda each: str(json.loads(each.review)["review_id"]))

    def screenings(self) -> list[str]:
        """The screenings of which anything is kept."""
        with self._database.begun() as connection:
            kept = [select(table.c.screening_id).distinct() for table in (LOOKED, DRAWING)]
            return list(connection.execute(union(*kept)).scalars())

    def forget(self, screening_id: str) -> None:
        """Delete everything about a screening that was erased."""
        with self._database.begun() as connection:
            for table in (LOOKED, DRAWING):
                connection.execute(delete(table).where(table.c.screening_id == screening_id))


def joined(ranges: Iterable[Range]) -> list[Range]:
    """The ranges in order, those that touch or overlap as one; the first MOST_RANGES of them."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found[:MOST_RANGES]


def seen_of(indices: Sequence[int], ranges: Iterable[Range]) -> int:
    """How many of a sweep's frames lie in the ranges. indices: of its frames, each once."""
    told = list(ranges)
    return sum(any(first <= index <= last for first, last in told) for index in indices)


_NAMES: Final = ("drawing_id", "reader", "screening_id", "frame_id", "blind", "review", "sent")


def _drawing(row: RowMapping) -> Drawing:
    return Drawing(**{name: row[name] for name in _NAMES})
