"""Tables of what was packed in the object store, and of what somebody packs now; no topic says it."""

from typing import Final

from sqlalchemy import BigInteger, Integer, Table

from sonovan.storage.catalogue.columns import META, key, must

PACKING: Final[Table] = Table(
    "packing", META,
    key("screening_id"),
    must("holder", doc="of the run that packs it; names nobody"),
    must("since_ms", BigInteger, "ms since 1970"),
    info={"doc": "Screenings whose frames and masks somebody packs now: they are erased once that has ended."},
)  # fmt: skip

PACKED: Final[Table] = Table(
    "packed", META,
    key("screening_id"),
    must("through_ms", BigInteger, "of the newest revision or replayed result that was known then, as `at_ms`"),
    must("objects_before", Integer, "frames and masks that lay alone"),
    must("packs", Integer, "that hold them since"),
    must("pack_bytes", BigInteger),
    info={"doc": "Screenings whose frames and masks lie in packs, one or few for a sweep."},
)  # fmt: skip
