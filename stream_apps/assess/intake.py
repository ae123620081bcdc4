"""What was received into what is known: who said what of which screening. Nothing is decided about lesions here."""

from dataclasses import replace
from typing import Final

from sonovan.clinical.completeness import latest
from sonovan.clinical.reviewed import may_revise
from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import split_frame_id
from sonovan.contracts.limits import MAX_FRAMES, MAX_SEQUENCES
from sonovan.contracts.promotions import MAX_NETWORKS, MAX_PROMOTIONS, ScreeningPromoted
from sonovan.contracts.results import ScreeningTicked
from sonovan.contracts.reviews import FrameReviewed
from sonovan.contracts.van import ScreeningClosed, ScreeningOpened, SequenceClosed
from sonovan.stream_apps.assess.known import Known
from sonovan.stream_apps.assess.received import ControlRecord, Received
from sonovan.stream_apps.assess.reviewing import take_review
from sonovan.stream_apps.assess.rows import ScreeningRow, VanPart, result_key

UNOPENED_VANS: Final = 4
"""Vans that may speak of a screening before its opening is here; afterwards the opener alone does."""

_REFUSED: Final = "she did not agree to the screening, or not to a machine's reading"


def take(received: Received, known: Known) -> Known | None:
    """What is known with this message. None: it is of no use here (a rejection of a van that is not the opener, a
    review that changes no result, or one of a screening that has ended: it stands in its topic and in the catalogue).

    Raises InvalidRecord for a record of a screening that ended, from another van than the opener's, or in contradiction
    to an earlier one.
    """
    record = received.record
    if isinstance(record, ScreeningTicked | ScreeningErased):
        return known
    if isinstance(record, FrameReviewed) and not may_revise(record):
        return None
    if known.screening.ended_at is not None:
        if isinstance(record, RecordRejected | FrameReviewed):
            return None
        if known.screening.refused:
            raise InvalidRecord("consent_refused", _REFUSED)
        raise InvalidRecord("screening_ended", "its rows were deleted: nothing more can be made of what comes now")
    if isinstance(record, RecordRejected):
        return None if known.screening.refused else _take_rejection(record, known)
    _check_opener(known.screening, record.van_id)
    if known.screening.refused and not isinstance(record, ScreeningOpened):
        raise InvalidRecord("consent_refused", _REFUSED)
    if isinstance(record, FrameSegmented):
        return _take_result(record, known)
    if isinstance(record, FrameReviewed):
        screening = _with_sequence(known.screening, record.van_id, record.sequence_id)
        return take_review(record, replace(known, screening=screening))
    if isinstance(record, ScreeningPromoted):
        return _take_promotion(record, known)
    return _take_control(record, received, known)


def _take_control(record: ControlRecord, received: Received, known: Known) -> Known:
    if isinstance(record, ScreeningAmended):  # nothing that is still to come follows from it, so no deadline moves
        part = known.screening.vans.get(record.van_id, VanPart())
        return replace(known, screening=_with_part(known.screening, record.van_id, _amended(part, record)), again=True)
    screening = known.screening.model_copy(update={"last_control_at": received.appended_at})
    if isinstance(record, ScreeningOpened):
        if screening.opening is not None and screening.opening != record:
            raise InvalidRecord("record_contradicts_stored", "this screening was opened with other content")
        used = {record.van_id} if record.consent.to_analysis else set()
        vans = {van_id: part if van_id in used else part.places() for van_id, part in screening.vans.items()}
        screening = screening.model_copy(update={"opening": record, "vans": vans})
    elif isinstance(record, SequenceClosed):
        row = known.sequence(record.sequence_id, record.van_id)
        row = row.model_copy(update={"closings": latest((*row.closings, record))})
        known = known.with_sequence(record.sequence_id, record.van_id, row)
        screening = _with_sequence(screening, record.van_id, record.sequence_id)
    else:
        part = screening.vans.get(record.van_id, VanPart())
        screening = _with_part(screening, record.van_id, _with_record(part, record))
    return replace(known, screening=screening, again=True)


def _amended(part: VanPart, record: ScreeningAmended) -> VanPart:
    made = {each.amendment_number: each for each in part.amendments}
    if made.setdefault(record.amendment_number, record) != record:
        raise InvalidRecord("record_contradicts_stored", "another amendment of this number is stored")
    return part.model_copy(update={"amendments": tuple(made[number] for number in sorted(made))})


def _with_record(part: VanPart, record: ScreeningClosed | FeaturesRecorded) -> VanPart:
    if isinstance(record, FeaturesRecorded):
        before = part.features
        if before is not None and before.features_number == record.features_number and before != record:
            raise InvalidRecord("record_contradicts_stored", "another clinical record of this number is stored")
        newest = before is None or record.features_number > before.features_number
        return part.model_copy(update={"features": record}) if newest else part
    return part.model_copy(update={"closings": latest((*part.closings, record))})


def _take_result(result: FrameSegmented, known: Known) -> Known:
    """The first result of a frame stays, one of each network: another network than the first may take over."""
    key, screening = result_key(result.frame_id, result.van_id, result.fingerprint), known.screening
    stored = known.result(key)
    part = screening.vans.get(result.van_id, VanPart())
    if part.fingerprint is None:
        first = {"weights_sha256": result.weights_sha256, "fingerprint": result.fingerprint}
        part = part.model_copy(update={**first, "model_id": result.model_id})
        screening = _with_part(screening, result.van_id, part)
    other = None if part.fingerprint == result.fingerprint else result.fingerprint
    row = known.sequence(result.sequence_id, result.van_id)
    bitmap = row.bitmap_of(other)
    if not bitmap >> result.frame_index & 1:
        _check_room(known, other)
    # Results come in thousands: one that is new is the first of its rows to be written, so nothing of it stands yet.
    known = replace(known, results={key: stored or result.encode()}, again=stored is not None)
    row = row.with_bitmap(other, bitmap | 1 << result.frame_index)
    known = known.with_sequence(result.sequence_id, result.van_id, row)
    return replace(known, screening=_with_sequence(screening, result.van_id, result.sequence_id))


def _take_promotion(record: ScreeningPromoted, known: Known) -> Known:
    part = known.screening.vans.get(record.van_id, VanPart())
    made = {each.promotion_id: each for each in part.promotions}
    if made.setdefault(record.promotion_id, record) != record:
        raise InvalidRecord("record_contradicts_stored", "another promotion of this id is stored")
    if len(made) > MAX_PROMOTIONS:
        raise InvalidRecord("screening_too_large", f"a screening is promoted at most {MAX_PROMOTIONS} times")
    part = part.model_copy(update={"promotions": tuple(made[name] for name in sorted(made))})
    return replace(known, screening=_with_part(known.screening, record.van_id, part), again=True)


def _take_rejection(rejection: RecordRejected, known: Known) -> Known | None:
    screening, van_id, frame = known.screening, rejection.van_id, rejection.frame_id
    if van_id is None or frame is None or (screening.opening is not None and screening.opening.van_id != van_id):
        return None
    sequence_id, index = split_frame_id(frame)
    row = known.sequence(sequence_id, van_id)
    known = known.with_sequence(sequence_id, van_id, row.with_rejected(index, rejection.reason))
    return replace(known, screening=_with_sequence(screening, van_id, sequence_id), again=True)


def _check_room(known: Known, other: str | None) -> None:
    """Raise InvalidRecord where one more frame, or one more network, is too many. other: as `SequenceRow.bitmap_of`."""
    rows = known.sequences.values()
    frames = sum(row.bitmap_of(other).bit_count() for row in rows)
    if frames >= MAX_FRAMES:
        raise InvalidRecord("screening_too_large", f"a screening has at most {MAX_FRAMES} frames")
    others = {network for row in rows for network in row.others}
    if other is not None and other not in others and len(others) >= MAX_NETWORKS:
        raise InvalidRecord("screening_too_large", f"a screening has results of at most {MAX_NETWORKS} other networks")


def _check_opener(screening: ScreeningRow, van_id: str) -> None:
    if screening.opening is not None and screening.opening.van_id != van_id:
        raise InvalidRecord("van_not_opener", f"{van_id} speaks of a screening that another van opened")


def _with_part(screening: ScreeningRow, van_id: str, part: VanPart) -> ScreeningRow:
    if screening.opening is None and van_id not in screening.vans and len(screening.vans) >= UNOPENED_VANS:
        raise InvalidRecord("opening_missing", f"{UNOPENED_VANS} other vans speak of a screening that none opened")
    return screening.model_copy(update={"vans": {**screening.vans, van_id: part}})


def _with_sequence(screening: ScreeningRow, van_id: str, sequence_id: str) -> ScreeningRow:
    part = screening.vans.get(van_id, VanPart())
    if sequence_id in part.sequence_ids:
        return screening
    if len(part.sequence_ids) >= MAX_SEQUENCES:
        raise InvalidRecord("screening_too_large", f"a screening has at most {MAX_SEQUENCES} sequences")
    ids = tuple(sorted((*part.sequence_ids, sequence_id)))
    return _with_part(screening, van_id, part.model_copy(update={"sequence_ids": ids}))
