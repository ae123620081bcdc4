"""Moments as whole milliseconds since 1970, in which Kafka and the databases count. Both ways are exact."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def ms_of(moment: datetime) -> int:
    """Milliseconds since 1970 until a moment, rounded down. moment: with its time zone."""
    return (moment - _EPOCH) // _MILLISECOND


def moment_of(ms: int) -> datetime:
    """The moment so many milliseconds after 1970, in UTC."""
    return _EPOCH + ms * _MILLISECOND
