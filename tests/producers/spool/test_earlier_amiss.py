"""What the van keeps for her next visit where something comes late or twice, is amended or damaged, or nothing came."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sonovan.contracts.amendments import SideAmended, TakenBack, WomanAmended
from sonovan.contracts.ids import mint_id
from sonovan.producers.amend import spool_amendment
from sonovan.producers.spool import Spool
from tests.producers.spool.earlier import (
    HER,
    OTHER,
    TODAY,
    bodies,
    kept,
    place,
    pointing,
    report,
    scanned,
    spool_in,
    told,
    visited,
)  # fmt: skip
from tests.producers.spool.test_spool import messages, receipt, store_all
from tests.producers.visits import SIGNER, VISIT


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with spool_in(tmp_path / "van") as opened:
        yield opened


def test_todays_screening_of_which_nothing_is_kept_shows_what_is_the_right_womans_all_the_same(spool: Spool) -> None:
    scanned(spool)
    others = scanned(spool, OTHER)
    void, unkept = visited(spool, HER), visited(spool, HER)
    spool._db.write("DELETE FROM women WHERE screening_id = ?", unkept)  # as a van that kept nothing opened it
    for today in (void, unkept):
        spool_amendment(spool, SIGNER, today, WomanAmended(subject_key=OTHER), "wrong_woman")
    spool.forget_earlier(void)
    for today in (void, unkept):
        assert [each.screening_id for each in kept(spool, HER, today)] == [others]
        store_all(spool)
        told(spool, today, place(spool, today))
        assert spool.earlier.count(today) == 0, "and still nothing is kept of it"
    assert bodies(spool) == 0


@pytest.mark.parametrize("taken_back", [False, True])
def test_a_place_on_a_side_that_was_amended_is_not_shown_until_the_centre_tells_it_again(
    spool: Spool, taken_back: bool
) -> None:
    screening, other = scanned(spool), scanned(spool)
    sides = SideAmended(sequence_ids=spool.sequence_ids(screening), laterality="right")
    if taken_back:
        spool_amendment(spool, SIGNER, screening, sides, "side_entered_wrong")
        told(spool, screening, place(spool, screening, laterality="right"), number=2, amended=1)
        spool_amendment(spool, SIGNER, screening, TakenBack(amendment_number=1), "amended_by_mistake")
    else:
        spool_amendment(spool, SIGNER, screening, sides, "side_entered_wrong")
    assert [each.screening_id for each in kept(spool)] == [other]
    for known in (None, 1)[: 1 + taken_back]:  # reports that were under way when it was amended
        told(spool, screening, place(spool, screening, laterality="right" if taken_back else "left"), amended=known)
        assert [each.screening_id for each in kept(spool)] == [other], "its side is the one of before"
    right = place(spool, screening, laterality="left" if taken_back else "right")
    told(spool, screening, right, number=3, amended=1 + taken_back)
    found = {each.screening_id: each.place.laterality for each in kept(spool)}
    assert found == {screening: "left" if taken_back else "right", other: "left"}


def test_a_screening_without_a_readable_frame_leaves_no_trace(spool: Spool) -> None:
    screening = mint_id()
    spool.begun_screening(VISIT, SIGNER, screening).close()
    assert [spool._db.read(f"SELECT 1 FROM {table}") for table in ("screenings", "women")] == [[], []]
    assert spool.begun_screening(VISIT, SIGNER, screening).screening_id == screening, "her next object opens it again"
    spool._db.write("DELETE FROM screenings")  # as an earlier version left it
    assert spool.begun_screening(VISIT, SIGNER, screening).screening_id == screening


def test_a_damaged_place_is_left_out_and_neither_the_others_nor_the_receipts_meet_it(spool: Spool) -> None:
    screening, other = scanned(spool), scanned(spool)
    spool._db.write("UPDATE earlier SET about = substr(about, 2) WHERE screening_id = ?", screening)
    assert [each.screening_id for each in kept(spool)] == [other]
    told(spool, screening, place(spool, screening), number=2)
    assert {each.screening_id for each in kept(spool)} == {screening, other}, "a later report takes its place"
    (found,) = [each for each in kept(spool) if each.has_picture]
    spool._db.write("UPDATE earlier SET picture = substr(picture, 2) WHERE number = ?", found.number)
    assert spool.earlier.picture(HER, TODAY, found.number) is None


def test_a_report_on_part_of_the_frames_lets_none_go_while_others_are_on_their_way(spool: Spool) -> None:
    screening = visited(spool)
    waiting = messages(spool)
    for message in waiting:
        spool.mark_sent(message.item_id)
    for message in waiting[:-2]:
        spool.take_answer(receipt(message), 0, 1)
    spool.take_answer(report(screening, 0, 1, "incomplete"), 0, 2)
    for message in waiting[-2:]:
        spool.take_answer(receipt(message), 0, 3)
    told(spool, screening, place(spool, screening, index=3), number=2)
    assert [each.has_picture for each in kept(spool)] == [True]
    assert bodies(spool) == 0


def test_a_report_on_part_of_the_frames_lets_them_go_where_no_other_is_on_its_way(spool: Spool) -> None:
    screening = visited(spool)
    store_all(spool)
    spool.take_answer(report(screening, 0, 1, "incomplete"), 0, 2)
    assert bodies(spool) == 0


def test_a_frame_that_is_released_after_the_report_waits_for_the_next_one(spool: Spool) -> None:
    screening = visited(spool)
    name = next(each.item_id for each in messages(spool) if each.item_id.endswith("/000002"))
    spool.hold(name, "burned_in_text", SIGNER)
    store_all(spool)
    told(spool, screening)
    spool.release(name, SIGNER)
    store_all(spool)
    told(spool, screening, place(spool, screening), number=2)
    assert [each.has_picture for each in kept(spool)] == [True]
    assert bodies(spool) == 0


def test_another_outline_on_the_same_frame_is_the_one_that_is_shown(spool: Spool) -> None:
    screening = scanned(spool)
    told(spool, screening, redrawn := place(spool, screening, outline=((1, 1), (5, 1), (5, 5))), number=2)
    (found,) = kept(spool)
    assert (found.place, found.has_picture) == (redrawn, True)


def test_of_two_revisions_with_one_number_the_one_that_came_last_stands(spool: Spool) -> None:
    screening = scanned(spool)
    answer = pointing(screening, place(spool, screening, laterality="right"))
    spool.take_answer(answer, 0, 1)
    assert [each.place.laterality for each in kept(spool)] == ["left"], "the same one again changes nothing"
    spool.take_answer(answer.model_copy(update={"revision_id": "b" * 64}), 0, 2)
    assert [(each.place.laterality, each.has_picture) for each in kept(spool)] == [("right", True)]
