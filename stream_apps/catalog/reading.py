"""A message of any topic that the catalogue reads, as what it changes there. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sonovan.contracts.alerts import AlertAcknowledged, AlertHandled, LesionAlerted
from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.answers import RecordRejected, RejectedHandled, RejectedRetried
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.faults import FaultAlerted
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.outcomes import OutcomeRecorded
from sonovan.contracts.promotions import ScreeningPromoted
from sonovan.contracts.quality import QualityMeasured
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed, SequenceAssessed
from sonovan.contracts.reviews import FrameReviewed
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import ScreeningClosed, ScreeningOpened, SequenceClosed
from sonovan.contracts.van_reports import VanReported
from sonovan.storage.catalogue.changes import Change, Place, Row
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.catalog import rows_concluded, rows_found, rows_sent, rows_told
from sonovan.stream_apps.catalog.scoring import scores_of
from sonovan.stream_apps.signed import Verify, signed_record

_Rows = Iterable[tuple[str, Row]]
_Reader = Callable[[Any, Place], _Rows]


def _one(table: str, row_of: Callable[[Any], Row]) -> _Reader:
    return lambda record, _place: ((table, row_of(record)),)


def _placed(table: str, row_of: Callable[[Any, Place], Row]) -> _Reader:
    return lambda record, place: ((table, row_of(record, place)),)


_CENTRE: Final[Mapping[Topic, tuple[type[Record], _Reader]]] = {
    Topic.FRAME_SEGMENTED: (FrameSegmented, _one("frame", rows_found.segmented)),
    Topic.FRAME_REPLAYED: (FrameSegmented, _one("frame_replayed", rows_found.replayed)),
    Topic.SCREENING_ASSESSED: (ScreeningAssessed, lambda record, _place: rows_found.assessed(record)),
    Topic.SEQUENCE_ASSESSED: (SequenceAssessed, _one("sequence_result", rows_found.sequence_assessed)),
    Topic.LESION_ALERTED: (LesionAlerted, rows_told.alerted),
    Topic.ALERT_ACKNOWLEDGED: (AlertAcknowledged, _placed("alert_answer", rows_told.answered)),
    Topic.ALERT_HANDLED: (AlertHandled, _placed("alert_step", rows_concluded.handled)),
    Topic.SCREENING_CONCLUDED: (ScreeningConcluded, lambda record, _place: rows_concluded.concluded(record)),
    Topic.OUTCOME_RECORDED: (OutcomeRecorded, _one("outcome", rows_concluded.became)),
    Topic.FAULT_ALERTED: (FaultAlerted, _one("fault", rows_told.failed)),
    Topic.QUALITY_MEASURED: (QualityMeasured, rows_told.measured),
    Topic.RECORD_REJECTED: (RecordRejected, _one("rejection", rows_told.rejected)),
    Topic.REJECTED_HANDLED: (RejectedHandled, _one("rejection_handled", rows_told.rejection_handled)),
    Topic.REJECTED_RETRIED: (RejectedRetried, _placed("rejection_retried", rows_told.rejection_retried)),
    Topic.SCREENING_PROMOTED: (ScreeningPromoted, _one("promotion", rows_told.promoted)),
    Topic.SCREENING_ERASED: (ScreeningErased, _one("erased", rows_told.erased)),
}
_VANS: Final[Mapping[Topic, tuple[type[Record], _Reader]]] = {
    Topic.SCREENING_OPENED: (ScreeningOpened, _one("opening", rows_sent.opened)),
    Topic.FEATURES_RECORDED: (FeaturesRecorded, _one("clinical_record", rows_sent.recorded)),
    Topic.SCREENING_AMENDED: (ScreeningAmended, _one("amendment", rows_sent.amended)),
    Topic.SEQUENCE_CLOSED: (SequenceClosed, _one("sequence_closing", rows_sent.sequence_closed)),
    Topic.SCREENING_CLOSED: (ScreeningClosed, _one("screening_closing", rows_sent.screening_closed)),
    Topic.VAN_REPORTED: (VanReported, _one("van_report", rows_sent.reported)),
}

READS: Final[tuple[Topic, ...]] = (*_VANS, *_CENTRE, Topic.FRAME_REVIEWED)
"""Every topic of which the catalogue keeps something."""


def change_of(
    place: Place, key: bytes | None, value: bytes, appended_at: datetime, verify: Verify, store: ObjectStore
) -> Change:
    """What a message changes. store: where a review's masks are, which are compared.

    Raises InvalidRecord for one that cannot be used: a record of the centre that is none, or one of a van that is not
    as it must be or that the van did not sign.
    """
    topic = Topic(place.topic)
    if topic == Topic.FRAME_REVIEWED:
        review = FrameReviewed.decode(value)
        return Change(place, (("review", rows_told.reviewed(review, scores_of(review, store))),))
    if topic in _CENTRE:
        kind, rows = _CENTRE[topic]
        return Change(place, tuple(rows(kind.decode(value), place)))
    signed, rows = _VANS[topic]
    return Change(place, tuple(rows(signed_record(signed, topic, key, value, appended_at, verify), place)))
