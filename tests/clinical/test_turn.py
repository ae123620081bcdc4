"""Whose turn it is to sign."""

from typing import Any

import pytest

from sonovan.clinical.reading import ReadingRules
from sonovan.clinical.turn import turn_of
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.ids import mint_id
from tests.contracts.conclusions import FIRST, SECOND, THIRD, concluded, left_breast

ALONE = ReadingRules()
ALL = ReadingRules(second_reader="all")
RECALLED = ReadingRules(second_reader="called_back")


def quiet(conclusion_id: str = FIRST, **other: Any) -> ScreeningConcluded:
    return concluded(conclusion_id, sides=(left_breast("2", "routine_screening"),), findings=(), **other)


def decided(by: str = "dr-3") -> ScreeningConcluded:
    return quiet(THIRD, role="arbitration", conclusion_number=3, by=by)


def overlooked(**other: Any) -> ScreeningConcluded:
    fields: dict[str, Any] = {"conclusion_number": 4, "amends": FIRST, "because": "overlooked"}
    return concluded(mint_id(40_000, bytes), sides=(left_breast("0", "mammography"),), findings=(), **fields | other)


def second(**other: Any) -> ScreeningConcluded:
    return concluded(SECOND, role="second", conclusion_number=2, by="dr-2", **other)


@pytest.mark.parametrize(
    ("signed", "reader", "rules", "role", "why"),
    [
        ([], "dr-1", ALONE, "first", "open"),
        ([concluded()], "dr-1", ALONE, "first", "amend"),
        ([concluded()], "dr-2", ALONE, None, "done"),
        ([concluded()], "dr-2", ALL, "second", "open"),
        ([concluded()], "dr-1", ALL, "first", "amend"),
        ([quiet()], "dr-2", RECALLED, None, "done"),
        ([concluded()], "dr-2", RECALLED, "second", "open"),
        ([quiet(), second()], "dr-3", ALL, "arbitration", "open"),
        ([quiet(), second()], "dr-2", ALL, "second", "amend"),
        ([concluded(), second()], "dr-3", ALL, None, "done"),
        ([quiet(), second(), decided()], "dr-4", ALL, None, "done"),
        ([quiet(), second(), decided()], "dr-3", ALL, "arbitration", "amend"),
        ([quiet(), second(), decided(), overlooked()], "dr-4", ALL, "arbitration", "open"),
        ([quiet(), second(), decided(), overlooked()], "dr-3", ALL, "arbitration", "open"),
        ([quiet(), second(), decided(), overlooked()], "dr-1", ALL, "first", "amend"),
        ([quiet(), second()], "dr-3", ReadingRules(second_reader="all", arbitration=False), None, "done"),
    ],
)
def test_the_programme_says_whose_turn_it_is(
    signed: list[ScreeningConcluded], reader: str, rules: ReadingRules, role: str | None, why: str
) -> None:
    turn = turn_of(signed, reader, rules)
    assert (turn.role, turn.why) == (role, why)
    assert (turn.amends is not None) == (why == "amend")


def test_a_second_reader_does_not_see_what_the_first_one_signed_and_whoever_decides_sees_both() -> None:
    assert turn_of([concluded()], "dr-2", ALL).shown == ()
    assert len(turn_of([quiet(), second()], "dr-3", ALL).shown) == 2


def test_the_first_reader_sees_nothing_of_the_second_reading_before_there_is_one() -> None:
    assert turn_of([concluded()], "dr-1", ALL).shown == (concluded(),)
