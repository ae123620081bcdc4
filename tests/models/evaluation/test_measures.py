"""Hand-computed overlaps, distances and matchings."""

import numpy as np
import pytest

from sonovan.models.evaluation.measures import MATCH_IOU, Matched, hd95, match, overlap


def rectangle(left: int, top: int, width: int, height: int, size: tuple[int, int] = (60, 80)) -> np.ndarray:
    mask = np.zeros(size, np.bool_)
    mask[top : top + height, left : left + width] = True
    return mask


def labels(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    painted = np.zeros((60, 80), np.uint8)
    for ordinal, box in enumerate(boxes):
        painted[rectangle(*box)] = ordinal + 1
    return painted


def test_dice_and_iou_of_two_squares() -> None:
    dice, iou = overlap(rectangle(0, 0, 10, 10), rectangle(5, 0, 10, 10))
    assert (dice, iou) == (2 * 50 / 200, 50 / 150)
    assert overlap(rectangle(0, 0, 10, 10), rectangle(20, 0, 10, 10)) == (0, 0)
    assert overlap(rectangle(0, 0, 10, 10), rectangle(0, 0, 0, 0)) == (0, 0)
    assert overlap(rectangle(3, 4, 10, 10), rectangle(3, 4, 10, 10)) == (1, 1)


def test_hd95_of_equal_masks_is_nothing_and_of_empty_ones_unknown() -> None:
    assert hd95(rectangle(5, 5, 20, 20), rectangle(5, 5, 20, 20)) == 0
    assert hd95(rectangle(5, 5, 20, 20), rectangle(0, 0, 0, 0)) is None
    assert hd95(rectangle(0, 0, 0, 0), rectangle(0, 0, 0, 0)) is None


def test_hd95_of_single_pixels_is_their_distance() -> None:
    assert hd95(rectangle(10, 10, 1, 1), rectangle(13, 14, 1, 1)) == pytest.approx(5)


def test_hd95_of_a_shifted_line_is_the_shift() -> None:
    assert hd95(rectangle(10, 10, 40, 1), rectangle(10, 17, 40, 1)) == pytest.approx(7)


def test_hd95_takes_the_worse_direction_at_the_95th_percentile() -> None:
    short, long = rectangle(0, 5, 1, 1), rectangle(0, 5, 41, 1)  # from the line's pixels: 0, 1, … 40
    assert hd95(short, long) == hd95(long, short) == pytest.approx(38)


def test_hd95_measures_borders_not_areas() -> None:
    # Concentric squares of 21 and 11: the inside of the large one lies on the small one, its border 5 and more away.
    assert hd95(rectangle(20, 20, 21, 21), rectangle(25, 25, 11, 11)) == pytest.approx(np.hypot(5, 5), abs=1.0)


def test_the_pictures_edge_is_a_border() -> None:
    whole = np.ones((60, 80), np.bool_)
    assert hd95(whole, rectangle(0, 0, 79, 60)) == pytest.approx(1)


def test_a_region_on_its_lesion_is_found() -> None:
    assert match(labels((10, 10, 20, 20)), rectangle(12, 10, 20, 20)) == Matched(1, 1, 0)


def test_nothing_found_nothing_there() -> None:
    empty = np.zeros((60, 80), np.bool_)
    assert match(labels(), empty) == Matched(0, 0, 0)
    assert match(labels((10, 10, 20, 20)), empty) == Matched(0, 0, 1)
    assert match(labels(), rectangle(10, 10, 20, 20)) == Matched(1, 0, 0)


def test_a_region_counts_for_one_lesion_only_and_a_lesion_for_one_region() -> None:
    two = rectangle(10, 10, 10, 10) | rectangle(30, 10, 10, 10)
    assert match(labels((10, 10, 30, 10)), two) == Matched(2, 1, 0)
    assert match(labels((10, 10, 10, 5), (10, 15, 10, 5)), rectangle(10, 10, 10, 10)) == Matched(1, 1, 1)


def test_the_best_pair_is_taken_first() -> None:
    # The first region touches both lesions, the second lies on one of them.
    two = rectangle(10, 10, 10, 10) | rectangle(22, 10, 10, 10)
    assert match(labels((10, 10, 14, 10), (24, 10, 8, 10)), two) == Matched(2, 2, 0)


@pytest.mark.parametrize(("width", "found"), [(10, 1), (9, 0)])
def test_too_little_overlap_is_a_miss_and_a_false_region(width: int, found: int) -> None:
    lesion = rectangle(0, 0, 50, 10)
    region = (0, 0, width, 5)
    assert (overlap(labels(region) > 0, lesion)[1] >= MATCH_IOU) == bool(found)
    assert match(labels(region), lesion) == Matched(1, found, 1 - found)


def test_specks_of_the_drawing_tool_are_no_lesions_unless_there_is_nothing_else() -> None:
    speck = rectangle(70, 50, 3, 3)
    assert match(labels((10, 10, 20, 20)), rectangle(10, 10, 20, 20) | speck) == Matched(1, 1, 0)
    assert match(labels(), speck) == Matched(1, 0, 0)
