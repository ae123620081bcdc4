"""Tables of what was erased, and of what is still to be deleted because of that."""

from typing import Final

from sqlalchemy import Table

from sonovan.contracts.topics import Topic
from sonovan.storage.catalogue.columns import META, MOMENT, key, must, table_of

ERASED: Final[Table] = table_of(
    Topic.SCREENING_ERASED, "erased", "first", "A screening of which nothing is kept; its id is no longer hers.",
    key("screening_id"),
    must("because", doc="a code"),
    must("operator", doc="a code of the site, never a name"),
    must("erased_at", MOMENT),
)  # fmt: skip

TO_SWEEP: Final[Table] = Table(
    "to_sweep", META,
    key("screening_id"),
    info={"doc": "Erased screenings of which rows came since they were deleted, or were not deleted yet."},
)  # fmt: skip

TO_DELETE: Final[Table] = Table(
    "to_delete", META,
    key("bucket"),
    key("object_key", doc="of one object; one that ends with a slash is a folder, with all that lies below"),
    info={"doc": "Objects of erased screenings that stand in the object store until they are deleted there."},
)  # fmt: skip
