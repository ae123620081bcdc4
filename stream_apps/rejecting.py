"""What a stage says of a record that it cannot use: a rejection, the bytes for quarantine, a receipt for the van."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sonovan.contracts.answers import RecordRejected, VanAnswered
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import rejection_id
from sonovan.contracts.reasons import RETRYABLE
from sonovan.storage.keys import Bucket, quarantine_key

REGISTRY_MAY_BE_BEHIND: Final = frozenset({"van_unknown", "signature_invalid"})
"""Reasons that may go away when this worker's registry of vans takes in its next record."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that must be durable before its record is sent."""

    bucket: Bucket
    key: str
    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Where a message stands in Kafka, and when the broker appended it (UTC)."""

    topic: str
    partition: int
    offset: int
    appended_at: datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose record it is, as far as its bytes could be read.

    Claims, until `verified` says that the van's key signed them. item_id and content_sha256 are what the van's
    spool knows the record by; both are needed for a receipt.
    """

    van_id: str | None = None
    screening_id: str | None = None
    frame_id: str | None = None
    item_id: str | None = None
    content_sha256: str | None = None
    verified: bool = False


class Unusable(InvalidRecord):
    """An InvalidRecord that knows its subject: what the steps raise."""

    def __init__(self, error: InvalidRecord, subject: Subject) -> None:
        super().__init__(error.reason, error.message)
        self.subject = subject


@dataclass(frozen=True, slots=True)
class Rejection:
    """Everything that leaves a stage instead of a result.

    `receipt` is None where no key of the van made the signature: nobody else may have the centre write to a van. Such
    an item stays in the van's spool, and is sent again.
    """

    record: RecordRejected
    quarantine: Stored
    receipt: VanAnswered | None


def reject(stage: str, error: InvalidRecord, at: Coordinates, value: bytes | None, *, keep: bool = True) -> Rejection:
    """The rejection of the message `value` that stood at `at`; None is what Kafka gives for a message without one.

    error: an `Unusable` where something of the record could be read. keep: whether quarantine has room for the bytes.
    Same message, same rejection: `rejected_at` is the append time, so that a redelivery says the same again.
    """
    subject = error.subject if isinstance(error, Unusable) else Subject()
    data = value or b""
    content = hashlib.sha256(data).hexdigest()
    retryable = error.reason in RETRYABLE
    record = RecordRejected(
        rejection_id=rejection_id(stage, at.topic, at.partition, at.offset),
        stage=stage,
        reason=error.reason,
        retryable=retryable,
        verified=subject.verified,
        topic=at.topic,
        partition=at.partition,
        offset=at.offset,
        content_sha256=content,
        quarantine_key=quarantine_key(content),
        kept=keep and error.reason != "consent_refused",
        rejected_at=at.appended_at,
        screening_id=subject.screening_id,
        frame_id=subject.frame_id,
        van_id=subject.van_id,
    )
    quarantine = Stored(Bucket.QUARANTINE, record.quarantine_key, data, "application/octet-stream")
    return Rejection(record, quarantine, _receipt(subject, error.reason, retryable))


def verified(subject: Subject) -> Subject:
    """The same subject, its claims proven."""
    return replace(subject, verified=True)


def message_key(record: RecordRejected) -> str:
    """The Kafka key of a rejection: its screening where known, so that it meets the screening's other records."""
    return record.screening_id or record.rejection_id


def _receipt(subject: Subject, reason: str, retryable: bool) -> VanAnswered | None:
    signed = subject.verified or reason == "van_revoked"  # signed by the van, with a key that counts no longer
    if not signed or subject.van_id is None or subject.item_id is None or subject.content_sha256 is None:
        return None
    return VanAnswered(
        van_id=subject.van_id,
        kind="rejected",
        screening_id=subject.screening_id,
        item_id=subject.item_id,
        content_sha256=subject.content_sha256,
        reason=reason,
        retryable=retryable,
    )
