"""A control record of a van, read and verified by a stage that is not the one which rejects it and answers its van.

`assess` rejects what a van sent and cannot be used. Other stages that read the same topics leave it out.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sonovan.contracts.envelope import Envelope, open_envelope
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.limits import MAX_CONTROL_BYTES
from sonovan.contracts.record import Record, header_document
from sonovan.contracts.topics import TOPICS, Topic
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


def or_left_out(read: Callable[[], _Read], at: Coordinates, now: float, unknown_van_wait_s: float) -> _Read | None:
    """What `read` makes of the message that stands there; None for what cannot be used, which is left out.

    now: seconds since the epoch. Raises Transient where the registry of vans may be behind, for `unknown_van_wait_s`
    seconds after the message was appended.
    """
    try:
        return read()
    except InvalidRecord as error:
        age_s = now - at.appended_at.timestamp()
        if error.reason in REGISTRY_MAY_BE_BEHIND and age_s < unknown_van_wait_s:
            raise Transient(f"the registry of vans may be behind: {error.reason}") from None
        log.info("%s/%d/%d is left out: %s", at.topic, at.partition, at.offset, error.reason)
        return None
