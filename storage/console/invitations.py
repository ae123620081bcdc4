"""Links by which a person chooses the password of an account: good once, for a day, and of each account one at most."""

import secrets
from collections.abc import Callable
from typing import Final

from sqlalchemy import delete, insert, select

from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.sessions import SECRET_BYTES, hidden
from sonovan.storage.console.tables import INVITATION

LASTS_MS: Final = 24 * 3_600_000


class Invitations:
    """The table of links that were not used yet. Every method raises Transient where the database is away."""

    def __init__(self, database: ConsoleDatabase, clock: Callable[[], int]) -> None:
        """clock: ms since 1970."""
        self._database, self._clock = database, clock

    def make(self, account: str) -> str:
        """The secret of a new link; one that was made before for this account is good no longer."""
        secret, now = secrets.token_urlsafe(SECRET_BYTES), self._clock()
        with self._database.begun() as connection:
            ended = (INVITATION.c.account == account) | (INVITATION.c.until <= now)
            connection.execute(delete(INVITATION).where(ended))
            values = {"token_hash": hidden(secret), "account": account, "until": now + LASTS_MS}
            connection.execute(insert(INVITATION).values(values))
        return secret

    def account_of(self, secret: str) -> str | None:
        """Whose password may be chosen by this link; None where it is good no longer."""
        asked = select(INVITATION.c.account).where(
            INVITATION.c.token_hash == hidden(secret), INVITATION.c.until > self._clock()
        )
        with self._database.begun() as connection:
            return connection.execute(asked).scalar_one_or_none()

    def use(self, secret: str) -> bool:
        """Whether the link was good; it is no longer."""
        spent = delete(INVITATION).where(INVITATION.c.token_hash == hidden(secret), INVITATION.c.until > self._clock())
        with self._database.begun() as connection:
            return connection.execute(spent).rowcount == 1
