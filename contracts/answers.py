"""What the centre answers: receipts to a van, rejections, the request to try one again, and what is passed over."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sonovan.contracts.description import Location
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.limits import MAX_POINTED, MAX_POINTED_CORNERS
from sonovan.contracts.record import (
    Count,
    Day,
    FrameId,
    Id,
    ItemId,
    Moment,
    Number,
    ObjectKey,
    Offset,
    Part,
    Record,
    Sha256,
    Signature,
    Token,
    VanId,
)
from sonovan.contracts.results import Status
from sonovan.contracts.words import OperatorCode

DiscardReason = Literal["scanned_again", "duplicate", "trial", "damaged", "not_ours"]
"""Why nobody sends a rejected record again: the sweep was scanned anew, it came by another way, it was a trial, its
bytes cannot be mended, it is of nobody here. A code, for it is kept for ever."""


class PointedPlace(Part):
    """Where one finding lies, and the frame that shows it best: nothing of what it may be.

    outline: on that frame, (column, row) in its pixels, thinned out.
    """

    finding_id: Sha256
    organ: Organ
    laterality: Side | None = None
    location: Location | None = None
    key_frame_id: FrameId
    outline: tuple[tuple[float, float], ...] | None = Field(default=None, min_length=3, max_length=MAX_POINTED_CORNERS)


class Pointed(Part):
    """Where the findings of a revision lie, which the van keeps for whoever scans her the next time.

    places: by organ, side and place, so that their order tells nothing of suspicion. more: findings beyond those.
    amended: how many amendments of the screening, the first ones without a gap, the places rest on; None where it had
    none, or an older centre tells. A van keeps no places that rest on fewer than it needs to know the side.
    signature: the centre's, over the places and all that the answer's own signature covers.
    """

    examined_on: Day | None = Field(default=None, description="the first day that her files name; None where none does")
    places: tuple[PointedPlace, ...] = Field(max_length=MAX_POINTED)
    more: Count = 0
    amended: Number | None = None
    signature: Signature | None = None


class VanAnswered(Record):
    """A receipt for one spooled item, or the news of a new revision.

    `item_id` is the record's `item_id`; a spool may forget an item only on `stored` with the hash it sent.
    `content_sha256` is the frame's `pixels_sha256`, or the sha256 of a control record's header bytes. A report whose
    `findings` are None says nothing of her pictures any more: the van forgets what it kept of them. One without a
    `status` is no report yet: it tells places, or that the screening is erased.
    """

    schema_name: ClassVar[str] = "van.answered"
    schema_version: ClassVar[str] = "1.3"

    van_id: VanId
    kind: Literal["stored", "rejected", "report"]
    screening_id: Id | None = None
    item_id: ItemId
    content_sha256: Sha256
    reason: Token | None = None
    retryable: bool = False
    status: Status | None = None
    revision_id: Sha256 | None = None
    revision_number: Number | None = None
    findings: Count | None = None
    pointed: Pointed | None = Field(
        default=None, description="of a complete or incomplete revision, told before its report; signed by itself"
    )
    next_key: Sha256 | None = Field(
        default=None, description="Ed25519 public key, 32 bytes in hex, by which the centre will sign later"
    )
    signature: Signature | None = Field(
        default=None,
        description="the centre's Ed25519 signature over all other fields but pointed (contracts/receipts.py)",
    )


class RecordRejected(Record):
    """A record that this stage could not use. Its bytes are kept in quarantine under `quarantine_key`.

    They are not where `kept` is False: the van's share of quarantine was used up for the day, or she did not agree to
    the record.

    `verified`: the van's signature held, so a rejected frame counts as accounted for. `stage` is one of
    `contracts.topics.STAGES`; no list of words here, so that a rejection by a newer stage can be read.
    """

    schema_name: ClassVar[str] = "record.rejected"

    rejection_id: Sha256
    stage: Token
    reason: Token
    retryable: bool
    verified: bool
    topic: Token
    partition: Count
    offset: Offset
    content_sha256: Sha256
    quarantine_key: ObjectKey
    kept: bool = True
    rejected_at: Moment
    screening_id: Id | None = None
    frame_id: FrameId | None = None
    van_id: VanId | None = None


class RejectedHandled(Record):
    """Somebody decided what becomes of a rejected record: it shall be sent again, or nobody sends it again, and why.

    Sending is for whoever holds the right to (`sonovan rejected follow`); the record itself moves nothing. Of several
    decisions about one rejection the newest counts. because: of a discarded one alone. by: a code, never a name.
    """

    schema_name: ClassVar[str] = "rejected.handled"

    handling_id: Id
    rejection_id: Sha256
    screening_id: Id | None = None
    decision: Literal["retry", "discard"]
    because: DiscardReason | None = None
    by: OperatorCode
    handled_at: Moment

    @model_validator(mode="after")
    def _discarded_for_a_reason(self) -> Self:
        if (self.decision == "discard") != (self.because is not None):
            raise ValueError("because stands with what is discarded, and with nothing else")
        return self


class RejectedRetried(Record):
    """A quarantined record was sent to its topic again, or could not be.

    handling_id: the decision that asked for it; None where a command did. outcome: `gone` where its bytes are no longer
    in quarantine, `refused` where it is nothing that may be sent again.
    """

    schema_name: ClassVar[str] = "rejected.retried"
    schema_version: ClassVar[str] = "1.1"

    rejection_id: Sha256
    screening_id: Id | None = None
    retried_at: Moment
    handling_id: Id | None = None
    outcome: Literal["sent", "gone", "refused"] = "sent"


class RecordSkipped(Record):
    """An operator told a stage to pass one message, which is rejected as `skipped_by_operator` instead of being taken.

    by: the operator's account on the machine. why_sha256: of the reason in the operator's own words. These stay in the
    operator's audit file, for no free text travels; the hash holds the two together.
    """

    schema_name: ClassVar[str] = "record.skipped"

    stage: Token
    topic: Token
    partition: Count
    offset: Offset
    skipped_at: Moment
    by: Token
    why_sha256: Sha256
