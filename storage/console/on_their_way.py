"""Conclusions that were published and that the catalogue does not tell of yet: until then nobody else signs.

A claim ends when its reader has signed, and the catalogue follows the topic a moment later, or much later where its
worker is down. Without this another reader would be shown a screening that nobody has signed.
"""

from collections.abc import Callable, Collection
from typing import Final

from sqlalchemy import delete, insert, select

from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.tables import SIGNING

LONGEST_MS: Final = 3_600_000
"""Whatever the catalogue does not tell of after so long counts as never published: the broker was away, and its reader
did not try again."""


class OnTheirWay:
    """The table. Every method raises Transient where the database is away."""

    def __init__(self, database: ConsoleDatabase, clock: Callable[[], int]) -> None:
        """clock: ms since 1970."""
        self._database, self._clock = database, clock

    def begin(self, screening_id: str, conclusion_id: str, account: str) -> None:
        """Note that a conclusion is about to be published; again is harmless."""
        now = self._clock()
        with self._database.begun() as connection:
            connection.execute(delete(SIGNING).where(SIGNING.c.at <= now - LONGEST_MS))
            known = select(SIGNING.c.conclusion_id).where(SIGNING.c.conclusion_id == conclusion_id)
            if connection.execute(known).first() is None:
                row = {"conclusion_id": conclusion_id, "screening_id": screening_id, "account": account, "at": now}
                connection.execute(insert(SIGNING).values(**row))

    def other(self, screening_id: str, account: str, seen: Collection[str]) -> str | None:
        """Who but this reader has signed the screening by a conclusion that is still on its way; None: nobody.

        seen: the conclusions that the catalogue tells of; they are forgotten here. A reader whose own is on its way may
        sign once more: it may have got lost.
        """
        with self._database.begun() as connection:
            connection.execute(delete(SIGNING).where(SIGNING.c.conclusion_id.in_(list(seen))))
            asked = select(SIGNING.c.account).where(
                SIGNING.c.screening_id == screening_id,
                SIGNING.c.account != account,
                SIGNING.c.at > self._clock() - LONGEST_MS,
            )
            return connection.execute(asked.order_by(SIGNING.c.at.desc())).scalars().first()
