"""Findings stand in one order everywhere: decision 0027."""

import itertools

import pytest

from sonovan.clinical.order import UNRELIABLE_SHARE, in_order, numbers_by_member
from tests.clinical.records import SWEEP_2, finding, sighting


def test_the_most_suspicious_stands_first_then_the_largest() -> None:
    small = finding(1, malignant=0.7, area_px=100, area_mm2=4.0)
    large = finding(2, malignant=0.02, area_px=9000, area_mm2=360.0)
    middle = finding(3, malignant=0.7, area_px=400, area_mm2=16.0)
    for given in itertools.permutations((small, large, middle)):
        assert in_order(given) == (middle, small, large)


def test_an_unreliable_outline_stands_between_what_looks_malignant_and_what_looks_benign() -> None:
    unknown = finding(1).model_copy(update={"outline_unreliable": True})
    above, below = finding(2, malignant=UNRELIABLE_SHARE + 0.01), finding(3, malignant=UNRELIABLE_SHARE - 0.01)
    assert in_order((below, unknown, above)) == (above, unknown, below)


@pytest.mark.parametrize(
    ("area_px", "frames", "side", "first"),
    [(140, 3, "left", "lesion"), (160, 3, "left", "speck"), (140, 8, "left", "speck"), (140, 3, "right", "speck")],
)
def test_a_speck_that_always_stands_beside_a_lesion_does_not_push_it_down(
    area_px: int, frames: int, side: str, first: str
) -> None:
    lesion = finding(1, frames=5, malignant=0.36, area_px=1000, area_mm2=40.0)
    speck = finding(2, frames=frames, area_px=area_px, area_mm2=area_px / 25, laterality=side)
    benign = finding(3, malignant=0.1, area_px=1000)
    expected = (lesion, speck, benign) if first == "lesion" else (speck, lesion, benign)
    assert in_order((benign, speck, lesion)) == expected


def test_without_a_scale_for_all_pixels_decide() -> None:
    scaled, unscaled = finding(1, area_mm2=4.0, area_px=900), finding(2, area_mm2=None, area_px=1000)
    assert in_order((scaled, unscaled)) == (unscaled, scaled)


@pytest.mark.parametrize("swapped", [False, True])
def test_numbers_follow_the_order_that_is_given(swapped: bool) -> None:
    one, two = finding(1), finding(2, sightings=(sighting(3, SWEEP_2),))
    numbers = numbers_by_member((two, one) if swapped else (one, two))
    assert (numbers[one.members[0]], numbers[two.members[0]]) == ((2, 1) if swapped else (1, 2))
