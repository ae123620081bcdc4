"""What a frame is worth while somebody scans."""

import time

import numpy as np
import pytest

from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.live import live_quality
from sonovan.models.picture.quality import TISSUE_GREY

GOOD = simulate_sweep("breast", frames=1, seed=3).frames[0]
BOX = (0, 0, GOOD.shape[1], GOOD.shape[0])


def test_a_good_frame_has_contact_and_good_gain() -> None:
    found = live_quality(GOOD, BOX)
    assert (found.reason, found.gain, found.contact, found.shadow) == (None, "good", True, False)
    assert found.sharpness is not None
    assert found.score > 0.3


@pytest.mark.parametrize(
    ("pixels", "reason", "gain", "contact", "shadow"),
    [
        (np.zeros_like(GOOD), "no_contact", "good", False, False),
        (np.full_like(GOOD, 255), "saturated", "high", True, False),
        (np.full_like(GOOD, 128), "blank", "good", False, False),
        (np.random.default_rng(1).integers(0, 256, GOOD.shape).astype(np.uint8), "noise", "good", False, False),
    ],
)
def test_a_bad_frame_says_what_is_wrong(
    pixels: np.ndarray, reason: str, gain: str, contact: bool, shadow: bool
) -> None:
    found = live_quality(pixels, BOX)
    assert (found.reason, found.gain, found.contact, found.shadow) == (reason, gain, contact, shadow)


def test_a_picture_that_is_dark_below_lies_in_shadow() -> None:
    shadowed = GOOD.copy()
    shadowed[len(shadowed) // 3 :] = 0
    shadowed[: len(shadowed) // 3] = np.maximum(shadowed[: len(shadowed) // 3], 60)
    assert live_quality(shadowed, BOX).shadow


def test_a_dark_picture_with_contact_has_low_gain() -> None:
    dark = (GOOD // 5).astype(np.uint8)
    found = live_quality(dark, BOX)
    assert dark.mean() < TISSUE_GREY
    assert (found.reason, found.gain) == (None, "low")


def test_only_the_panel_counts() -> None:
    wide = np.zeros((GOOD.shape[0], 2 * GOOD.shape[1]), np.uint8)
    wide[:, GOOD.shape[1] :] = GOOD
    assert live_quality(wide, (GOOD.shape[1], 0, *BOX[2:])) == live_quality(GOOD, BOX)


def test_a_frame_is_judged_within_the_fifth_of_a_second_that_the_page_has() -> None:
    took = []
    for _ in range(5):
        began = time.perf_counter()
        live_quality(GOOD, BOX)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.1, "the machine may be busy, but not each time"
