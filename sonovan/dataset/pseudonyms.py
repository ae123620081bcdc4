"""Names that stand for a woman, a screening, a sweep and a site in an export, and the shift of her dates.

All are derived from a secret key, so that two exports agree and nobody without the key finds out whose they are.
Source: HMAC, RFC 2104.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

LONGEST_SHIFT_DAYS: Final = 182
"""Half a year to either side: the season is lost, too."""
SHORTEST_KEY: Final = 32


@dataclass(frozen=True)
class Pseudonyms:
    """The names of one key. Raises ValueError for a key of fewer than 32 characters."""

    key: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < SHORTEST_KEY:
            raise ValueError(f"the export's key has fewer than {SHORTEST_KEY} characters")

    def woman(self, subject_key: str) -> str:
        """`w-` and 12 hexadecimal digits."""
        return f"w-{self._of('woman', subject_key)[:12]}"

    def screening(self, screening_id: str) -> str:
        """`v-` (a visit) and 12 hexadecimal digits."""
        return f"v-{self._of('screening', screening_id)[:12]}"

    def sweep(self, sequence_id: str) -> str:
        """`q-` and 12 hexadecimal digits."""
        return f"q-{self._of('sweep', sequence_id)[:12]}"

    def site(self, site_code: str) -> str:
        """`s-` and 6 hexadecimal digits."""
        return f"s-{self._of('site', site_code)[:6]}"

    def reader(self, code: str) -> str:
        """`r-` and 6 hexadecimal digits."""
        return f"r-{self._of('reader', code)[:6]}"

    def shifted(self, day: date, subject_key: str) -> date:
        """The day, moved by this woman's own shift; never by none, and the time between two of her visits stays."""
        number = int(self._of("shift", subject_key)[:12], 16) % (2 * LONGEST_SHIFT_DAYS)
        days = number - LONGEST_SHIFT_DAYS
        return day + timedelta(days=days if days < 0 else days + 1)

    def check(self) -> str:
        """By which a later export tells whether it has the same key; says nothing of the key."""
        return self._of("check", "")[:16]

    def _of(self, kind: str, value: str) -> str:
        return hmac.new(self.key.encode(), f"sonovan dataset\n{kind}\n{value}".encode(), hashlib.sha256).hexdigest()
