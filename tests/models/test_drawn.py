"""What a reader drew becomes regions, numbered after the machine's of the same lesions."""

import numpy as np
import pytest

from sonovan.models.drawn import drawn_regions
from sonovan.models.errors import UnusablePicture

SIZE = (120, 200)
PANELS = ((0, 0, 100, 120), (100, 0, 100, 120))


def picture() -> np.ndarray:
    return np.random.default_rng(5).integers(40, 200, SIZE, np.uint8)


def mask(*boxes: tuple[int, int, int, int, int]) -> np.ndarray:
    """boxes: left, top, width, height, value."""
    labels = np.zeros(SIZE, np.uint8)
    for left, top, width, height, value in boxes:
        labels[top : top + height, left : left + width] = value
    return labels


def test_a_region_is_exactly_what_was_drawn() -> None:
    drawn = drawn_regions(mask((20, 30, 40, 21, 7)), None, picture(), PANELS)
    ((ordinal, region),) = drawn.regions.items()
    assert (ordinal, region.panel, region.box, region.area_px) == (0, 0, (20, 30, 40, 21), 840)
    assert region.centroid == (39.5, 40.0)
    assert (region.score_mean, region.score_max, region.reliable, region.malignant) == (1.0, 1.0, True, None)
    assert {(20.0, 30.0), (59.0, 50.0)} <= set(region.polygon)
    assert region.place is not None
    assert (drawn.labels == mask((20, 30, 40, 21, 1))).all()


def test_regions_have_the_numbers_of_the_machines_that_they_share_most_with_and_new_ones_others() -> None:
    machine = mask((10, 10, 30, 30, 1), (120, 10, 30, 30, 2), (10, 80, 20, 20, 3))
    reader = mask((122, 12, 30, 30, 1), (12, 12, 40, 30, 2), (150, 80, 30, 30, 3))
    drawn = drawn_regions(reader, machine, picture(), PANELS)
    assert {ordinal: each.box[:2] for ordinal, each in drawn.regions.items()} == {
        0: (12, 12),
        1: (122, 12),
        3: (150, 80),
    }
    assert [drawn.regions[ordinal].panel for ordinal in (0, 1, 3)] == [0, 1, 1]
    for ordinal, each in drawn.regions.items():
        left, top, width, height = each.box
        assert (drawn.labels[top : top + height, left : left + width][each.mask] == ordinal + 1).all()


def test_two_parts_of_a_lesion_are_two_regions_and_one_alone_takes_the_machines_number() -> None:
    machine = mask((10, 10, 60, 30, 1))
    drawn = drawn_regions(mask((10, 10, 20, 30, 1), (40, 10, 30, 30, 1)), machine, picture(), PANELS)
    assert {ordinal: each.box[0] for ordinal, each in drawn.regions.items()} == {0: 40, 1: 10}


def test_two_lesions_that_touch_stay_two() -> None:
    drawn = drawn_regions(mask((10, 10, 20, 30, 1), (30, 10, 20, 30, 2)), None, picture(), PANELS)
    assert sorted(each.box for each in drawn.regions.values()) == [(10, 10, 20, 30), (30, 10, 20, 30)]


def test_nothing_drawn_is_nothing() -> None:
    drawn = drawn_regions(mask(), mask((10, 10, 20, 20, 1)), picture(), PANELS)
    assert (drawn.regions, int(drawn.labels.max())) == ({}, 0)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UnusablePicture, match="was drawn on a frame"):
        drawn_regions(np.zeros((3, 4), np.uint8), None, picture(), PANELS)
    dots = np.zeros(SIZE, np.uint8)
    dots[::3, ::3] = 1
    with pytest.raises(UnusablePicture, match="at most 254"):
        drawn_regions(dots, None, picture(), PANELS)
