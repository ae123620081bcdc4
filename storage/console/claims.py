"""Claims: who reads which screening now. One reader holds a screening until a lease ends that is not renewed, or it is
signed or given back; so two readers never sign the same one.

Each statement decides and writes at once, so that of two readers who claim in the same moment one is told no.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Row, delete, select, text

from sonovan.contracts.ids import mint_id
from sonovan.storage.console.database import ConsoleDatabase
from sonovan.storage.console.tables import CLAIM

LEASE_MS: Final = 120_000
"""A page that is open renews several times within this; a browser that is gone lets go after it."""
_AT_ONCE: Final = 500

_TAKE: Final = """
INSERT INTO claim (screening_id, claim_id, account, since, until, taken_from)
VALUES (:screening_id, :claim_id, :account, :now, :until, NULL)
ON CONFLICT (screening_id) DO UPDATE SET
  claim_id = CASE WHEN claim.account = excluded.account AND claim.until > :now THEN claim.claim_id
    ELSE excluded.claim_id END,
  since = CASE WHEN claim.account = excluded.account AND claim.until > :now THEN claim.since ELSE excluded.since END,
  taken_from = CASE WHEN claim.account = excluded.account AND claim.until > :now THEN claim.taken_from END,
  account = excluded.account, until = excluded.until
WHERE claim.until <= :now OR claim.account = excluded.account
"""
_TAKE_OVER: Final = """
INSERT INTO claim (screening_id, claim_id, account, since, until, taken_from)
VALUES (:screening_id, :claim_id, :account, :now, :until, NULL)
ON CONFLICT (screening_id) DO UPDATE SET claim_id = excluded.claim_id, since = excluded.since, until = excluded.until,
  taken_from = CASE WHEN claim.account <> excluded.account AND claim.until > :now THEN claim.account END,
  account = excluded.account
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody's claim on a screening. claim_id: another one each time that another reader gets it, or the same one
    anew. since, until: ms since 1970. taken_from: from whom a lead took it; None where nobody held it."""

    screening_id: str
    claim_id: str
    account: str
    since: int
    until: int
    taken_from: str | None = None


class Claims:
    """The table of claims. Any thread may use it; every method raises Transient where the database is away."""

    def __init__(self, database: ConsoleDatabase, clock: Callable[[], int], *, lease_ms: int = LEASE_MS) -> None:
        """clock: ms since 1970."""
        self._database, self._clock, self._lease_ms = database, clock, lease_ms

    def take(self, screening_id: str, account: str) -> Claim:
        """Claim a screening, or renew one's own claim; whose it is then: somebody else's where they hold it."""
        return self._taken(_TAKE, screening_id, account)

    def take_over(self, screening_id: str, account: str) -> Claim:
        """Claim a screening whoever holds it. Whether somebody may is for the caller to say, and to note."""
        return self._taken(_TAKE_OVER, screening_id, account)

    def renew(self, claim: Claim) -> bool:
        """Whether a claim still holds; it does for another lease then. One that has ended is not renewed."""
        now = self._clock()
        with self._database.begun() as connection:
            held = "UPDATE claim SET until = :until WHERE claim_id = :claim_id AND account = :account AND until > :now"
            given = {"claim_id": claim.claim_id, "account": claim.account, "now": now, "until": now + self._lease_ms}
            return connection.execute(text(held), given).rowcount == 1

    def holds(self, screening_id: str, account: str) -> Claim | None:
        """The claim of this reader on this screening; None where there is none, or it has ended."""
        found = self.of([screening_id]).get(screening_id)
        return found if found is not None and found.account == account else None

    def end(self, screening_id: str, account: str) -> bool:
        """Give a screening back, or end the claim because it was signed; whether this reader held it."""
        with self._database.begun() as connection:
            mine = (CLAIM.c.screening_id == screening_id, CLAIM.c.account == account, CLAIM.c.until > self._clock())
            return connection.execute(delete(CLAIM).where(*mine)).rowcount == 1

    def of(self, screening_ids: Iterable[str]) -> dict[str, Claim]:
        """Screening → the claim that holds now; those that have one."""
        ids, found = sorted(set(screening_ids)), dict[str, Claim]()
        with self._database.begun() as connection:
            for start in range(0, len(ids), _AT_ONCE):
                some = CLAIM.c.screening_id.in_(ids[start : start + _AT_ONCE])
                rows = connection.execute(select(CLAIM).where(some, CLAIM.c.until > self._clock())).all()
                found |= {row.screening_id: _claim(row) for row in rows}
        return found

    def all(self) -> dict[str, Claim]:
        """Screening → the claim that holds now, of every reader."""
        with self._database.begun() as connection:
            rows = connection.execute(select(CLAIM).where(CLAIM.c.until > self._clock())).all()
        return {row.screening_id: _claim(row) for row in rows}

    def mine(self, account: str) -> list[str]:
        """What a reader holds now."""
        return sorted(name for name, each in self.all().items() if each.account == account)

    def _taken(self, statement: str, screening_id: str, account: str) -> Claim:
        now = self._clock()
        given = {
            "screening_id": screening_id, "claim_id": mint_id(now), "account": account, "now": now,
            "until": now + self._lease_ms,
        }  # fmt: skip
        with self._database.begun() as connection:
            connection.execute(text(statement), given)
            self._sweep(connection, now)
            return _claim(connection.execute(select(CLAIM).where(CLAIM.c.screening_id == screening_id)).one())

    def _sweep(self, connection: Connection, now: int) -> None:
        connection.execute(delete(CLAIM).where(CLAIM.c.until <= now - self._lease_ms))


def _claim(row: Row[tuple[object, ...]]) -> Claim:
    return Claim(row.screening_id, row.claim_id, row.account, row.since, row.until, row.taken_from)
