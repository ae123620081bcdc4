"""Every table of the catalogue. Names of tables are singular; people read the views (`views.py`), whose names are
plural.

Columns have their units in their names. NULL is not known, never 0.
"""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Double, Index, Integer, SmallInteger, Table, Text
from sqlalchemy import Column as _Column

from sonovan.contracts.topics import Topic
from sonovan.storage.catalogue.columns import JSON, META, MOMENT, Rule, key, may, must, table_of
from sonovan.storage.catalogue.tables_concluded import ALERT_STEP, CONCLUDED_SIDE, CONCLUSION, FINDING_READ, OUTCOME
from sonovan.storage.catalogue.tables_decided import PROMOTION, REJECTION_HANDLED, REJECTION_RETRIED
from sonovan.storage.catalogue.tables_erased import ERASED, TO_DELETE, TO_SWEEP
from sonovan.storage.catalogue.tables_found import (
    ADEQUACY,
    FINDING,
    FRAME,
    FRAME_REPLAYED,
    REVISION,
    SCREENING,
    SEQUENCE_RESULT,
    SIGHTING,
)
from sonovan.storage.catalogue.tables_listed import LISTED
from sonovan.storage.catalogue.tables_packed import PACKED, PACKING
from sonovan.storage.catalogue.tables_sent import (
    AMENDMENT,
    CLINICAL_RECORD,
    OPENING,
    SCREENING_CLOSING,
    SEQUENCE_CLOSING,
    VAN_REPORT,
)

_ALERT: Final = (
    "screening_id", "revision_id", "raised_in", "about", "about_kind", "state", "severity", "rule", "rules_version",
    "because", "acknowledged_by", "acknowledged_at", "as_of",
)  # fmt: skip


def _alert_columns() -> list[_Column[object]]:
    kinds = {"about": JSON, "because": JSON, "acknowledged_at": MOMENT, "as_of": MOMENT}
    known = {"acknowledged_by", "acknowledged_at"}
    return [(may if name in known else must)(name, kinds.get(name, Text)) for name in _ALERT]


ALERT: Final[Table] = table_of(
    Topic.LESION_ALERTED, "alert", "newest", "How each alert stands now.",
    key("alert_id"), *_alert_columns(), Index("alert_by_screening", "screening_id"),
)  # fmt: skip

ALERT_RECORD: Final[Table] = table_of(
    Topic.LESION_ALERTED, "alert_record", "first", "Every record of every alert, by its place in the topic.",
    key("alert_id"), key("message_partition", SmallInteger), key("message_offset", BigInteger), *_alert_columns(),
)  # fmt: skip

ALERT_ANSWER: Final[Table] = table_of(
    Topic.ALERT_ACKNOWLEDGED, "alert_answer", "first", "Who sees to an alert; by its place in the topic.",
    key("alert_id"),
    key("message_partition", SmallInteger),
    key("message_offset", BigInteger),
    must("screening_id"),
    must("raised_in"),
    must("answered_by", doc="a code of the site, never a name"),
)  # fmt: skip

FAULT: Final[Table] = table_of(
    Topic.FAULT_ALERTED, "fault", "newest", "How each fault of a worker or a van stands now.",
    key("fault_id"),
    may("stage"),
    may("instance", Integer),
    may("worker"),
    may("van_id"),
    must("fault"),
    must("state"),
    must("because", JSON),
    must("as_of", MOMENT),
    expires=True,
)  # fmt: skip

REJECTION: Final[Table] = table_of(
    Topic.RECORD_REJECTED, "rejection", "first", "A record that a stage could not use.",
    key("rejection_id"),
    must("stage"),
    must("reason"),
    must("retryable", Boolean),
    must("verified", Boolean),
    must("topic"),
    must("message_partition", Integer),
    must("message_offset", BigInteger),
    must("content_sha256"),
    must("kept", Boolean),
    must("rejected_at", MOMENT),
    may("screening_id"),
    may("frame_id"),
    may("van_id"),
    Index("rejection_by_screening", "screening_id"),
)  # fmt: skip

REVIEW: Final[Table] = table_of(
    Topic.FRAME_REVIEWED, "review", "first", "A reader's mask of a frame.",
    key("review_id"),
    must("screening_id"),
    must("sequence_id"),
    must("frame_index", Integer),
    must("van_id"),
    must("organ"),
    must("reader", doc="a code of the site, never a name"),
    must("blind", Boolean, "the reader had not seen the machine's outline"),
    must("verdict"),
    must("image_sha256"),
    may("mask_key"),
    may("mask_sha256"),
    may("model_id", doc="of the machine's result beside it"),
    may("fingerprint"),
    may("machine_mask_key"),
    may("predicted_dice", Double),
    may("assessable", Boolean),
    may("dice", Double, "of both masks; NULL where the reader outlined nothing, or a mask is not there"),
    may("iou", Double),
    must("words", JSON, "term → word that the reader chose"),
    must("origin"),
    must("reviewed_at", MOMENT),
    Index("review_by_frame", "sequence_id", "frame_index"),
)  # fmt: skip

QUALITY_MEASUREMENT: Final[Table] = table_of(
    Topic.QUALITY_MEASURED, "quality_measurement", "first", "Figures of a network, van or scanner.",
    key("message_partition", SmallInteger),
    key("message_offset", BigInteger),
    must("stratum", doc="what the figures are of, in one word"),
    must("level", doc="network, van, scanner, source"),
    must("model_id"),
    must("fingerprint"),
    must("organ"),
    may("van_id"),
    may("manufacturer"),
    may("scanner_model"),
    must("as_of", MOMENT),
    may("verdict", doc="of agreement with blind readers: too_few, met, unclear, missed"),
    may("dice", Double),
    may("dice_low", Double),
    may("dice_high", Double),
    may("iou", Double),
    may("iou_low", Double),
    may("iou_high", Double),
    may("screenings", Integer, "that blind readers reviewed"),
    may("needed", Integer, "before the verdict says more than too_few"),
    may("agreement", JSON),
    may("window_number", Integer),
    may("drifted", Boolean, "of any feature"),
    may("measured_window", JSON, "so many screenings in a row, each feature against the reference"),
    Index("quality_measurement_by_stratum", "stratum"),
)  # fmt: skip

FLAG: Final[Table] = table_of(
    Topic.QUALITY_MEASURED, "flag", "first", "A frame that somebody should look at; by place in the topic.",
    key("message_partition", SmallInteger),
    key("message_offset", BigInteger),
    key("ordinal", Integer),
    must("screening_id"),
    must("sequence_id"),
    must("frame_index", Integer),
    must("model_id"),
    must("because", doc="predicted_low, outside_reference"),
    must("feature"),
    must("value", Double),
    must("as_of", MOMENT),
    Index("flag_by_screening", "screening_id"),
)  # fmt: skip

READ_OFFSET: Final[Table] = Table(
    "read_offset", META,
    key("topic"),
    key("message_partition", SmallInteger),
    must("next_offset", BigInteger, "one behind the highest offset of which a row was written"),
    info={"doc": "How far the catalogue is with each topic, written with the rows in one transaction."},
)  # fmt: skip

HOLD: Final[Table] = Table(
    "hold", META,
    key("site_code"),
    must("since", MOMENT),
    must("operator", doc="a code of the site, never a name"),
    must("because", doc="a code"),
    info={"doc": "Legal holds: nothing of these sites may be deleted, whatever its time."},
)  # fmt: skip

RETENTION: Final[Table] = Table(
    "retention", META,
    key("site_code"),
    must("days", Integer, "for which what is kept of a screening stays, from its opening"),
    info={"doc": "How long screenings of a site are kept; a site without a row keeps them until somebody asks."},
)  # fmt: skip

INVITED: Final[Table] = Table(
    "invited", META,
    key("site_code"),
    key("month", doc="`2026-03`"),
    key("organ"),
    must("women", Integer, "how many were invited; who they were stands nowhere"),
    must("recorded_at", MOMENT),
    must("operator", doc="who said so: a code of the site, never a name"),
    info={"doc": "How many women a site invited, as the programme counts them."},
)  # fmt: skip

MADE: Final[Table] = Table(
    "made", META, key("name"), must("value"),
    info={"doc": "What the views in this catalogue were made from, so that another version makes them again."},
)  # fmt: skip

WRITTEN: Final[tuple[Table, ...]] = (
    OPENING, CLINICAL_RECORD, AMENDMENT, SEQUENCE_CLOSING, SCREENING_CLOSING, VAN_REPORT,
    FRAME, FRAME_REPLAYED, REVISION, SCREENING, FINDING, SIGHTING, ADEQUACY, SEQUENCE_RESULT,
    ALERT, ALERT_RECORD, ALERT_ANSWER, FAULT, REJECTION, REVIEW, QUALITY_MEASUREMENT, FLAG,
    CONCLUSION, CONCLUDED_SIDE, FINDING_READ, OUTCOME, ALERT_STEP, PROMOTION,
    REJECTION_HANDLED, REJECTION_RETRIED, ERASED,
)  # fmt: skip
"""The tables that are filled from topics, in the order in which they are written."""

DERIVED: Final[tuple[Table, ...]] = (LISTED,)
"""The tables whose rows are made from others (`listing.py`)."""

SETTLED: Final = (HOLD, RETENTION, INVITED)
"""What people decided or counted, and no topic says: taken over when the catalogue is made again."""

REMEMBERED: Final = (TO_SWEEP, TO_DELETE, PACKING, PACKED)
"""What is to be done, or was, with objects: taken over as well."""


def rule_of(table: Table) -> Rule:
    """The rule by which one of two rows stays."""
    rule = table.info["rule"]
    assert isinstance(rule, Rule)
    return rule
