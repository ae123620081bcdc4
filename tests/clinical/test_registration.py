"""How far tissue moved between two frames, read off their profiles."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sonovan.clinical.registration import LEAST_PX, Moved, moved, tissue_profile
from sonovan.contracts.frames import TissueProfile

ROWS, COLUMNS = 300, 400


def tissue(seed: int = 1) -> NDArray[np.uint8]:
    """Blobs and layers of several sizes, larger than a frame so that it can be moved over them."""
    rng = np.random.default_rng(seed)
    plane = np.zeros((ROWS + 100, COLUMNS + 100))
    for cells in (12, 25, 50):
        coarse = rng.normal(size=(cells, cells))
        rows = np.arange(plane.shape[0]) * cells // plane.shape[0]
        columns = np.arange(plane.shape[1]) * cells // plane.shape[1]
        plane += coarse[rows][:, columns]
    return np.asarray(np.clip(90 + 25 * plane, 0, 255), np.uint8)


def profile(picture: NDArray[np.uint8], across: int = 0, down: int = 0) -> TissueProfile:
    part = picture[50 + down : 50 + down + ROWS, 50 + across : 50 + across + COLUMNS]
    found = tissue_profile(part, 0, (0, 0, COLUMNS, ROWS))
    assert found is not None
    return found


@pytest.mark.parametrize(("across", "down"), [(0, 0), (12, 0), (-30, 0), (0, 9), (7, -20), (-25, 14)])
def test_a_movement_is_told_within_half_a_percent(across: int, down: int) -> None:
    # the window moves right over the tissue, so that the tissue moves left in it
    seen = moved(profile(tissue()), profile(tissue(), across, down))
    assert seen.across == pytest.approx(-across / COLUMNS, abs=0.005)
    assert seen.down == pytest.approx(-down / ROWS, abs=0.005)
    assert seen.alike > 0.8


def test_other_tissue_is_not_alike() -> None:
    assert moved(profile(tissue(1)), profile(tissue(2))).alike < 0.5


def test_gain_and_attenuation_are_no_structure() -> None:
    dimmed = np.asarray(tissue() * np.linspace(0.9, 0.4, ROWS + 100)[:, None], np.uint8)
    seen = moved(profile(tissue()), profile(dimmed, 10, 0))
    assert seen.across == pytest.approx(-10 / COLUMNS, abs=0.005)
    assert seen.alike > 0.8


def test_a_frame_lies_on_itself() -> None:
    one = profile(tissue())
    assert moved(one, one) == Moved(0.0, 0.0, 1.0)


def test_a_picture_of_one_level_is_like_nothing() -> None:
    flat = profile(np.full((ROWS + 100, COLUMNS + 100), 40, np.uint8))
    assert moved(flat, profile(tissue())).alike == 0.0


def test_a_small_panel_has_no_profile() -> None:
    assert tissue_profile(tissue(), 0, (0, 0, LEAST_PX - 1, 300)) is None


def test_only_the_panel_is_looked_at() -> None:
    picture = tissue()
    elsewhere = picture.copy()
    elsewhere[:, 260:] = 0
    assert tissue_profile(picture, 1, (20, 30, 200, 150)) == tissue_profile(elsewhere, 1, (20, 30, 200, 150))


def test_a_profile_holds_640_digits_and_no_picture() -> None:
    one = profile(tissue())
    assert len(one.across) + len(one.down) == 640
