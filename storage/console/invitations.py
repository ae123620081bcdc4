"""Links by which a person chooses the password of an account: good once, for a day, and of each account one at most.

What a link is made or used for is one transaction with it: nobody has an account, or another password, without its
link, and no link is spent on a password that was not kept.
"""

import secrets
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from sonovan.storage.console.accounts import (
    Account,
    end_attempts,
    insert_account,
    replace_password,
    replace_second_factor,
)
from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.sessions import SECRET_BYTES, hidden
from sonovan.storage.console.tables import INVITATION

LASTS_MS: Final = 24 * 3_600_000


class Invitations:
    """The table of links that were not used yet. Every method raises Transient where the database is away."""

    def __init__(self, database: ConsoleDatabase, clock: Callable[[], int]) -> None:
        """clock: ms since 1970."""
        self._database, self._clock = database, clock

    def invite(self, account: Account) -> str:
        """Add an account, and give the secret of its link. Raises InvalidRecord as `Accounts.add`."""
        with self._database.begun() as connection:
            insert_account(connection, account)
            return self._made(connection, account.code)

    def reset(self, code: str, password_hash: str) -> str:
        """Take password and second factor of an account away and forget its failed attempts; the secret of its link.

        password_hash: of a password that nobody knows. Raises InvalidRecord `option_invalid` where there is no account.
        """
        with self._database.begun() as connection:
            replace_password(connection, code, password_hash, must_change=True)
            replace_second_factor(connection, code, None, 0, ())
            end_attempts(connection, code)
            return self._made(connection, code)

    def account_of(self, secret: str) -> str | None:
        """Whose password may be chosen by this link; None where it is good no longer."""
        asked = select(INVITATION.c.account).where(
            INVITATION.c.token_hash == hidden(secret), INVITATION.c.until > self._clock()
        )
        with self._database.begun() as connection:
            return connection.execute(asked).scalar_one_or_none()

    def choose(self, secret: str, password_hash: str, note: Callable[[str], object]) -> bool:
        """Keep the password that a person chose by a link; whether the link was good. It is no longer.

        note: is told of which account before anything is kept; where it raises, nothing is.
        """
        good = (INVITATION.c.token_hash == hidden(secret)) & (INVITATION.c.until > self._clock())
        with self._database.begun() as connection:
            code = connection.execute(select(INVITATION.c.account).where(good).with_for_update()).scalar_one_or_none()
            if code is None or connection.execute(delete(INVITATION).where(good)).rowcount != 1:
                return False
            note(code)
            replace_password(connection, code, password_hash, must_change=False)
            return True

    def _made(self, connection: Connection, account: str) -> str:
        """The secret of a new link; one that was made before for this account is good no longer."""
        secret, now = secrets.token_urlsafe(SECRET_BYTES), self._clock()
        ended = (INVITATION.c.account == account) | (INVITATION.c.until <= now)
        connection.execute(delete(INVITATION).where(ended))
        values = {"token_hash": hidden(secret), "account": account, "until": now + LASTS_MS}
        connection.execute(insert(INVITATION).values(values))
        return secret
