"""What the operator marked: a reason to look, and nothing that is taken away."""

import pytest

from sonovan.clinical.marks import marked
from sonovan.contracts.amendments import AmendmentInForce, Mark
from sonovan.contracts.van import PlannedRegion
from tests.clinical.records import NOON, SWEEP, adequacy, assessed

PLACES = (
    PlannedRegion(organ="breast", side="left"),
    PlannedRegion(organ="breast", side="right"),
    PlannedRegion(organ="breast", side="left", region="upper_outer"),
    PlannedRegion(organ="thyroid", side="left"),
)
ROWS = tuple(adequacy(organ=each.organ, laterality=each.side, region=each.region) for each in PLACES)


def seen(number: int = 1, **place: object) -> AmendmentInForce:
    mark = Mark.model_validate({"frame_id": f"{SWEEP}/000007", "sweep": 1, "marked_at": NOON, **place})
    return AmendmentInForce(amendment_number=number, kind="seen", because="operator_saw_something", mark=mark)


@pytest.mark.parametrize(
    ("place", "rows"),
    [
        ({"organ": "breast", "laterality": "left"}, [0, 2]),
        ({"organ": "breast", "laterality": "left", "region": "axilla"}, [0]),
        ({"organ": "breast"}, [0, 1, 2]),
        ({"organ": "thyroid", "laterality": "left"}, [3]),
        ({}, [0, 1, 2, 3]),
    ],
)
def test_every_row_that_the_mark_may_be_of_says_so(place: dict[str, str], rows: list[int]) -> None:
    before = assessed(adequacy=ROWS, amendments=(seen(**place),))
    after = marked(before)
    assert [number for number, row in enumerate(after.adequacy) if "operator_marked" in row.reasons] == rows
    assert [row.model_copy(update={"reasons": ()}) for row in after.adequacy] == list(ROWS), "no level changes"
    assert after.advice[1:] == before.advice
    same = {"adequacy": (), "advice": ()}
    assert after.model_copy(update=same) == before.model_copy(update=same)


def test_marks_of_one_place_are_one_advice_with_their_number() -> None:
    left = {"organ": "breast", "laterality": "left"}
    after = marked(assessed(amendments=(seen(1, **left), seen(2, organ="thyroid"), seen(3, **left))))
    told = [(each.organ, each.because[0].value) for each in after.advice if each.rule == "look_at_marked"]
    assert told == [("breast", 2), ("thyroid", 1)]


def test_without_marks_and_where_nothing_is_said_of_her_nothing_changes() -> None:
    void = AmendmentInForce(amendment_number=2, kind="void", because="no_screening")
    for record in (assessed(), assessed(amendments=(seen(), void))):
        assert marked(record) is record
