from typing import Any

import pytest

from sonovan.clinical.key_frame import CUT_BY_EDGE, LARGE, SWEEP_ENDS, key_of, sequence_ends
from sonovan.contracts.frames import FrameSegmented, Region
from tests.clinical.records import SWEEP_2, region, segmented

Shown = list[tuple[FrameSegmented, Region]]
MIDDLE = {segmented(0).sequence_id: (0, 99)}


def shown(*regions: Region, first: int = 10) -> Shown:
    return [(segmented(first + place, [each]), each) for place, each in enumerate(regions)]


def at_least(members: Shown, ends: dict[str, tuple[int, int]]) -> list[str]:
    return [each.code for each in key_of(members, ends).at_least]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"predicted_dice": 0.9, "size": 39}, {"predicted_dice": 0.8, "size": 40, "score_mean": 0.99}),
        ({"predicted_dice": 0.2}, {"predicted_dice": None, "score_mean": 0.99}),
        ({"score_mean": 0.9, "size": 38}, {"score_mean": 0.8, "size": 40}),
        ({"size": 40}, {"size": 39}),
        ({"cut": False, "size": 10, "predicted_dice": 0.3}, {"cut": True, "size": 40, "predicted_dice": 0.9}),
        ({"size": 40, "predicted_dice": 0.5}, {"size": 30, "predicted_dice": 0.9}),
        ({"size": 10, "cut": True}, {"size": 40, "predicted_dice": 0.9, "outline_unreliable": True}),
    ],
)
def test_the_key_frame_is_the_most_reliable_of_the_large_whole_ones(
    better: dict[str, Any], worse: dict[str, Any]
) -> None:
    for pair, expected in (((better, worse), 0), ((worse, better), 1)):
        assert key_of(shown(*(region(**each) for each in pair)), MIDDLE).place == expected


def test_large_is_by_share_of_the_largest_and_in_millimetres_where_all_have_them() -> None:
    full = region(size=100)
    for side, expected in ((100 * LARGE**0.5 + 1, 1), (100 * LARGE**0.5 - 1, 0)):
        assert key_of(shown(full, region(size=int(side), predicted_dice=0.9)), MIDDLE).place == expected
    zoomed = region(size=200, measures=full.measures.model_copy(update={"area_mm2": 10.0}))
    near = region(size=100, measures=full.measures.model_copy(update={"area_mm2": 40.0}))
    assert key_of(shown(zoomed, near), MIDDLE).place == 1


def test_of_equal_frames_it_is_the_earliest() -> None:
    assert key_of(shown(region(), region(), region()), MIDDLE).place == 0


def test_a_lesion_within_the_scan_and_the_sweep_is_as_large_as_it_is() -> None:
    assert at_least(shown(region(size=30), region(size=40), region(size=30)), MIDDLE) == []


def test_where_all_outlines_are_cut_and_where_the_largest_is_the_size_is_a_lower_bound() -> None:
    assert at_least(shown(region(cut=True)), MIDDLE) == [CUT_BY_EDGE]
    assert at_least(shown(region(size=20), region(size=40, cut=True)), MIDDLE) == [CUT_BY_EDGE]
    assert at_least(shown(region(size=40), region(size=20, cut=True)), MIDDLE) == []


@pytest.mark.parametrize(("first", "expected"), [(0, [SWEEP_ENDS]), (1, []), (97, []), (98, [SWEEP_ENDS])])
def test_a_sweep_that_begins_or_ends_where_the_lesion_is_largest_gives_a_lower_bound(
    first: int, expected: list[str]
) -> None:
    largest = [region(size=40), region(size=30)] if first < 50 else [region(size=30), region(size=40)]
    assert at_least(shown(*largest, first=first), MIDDLE) == expected


def test_an_unreliable_outline_makes_no_size_a_lower_bound_while_a_reliable_one_exists() -> None:
    doubtful = region(size=40, cut=True, outline_unreliable=True)
    assert at_least(shown(region(size=20), doubtful), MIDDLE) == []
    assert at_least(shown(doubtful), MIDDLE) == [CUT_BY_EDGE]


def test_a_single_picture_is_no_sweep_that_ends() -> None:
    members = shown(region(), first=0)
    assert at_least(members, sequence_ends(frame for frame, _ in members)) == []


def test_the_ends_of_a_sequence_are_its_first_and_last_assessable_frames() -> None:
    frames = [
        segmented(0, assessable=False),
        segmented(7),
        segmented(3),
        segmented(9, assessable=False),
        segmented(5, sequence_id=SWEEP_2),
    ]
    assert sequence_ends(frames) == {frames[0].sequence_id: (3, 7), SWEEP_2: (5, 5)}
