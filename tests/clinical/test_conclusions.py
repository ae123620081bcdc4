"""What a conclusion comes to as a whole."""

import pytest

from sonovan.clinical.conclusions import (
    calls_back,
    counting,
    in_force,
    most_pressing,
    recommends,
    to_arbitrate,
    worry,
    worst_of,
)
from sonovan.contracts.conclusions import ACTIONS, ScreeningConcluded
from sonovan.contracts.ids import mint_id
from tests.contracts.conclusions import FIRST, SECOND, THIRD, concluded, left_breast, left_lobe


def right(value: str, action: str) -> object:
    return left_breast(value, action, laterality="right")


def test_whoever_comes_again_at_her_next_visit_alone_is_not_called_back() -> None:
    assert [each for each in ACTIONS if not calls_back(each)] == ["routine_screening", "follow_up"]


def test_the_most_pressing_recommendation_and_the_most_worrisome_category_count() -> None:
    both = concluded(sides=(left_breast("4C"), right("0", "mammography"), left_lobe()))
    assert (most_pressing(both), worst_of(both, "BI-RADS"), worst_of(both, "TI-RADS")) == (
        "tissue_diagnosis",
        "4C",
        "TR3",
    )
    assert worst_of(both, "C-TIRADS") is None


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (("1", "routine_screening"), ("2", "routine_screening")),
        (("2", "routine_screening"), ("0", "scan_again")),
        (("0", "mammography"), ("4A", "tissue_diagnosis")),
        (("4A", "tissue_diagnosis"), ("4B", "tissue_diagnosis")),
        (("5", "mammography"), ("4A", "tissue_diagnosis")),
    ],
)
def test_of_two_readings_the_one_that_asks_more_is_the_more_worrying(
    less: tuple[str, str], more: tuple[str, str]
) -> None:
    quiet, loud = (concluded(sides=(left_breast(*each),), findings=()) for each in (less, more))
    assert worry(quiet) < worry(loud)


def test_two_readings_that_ask_the_same_of_each_side_agree_and_of_another_side_do_not() -> None:
    one = concluded(sides=(left_breast("4A"), right("2", "routine_screening")), findings=())
    same = concluded(sides=(right("1", "routine_screening"), left_breast("4B")), findings=())
    other = concluded(sides=(left_breast("2", "routine_screening"), right("4A", "tissue_diagnosis")), findings=())
    assert recommends(one) == recommends(same) != recommends(other)
    assert worry(one) == worry(other), "so that the sides alone tell them apart"


def quiet(conclusion_id: str, **other: object) -> ScreeningConcluded:
    return concluded(conclusion_id, sides=(left_breast("2", "routine_screening"),), findings=(), **other)


def test_of_one_role_the_highest_number_counts_and_of_equal_numbers_the_higher_id() -> None:
    one, two = quiet(FIRST), concluded(SECOND, conclusion_number=2, amends=FIRST, because="overlooked")
    assert counting([two, one]) == counting([one, two]) == two
    assert in_force([concluded(THIRD), one])["first"].conclusion_id == THIRD
    assert counting([]) is None


def test_two_readings_that_differ_wait_for_somebody_to_decide_and_the_more_worrying_counts_until_then() -> None:
    one, two = quiet(FIRST), concluded(SECOND, role="second", conclusion_number=2)
    assert (counting([one, two]), to_arbitrate([one, two])) == (two, True)
    decided = quiet(THIRD, role="arbitration", conclusion_number=3)
    assert (counting([one, two, decided]), to_arbitrate([one, two, decided])) == (decided, False)
    assert not to_arbitrate([one])


def test_an_amendment_after_the_arbitration_counts_and_is_decided_about_anew() -> None:
    one, two = quiet(FIRST), concluded(SECOND, role="second", conclusion_number=2, sides=(left_breast(),))
    decided = quiet(THIRD, role="arbitration", conclusion_number=3)
    worse = left_breast("5")
    amended = concluded(mint_id(40_000, bytes), sides=(worse,), conclusion_number=4, amends=FIRST, because="overlooked")
    agreeing = concluded(mint_id(50_000, bytes), role="second", sides=(worse,), conclusion_number=5, amends=SECOND,
                         because="misread")  # fmt: skip
    anew = quiet(mint_id(60_000, bytes), role="arbitration", conclusion_number=6)
    quieter = quiet(mint_id(70_000, bytes), role="second", conclusion_number=5, amends=SECOND, because="misread")
    signed = [one, two, decided, amended]
    assert (counting(signed), to_arbitrate(signed)) == (amended, False), "both readings ask for a biopsy"
    assert (counting([*signed, agreeing]), to_arbitrate([*signed, agreeing])) == (agreeing, False)
    assert (counting([*signed, quieter]), to_arbitrate([*signed, quieter])) == (amended, True)
    assert (counting([*signed, quieter, anew]), to_arbitrate([*signed, quieter, anew])) == (anew, False)


def test_an_arbitration_decides_about_no_reading_that_was_signed_at_the_same_moment() -> None:
    one, two = quiet(FIRST), concluded(SECOND, role="second", conclusion_number=3)
    decided = quiet(THIRD, role="arbitration", conclusion_number=3)
    assert (counting([one, two, decided]), to_arbitrate([one, two, decided])) == (two, True)
