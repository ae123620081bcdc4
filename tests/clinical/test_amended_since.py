"""What was amended since a revision was read: whose it is, which side, and whether anything is said at all."""

from typing import Any

import pytest

from sonovan.clinical.amended_since import amended_since, counting_of
from sonovan.contracts.amendments import AmendmentInForce
from sonovan.contracts.ids import mint_id

ONE, TWO = mint_id(1, bytes), mint_id(2, bytes)
BECAUSE = {"woman": "wrong_woman", "side": "side_entered_wrong", "void": "no_screening", "consent": "she_withdrew"}


def of(number: int, kind: str, **other: Any) -> AmendmentInForce:
    because = "operator_saw_something" if kind == "seen" else BECAUSE[kind]
    return AmendmentInForce.model_validate(
        {"amendment_number": number, "kind": kind, "because": because, **other}, strict=False
    )


def side(number: int, *sequences: str, now: str = "right") -> AmendmentInForce:
    return of(number, "side", sequence_ids=sequences, laterality=now)


@pytest.mark.parametrize(
    ("made", "silenced", "another"),
    [
        (of(1, "woman"), False, True),
        (side(1, ONE), False, True),
        (of(1, "void"), True, False),
        (of(1, "consent", withdrawn=("screening",)), True, False),
        (of(1, "consent", withdrawn=("ai",)), True, False),
        (of(1, "consent", withdrawn=("research",)), False, False),
        (of(1, "seen"), False, False),
    ],
)
def test_an_amendment_that_was_not_read_counts_by_its_kind_whoever_knows_it(
    made: AmendmentInForce, silenced: bool, another: bool
) -> None:
    for known in (((made,), ()), ((), (made,))):
        since = amended_since((), *known)
        assert (since.silenced, since.another) == (silenced, another)
    read = amended_since((made,), (made,), (made,))
    assert (read.new, read.gone) == ((), ()), "what was read is nothing new"


def test_what_was_taken_back_since_differs_as_well() -> None:
    read = (of(1, "woman"), side(2, ONE))
    since = amended_since(read, read, (of(1, "woman"),))
    assert [each.amendment_number for each in since.gone] == [2]
    assert since.another


def test_an_amendment_that_a_newer_one_replaced_before_is_no_difference() -> None:
    records = (of(1, "woman"), side(2, ONE), of(3, "woman"), side(4, ONE, TWO, now="left"), side(5, TWO))
    counting = counting_of(records)
    assert [each.amendment_number for each in counting] == [3, 4, 5]
    arrived = tuple(each.model_copy(update={"sequence_ids": each.sequence_ids[:1]}) for each in counting)
    assert not amended_since(arrived, arrived, records).another, "a revision names the sweeps that arrived"
