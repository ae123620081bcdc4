"""Pseudonyms, UIDs and a shift of dates that follow from a secret: equal for equal input, and back from none."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

SECRET_BYTES: Final = 32
_LEAST_DAYS: Final = 30
_MOST_DAYS: Final = 730
_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_OLD_DATE: Final = re.compile(r"(\d{4})\.(\d{2})\.(\d{2})")
_DATE_TIME: Final = re.compile(r"(\d{8})(\d{2}(?:\d{2})?)?[0-9.]*(?:[+-]\d{4})?")
_TIME: Final = re.compile(r"(\d{2}):?(\d{2})?[0-9.:]*")


@dataclass(frozen=True, slots=True)
class Keyed:
    """What follows from one secret for one woman.

    secret: at least 32 bytes, of the site. subject: the name under which she is known outside, never her id; one
    woman's dates are all shifted by the same number of days, another's by another.
    Raises ValueError for a secret that is too short or an empty subject.
    """

    secret: bytes = field(repr=False)
    subject: str

    def __post_init__(self) -> None:
        if len(self.secret) < SECRET_BYTES:
            raise ValueError(f"the secret has {len(self.secret)} bytes; at least {SECRET_BYTES} are needed")
        if not self.subject:
            raise ValueError("without a subject, dates of two women would be shifted alike")

    def pseudonym(self, purpose: str, value: str) -> str:
        """12 upper-case hexadecimal digits that stand for a value. purpose: equal values of two purposes differ."""
        return self._digest(purpose, value).hex()[:12].upper()

    def patient(self) -> str:
        """Her pseudonym as a PatientID: the same in all objects of this subject."""
        return self.pseudonym("patient", self.subject)

    def uid(self, uid: str) -> str:
        """Another UID in place of one, the same for the same one, so that references between objects still hold.

        It is `2.25.` and 128 bits of a keyed hash (PS3.5 B.2).
        """
        return f"2.25.{int.from_bytes(self._digest('uid', uid.strip())[:16], 'big')}"

    @property
    def shift(self) -> timedelta:
        """How far this subject's dates are moved back: 30 to 730 days."""
        number = int.from_bytes(self._digest("dates", self.subject)[:8], "big")
        return timedelta(days=_LEAST_DAYS + number % (_MOST_DAYS - _LEAST_DAYS + 1))

    def shifted_date(self, text: str) -> str | None:
        """A DA moved back; None where it is no date."""
        match = _DATE.fullmatch(text.strip()) or _OLD_DATE.fullmatch(text.strip())
        try:
            moved = date(int(match[1]), int(match[2]), int(match[3])) - self.shift if match else None
        except (ValueError, OverflowError):
            return None
        return f"{moved:%Y%m%d}".zfill(8) if moved else None

    def shifted_date_time(self, text: str) -> str | None:
        """A DT moved back, to the minute and without its time zone; None where it is none."""
        match = _DATE_TIME.fullmatch(text.strip())
        moved = self.shifted_date(match[1]) if match else None
        return None if match is None or moved is None else moved + (match[2] or "")

    def _digest(self, purpose: str, value: str) -> bytes:
        return hmac.new(self.secret, f"{purpose}\0{value}".encode(), hashlib.sha256).digest()


def to_the_minute(text: str) -> str | None:
    """A TM without its seconds; None where it is none. Seconds would find the examination in a scanner's own log."""
    match = _TIME.fullmatch(text.strip())
    return match[1] + (match[2] or "") if match else None
