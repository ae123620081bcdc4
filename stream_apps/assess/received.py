"""What a message of `assess` says, read and verified before any row is: which record, of which screening and van."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.envelope import Envelope, open_envelope
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import split_frame_id
from sonovan.contracts.limits import MAX_CONTROL_BYTES
from sonovan.contracts.promotions import ScreeningPromoted
from sonovan.contracts.record import header_document
from sonovan.contracts.results import ScreeningTicked
from sonovan.contracts.reviews import FrameReviewed
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import ScreeningClosed, ScreeningOpened, SequenceClosed
from sonovan.stream_apps.claims import control_claims
from sonovan.stream_apps.rejecting import Subject, Unusable, verified
from sonovan.stream_apps.stage import Message

Verify = Callable[[str, datetime, Envelope], None]
"""`stream_apps.vans.VanRegistry.verify`: (van_id, append time, envelope); raises InvalidRecord."""

ControlRecord = ScreeningOpened | SequenceClosed | ScreeningClosed | FeaturesRecorded | ScreeningAmended

CentreRecord = FrameSegmented | RecordRejected | ScreeningTicked | ScreeningErased | ScreeningPromoted | FrameReviewed
"""What the centre itself writes; nobody signs it."""

_CONTROL: Final[dict[str, type[ControlRecord]]] = {
    Topic.SCREENING_OPENED: ScreeningOpened,
    Topic.SEQUENCE_CLOSED: SequenceClosed,
    Topic.SCREENING_CLOSED: ScreeningClosed,
    Topic.FEATURES_RECORDED: FeaturesRecorded,
    Topic.SCREENING_AMENDED: ScreeningAmended,
}


@dataclass(frozen=True, slots=True)
class Received:
    """A message's record, and whom it concerns.

    van_id: None for a tick and an erasure. sequence_ids: the sweeps that it names. subject: of a control record, with
    the sha256 of its header, for its receipt or its rejection; None for records of the centre.
    """

    record: ControlRecord | CentreRecord
    appended_at: datetime
    screening_id: str
    van_id: str | None = None
    sequence_ids: tuple[str, ...] = ()
    subject: Subject | None = None


def receive(message: Message, verify: Verify) -> Received | None:
    """Read a message. None: it concerns no screening.

    Raises InvalidRecord for a record that is wrong or forged, `Unusable` where it is a van's.
    """
    topic, moment = message.at.topic, message.at.appended_at
    if topic in _CONTROL:
        return _control(message, verify)
    if topic == Topic.FRAME_SEGMENTED:
        result = FrameSegmented.decode(message.value)
        return Received(result, moment, result.screening_id, result.van_id, (result.sequence_id,))
    if topic == Topic.RECORD_REJECTED:
        return _rejection(RecordRejected.decode(message.value), moment)
    if topic == Topic.SCREENING_TICKED:
        tick = ScreeningTicked.decode(message.value)
        return Received(tick, moment, tick.screening_id)
    if topic == Topic.SCREENING_PROMOTED:
        promoted = ScreeningPromoted.decode(message.value)
        return Received(promoted, moment, promoted.screening_id, promoted.van_id)
    if topic == Topic.FRAME_REVIEWED:
        review = FrameReviewed.decode(message.value)
        return Received(review, moment, review.screening_id, review.van_id, (review.sequence_id,))
    if topic == Topic.SCREENING_ERASED:
        erased = ScreeningErased.decode(message.value)
        return Received(erased, moment, erased.screening_id)
    raise InvalidRecord("record_invalid", f"assess does not read topic {topic}")


def _control(message: Message, verify: Verify) -> Received:
    envelope = open_envelope(message.value, MAX_CONTROL_BYTES)
    document = header_document(envelope.header)
    subject = control_claims(message.at.topic, document, envelope.header_sha256)
    try:
        if subject.van_id is None:
            raise InvalidRecord("record_invalid", "the header names no van")
        verify(subject.van_id, message.at.appended_at, envelope)
        subject = verified(subject)
        record = _CONTROL[message.at.topic].from_document(document)
        if message.key != record.screening_id.encode():
            raise InvalidRecord("key_contradicts_record", "the message key is not the record's screening_id")
    except InvalidRecord as error:
        raise Unusable(error, subject) from None
    named: tuple[str, ...] = ()
    if isinstance(record, SequenceClosed):
        named = (record.sequence_id,)
    elif isinstance(record, ScreeningClosed):
        named = record.sequence_ids
    return Received(record, message.at.appended_at, record.screening_id, record.van_id, named, subject)


def _rejection(rejection: RecordRejected, moment: datetime) -> Received | None:
    """A frame that `segment` rejected for good after its signature held is accounted for; no other rejection is."""
    if rejection.stage != "segment" or not rejection.verified or rejection.retryable:
        return None
    if rejection.screening_id is None or rejection.frame_id is None or rejection.van_id is None:
        return None
    sequence_id, _ = split_frame_id(rejection.frame_id)
    return Received(rejection, moment, rejection.screening_id, rejection.van_id, (sequence_id,))
