"""The scan's edge and the skin line, on simulated tissue in pictures as scanners and people make them."""

import cv2
import numpy as np
import pytest

from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.field import Field, find_field

ROWS, COLUMNS = 400, 500


@pytest.fixture(scope="module")
def tissue() -> np.ndarray:
    """Tissue alone, without the dark margin that a simulated frame may have."""
    return np.asarray(cv2.resize(simulate_sweep("breast", 3, 4).frames[1][20:460, 20:620], (COLUMNS, ROWS)), np.uint8)


def on_screen(tissue: np.ndarray, left: int = 60, top: int = 50) -> np.ndarray:
    screen = np.zeros((ROWS + 100, COLUMNS + 120), np.uint8)
    screen[top : top + tissue.shape[0], left : left + tissue.shape[1]] = tissue
    return screen


def field_of(screen: np.ndarray, *, declared: bool = False) -> Field:
    return find_field(screen, (0, 0, screen.shape[1], screen.shape[0]), declared=declared)


def square(left: float, top: float, size: float = 40) -> tuple[tuple[float, float], ...]:
    """An outline through the centres of its pixels."""
    right, bottom = left + size - 1, top + size - 1
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def test_the_scan_of_a_linear_probe_is_found_with_its_skin_line(tissue: np.ndarray) -> None:
    field = field_of(on_screen(tissue))
    assert (field.left, field.top, field.right, field.bottom) == pytest.approx((60, 50, 560, 450), abs=5)
    assert field.face == pytest.approx((60, 560), abs=5)


def test_depth_is_from_the_skin_to_the_nearest_part_and_sideways_from_the_middle_of_the_probe(
    tissue: np.ndarray,
) -> None:
    place = field_of(on_screen(tissue)).place((400, 150, 40, 40), (419.5, 169.5))
    assert place.from_skin
    assert (place.depth_px, place.lateral_px) == (pytest.approx(100, abs=4), pytest.approx(110, abs=4))
    assert (place.depth_share, place.lateral_share) == (pytest.approx(0.25, abs=0.02), pytest.approx(0.22, abs=0.02))


@pytest.mark.parametrize(
    ("left", "top", "cut"),
    [
        (300, 200, False),
        (62, 200, True),
        (560 - 42, 200, True),
        (300, 450 - 42, True),
        (300, 51, False),
        (75, 200, False),
        (300, 450 - 55, False),
    ],
)
def test_an_outline_at_the_scans_sides_or_lower_edge_is_cut_and_one_at_the_skin_is_not(
    tissue: np.ndarray, left: int, top: int, cut: bool
) -> None:
    assert field_of(on_screen(tissue)).cuts(square(left, top)) is cut


def test_a_shadow_that_reaches_the_lower_edge_cuts_nothing_above_it(tissue: np.ndarray) -> None:
    shadowed = tissue.copy()
    shadowed[220:, 200:300] = 0
    assert not field_of(on_screen(shadowed)).cuts(square(60 + 230, 50 + 200))


def test_the_edge_of_a_fan_cuts_and_a_curved_face_has_no_skin_line(tissue: np.ndarray) -> None:
    fan = np.zeros((ROWS, COLUMNS), np.uint8)
    cv2.ellipse(fan, (250, -100), (480, 480), 0, 60, 120, 255, -1)
    cv2.ellipse(fan, (250, -100), (200, 200), 0, 0, 360, 0, -1)
    field = field_of(on_screen(cv2.bitwise_and(tissue, fan)))
    assert field.face is None
    assert not field.place((300, 200, 40, 40), (319.5, 219.5)).from_skin
    assert not field.cuts(square(60 + 230, 50 + 200))
    assert field.cuts(square(60 + 160, 50 + 60, 30)), "its corner lies beyond the slanted edge"


def test_a_picture_that_may_have_been_cut_below_the_skin_has_no_skin_line(tissue: np.ndarray) -> None:
    field = field_of(tissue)
    assert field.face is None
    assert field.place((200, 100, 40, 40), (219.5, 119.5)).depth_px == pytest.approx(100, abs=4)
    assert field.cuts(square(200, 1)), "its upper edge may hide a part"
    assert field_of(tissue, declared=True).face is not None


def test_half_a_probe_without_contact_leaves_the_middle_unknown(tissue: np.ndarray) -> None:
    lifted = tissue.copy()
    for column in range(COLUMNS):
        lifted[: max(0, (column - 150) // 4), column] = 0
    assert field_of(on_screen(lifted)).face is None


def test_the_skin_under_a_stand_off_pad_is_found_below_its_membrane_and_fluid(tissue: np.ndarray) -> None:
    pad = tissue.copy()
    pad[12:110] = 0
    field = field_of(on_screen(pad))
    assert field.face is not None
    assert field.top == pytest.approx(160, abs=5)


def test_a_picture_without_tissue_is_its_own_scan() -> None:
    field = field_of(np.zeros((300, 300), np.uint8))
    assert (field.left, field.top, field.right, field.bottom, field.face) == (0, 0, 300, 300, None)
    assert field.cuts(square(0, 100))
    assert not field.cuts(square(100, 100))
