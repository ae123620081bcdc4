"""Is a refusal of the object store one of the clocks? S3 takes no request whose time is 15 minutes off."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import urllib3
from urllib3.exceptions import HTTPError

from sonovan.storage.settings import ObjectStoreSettings

_TOLERATED: Final = timedelta(minutes=5)
"""Less than S3's own 15 minutes, for a clock that drifts is on its way there."""


def clock_hint(date: str | None, now: datetime | None = None) -> str:
    """What to append to a refusal: that the clocks are apart, and by how much; "" where they are not.

    date: the `Date` header of the store's answer. now: this host's time, with a zone.
    """
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return ""
    apart = (now or datetime.now(UTC)) - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))
    if abs(apart) < _TOLERATED:
        return ""
    minutes, word = round(abs(apart) / timedelta(minutes=1)), "ahead of" if apart > timedelta() else "behind"
    return f"; this host's clock is {minutes} minutes {word} the object store's: set both clocks right (NTP)"


def asked_clock_hint(settings: ObjectStoreSettings) -> str:
    """The same where the refusal's own headers are not at hand: the store is asked for its time, without an account."""
    return clock_hint(_asked_date(settings))


def store_time(settings: ObjectStoreSettings) -> datetime | None:
    """The object store's time with a zone, to the second below; None where it does not answer."""
    try:
        told = parsedate_to_datetime(_asked_date(settings) or "")
    except ValueError:
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _asked_date(settings: ObjectStoreSettings) -> str | None:
    address = f"{'https' if settings.secure else 'http'}://{settings.endpoint}/minio/health/live"
    with urllib3.PoolManager(timeout=urllib3.Timeout(settings.timeout_s), retries=False) as pool:
        try:
            return pool.request("GET", address, redirect=False).headers.get("Date")
        except HTTPError:
            return None
