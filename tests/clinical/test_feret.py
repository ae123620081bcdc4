import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from sonovan.clinical.feret import Diameters, diameters, hull_of

Mask = NDArray[np.bool_]


def of(mask: Mask, scale: tuple[float, float] = (1.0, 1.0)) -> Diameters:
    return diameters(hull_of(mask), scale)


def full(height: int, width: int) -> Mask:
    return np.ones((height, width), dtype=np.bool_)


def test_one_pixel_is_as_large_as_its_diagonal() -> None:
    found = of(full(1, 1))
    assert (found.longest, found.across) == (pytest.approx(math.sqrt(2)), pytest.approx(math.sqrt(2)))


def test_a_square_is_as_large_as_its_diagonals() -> None:
    found = of(full(40, 40))
    assert (found.longest, found.across) == (pytest.approx(40 * math.sqrt(2)), pytest.approx(40 * math.sqrt(2)))
    assert found.angle_deg == 45.0


def test_a_bar_is_as_large_as_its_diagonal_and_what_it_takes_across_it() -> None:
    """Both extents of a rectangle a × b along and across its diagonal d: d and 2ab / d."""
    found = of(full(20, 80))
    assert found.longest == pytest.approx(math.hypot(80, 20))
    assert found.across == pytest.approx(2 * 80 * 20 / math.hypot(80, 20))
    assert found.angle_deg == pytest.approx(math.degrees(math.atan2(20, 80)), abs=0.05)


def test_an_upright_line_points_to_90_and_never_to_minus_90() -> None:
    assert of(full(3000, 1)).angle_deg == 90.0
    assert of(np.eye(3, dtype=np.bool_)[:, ::-1]).angle_deg == 45.0


def test_an_oblique_bar_is_measured_along_itself() -> None:
    y, x = np.mgrid[0:200, 0:200].astype(float)
    tilt = math.radians(-30)  # falling to the right
    along = (x - 100) * math.cos(tilt) - (y - 100) * math.sin(tilt)
    across = (x - 100) * math.sin(tilt) + (y - 100) * math.cos(tilt)
    found = of(np.asarray((np.abs(along) <= 80) & (np.abs(across) <= 4), dtype=np.bool_))
    assert found.longest == pytest.approx(math.hypot(160, 8), abs=1.5)
    assert found.across == pytest.approx(2 * 160 * 8 / math.hypot(160, 8), abs=2)
    assert found.angle_deg == pytest.approx(-30, abs=3.5)


def test_oblong_pixels_count_with_their_own_length_and_height() -> None:
    found = of(full(10, 40), (0.1, 0.4))
    assert found.longest == pytest.approx(4 * math.sqrt(2)), "40 × 0.1 mm wide and 10 × 0.4 mm tall is a square"
    assert found.across == pytest.approx(4 * math.sqrt(2))


def test_the_largest_diameter_is_found_in_millimetres_not_in_pixels() -> None:
    cross = np.zeros((41, 41), dtype=np.bool_)
    cross[20, :], cross[10:31, 20] = True, True
    assert abs(of(cross).angle_deg) < 3
    assert abs(of(cross, (0.1, 0.4)).angle_deg) > 80


def test_a_hole_and_a_notch_change_nothing() -> None:
    open_square = full(30, 30)
    open_square[5:25, 5:] = False
    assert of(open_square) == of(full(30, 30))


@given(
    arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))).filter(lambda mask: bool(mask.any())),
    st.sampled_from([(1.0, 1.0), (0.1, 0.07), (0.5, 3.0)]),
)
def test_they_are_those_of_the_pixels_corners_by_trying_every_pair(mask: Mask, scale: tuple[float, float]) -> None:
    corners = np.array(
        [((x + i) * scale[0], (y + j) * scale[1]) for y, x in np.argwhere(mask) for i in (0, 1) for j in (0, 1)]
    )
    apart = corners[:, None] - corners[None]
    found = of(mask, scale)
    assert found.longest == pytest.approx(float(np.hypot(apart[..., 0], apart[..., 1]).max()))
    assert 0 < found.across <= found.longest * (1 + 1e-9)
    assert -90 < found.angle_deg <= 90
