"""Amend a screening that this van sent: the wrong side, the wrong woman, one that does not count, consent withdrawn."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pydantic import ValidationError

from sonovan.contracts.amendments import REASONS_OF, Amendment, AmendmentKind, ScreeningAmended, ends_reading
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import MAX_AMENDMENTS
from sonovan.contracts.topics import Topic
from sonovan.producers.items import Item, Signer
from sonovan.producers.signed_items import control_item
from sonovan.producers.spool import Spool


def spool_amendment(
    spool: Spool,
    signer: Signer,
    screening_id: str,
    amendment: Amendment,
    because: str,
    *,
    by: str | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Item:
    """Put an amendment with the screening's next number into the spool.

    because: one of REASONS_OF. by: a code of the site for who amends. The same again makes another amendment, which
    changes nothing. After one that ends the reading of her pictures the van's preview looks at none of them any more,
    and what was kept of them for her next visit is deleted. What is kept follows the woman whose screening it is;
    where the side changes, lights and lists of the page follow it, and what is kept goes until a report of the centre
    that rests on this amendment tells of the right one.
    After one that withdraws her consent to the screening or to a machine's reading, what is unsent of the screening
    stays on the van until that is taken back (`sonovan.producers.spool.withholding`).
    Raises InvalidRecord `option_invalid` for a screening that this van never sent or has amended too often, for a
    reason that this kind does not have, and for taking back what is not there.
    """

    def make(number: int) -> Item:
        made = number - 1
        if made >= MAX_AMENDMENTS:
            raise InvalidRecord("option_invalid", f"a screening is amended {MAX_AMENDMENTS} times at most")
        if amendment.kind == "taken_back" and amendment.amendment_number > made:
            raise InvalidRecord("option_invalid", f"screening {screening_id} has {made} amendments, not so many")
        try:
            record = ScreeningAmended.model_validate(
                {
                    "screening_id": screening_id,
                    "van_id": signer.van_id,
                    "amendment_number": number,
                    "amendment": amendment,
                    "because": because,
                    "by": by,
                    "amended_at": now(),
                }
            )
        except ValidationError:
            detail = "--by is a code such as op-7, never a name; " + reasons_told(amendment.kind)
            raise InvalidRecord("option_invalid", detail) from None
        if ends_reading(amendment):  # in the transaction that puts the amendment, and so is all that follows
            spool.silenced.add(screening_id)
            spool.forget_earlier(screening_id)
        if amendment.kind == "side":
            side = None if amendment.planned_too else amendment.laterality
            spool.sides.amended(screening_id, number, amendment.sequence_ids, side)
            spool.earlier.side_changed(screening_id, number)
        if amendment.kind == "woman":
            spool.earlier.is_of(screening_id, number, amendment.subject_key)
        if amendment.kind == "consent" and not {"screening", "ai"}.isdisjoint(amendment.withdrawn):
            spool.withholding.withdraw(screening_id, number, told="screening" in amendment.withdrawn)
        if amendment.kind == "taken_back":
            spool.sides.take_back(screening_id, amendment.amendment_number)
            spool.withholding.take_back(screening_id, amendment.amendment_number)
            spool.earlier.take_back(screening_id, amendment.amendment_number, number)
        return control_item(Topic.SCREENING_AMENDED, record, signer)

    return spool.put_next(screening_id, Topic.SCREENING_AMENDED, make)


def reasons_told(kind: AmendmentKind) -> str:
    """Which reasons a kind of amendment may have, for whoever gave another."""
    return f"--because is one of {', '.join(REASONS_OF[kind])}"


def sweeps_of(spool: Spool, screening_id: str, named: Sequence[str]) -> tuple[str, ...]:
    """The sweeps of a screening that are meant: those named, or its only one where none is.

    Raises InvalidRecord `option_invalid` for one that is not of this screening as far as the spool still knows it, and
    where several may be meant.
    """
    known = spool.sequence_ids(screening_id)
    strangers = [each for each in named if known and each not in known]
    if strangers:
        raise InvalidRecord("option_invalid", f"--sequence {strangers[0]}: the screening has {', '.join(known)}")
    if named:
        return tuple(dict.fromkeys(named))
    if len(known) == 1:
        return known
    detail = f"this screening has {', '.join(known)}" if known else "van send --json names them"
    raise InvalidRecord("option_invalid", f"--sequence: say which sweeps show another side; {detail}")
