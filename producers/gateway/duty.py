"""Who scans: the operator's code as it was said last, and before, so that each sweep names whoever scanned it.

What a scanner sends is put into its screening some time after it came; it is of whoever scanned when it came.
"""

import time
from collections.abc import Callable
from typing import Final

from pydantic import TypeAdapter, ValidationError

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.words import OperatorCode
from sonovan.producers.spool.database import Database
from sonovan.producers.vault import Vault

_CODE: Final[TypeAdapter[str]] = TypeAdapter(OperatorCode)
_SEALED: Final = "on duty"


def operator_code(text: str) -> str:
    """An operator's code as it was typed. Raises InvalidRecord `option_invalid` for what is none."""
    try:
        return _CODE.validate_python(text.strip().lower())
    except ValidationError:
        message = "who scans is said by a code of the site, letters and a number such as op-7, never by a name"
        raise InvalidRecord("option_invalid", message) from None


class Duty:
    """Who scanned from when on, in a van's database, sealed. Methods raise Transient and Fatal as `Database` does."""

    def __init__(self, db: Database, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        """clock: UNIX seconds."""
        self._db, self._vault, self._clock = db, vault, clock

    def begin(self, operator: str) -> None:
        """From now on this operator scans, until another one is named. Raises InvalidRecord `option_invalid`.

        What was said at a time that is still to come, before the clock was set back, holds no longer.
        """
        code, now = operator_code(operator), self._clock()
        with self._db.transaction():
            self._db.write("DELETE FROM duty WHERE since > ?", now)
            if code != self.at(now):
                self._db.write(
                    "INSERT INTO duty VALUES (?, ?) ON CONFLICT DO UPDATE SET operator = excluded.operator",
                    now, self._vault.seal(code.encode(), _SEALED),
                )  # fmt: skip

    @property
    def now(self) -> str | None:
        """Who scans; None where nobody ever said so."""
        return self.at(self._clock())

    def at(self, moment: float) -> str | None:
        """Who scanned at that time (UNIX seconds); None where nobody had said so by then."""
        rows = self._db.read("SELECT operator FROM duty WHERE since <= ? ORDER BY since DESC LIMIT 1", moment)
        return self._opened(rows[0][0]) if rows else None

    def known(self, most: int) -> list[str]:
        """Who scanned on this van, the latest first, each once, at most so many."""
        rows = self._db.read("SELECT operator FROM duty ORDER BY since DESC")
        return list(dict.fromkeys(self._opened(row[0]) for row in rows))[:most]

    def forget(self, before: float) -> None:
        """Forget who scanned before a time (UNIX seconds), but for who scans now."""
        with self._db.transaction():
            self._db.write("DELETE FROM duty WHERE since < (SELECT max(since) FROM duty WHERE since <= ?)", before)

    def _opened(self, sealed: bytes) -> str:
        return self._vault.unseal(sealed, _SEALED).decode()
