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

KEPT_MS: Final = 24 * LONGEST_MS
"""So long it is known what was sent under an id: a form may stay open while the broker is away."""


class OnTheirWay:
    """The table. Every method raises Transient where the database is away."""

    def __init__(self, database: ConsoleDatabase, clock: Callable[[], int]) -> None:
        """clock: ms since 1970."""
        self._database, self._clock = database, clock

    def begin(self, screening_id: str, conclusion_id: str, account: str, digest: str) -> bool:
        """Note that a conclusion is about to be published; again is harmless.

        digest: of what it says. False where another content was to be published under this id before: whether that
        arrived is not known, and nothing may be published under the id but the same.
        """
        now = self._clock()
        with self._database.begun() as connection:
            known = select(SIGNING.c.digest).where(SIGNING.c.conclusion_id == conclusion_id)
            if (row := connection.execute(known).first()) is not None:
                return bool(row.digest == digest)
            connection.execute(delete(SIGNING).where(SIGNING.c.at <= now - KEPT_MS))
            new = {"conclusion_id": conclusion_id, "screening_id": screening_id, "account": account, "digest": digest}
            connection.execute(insert(SIGNING).values(at=now, **new))
            return True

    def not_told_of(self, screening_id: str, account: str, told: Collection[str]) -> int:
        """How many conclusions of a reader may have been published that the catalogue does not tell of.

        Whatever the reader signs next needs a higher number than they have. told: the conclusions that the catalogue
        tells of, and that which is about to be published.
        """
        with self._database.begun() as connection:
            asked = select(SIGNING.c.conclusion_id).where(
                SIGNING.c.screening_id == screening_id,
                SIGNING.c.account == account,
                SIGNING.c.conclusion_id.not_in(list(told)),
            )
            return len(connection.execute(asked).all())

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
