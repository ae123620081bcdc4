"""A recipient that asks for a pause before the next attempt."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from sonovan.contracts.errors import Transient

LONGEST_ASKED_S: Final = 3600.0
"""A recipient may ask for a pause as long as this; a longer one is cut to it, for no alert is put off for days."""


class NotBefore(Transient):
    """Not delivered; the recipient asks for a pause. wait_s: from now, in seconds, at most LONGEST_ASKED_S."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


def retry_after_s(header: str, now: float) -> float | None:
    """The pause that a `Retry-After` asks for, seconds or an HTTP date, cut to 0 … LONGEST_ASKED_S; None for neither.

    now: unix seconds. Source: RFC 9110 10.2.3.
    """
    told = header.strip()
    if told.isascii() and told.isdigit():
        return min(float(told[:9]) if len(told) < 10 else LONGEST_ASKED_S, LONGEST_ASKED_S)
    try:
        moment = parsedate_to_datetime(told)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment.timestamp() - now, 0.0), LONGEST_ASKED_S)
