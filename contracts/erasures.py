"""She asked that what is kept of her be deleted, or its time was over: one record for each screening."""

from typing import ClassVar, Literal

from sonovan.contracts.record import Id, Moment, Record, VanId
from sonovan.contracts.words import OperatorCode

ErasureReason = Literal["she_asked", "retention_over", "never_consented", "sent_by_mistake"]
"""Why a screening is erased. A code, so that nothing in it can name her."""


class ScreeningErased(Record):
    """The screening's objects and rows are deleted wherever they are kept, and nothing that comes later is kept again.

    by: the code of whoever decided it, never a name. van_id: which van scanned her, so that it is told as well; None
    where that is not known any more.
    """

    schema_name: ClassVar[str] = "screening.erased"
    schema_version: ClassVar[str] = "1.1"

    screening_id: Id
    because: ErasureReason
    by: OperatorCode
    erased_at: Moment
    van_id: VanId | None = None
