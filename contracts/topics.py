"""Every topic, once: key, value, retention, writers, readers. Nobody types a topic name twice."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sonovan.contracts.alerts import AlertAcknowledged, AlertHandled, LesionAlerted
from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.answers import RecordRejected, RecordSkipped, RejectedHandled, RejectedRetried, VanAnswered
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.faults import FaultAlerted
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.limits import MIB
from sonovan.contracts.outcomes import OutcomeRecorded
from sonovan.contracts.promotions import ScreeningPromoted
from sonovan.contracts.quality import QualityMeasured, ScreeningObserved
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed, ScreeningTicked, SequenceAssessed
from sonovan.contracts.reviews import FrameReviewed
from sonovan.contracts.van import (
    FrameCaptured,
    ScreeningClosed,
    ScreeningOpened,
    SequenceClosed,
    VanEnrolled,
)
from sonovan.contracts.van_reports import VanReported

TOPIC_PARTITIONS: Final = 12
"""One count for every topic that `assess` reads together, its changelogs included.

Faust joins by equal counts and misreads unequal ones. It can never be changed where data is, for keys would change
their partition (docs/scale.md).
"""

FRAME_PARTITIONS: Final = 96
"""Of `frame.captured`, which `segment` reads alone and joins with nothing: as many workers can segment at once."""

DEFERRED_PARTITIONS: Final = 24
"""Of `frame.deferred`: a van that floods it holds up the deferred frames of one van in 24, and nobody's others."""

_DAY_MS: Final = 24 * 60 * 60 * 1000
FOR_EVER: Final = -1

FRAMES_BYTES: Final = 64 * 1024 * MIB
"""Of a partition of frames: nearly four times what the vans of a full cell send in the two days (docs/scale.md)."""

DEFERRED_BYTES: Final = FRAMES_BYTES * FRAME_PARTITIONS // DEFERRED_PARTITIONS
"""Of a partition of deferred frames: there is room for all that `frame.captured` holds."""

FEW_BYTES: Final = 1024 * MIB
"""Of a partition of openings, clinical records, amendments or vans' reports: twelve times what the vans of a full cell
send of one of them in 90 days."""


class Topic(StrEnum):
    """The topics' names. A van's answers have a topic each: `van_answered_topic`."""

    VAN_ENROLLED = "van.enrolled.v1"
    VAN_REPORTED = "van.reported.v1"
    SCREENING_OPENED = "screening.opened.v1"
    FRAME_CAPTURED = "frame.captured.v1"
    FRAME_DEFERRED = "frame.deferred.v1"
    SEQUENCE_CLOSED = "sequence.closed.v1"
    SCREENING_CLOSED = "screening.closed.v1"
    FEATURES_RECORDED = "features.recorded.v1"
    SCREENING_AMENDED = "screening.amended.v1"
    FRAME_SEGMENTED = "frame.segmented.v1"
    FRAME_REPLAYED = "frame.replayed.v1"
    SEQUENCE_ASSESSED = "sequence.assessed.v1"
    SCREENING_ASSESSED = "screening.assessed.v1"
    SCREENING_TICKED = "screening.ticked.v1"
    LESION_ALERTED = "lesion.alerted.v1"
    ALERT_ACKNOWLEDGED = "alert.acknowledged.v1"
    ALERT_HANDLED = "alert.handled.v1"
    FAULT_ALERTED = "fault.alerted.v1"
    QUALITY_MEASURED = "quality.measured.v1"
    SCREENING_OBSERVED = "screening.observed.v1"
    RECORD_REJECTED = "record.rejected.v1"
    REJECTED_HANDLED = "rejected.handled.v1"
    REJECTED_RETRIED = "rejected.retried.v1"
    RECORD_SKIPPED = "record.skipped.v1"
    FRAME_REVIEWED = "frame.reviewed.v1"
    SCREENING_CONCLUDED = "screening.concluded.v1"
    OUTCOME_RECORDED = "outcome.recorded.v1"
    SCREENING_PROMOTED = "screening.promoted.v1"
    SCREENING_ERASED = "screening.erased.v1"


class Writer(StrEnum):
    """Who holds a Kafka account. Vans have one each, named `van-<van_id>`.

    Those of people are apart: the registrar publishes vans' keys, the retrier sends again what was rejected, the reader
    reads, the operator has a stage pass a message and answers alerts, the console writes what readers draw and decide,
    the promoter has a screening take another network's results.
    """

    VAN = "van"
    SEGMENT = "segment"
    ASSESS = "assess"
    ALERT = "alert"
    CATALOG = "catalog"
    QUALITY = "quality"
    REGISTRAR = "registrar"
    RETRIER = "retrier"
    READER = "reader"
    OPERATOR = "operator"
    CONSOLE = "console"
    PROMOTER = "promoter"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One row of the table.

    key: what the message key holds. signed: the value is a van's envelope around the record.
    compact_within_ms: how long a record of a compacted topic that was replaced may stay; None leaves it to Kafka.
    personal: the record holds a subject key or her clinical record; a consumer reads it only where somebody asked so.
    retention_ms: FOR_EVER or milliseconds. retention_bytes: of a partition, FOR_EVER or how large it may grow before
    its oldest records are deleted sooner. flush: on a single broker every message is flushed to disk.
    """

    name: str
    key: str
    value: type[Record]
    writers: frozenset[Writer]
    readers: frozenset[Writer]
    purpose: str
    signed: bool = False
    compacted: bool = False
    compact_within_ms: int | None = None
    retention_ms: int = FOR_EVER
    retention_bytes: int = FOR_EVER
    flush: bool = True
    partitions: int = TOPIC_PARTITIONS
    replication_factor: int = 3
    min_insync_replicas: int = 2
    personal: bool = False


_VAN, _OPERATOR, _REGISTRAR, _RETRIER = Writer.VAN, Writer.OPERATOR, Writer.REGISTRAR, Writer.RETRIER
_SEGMENT, _ASSESS, _ALERT, _CATALOG = Writer.SEGMENT, Writer.ASSESS, Writer.ALERT, Writer.CATALOG
_CONSOLE, _QUALITY, _PROMOTER = Writer.CONSOLE, Writer.QUALITY, Writer.PROMOTER

PEOPLE: Final = (
    Writer.REGISTRAR, Writer.RETRIER, Writer.READER, Writer.OPERATOR, Writer.CONSOLE, Writer.PROMOTER,
)  # fmt: skip
"""Whose accounts commands use, each one for what it does alone."""

STAGES: Final = tuple(writer for writer in Writer if writer not in (_VAN, *PEOPLE))
"""The stages of the centre, in the order of the path: each is a folder of `stream_apps` with a Faust app of its own.

Commands, accounts, grants, consumer groups and workers are derived from here.
"""


def _row(
    name: Topic,
    key: str,
    value: type[Record],
    writers: set[Writer],
    readers: set[Writer],
    purpose: str,
    *,
    signed: bool = False,
    compacted: bool = False,
    retention_ms: int = FOR_EVER,
    retention_bytes: int = FOR_EVER,
    flush: bool = True,
    partitions: int = TOPIC_PARTITIONS,
    personal: bool = False,
) -> TopicSpec:
    return TopicSpec(
        name,
        key,
        value,
        frozenset(writers),
        frozenset(readers | {Writer.READER}),
        purpose,
        signed=signed,
        compacted=compacted,
        retention_ms=retention_ms,
        retention_bytes=retention_bytes,
        flush=flush,
        partitions=partitions,
        personal=personal,
    )


TOPICS: Final[dict[Topic, TopicSpec]] = {
    Topic(row.name): row
    for row in (
        _row(Topic.VAN_ENROLLED, "van_id", VanEnrolled, {_REGISTRAR},
             {_SEGMENT, _ASSESS, _ALERT, _CATALOG, _REGISTRAR}, "the registry of vans' public keys", compacted=True),
        _row(Topic.VAN_REPORTED, "van_id", VanReported, {_VAN}, {_ALERT, _CATALOG},
             "what waits on a van, its disk, clock and link", signed=True, retention_ms=7 * _DAY_MS,
             retention_bytes=FEW_BYTES),
        _row(Topic.SCREENING_OPENED, "screening_id", ScreeningOpened, {_VAN, _RETRIER}, {_ASSESS, _CATALOG},
             "a screening begins; the only record with a subject key", signed=True, retention_ms=90 * _DAY_MS,
             retention_bytes=FEW_BYTES, personal=True),
        _row(Topic.FRAME_CAPTURED, "sequence_id", FrameCaptured, {_VAN, _RETRIER}, {_SEGMENT},
             "a frame, its pixels inside", signed=True, retention_ms=2 * _DAY_MS,
             retention_bytes=FRAMES_BYTES, flush=False, partitions=FRAME_PARTITIONS),
        _row(Topic.FRAME_DEFERRED, "van_id", FrameCaptured, {_SEGMENT}, {_SEGMENT},
             "a frame that waits, for its van had too many before it", signed=True, retention_ms=2 * _DAY_MS,
             retention_bytes=DEFERRED_BYTES, flush=False, partitions=DEFERRED_PARTITIONS),
        _row(Topic.SEQUENCE_CLOSED, "screening_id", SequenceClosed, {_VAN, _RETRIER}, {_ASSESS, _CATALOG},
             "a sweep is over: how many frames it has", signed=True),
        _row(Topic.SCREENING_CLOSED, "screening_id", ScreeningClosed, {_VAN, _RETRIER}, {_ASSESS, _CATALOG},
             "a screening is over: its sequences", signed=True),
        _row(Topic.FEATURES_RECORDED, "screening_id", FeaturesRecorded, {_VAN, _RETRIER}, {_ASSESS, _CATALOG},
             "the van's clinical record, coded", signed=True, retention_ms=90 * _DAY_MS,
             retention_bytes=FEW_BYTES, personal=True),
        _row(Topic.SCREENING_AMENDED, "screening_id", ScreeningAmended, {_VAN, _RETRIER}, {_ASSESS, _ALERT, _CATALOG},
             "a side, the woman or her consent put right, or a screening that does not count", signed=True,
             retention_ms=90 * _DAY_MS, retention_bytes=FEW_BYTES, personal=True),
        _row(Topic.FRAME_SEGMENTED, "screening_id", FrameSegmented, {_SEGMENT, _PROMOTER},
             {_ASSESS, _CATALOG, _CONSOLE, _QUALITY, _PROMOTER},
             "a frame's regions, quality and object keys"),
        _row(Topic.FRAME_REPLAYED, "screening_id", FrameSegmented, {_CONSOLE}, {_CONSOLE, _CATALOG, _PROMOTER},
             "a stored frame's result by another network: a shadow, from which nothing of her report follows",
             retention_ms=90 * _DAY_MS),
        _row(Topic.SEQUENCE_ASSESSED, "screening_id", SequenceAssessed, {_ASSESS}, {_CATALOG},
             "the lesion tracks of a sequence"),
        _row(Topic.SCREENING_ASSESSED, "screening_id", ScreeningAssessed, {_ASSESS},
             {_ASSESS, _ALERT, _CATALOG, _CONSOLE, _QUALITY, _PROMOTER},
             "a revision: findings, adequacy, what is missing"),
        _row(Topic.SCREENING_TICKED, "screening_id", ScreeningTicked, {_ASSESS}, {_ASSESS},
             "time, as a record", retention_ms=_DAY_MS, flush=False),
        _row(Topic.LESION_ALERTED, "screening_id", LesionAlerted, {_ALERT}, {_OPERATOR, _CATALOG},
             "an alert about a finding, a side, a screening or a van: raised, and what became of it"),
        _row(Topic.ALERT_ACKNOWLEDGED, "screening_id", AlertAcknowledged, {_OPERATOR, _CONSOLE}, {_ALERT, _CATALOG},
             "somebody sees to an alert: nobody else is called"),
        _row(Topic.ALERT_HANDLED, "screening_id", AlertHandled, {_CONSOLE}, {_ALERT, _CATALOG},
             "an alert is handed over, or closed with what came of it"),
        _row(Topic.QUALITY_MEASURED, "model_id", QualityMeasured, {_QUALITY}, {_CATALOG},
             "how far outlines agree with readers', what drifts, and what to look at"),
        _row(Topic.SCREENING_OBSERVED, "fingerprint", ScreeningObserved, {_QUALITY}, {_QUALITY},
             "what one screening adds to the figures of one network", retention_ms=14 * _DAY_MS),
        _row(Topic.FAULT_ALERTED, "stage, van_id or model_id", FaultAlerted, set(STAGES), {_ALERT, _CATALOG},
             "a fault of a worker, a van or a network begins, or has ended", retention_ms=14 * _DAY_MS),
        _row(Topic.RECORD_REJECTED, "screening_id, or rejection_id", RecordRejected,
             set(STAGES), {_ASSESS, _RETRIER, _CATALOG}, "a record that a stage could not use"),
        _row(Topic.REJECTED_HANDLED, "rejection_id", RejectedHandled, {_CONSOLE}, {_RETRIER, _CATALOG},
             "a rejected record shall be sent again, or nobody sends it again, and why"),
        _row(Topic.REJECTED_RETRIED, "screening_id, or rejection_id", RejectedRetried, {_RETRIER}, {_RETRIER, _CATALOG},
             "a rejected record was sent again, or could not be"),
        _row(Topic.RECORD_SKIPPED, "stage", RecordSkipped, {_OPERATOR}, set(STAGES),
             "an operator told a stage to pass a message that ends it"),
        _row(Topic.FRAME_REVIEWED, "screening_id", FrameReviewed, {_CONSOLE}, {_ASSESS, _CATALOG, _CONSOLE, _QUALITY},
             "a reader's mask of one frame, beside the machine's"),
        _row(Topic.SCREENING_CONCLUDED, "screening_id", ScreeningConcluded, {_CONSOLE}, {_ALERT, _CATALOG, _CONSOLE},
             "a reader has signed: categories, words and recommendation of each side"),
        _row(Topic.OUTCOME_RECORDED, "screening_id", OutcomeRecorded, {_CONSOLE}, {_ALERT, _CATALOG, _CONSOLE},
             "what became of her afterwards: calls, examinations elsewhere, results, by code"),
        _row(Topic.SCREENING_PROMOTED, "screening_id", ScreeningPromoted, {_PROMOTER}, {_ASSESS, _CATALOG, _PROMOTER},
             "a screening takes the results of another network, once every frame has one"),
        _row(Topic.SCREENING_ERASED, "screening_id", ScreeningErased, {_CONSOLE},
             {_CONSOLE, _ASSESS, _ALERT, _CATALOG, _QUALITY, _PROMOTER},
             "what is kept of a screening is deleted, and nothing more of it is kept"),
    )
}  # fmt: skip


def is_signed(topic: str) -> bool:
    """Whether vans sign what stands on this topic. Only that is ever sent again: whoever could write the centre's own
    topics for a retry could forge results."""
    return topic in set(Topic) and TOPICS[Topic(topic)].signed


def van_answered_topic(van_id: str) -> TopicSpec:
    """The one topic that this van may read: receipts, and the news of reports."""
    return TopicSpec(
        name=f"van.answered.{van_id}.v1",
        key="screening_id",
        value=VanAnswered,
        writers=frozenset({Writer.SEGMENT, Writer.ASSESS}),
        readers=frozenset({Writer.VAN, Writer.READER}),
        purpose=f"receipts and reports for {van_id}",
        retention_ms=14 * _DAY_MS,
        partitions=1,
    )


APP_IDS: Final[dict[Writer, str]] = {stage: f"sonovan-{stage.value}" for stage in STAGES}
"""Faust's app ids: also the consumer groups, and the prefix of the changelogs that an app may create."""


def deferred_group(stage: str) -> str:
    """The consumer group in which a stage's workers share its deferred messages."""
    return f"{APP_IDS[Writer(stage)]}.deferred"


TABLES: Final[dict[Writer, tuple[str, ...]]] = {
    Writer.ASSESS: ("screenings", "sequences", "results", "published", "waiting", "ending"),
    Writer.QUALITY: ("figures",),
}
"""Faust's tables; each has a compacted changelog `changelog_topic(writer, table)`."""


COMPACT_CHANGELOGS_WITHIN_MS: Final = _DAY_MS
"""Of every changelog: a row that was deleted because its time was over is gone from the disk a day later, wherever
something is written after that."""

TOMBSTONES_MS: Final = 7 * _DAY_MS
"""How long a changelog says that a row was deleted: a worker's folder that is older brings the row back, and deletes it
again."""


def changelog_topic(writer: Writer, table: str) -> str:
    """The name that Faust gives to a table's changelog."""
    return f"{APP_IDS[writer]}-{table}-changelog"
