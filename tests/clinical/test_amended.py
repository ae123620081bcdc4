"""What amendments make of sides, checklists and ticks."""

import pytest

from sonovan.clinical.amended import Sides, Sweep, excused_of, planned_of, ticked_of
from sonovan.clinical.track import panel_side
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.lexicon import Side
from sonovan.contracts.van import ExcusedRegion, Panel, PlannedRegion, ScreeningClosed
from tests.clinical.records import segmented

ONE, TWO, NECK = "one", "two", "neck"
LEFT, RIGHT = PlannedRegion(organ="breast", side="left"), PlannedRegion(organ="breast", side="right")
PART = PlannedRegion(organ="breast", side="left", region="upper_outer")
LOBE = PlannedRegion(organ="thyroid", side="left")
SWEEPS = (Sweep(ONE, "breast", "left"), Sweep(TWO, "breast", "left"), Sweep(NECK, "thyroid", "left"))
EXCHANGED = (Sweep(ONE, "breast", "left"), Sweep(TWO, "breast", "right"))


def closing(*covered: PlannedRegion) -> ScreeningClosed:
    return ScreeningClosed.model_construct(covered=covered)


@pytest.mark.parametrize(
    ("right", "ticks"),
    [
        ({ONE: "right", TWO: "right"}, (RIGHT, RIGHT.model_copy(update={"region": "upper_outer"}), LOBE)),
        ({ONE: "right"}, (LOBE,)),
        ({NECK: "right"}, (LEFT, PART, LOBE.model_copy(update={"side": "right"}))),
        ({}, (LEFT, PART, LOBE)),
    ],
    ids=["all of a side", "one of two", "another organ", "none"],
)
def test_a_tick_goes_with_all_sweeps_of_its_side_and_counts_no_longer_where_only_some_go(
    right: dict[str, Side], ticks: tuple[PlannedRegion, ...]
) -> None:
    assert ticked_of(closing(LEFT, PART, LOBE), SWEEPS, Sides(right)).covered == ticks


def test_two_sides_that_were_exchanged_exchange_their_ticks() -> None:
    sides = Sides({ONE: "right", TWO: "left"})
    assert ticked_of(closing(LEFT), EXCHANGED, sides).covered == (RIGHT,)
    assert ticked_of(closing(LEFT, RIGHT), EXCHANGED, sides).covered == (RIGHT, LEFT)


def test_no_checklist_stays_no_checklist() -> None:
    none = ScreeningClosed.model_construct(covered=None)
    assert ticked_of(none, SWEEPS, Sides({ONE: "right"})).covered is None


@pytest.mark.parametrize(
    ("right", "kept"),
    [({}, ["left", "right"]), ({ONE: "right"}, []), ({TWO: "left"}, []), ({NECK: "right"}, ["left", "right"])],
    ids=["none", "leaves the one for the other", "comes from the other", "another organ"],
)
def test_an_excuse_counts_no_longer_where_a_sweep_leaves_its_side_or_comes_to_it(
    right: dict[str, Side], kept: list[str]
) -> None:
    excused = tuple(ExcusedRegion(organ="breast", side=side, because="declined") for side in ("left", "right"))
    closed = ScreeningClosed.model_construct(covered=(), excused=excused)
    sweeps = (*EXCHANGED, Sweep(NECK, "thyroid", "left"))
    assert [each.side for each in excused_of(closed, sweeps, Sides(right)).excused] == kept


def test_a_plan_changes_only_where_it_was_mistaken_as_well_and_loses_no_side_that_sweeps_stay_on() -> None:
    assert planned_of((LEFT,), SWEEPS, Sides({ONE: "right"})) == (LEFT,)
    assert planned_of((LEFT,), SWEEPS, Sides({ONE: "right"}, frozenset({ONE}))) == (LEFT, RIGHT)
    both = Sides({ONE: "right", TWO: "right"}, frozenset({ONE, TWO}))
    assert planned_of((LEFT, LOBE), SWEEPS, both) == (RIGHT, LOBE)
    whole = planned_of((LEFT, RIGHT, LOBE), SWEEPS, both)
    assert whole == (LEFT, RIGHT, LOBE), "no sweep shows the left side, and somebody must hear it"
    exchanged = Sides({ONE: "right", TWO: "left"}, frozenset({ONE, TWO}))
    assert planned_of((LEFT, RIGHT), EXCHANGED, exchanged) == (RIGHT, LEFT)


def frame(*sides: Side | None) -> FrameSegmented:
    panels = tuple(
        Panel(ordinal=number, left=100 * number, top=0, width=100, height=100, laterality=side)
        for number, side in enumerate(sides)
    )
    return segmented(1, laterality="left", panels=panels)


def test_a_frame_gets_the_side_in_all_that_names_one() -> None:
    sides = Sides({frame().sequence_id: "right"})
    put_right = sides.corrected(frame("left", None))
    assert (put_right.laterality, [each.laterality for each in put_right.panels]) == ("right", ["right", None])


def test_a_picture_of_both_sides_has_its_halves_exchanged() -> None:
    put_right = Sides({frame().sequence_id: "right"}).corrected(frame("left", "right"))
    assert [each.laterality for each in put_right.panels] == ["right", "left"]


def test_a_half_that_names_no_side_is_its_frames_and_is_exchanged_with_the_other() -> None:
    sent = frame(None, "right")
    assert sent.laterality == "left"
    put_right = Sides({sent.sequence_id: "right"}).corrected(sent)
    assert [panel_side(put_right, place) for place in (0, 1)] == ["right", "left"]


def test_a_sweep_that_is_amended_back_to_its_side_is_as_it_was_sent() -> None:
    """An operator amends to the right, notices, and amends back to the left without taking back."""
    both, one = frame("left", "right"), frame("left", None)
    back = Sides({both.sequence_id: "left"})
    assert back.corrected(both) is both
    assert back.corrected(one) == one
    mixed = frame("right")
    assert [each.laterality for each in back.corrected(mixed).panels] == ["left"], "one side, and it was mistaken"


def test_a_side_that_the_organ_does_not_have_is_no_side() -> None:
    result = frame("left")
    assert Sides({result.sequence_id: "isthmus"}).corrected(result) is result
    assert Sides({}).corrected(result) is result
