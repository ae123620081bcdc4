"""Alerts, answers, faults, rejections, reviews, promotions and erasures, as rows of the catalogue."""

from collections.abc import Iterator
from typing import Any, Final

from sonovan.contracts.alerts import AlertAcknowledged, LesionAlerted
from sonovan.contracts.answers import RecordRejected, RejectedHandled, RejectedRetried
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.faults import FaultAlerted
from sonovan.contracts.promotions import ScreeningPromoted
from sonovan.contracts.quality import QualityMeasured
from sonovan.contracts.reviews import FrameReviewed
from sonovan.storage.catalogue.changes import Place, Row, listed, moment, text
from sonovan.stream_apps.catalog.scoring import Scores

_ALERT: Final = (
    "alert_id", "screening_id", "revision_id", "raised_in", "state", "severity", "rule", "rules_version",
    "acknowledged_by",
)  # fmt: skip
_STRATUM: Final = ("level", "model_id", "fingerprint", "organ", "van_id", "manufacturer", "scanner_model")
_REVIEW: Final = (
    "review_id", "screening_id", "sequence_id", "frame_index", "van_id", "organ", "reader", "blind", "verdict",
    "image_sha256", "mask_key", "mask_sha256", "origin",
)  # fmt: skip


def alerted(record: LesionAlerted, place: Place) -> Iterator[tuple[str, Row]]:
    """Rows of `alert` and `alert_record`."""
    row: dict[str, Any] = {name: getattr(record, name) for name in _ALERT}
    answered = record.acknowledged_at
    row |= {
        "about": text(record.about.model_dump(mode="json")),
        "about_kind": record.about.kind,
        "because": listed(record.because),
        "acknowledged_at": None if answered is None else moment(answered),
        "as_of": moment(record.as_of),
    }
    yield "alert", row
    yield "alert_record", {**row, "message_partition": place.partition, "message_offset": place.offset}


def answered(record: AlertAcknowledged, place: Place) -> Row:
    """A row of `alert_answer`."""
    return {
        "alert_id": record.alert_id,
        "message_partition": place.partition,
        "message_offset": place.offset,
        "screening_id": record.screening_id,
        "raised_in": record.raised_in,
        "answered_by": record.by,
    }


def failed(record: FaultAlerted) -> Row:
    """A row of `fault`."""
    names = ("fault_id", "stage", "instance", "worker", "van_id", "fault", "state")
    told = {name: getattr(record, name) for name in names}
    return {**told, "because": listed(record.because), "as_of": moment(record.as_of)}


def rejected(record: RecordRejected) -> Row:
    """A row of `rejection`."""
    names = (
        "rejection_id", "stage", "reason", "retryable", "verified", "topic", "content_sha256", "kept", "screening_id",
        "frame_id", "van_id",
    )  # fmt: skip
    return {
        **{name: getattr(record, name) for name in names},
        "message_partition": record.partition,
        "message_offset": record.offset,
        "rejected_at": moment(record.rejected_at),
    }


def rejection_handled(record: RejectedHandled) -> Row:
    """A row of `rejection_handled`."""
    names = ("handling_id", "rejection_id", "screening_id", "decision", "because")
    told = {name: getattr(record, name) for name in names}
    return {**told, "operator": record.by, "handled_at": moment(record.handled_at)}


def rejection_retried(record: RejectedRetried, place: Place) -> Row:
    """A row of `rejection_retried`."""
    told = {name: getattr(record, name) for name in ("rejection_id", "screening_id", "handling_id", "outcome")}
    at = {"message_partition": place.partition, "message_offset": place.offset}
    return {**told, **at, "retried_at": moment(record.retried_at)}


def erased(record: ScreeningErased) -> Row:
    """A row of `erased`."""
    return {
        "screening_id": record.screening_id,
        "because": record.because,
        "operator": record.by,
        "erased_at": moment(record.erased_at),
    }


def promoted(record: ScreeningPromoted) -> Row:
    """A row of `promotion`."""
    names = ("promotion_id", "screening_id", "van_id", "model_id", "weights_sha256", "fingerprint", "because")
    told = {name: getattr(record, name) for name in names}
    return {**told, "operator": record.by, "promoted_at": moment(record.promoted_at)}


def measured(record: QualityMeasured, place: Place) -> Iterator[tuple[str, Row]]:
    """A row of `quality_measurement`, and one of `flag` for each frame to look at."""
    yield "quality_measurement", _figures(record, place)
    for ordinal, each in enumerate(record.flagged, start=1):
        yield (
            "flag",
            {
                "message_partition": place.partition,
                "message_offset": place.offset,
                "ordinal": ordinal,
                **each.model_dump(),
                "model_id": record.stratum.model_id,
                "as_of": moment(record.as_of),
            },
        )


def _figures(record: QualityMeasured, place: Place) -> Row:
    of, agreement, window = record.stratum, record.agreement, record.window
    figures = ("verdict", "dice", "dice_low", "dice_high", "iou", "iou_low", "iou_high", "screenings", "needed")
    return {
        "message_partition": place.partition,
        "message_offset": place.offset,
        "stratum": of.name,
        **{name: getattr(of, name) for name in _STRATUM},
        "as_of": moment(record.as_of),
        **{name: None if agreement is None else getattr(agreement, name) for name in figures},
        "agreement": None if agreement is None else text(agreement.model_dump(mode="json")),
        "window_number": None if window is None else window.number,
        "drifted": None if window is None else any(each.drifted for each in window.drifts),
        "measured_window": None if window is None else text(window.model_dump(mode="json")),
    }


def reviewed(record: FrameReviewed, scores: Scores) -> Row:
    """A row of `review`. scores: of its mask against the machine's."""
    beside = record.compared
    return {
        **{name: getattr(record, name) for name in _REVIEW},
        "model_id": None if beside is None else beside.model_id,
        "fingerprint": None if beside is None else beside.fingerprint,
        "machine_mask_key": None if beside is None else beside.mask_key,
        "predicted_dice": None if beside is None else beside.predicted_dice,
        "assessable": None if beside is None else beside.assessable,
        "dice": scores[0],
        "iou": scores[1],
        "words": text({each.term: each.word for each in record.words}),
        "reviewed_at": moment(record.reviewed_at),
    }
