"""Attempts to come in that failed, by account and by address: after a few, each costs a longer wait."""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from sqlalchemy import delete, insert, select, update

from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.tables import ATTEMPT

OF_ACCOUNT: Final = 5
OF_ADDRESS: Final = 30
"""So many attempts fail without a wait. A clinic's readers may share one address."""
FIRST_WAIT_MS: Final = 30_000
LONGEST_WAIT_MS: Final = 15 * 60_000
_FORGOTTEN_MS: Final = 24 * 3_600_000


class Attempts:
    """The table of failed attempts. Every method raises Transient where the database is away."""

    def __init__(self, database: ConsoleDatabase, clock: Callable[[], int]) -> None:
        """clock: ms since 1970."""
        self._database, self._clock = database, clock

    def wait_ms(self, account: str, address: str) -> int:
        """How long it is until an attempt for this account from this address is looked at; 0 where it is now."""
        keys, now = _keys(account, address), self._clock()
        with self._database.begun() as connection:
            asked = select(ATTEMPT.c.until).where(ATTEMPT.c.about.in_(keys))
            return max([0, *(int(until) - now for until in connection.execute(asked).scalars())])

    def failed(self, account: str, address: str) -> None:
        """Count one that failed."""
        now = self._clock()
        with self._database.begun() as connection:
            connection.execute(delete(ATTEMPT).where(ATTEMPT.c.until <= now - _FORGOTTEN_MS))
            for key, free in _keys(account, address).items():
                is_it = ATTEMPT.c.about == key
                count = 1 + (connection.execute(select(ATTEMPT.c.failed).where(is_it)).scalar_one_or_none() or 0)
                wait = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(count - free, 20)) if count >= free else 0
                if count == 1:
                    connection.execute(insert(ATTEMPT).values(about=key, failed=1, until=now + wait))
                else:
                    connection.execute(update(ATTEMPT).where(is_it).values(failed=count, until=now + wait))

    def succeeded(self, account: str) -> None:
        """Forget what failed for an account; what failed from an address stands until a day is over."""
        with self._database.begun() as connection:
            connection.execute(delete(ATTEMPT).where(ATTEMPT.c.about == hidden_name("account", account)))


def _keys(account: str, address: str) -> dict[str, int]:
    return {hidden_name("account", account): OF_ACCOUNT, hidden_name("address", address): OF_ADDRESS}


def hidden_name(kind: str, name: str) -> str:
    """Under what an account or an address is counted: what somebody typed as an account may be a password."""
    return sha256(f"{kind}:{name}".encode()).hexdigest()
