"""Sessions: a random secret in a browser, of which only the hash is kept, until it idles, ends or is ended."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy import delete, insert, select, update

from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.tables import SESSION

SECRET_BYTES: Final = 32
MOST_OF_ONE: Final = 8
"""The oldest session of an account ends where there is one more."""
_NOTED_MS: Final = 30_000
"""A session that was used is noted at most so often: pictures of one sweep are hundreds of requests."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser of one person. key: the hash of its secret. proven: everything was shown that must be."""

    key: str
    account: str
    begun_at: int
    proven: bool


class Sessions:
    """The table of sessions. Every method raises Transient where the database is away."""

    def __init__(self, database: ConsoleDatabase, clock: Callable[[], int], *, idle_ms: int, longest_ms: int) -> None:
        """clock: ms since 1970. idle_ms: a session ends when nothing is asked for so long; longest_ms: or in any
        case."""
        self._database, self._clock, self._idle_ms, self._longest_ms = database, clock, idle_ms, longest_ms

    def begin(self, account: str, *, proven: bool, instead_of: str | None = None) -> str:
        """The secret of a new session. instead_of: the secret of one that ends with this; what has ended is swept."""
        secret, now = secrets.token_urlsafe(SECRET_BYTES), self._clock()
        with self._database.begun() as connection:
            ended = (SESSION.c.ends_at <= now) | (SESSION.c.seen_at <= now - self._idle_ms)
            connection.execute(delete(SESSION).where(ended))
            if instead_of is not None:
                connection.execute(delete(SESSION).where(SESSION.c.token_hash == hidden(instead_of)))
            mine = select(SESSION.c.token_hash).where(SESSION.c.account == account).order_by(SESSION.c.begun_at.desc())
            for old in connection.execute(mine.offset(MOST_OF_ONE - 1)).scalars().all():
                connection.execute(delete(SESSION).where(SESSION.c.token_hash == old))
            connection.execute(
                insert(SESSION).values(
                    token_hash=hidden(secret),
                    account=account,
                    begun_at=now,
                    seen_at=now,
                    ends_at=now + self._longest_ms,
                    proven=proven,
                )
            )
        return secret

    def find(self, secret: str, *, used: bool) -> Session | None:
        """The session of a secret that has not ended. used: somebody did something, so that it idles anew."""
        now, is_it = self._clock(), SESSION.c.token_hash == hidden(secret)
        with self._database.begun() as connection:
            row = connection.execute(select(SESSION).where(is_it)).mappings().first()
            if row is None or now >= row["ends_at"] or now >= row["seen_at"] + self._idle_ms:
                return None
            if used and now - row["seen_at"] >= _NOTED_MS:
                connection.execute(update(SESSION).where(is_it).values(seen_at=now))
        return Session(row["token_hash"], row["account"], row["begun_at"], row["proven"])

    def end(self, secret: str) -> None:
        """End one session."""
        with self._database.begun() as connection:
            connection.execute(delete(SESSION).where(SESSION.c.token_hash == hidden(secret)))


def hidden(secret: str) -> str:
    """What is kept of a secret. It is random and long, so that a plain hash cannot be turned back."""
    return sha256(secret.encode()).hexdigest()
