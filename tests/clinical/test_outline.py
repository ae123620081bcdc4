import numpy as np
import pytest

from sonovan.clinical.measure import measure_region
from sonovan.clinical.outline import angularity, gcnr, radial_form


def flower(bumps: int, depth: float, size: float = 40.0, stretch: float = 1.0) -> np.ndarray:
    y, x = np.mgrid[-90:91, -90:91].astype(float)
    x = x / stretch
    angle = np.arctan2(y, x)
    return np.asarray(np.hypot(x, y) <= size * (1 + depth * np.cos(bumps * angle)))


@pytest.mark.parametrize("bumps", [5, 6, 8])
def test_lobulations_are_counted(bumps: int) -> None:
    assert radial_form(flower(bumps, 0.2), (1.0, 1.0))[1] == bumps


@pytest.mark.parametrize("stretch", [1.0, 1.3, 1.6])
def test_an_ellipse_has_none(stretch: float) -> None:
    assert radial_form(flower(0, 0.0, stretch=stretch), (1.0, 1.0))[1] == 0


def test_a_circle_is_even_and_a_star_is_not() -> None:
    assert radial_form(flower(0, 0.0), (1.0, 1.0))[0] < 0.02
    assert radial_form(flower(7, 0.3), (1.0, 1.0))[0] > 0.15


def test_oblong_pixels_make_no_circle_uneven() -> None:
    y, x = np.mgrid[-60:61, -60:61].astype(float)
    squeezed = np.hypot(x, y * 2) <= 50
    assert radial_form(squeezed, (1.0, 2.0))[0] < 0.03


def test_one_pixel_has_a_form() -> None:
    assert radial_form(np.ones((1, 1), bool), (1.0, 1.0)) == (0.0, 0)


def test_grey_levels_are_alike_apart_or_between() -> None:
    low, high = np.full(100, 40, np.uint8), np.full(100, 200, np.uint8)
    assert gcnr(low, low) == 0
    assert gcnr(low, high) == 1
    assert gcnr(low, np.concatenate([low, high])) == pytest.approx(0.5)
    assert gcnr(low, np.zeros(0, np.uint8)) is None


def around(x: float, y: float, corners: int = 200) -> list[tuple[float, float]]:
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return [(100 + x * float(np.cos(turn)), 100 + y * float(np.sin(turn))) for turn in turns]


@pytest.mark.parametrize(("x", "y"), [(40, 40), (60, 30), (30, 60)])
def test_a_smooth_oval_has_no_corner(x: float, y: float) -> None:
    assert angularity(around(x, y), (1.0, 1.0)) == 0.0


def test_corners_are_counted_by_their_share_of_the_outline() -> None:
    square = [(0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0)]
    star = [(x * (1.6 if place % 2 else 1.0), y * (1.6 if place % 2 else 1.0)) for place, (x, y) in
            enumerate((each[0] - 100, each[1] - 100) for each in around(40, 40, 16))]  # fmt: skip
    assert 0.0 < angularity(square, (1.0, 1.0)) < 0.3
    assert angularity(star, (1.0, 1.0)) > angularity(square, (1.0, 1.0))


def test_angles_are_those_of_the_body_where_pixels_are_oblong() -> None:
    assert angularity([(x, y / 2) for x, y in around(40, 40)], (1.0, 2.0)) == 0.0
    flat = [(0.0, 0.0), (20.0, 2.0), (40.0, 0.0), (20.0, -2.0)]
    assert angularity(flat, (1.0, 1.0)) != angularity(flat, (1.0, 10.0))


def test_a_measured_region_has_the_angularity_of_its_contour() -> None:
    mask = np.ones((40, 40), np.bool_)
    grey = np.full((90, 90), 60, np.uint8)
    square = ((20.0, 20.0), (59.0, 20.0), (59.0, 59.0), (20.0, 59.0))
    measured = measure_region(grey, mask, (20, 20, 40, 40), None, square)
    assert measured.angularity == angularity(square, (1.0, 1.0))
    assert measure_region(grey, mask, (20, 20, 40, 40), None).angularity is None
