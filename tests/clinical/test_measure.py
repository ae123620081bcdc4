import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from sonovan.clinical.measure import RING_MM, measure_region
from sonovan.contracts.frames import RegionMeasures

Mask = NDArray[np.bool_]


def ellipse(semi_x: float, semi_y: float, tilt_deg: float = 0.0, half: int = 60) -> Mask:
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(float)
    tilt = math.radians(tilt_deg)
    along, across = x * math.cos(tilt) - y * math.sin(tilt), x * math.sin(tilt) + y * math.cos(tilt)
    return np.asarray((along / semi_x) ** 2 + (across / semi_y) ** 2 <= 1, dtype=np.bool_)


def measured(mask: Mask, spacing: tuple[float, float] | None = None, grey: int = 100) -> RegionMeasures:
    frame = np.full((320, 320), grey, dtype=np.uint8)
    return measure_region(frame, mask, (50, 60, mask.shape[1], mask.shape[0]), spacing)


@pytest.mark.parametrize("tilt", [0, 30, -30, 45, 60, -75])
def test_the_axes_are_the_diameters_of_a_tilted_ellipse_with_its_pixels_edges(tilt: int) -> None:
    found = measured(ellipse(80, 40, tilt, half=100))
    assert found.long_axis_px == pytest.approx(161, abs=0.6)
    assert found.short_axis_px == pytest.approx(81, abs=0.8)
    assert found.orientation_deg == pytest.approx(tilt, abs=3)


def test_a_larger_size_than_the_ellipse_of_equal_moments_where_the_outline_has_a_spike() -> None:
    spiked = ellipse(30, 30)
    spiked[60, 0:60] = True
    assert measured(spiked).long_axis_px == pytest.approx(91, abs=0.1)


def test_without_a_scale_there_are_no_millimetres() -> None:
    found = measured(ellipse(40, 20))
    assert (found.area_mm2, found.long_axis_mm, found.short_axis_mm) == (None, None, None)


@pytest.mark.parametrize(
    ("mask", "spacing", "truth"),
    [
        (ellipse(30, 30), None, 1.0),
        (ellipse(40, 20), None, 0.841),
        (ellipse(40, 20), (0.1, 0.2), 1.0),
        (ellipse(40, 40), (0.2, 0.1), 0.841),
        (np.ones((60, 60), dtype=np.bool_), None, math.pi / 4),
        (np.ones((20, 80), dtype=np.bool_), None, math.pi * 0.16),
    ],
)
def test_circularity_is_that_of_the_figure(mask: Mask, spacing: tuple[float, float] | None, truth: float) -> None:
    assert measured(mask, spacing).circularity == pytest.approx(truth, rel=0.06)


def test_solidity_is_one_for_convex_and_the_share_for_a_corner_cut_out() -> None:
    corner = np.ones((40, 40), dtype=np.bool_)
    corner[20:, 20:] = False
    assert measured(ellipse(33, 21, 17)).solidity == 1.0
    assert measured(corner).solidity == pytest.approx(1200 / 1400, abs=0.02)


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))).filter(lambda mask: bool(mask.any())))
def test_solidity_counts_the_pixels_in_the_convex_hull(mask: Mask) -> None:
    assert measured(mask).solidity == round(int(mask.sum()) / _pixels_in_hull_by_trying(mask), 3)


def _pixels_in_hull_by_trying(mask: Mask) -> int:
    """A pixel is in the hull unless a line through two others (or itself) parts it from all of the region."""
    points = [(int(y), int(x)) for y, x in np.argwhere(mask)]
    if len(points) == 1:
        return 1
    inside = 0
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            angles = sorted({math.atan2(py - y, px - x) for py, px in points if (py, px) != (y, x)})
            gaps = [b - a for a, b in zip(angles, [*angles[1:], angles[0] + 2 * math.pi], strict=True)]
            inside += bool(mask[y, x]) or max(gaps) <= math.pi + 1e-9
    return inside


def test_contrast_compares_with_the_ring_only() -> None:
    frame = np.full((200, 200), 255, dtype=np.uint8)
    frame[70:131, 70:131] = 100
    frame[90:111, 90:111] = 40
    mask = np.ones((21, 21), dtype=np.bool_)
    found = measure_region(frame, mask, (90, 90, 21, 21), (RING_MM / 20, RING_MM / 20))
    assert found.mean_grey == 40.0
    assert found.contrast == -0.6


def test_cnr_is_the_difference_over_the_noise() -> None:
    rng = np.random.default_rng(7)
    frame = rng.normal(140, 12, (300, 300)).clip(1, 255).astype(np.uint8)
    mask = ellipse(30, 30)
    frame[60:181, 50:171][mask] = rng.normal(80, 5, int(mask.sum())).clip(1, 255).astype(np.uint8)
    assert measure_region(frame, mask, (50, 60, 121, 121), None).cnr == pytest.approx(60 / 13, rel=0.05)


def test_no_contrast_where_nothing_surrounds_the_region() -> None:
    found = measure_region(
        np.full((20, 20), 9, dtype=np.uint8), np.ones((20, 20), dtype=np.bool_), (0, 0, 20, 20), None
    )
    assert (found.contrast, found.cnr) == (None, None)


def test_cleared_pixels_are_no_surroundings() -> None:
    frame = np.zeros((100, 100), dtype=np.uint8)
    frame[40:60, 40:60] = 50
    found = measure_region(frame, np.ones((20, 20), dtype=np.bool_), (40, 40, 20, 20), None)
    assert found.contrast is None
    frame[40:60, 62] = 100
    assert measure_region(frame, np.ones((20, 20), dtype=np.bool_), (40, 40, 20, 20), None).contrast == -0.5


def test_one_pixel_can_be_measured() -> None:
    found = measured(np.ones((1, 1), dtype=np.bool_), (0.1, 0.1))
    assert found.solidity == 1.0
    assert found.area_mm2 == 0.01


@given(
    arrays(np.bool_, st.tuples(st.integers(1, 30), st.integers(1, 30))).filter(lambda mask: bool(mask.any())),
    st.sampled_from([None, (0.02, 0.02), (0.1, 0.07), (3.0, 0.5)]),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_any_region_at_any_place_keeps_the_laws(
    mask: Mask, spacing: tuple[float, float] | None, left: int, top: int
) -> None:
    frame = np.arange(40 * 40, dtype=np.int64).reshape(40, 40).astype(np.uint8)
    box = (left, top, mask.shape[1], mask.shape[0])
    found = measure_region(frame, mask, box, spacing)
    assert found == measure_region(frame, mask.copy(order="F"), box, spacing)
    assert 0 < found.solidity <= 1
    assert 0 < found.circularity <= 1
    assert found.long_axis_px >= found.short_axis_px > 0
    assert -90 < found.orientation_deg <= 90


def test_a_box_that_does_not_fit_is_refused() -> None:
    frame = np.ones((50, 50), dtype=np.uint8)
    for box in ((45, 0, 10, 10), (-1, 0, 10, 10), (0, 0, 9, 10)):
        with pytest.raises(ValueError, match="box"):
            measure_region(frame, np.ones((10, 10), dtype=np.bool_), box, None)
    with pytest.raises(ValueError, match="empty"):
        measure_region(frame, np.zeros((10, 10), dtype=np.bool_), (0, 0, 10, 10), None)
