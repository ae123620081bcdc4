"""What a van tells of itself from time to time: what waits, since when, its disk, its clock, its link."""

from typing import Annotated, ClassVar

from pydantic import Field

from sonovan.contracts.record import Count, Moment, Record, VanId
from sonovan.contracts.words import Version

Bytes = Annotated[int, Field(ge=0, le=2**53 - 1)]
Seconds = Annotated[int, Field(ge=0, le=10**9)]


class VanReported(Record):
    """The state of a van's spool and link at one moment. It names no screening and nobody.

    waiting, held, rejected: items of its spool that are on their way, that stay on the van until somebody decides, that
    the centre could not use. unfinished: screenings that were not closed. oldest_s: for how long the oldest item waits.
    metered: whether frames wait for a link that costs less. A van without a link is silent: nothing is kept to be
    reported later.
    """

    schema_name: ClassVar[str] = "van.reported"

    van_id: VanId
    reported_at: Moment = Field(description="by the van's clock")
    waiting: Count
    waiting_bytes: Bytes
    oldest_s: Seconds | None = None
    held: Count
    rejected: Count
    unfinished: Count
    disk_free_bytes: Bytes
    clock_ahead_s: float | None = Field(
        default=None, ge=-1e10, le=1e10, description="of the van's clock, before the broker's; None: not known yet"
    )
    link_bits_per_s: Bytes | None = Field(default=None, description="while something was sent last; None: not known")
    metered: bool = False
    version: Version = Field(description="of sonovan")
    python: Version
