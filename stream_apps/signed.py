"""A control record of a van, read and verified by a stage that is not the one which rejects it and answers its van.

`assess` rejects what a van sent and cannot be used. Other stages that read the same topics leave it out.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sonovan.contracts.envelope import Envelope, open_envelope
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.limits import MAX_CONTROL_BYTES
from sonovan.contracts.record import Record, header_document
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.stream_apps.patience import Patience
from sonovan.stream_apps.rejecting import REGISTRY_MAY_BE_BEHIND, Coordinates

log = logging.getLogger(__name__)

Verify = Callable[[str, datetime, Envelope], None]
"""`stream_apps.vans.VanRegistry.verify`: (van_id, append time, envelope); raises InvalidRecord."""

_Kind = TypeVar("_Kind", bound=Record)
_Read = TypeVar("_Read")


def signed_record(
    kind: type[_Kind], topic: Topic, key: bytes | None, value: bytes, appended_at: datetime, verify: Verify
) -> _Kind:
    """The record in a van's envelope. key, value, appended_at: of the message, as the broker holds it.

    Raises InvalidRecord for one that is not as it must be, that the van did not sign, or that stands under another
    screening's key.
    """
    envelope = open_envelope(value, MAX_CONTROL_BYTES)
    document = header_document(envelope.header)
    van_id = document.get("van_id")
    if not isinstance(van_id, str):
        raise InvalidRecord("record_invalid", "the header names no van")
    verify(van_id, appended_at, envelope)
    record = kind.from_document(document)
    if TOPICS[topic].key == "screening_id" and key != getattr(record, "screening_id", "").encode():
        raise InvalidRecord("key_contradicts_record", "the message key is not the record's screening_id")
    return record


def or_left_out(read: Callable[[], _Read], at: Coordinates, may_wait: Callable[[], bool]) -> _Read | None:
    """What `read` makes of the message that stands there; None for what cannot be used, which is left out.

    may_wait: whether the registry of vans, which may be behind, is waited for. Raises Transient where it is: the
    message is tried again.
    """
    try:
        return read()
    except InvalidRecord as error:
        if error.reason in REGISTRY_MAY_BE_BEHIND and may_wait():
            raise Transient(f"the registry of vans may be behind: {error.reason}") from None
        log.info("%s/%d/%d is left out: %s", at.topic, at.partition, at.offset, error.reason)
        return None


class RegistryWait:
    """How long a stage that takes one message after another waits for the registry of vans.

    Measured by a steady clock, so that a clock that is wrong stops nobody, and with `Patience`: whoever forges one
    message after another has the stage wait for a tenth of the time at most, not for every message.
    """

    def __init__(self, longest_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest_s, self._clock, self._patience = longest_s, clock, Patience(clock)
        self._at: Coordinates | None = None
        self._since = self._until = 0.0

    def goes_on(self, at: Coordinates, age_s: float) -> bool:
        """Whether the message that stands there may be tried again. age_s: since it was appended, by any clock; one
        that is old already is not waited for, as its van had that time to become known."""
        now_s = self._clock()
        if at != self._at:
            if age_s >= self._longest_s or not self._patience.allows():
                return False
            self._at, self._since = at, now_s
            self._until = now_s + self._patience.at_most_s(self._longest_s)
        if now_s < self._until:
            return True
        self._patience.in_vain(now_s - self._since)
        return False
