"""What is watched of a frame, read off its result."""

import numpy as np
import pytest

from sonovan.clinical.quality.features import added, brightness_of, frame_values, means, predicted_of
from tests.clinical.records import region, segmented


def test_brightness_is_the_grey_that_a_twentieth_of_the_lit_pixels_exceeds() -> None:
    grey = np.zeros((400, 400), np.uint8)
    grey[:, :200] = np.linspace(8, 207, 400).astype(np.uint8)[:, None]
    found = brightness_of(grey, [(0, 0, 400, 400)])
    assert found == pytest.approx(195, abs=2)  # black pixels beside it change nothing
    assert brightness_of(grey, [(200, 0, 200, 400)]) is None
    assert brightness_of(np.clip(grey * 1.1, 0, 255).astype(np.uint8), [(0, 0, 400, 400)]) == pytest.approx(
        1.1 * 195, abs=2
    )


def test_a_frame_that_cannot_be_assessed_says_nothing_but_that() -> None:
    assert frame_values(segmented(0, assessable=False, brightness=9.0)) == {"refused": 1.0}


def test_the_largest_outline_has_size_and_score_and_the_lowest_expectation_counts() -> None:
    large = region(0, size=64, score_mean=0.7, predicted_dice=0.9)
    small = region(1, left=300, size=32, score_mean=0.9, predicted_dice=0.5)
    result = segmented(0, [large, small], brightness=120.0, sharpness=(0.8, 0.4))
    assert frame_values(result) == pytest.approx(
        {"refused": 0, "regions": 2, "brightness": 120, "sharpness": 0.6, "region_size": 64 / (640 * 480) ** 0.5,
         "score": 0.7, "predicted": 0.5}
    )  # fmt: skip
    assert predicted_of(segmented(0, [region()])) is None


def test_each_feature_is_the_mean_over_the_frames_that_have_it() -> None:
    sums = added(added({}, {"refused": 0.0, "score": 0.8}), {"refused": 1.0})
    assert means(sums) == {"refused": 0.5, "score": 0.8}
