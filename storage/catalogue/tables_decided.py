"""Tables of what people decide about screenings and rejected records."""

from typing import Final

from sqlalchemy import BigInteger, Index, SmallInteger, Table

from sonovan.contracts.topics import Topic
from sonovan.storage.catalogue.columns import MOMENT, key, may, must, table_of

PROMOTION: Final[Table] = table_of(
    Topic.SCREENING_PROMOTED, "promotion", "first", "A screening shall take the results of another network.",
    key("promotion_id"),
    must("screening_id"),
    must("van_id"),
    must("model_id"),
    must("weights_sha256"),
    must("fingerprint", doc="names the network"),
    must("because", doc="a code"),
    must("operator", doc="a code of the site, never a name"),
    must("promoted_at", MOMENT),
    Index("promotion_by_screening", "screening_id"),
)  # fmt: skip

REJECTION_HANDLED: Final[Table] = table_of(
    Topic.REJECTED_HANDLED, "rejection_handled", "first", "Somebody decided what becomes of a rejected record.",
    key("handling_id"),
    must("rejection_id"),
    may("screening_id"),
    must("decision", doc="retry, discard"),
    may("because", doc="a code; of what is discarded"),
    must("operator", doc="a code, never a name"),
    must("handled_at", MOMENT),
    Index("rejection_handled_by_rejection", "rejection_id"),
)  # fmt: skip

REJECTION_RETRIED: Final[Table] = table_of(
    Topic.REJECTED_RETRIED, "rejection_retried", "first", "A rejected record was sent again, or could not be.",
    key("message_partition", SmallInteger),
    key("message_offset", BigInteger),
    must("rejection_id"),
    may("screening_id"),
    may("handling_id", doc="the decision that asked for it; NULL where a command did"),
    must("outcome", doc="sent, gone, refused"),
    must("retried_at", MOMENT),
    Index("rejection_retried_by_rejection", "rejection_id"),
)  # fmt: skip
