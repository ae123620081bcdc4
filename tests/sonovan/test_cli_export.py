"""Which report `sonovan export report` means."""

import pytest
import typer

from sonovan.cli.export import newest_report, results_of
from sonovan.contracts.amendments import AmendmentInForce
from sonovan.contracts.errors import Transient
from sonovan.contracts.ids import mint_id
from sonovan.contracts.results import ScreeningAssessed
from tests.clinical.records import REPORT, assessed, segmented

EARLIER, LATER = mint_id(1_000), mint_id(2_000_000_000_000)


def revision(screening_id: str, number: int, *, report: bool = True) -> ScreeningAssessed:
    keys = REPORT if report else {"status": "preliminary"}
    return assessed(screening_id=screening_id, revision_number=number, **keys)


def test_the_newest_revision_with_a_report_is_taken() -> None:
    revisions = [revision(EARLIER, 3), revision(EARLIER, 2), revision(EARLIER, 4, report=False)]
    assert newest_report(revisions, EARLIER).revision_number == 3


def test_a_screening_is_found_by_the_beginning_of_its_id_and_the_newest_without_one() -> None:
    revisions = [revision(LATER, 1), revision(EARLIER, 7)]
    assert newest_report(revisions, EARLIER[:8]).screening_id == EARLIER
    assert newest_report(revisions, None).screening_id == LATER


@pytest.mark.parametrize("beginning", ["", "zz", None])
def test_no_screening_or_several_is_a_wrong_usage(beginning: str | None) -> None:
    with pytest.raises(typer.BadParameter, match="sonovan topics tail"):
        newest_report([] if beginning is None else [revision(EARLIER, 1), revision(LATER, 1)], beginning)


def test_a_screening_with_preliminary_revisions_alone_may_be_asked_for_again() -> None:
    with pytest.raises(Transient, match="preliminary"):
        newest_report([revision(EARLIER, 1, report=False)], EARLIER)


def test_frames_of_another_van_that_name_the_screening_are_left_out() -> None:
    own, foreign = segmented(0), segmented(1).model_copy(update={"van_id": "another"})
    again = own.model_copy(update={"quality": 0.1})
    of = assessed(van_id=own.van_id, fingerprint=own.fingerprint)
    assert results_of(of, [foreign, own, again]) == [own]
    assert results_of(of.model_copy(update={"fingerprint": "f" * 64}), [own]) == []


def test_frames_are_shown_with_the_side_that_was_put_right_and_not_at_all_where_nothing_is_said_of_them() -> None:
    own = segmented(0, laterality="left")
    of = assessed(van_id=own.van_id, fingerprint=own.fingerprint)
    side = AmendmentInForce(
        amendment_number=1,
        kind="side",
        because="side_entered_wrong",
        sequence_ids=(own.sequence_id,),
        laterality="right",
    )
    (shown,) = results_of(of.model_copy(update={"amendments": (side,)}), [own])
    assert shown.laterality == "right"
    void = AmendmentInForce(amendment_number=1, kind="void", because="no_screening")
    assert results_of(of.model_copy(update={"amendments": (void,)}), [own]) == []
