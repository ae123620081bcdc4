"""Tables of what people decide about screenings."""

from typing import Final

from sqlalchemy import Index, Table

from sonovan.contracts.topics import Topic
from sonovan.storage.catalogue.columns import MOMENT, key, must, table_of

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
