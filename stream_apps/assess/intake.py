"""Turn one message into rows, kept apart by the van that sent it. Nothing is decided about lesions here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sonovan.clinical.completeness import latest
from sonovan.contracts.answers import RecordRejected, VanAnswered
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import ScreeningTicked
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import FeaturesRecorded, ScreeningClosed, ScreeningOpened, SequenceClosed
from sonovan.stream_apps.assess.rows import Draft, ScreeningRow, SequenceRow, VanPart, result_key, sequence_key
from sonovan.stream_apps.claims import control_claims, header_document
from sonovan.stream_apps.rejecting import Unusable, verified
from sonovan.stream_apps.stage import Message

KeyOf = Callable[[str, datetime], str]
"""Takes a van's id and the broker's append time, and returns the public key in hex that was valid then.

Raises InvalidRecord `van_unknown` or `van_revoked`.
"""

ControlRecord = ScreeningOpened | SequenceClosed | ScreeningClosed | FeaturesRecorded

_CONTROL: dict[str, type[ControlRecord]] = {
    Topic.SCREENING_OPENED: ScreeningOpened,
    Topic.SEQUENCE_CLOSED: SequenceClosed,
    Topic.SCREENING_CLOSED: ScreeningClosed,
    Topic.FEATURES_RECORDED: FeaturesRecorded,
}


@dataclass(frozen=True, slots=True)
class Taken:
    """The screening that a message concerns, and the receipt for its van if the message came from one."""

    screening_id: str
    receipt: VanAnswered | None = None
    ticked: bool = False


def take(message: Message, draft: Draft, key_of: KeyOf) -> Taken | None:
    """Put the message's rows into `draft`. Returns None if the message concerns no screening.

    Raises InvalidRecord for a record that is malformed or forged, that comes from another van than the screening's, or
    that contradicts what is stored.
    """
    # Whatever this message writes may stand in this worker's own rows already, and in nobody else's: it was handled
    # before, by a process that was killed while the rows were on their way to the changelog.
    draft.rewrites = True
    if message.at.topic in _CONTROL:
        return _take_control(message, draft, key_of)
    if message.at.topic == Topic.FRAME_SEGMENTED:
        return _take_result(FrameSegmented.decode(message.value), draft)
    if message.at.topic == Topic.RECORD_REJECTED:
        return _take_rejection(RecordRejected.decode(message.value), draft)
    if message.at.topic == Topic.SCREENING_TICKED:
        return Taken(ScreeningTicked.decode(message.value).screening_id, ticked=True)
    raise InvalidRecord("record_invalid", f"assess does not read topic {message.at.topic}")


def _take_control(message: Message, draft: Draft, key_of: KeyOf) -> Taken:
    envelope = open_envelope(message.value)
    document = header_document(envelope.header)
    subject = control_claims(message.at.topic, document, envelope.header_sha256)
    try:
        if subject.van_id is None:
            raise InvalidRecord("record_invalid", "the header names no van")
        envelope.verify(key_of(subject.van_id, message.at.appended_at))
        subject = verified(subject)
        record = _CONTROL[message.at.topic].from_document(document)
        if message.key != record.screening_id.encode():
            raise InvalidRecord("key_contradicts_record", "the message key is not the record's screening_id")
        return _keep_control(record, message, draft, envelope.header_sha256)
    except InvalidRecord as error:
        raise Unusable(error, subject) from None


def _keep_control(record: ControlRecord, message: Message, draft: Draft, header_sha256: str) -> Taken:
    screening = screening_row(draft, record.screening_id)
    _check_opener(screening, record.van_id)
    screening = screening.model_copy(update={"last_control_at": message.at.appended_at})
    if isinstance(record, ScreeningOpened):
        screening = _open(screening, record)
    elif isinstance(record, SequenceClosed):
        screening = _close_sequence(screening, record, draft)
    else:
        screening = _with_part(screening, record.van_id, _say(screening.vans.get(record.van_id, VanPart()), record))
    draft.put("screenings", record.screening_id, screening)
    receipt = VanAnswered(
        van_id=record.van_id,
        kind="stored",
        screening_id=record.screening_id,
        item_id=record.item_id,
        content_sha256=header_sha256,
    )
    return Taken(record.screening_id, receipt)


def _open(screening: ScreeningRow, record: ScreeningOpened) -> ScreeningRow:
    if screening.opening is not None and screening.opening != record:
        raise InvalidRecord("record_contradicts_stored", "this screening was opened with other content")
    return screening.model_copy(update={"opening": record})


def _close_sequence(screening: ScreeningRow, record: SequenceClosed, draft: Draft) -> ScreeningRow:
    key = sequence_key(record.sequence_id, record.van_id)
    row = draft.get(SequenceRow, "sequences", key) or SequenceRow()
    draft.put("sequences", key, row.model_copy(update={"closings": latest((*row.closings, record))}))
    return _with_sequence(screening, record.van_id, record.sequence_id)


def _say(part: VanPart, record: ScreeningClosed | FeaturesRecorded) -> VanPart:
    if isinstance(record, FeaturesRecorded):
        newest = part.features is None or record.recorded_at >= part.features.recorded_at
        return part.model_copy(update={"features": record}) if newest else part
    return part.model_copy(update={"closings": latest((*part.closings, record))})


def _take_result(result: FrameSegmented, draft: Draft) -> Taken:
    screening = screening_row(draft, result.screening_id)
    _check_opener(screening, result.van_id)
    key = result_key(result.frame_id, result.van_id, result.fingerprint)
    stored = draft.raw("results", key)
    draft.rewrites = stored is not None  # results come in thousands; the row of a new one is the first to be written
    draft.put("results", key, stored or result.encode())
    part = screening.vans.get(result.van_id, VanPart())
    if part.fingerprint is None:
        first = {"weights_sha256": result.weights_sha256, "fingerprint": result.fingerprint}
        part = part.model_copy(update={**first, "model_id": result.model_id})
        screening = _with_part(screening, result.van_id, part)
    if part.fingerprint == result.fingerprint:
        _mark(draft, result.sequence_id, result.van_id, result.frame_index)
    screening = _with_sequence(screening, result.van_id, result.sequence_id)
    draft.put("screenings", result.screening_id, screening)
    return Taken(result.screening_id)


def _take_rejection(rejection: RecordRejected, draft: Draft) -> Taken | None:
    """Note a rejected frame as accounted for, if `segment` rejected it for good after verifying its signature."""
    if rejection.stage != "segment" or not rejection.verified or rejection.retryable:
        return None
    if rejection.screening_id is None or rejection.frame_id is None or rejection.van_id is None:
        return None
    screening = screening_row(draft, rejection.screening_id)
    if screening.opening is not None and screening.opening.van_id != rejection.van_id:
        return None
    sequence_id, _, index = rejection.frame_id.partition("/")
    key = sequence_key(sequence_id, rejection.van_id)
    row = draft.get(SequenceRow, "sequences", key) or SequenceRow()
    rejected = {**row.rejected, int(index): rejection.reason}
    draft.put("sequences", key, row.model_copy(update={"rejected": dict(sorted(rejected.items()))}))
    draft.put("screenings", rejection.screening_id, _with_sequence(screening, rejection.van_id, sequence_id))
    return Taken(rejection.screening_id)


def screening_row(draft: Draft, screening_id: str) -> ScreeningRow:
    """The screening's row, or an empty one."""
    return draft.get(ScreeningRow, "screenings", screening_id) or ScreeningRow()


def _check_opener(screening: ScreeningRow, van_id: str) -> None:
    if screening.opening is not None and screening.opening.van_id != van_id:
        raise InvalidRecord("van_not_opener", f"{van_id} speaks of a screening that another van opened")


def _mark(draft: Draft, sequence_id: str, van_id: str, frame_index: int) -> None:
    key = sequence_key(sequence_id, van_id)
    row = draft.get(SequenceRow, "sequences", key) or SequenceRow()
    draft.put("sequences", key, row.model_copy(update={"segmented": f"{row.bitmap | 1 << frame_index:x}"}))


def _with_part(screening: ScreeningRow, van_id: str, part: VanPart) -> ScreeningRow:
    return screening.model_copy(update={"vans": {**screening.vans, van_id: part}})


def _with_sequence(screening: ScreeningRow, van_id: str, sequence_id: str) -> ScreeningRow:
    part = screening.vans.get(van_id, VanPart())
    if sequence_id in part.sequence_ids:
        return screening
    ids = tuple(sorted((*part.sequence_ids, sequence_id)))
    return _with_part(screening, van_id, part.model_copy(update={"sequence_ids": ids}))
