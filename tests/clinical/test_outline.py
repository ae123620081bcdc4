import numpy as np
import pytest

from sonovan.clinical.outline import gcnr, radial_form


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
