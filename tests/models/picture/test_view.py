"""The ultrasound field is found in captures made of simulated frames, and left alone wherever that is not clear."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan.models.evaluation.index import SETS, read_rows
from sonovan.models.evaluation.pictures import read_pair
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.letterbox import Box, letterbox
from sonovan.models.picture.scale import isotropic
from sonovan.models.picture.view import find_view, part_of


@pytest.fixture(scope="module")
def tissue() -> np.ndarray:
    return simulate_sweep("breast", 3, 4).frames[1]


@pytest.fixture(scope="module")
def other_tissue() -> np.ndarray:
    return simulate_sweep("thyroid", 3, 5).frames[1]


def capture(field: np.ndarray, left: int, top: int, rows: int = 800, columns: int = 1000) -> np.ndarray:
    """A screen around a field: banner, text, ruler, grey bar."""
    screen = np.zeros((rows, columns), np.uint8)
    screen[:30] = 90
    cv2.putText(screen, "HOSPITAL  12:30:05  MI 0.9  L12-4", (20, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1)
    for line in range(8):
        cv2.putText(screen, f"Gn {line} 60dB", (8, 80 + 22 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 220, 1)
    for tick in range(60, rows - 20, 40):
        screen[tick : tick + 2, columns - 14 : columns - 4] = 255
    screen[60:260, columns - 40 : columns - 28] = np.linspace(255, 0, 200)[:, None]
    screen[top : top + field.shape[0], left : left + field.shape[1]] = field
    cv2.putText(screen, "LT BREAST 10H", (left, rows - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1)
    return screen


def near(box: Box, truth: Box, columns: int, rows: int) -> bool:
    """Whether `box` holds `truth` and is no wider on any side than by 3 % of the frame."""
    left, top = truth[0] - box[0], truth[1] - box[1]
    right, bottom = box[0] + box[2] - truth[0] - truth[2], box[1] + box[3] - truth[1] - truth[3]
    return min(left, top, right, bottom) >= 0 and max(left, right) <= 0.03 * columns and max(top, bottom) <= 0.03 * rows


def whole(picture: np.ndarray) -> tuple[Box, ...]:
    return ((0, 0, picture.shape[1], picture.shape[0]),)


def test_banner_text_ruler_and_bars_are_cut_away(tissue: np.ndarray) -> None:
    field = cv2.resize(tissue, (600, 620))
    screen = capture(field, 180, 80)
    view = find_view(screen)
    assert near(view.box, (180, 80, 600, 620), 1000, 800)
    assert view.panels == (view.box,)
    assert find_view(screen) == view


def test_a_fan_is_found_whole(tissue: np.ndarray) -> None:
    field = cv2.resize(tissue, (600, 620))
    fan = np.zeros_like(field)
    cv2.ellipse(fan, (300, -150), (760, 760), 0, 62, 118, 255, -1)
    cv2.ellipse(fan, (300, -150), (180, 180), 0, 0, 360, 0, -1)
    left, top, width, height = cv2.boundingRect(fan)
    screen = capture(cv2.bitwise_and(field, fan), 180, 80)
    assert near(find_view(screen).box, (180 + left, 80 + top, width, height), 1000, 800)


def test_two_views_that_touch_are_two_panels(tissue: np.ndarray, other_tissue: np.ndarray) -> None:
    pair = np.hstack([cv2.resize(tissue, (300, 400)), cv2.resize(other_tissue, (300, 400))])
    assert find_view(pair).panels == ((0, 0, 300, 400), (300, 0, 300, 400))
    first, second = find_view(capture(pair, 180, 200)).panels
    assert abs(first[0] + first[2] - 480) <= 1
    assert second[0] == first[0] + first[2]
    assert (first[1], first[3]) == (second[1], second[3])


def test_two_views_with_a_gap_are_two_panels(tissue: np.ndarray, other_tissue: np.ndarray) -> None:
    views = cv2.resize(tissue, (400, 500)), cv2.resize(other_tissue, (400, 500))
    screen = np.zeros((600, 900), np.uint8)
    screen[50:550, 40:440], screen[50:550, 452:852] = views
    first, second = find_view(screen).panels
    assert near(first, (40, 50, 400, 500), 900, 600)
    assert near(second, (452, 50, 400, 500), 900, 600)


@pytest.mark.parametrize("width", [8, 24, 60])
@pytest.mark.parametrize("top", [0, 90])
@pytest.mark.parametrize("left", [330, 400, 430])
def test_a_black_stripe_in_the_middle_parts_no_view(left: int, top: int, width: int, tissue: np.ndarray) -> None:
    picture = np.maximum(cv2.resize(tissue, (800, 600), interpolation=cv2.INTER_CUBIC), 6)
    picture[top:, left : left + width] = 0
    assert len(find_view(picture).panels) == 1


def test_a_shadow_that_fades_in_parts_no_view(tissue: np.ndarray, other_tissue: np.ndarray) -> None:
    views = np.hstack([cv2.resize(tissue, (400, 600)), cv2.resize(other_tissue, (400, 600))])
    gain = np.ones((1, 800), np.float32)
    gain[:, 370:430] = 0
    shadowed = (views * cv2.blur(gain, (41, 1))).astype(np.uint8)
    shadowed[:, 392:408] = 0
    assert len(find_view(shadowed).panels) == 1


def test_a_shadow_with_noise_parts_no_view(tissue: np.ndarray, other_tissue: np.ndarray) -> None:
    views = np.hstack([cv2.resize(tissue, (400, 600)), cv2.resize(other_tissue, (400, 600))])
    views[:, 394:406] = np.random.default_rng(0).integers(0, 8, (600, 12))
    assert len(find_view(views).panels) == 1


def test_a_line_or_text_across_the_middle_is_no_seam(tissue: np.ndarray) -> None:
    marked = cv2.resize(tissue, (600, 500))
    marked[:, 299:301] = 255
    assert find_view(marked).panels == whole(marked)
    for row in range(20, 500, 24):
        cv2.putText(marked, "HHHH", (270, row), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 2)
    assert len(find_view(marked).panels) == 1


def test_simulated_frames_stay_whole() -> None:
    for organ, seed in (("breast", 0), ("thyroid", 1), ("breast", 2)):
        for frame in simulate_sweep(organ, 6, seed).frames:  # type: ignore[arg-type]  # both are organs
            assert find_view(frame).panels == whole(frame)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((480, 640), np.uint8),
        np.full((480, 640), 255, np.uint8),
        np.full((8, 8), 90, np.uint8),
        np.full((1, 4000), 90, np.uint8),
        np.random.default_rng(0).integers(0, 256, (300, 400), dtype=np.uint8),
        np.tile(np.arange(0, 256, 0.5).astype(np.uint8), (200, 1)),
    ],
)
def test_what_holds_no_clear_field_stays_whole(picture: np.ndarray) -> None:
    assert find_view(picture).panels == whole(picture)


def test_text_alone_and_a_small_picture_in_picture_are_no_field(tissue: np.ndarray) -> None:
    page = np.zeros((600, 800), np.uint8)
    for row in range(30, 590, 20):
        cv2.putText(page, "the quick brown fox jumps over", (20, row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 230, 1)
    assert find_view(page).panels == whole(page)
    page[200:320, 300:420] = cv2.resize(tissue, (120, 120))
    assert find_view(page).panels == whole(page)


@pytest.mark.parametrize("left", [100, 130, 660])
@pytest.mark.parametrize("width", [12, 30])
def test_tissue_beside_a_shadow_from_top_to_bottom_is_kept(left: int, width: int, tissue: np.ndarray) -> None:
    picture = cv2.resize(tissue, (800, 600), interpolation=cv2.INTER_CUBIC)
    picture = np.maximum(picture, 40)
    picture[:, left : left + width] = 0
    box = find_view(picture).box
    assert box[0] <= 8
    assert box[0] + box[2] >= 792


def test_a_part_lies_where_its_pixels_went() -> None:
    picture = np.zeros((300, 500), np.uint8)
    picture[60:240, 250:400] = 255
    square, fit = letterbox(picture, 256)
    part = part_of(fit, (0, 0, 500, 300), (250, 60, 150, 180))
    inside = square[part.top : part.top + part.height, part.left : part.left + part.width]
    assert inside.mean() > 250
    assert inside.sum() > 0.97 * square.sum()
    assert part_of(fit, (20, 30, 500, 300), (20, 30, 500, 300)) == fit


@pytest.mark.parametrize(
    ("spacing", "size"), [((0.1, 0.2), (300, 200)), ((0.2, 0.1), (150, 400)), ((0.1, 0.1), (300, 400))]
)
def test_oblong_pixels_become_square(spacing: tuple[float, float], size: tuple[int, int]) -> None:
    assert isotropic(np.zeros((300, 400), np.uint8), spacing).shape == size


def test_a_circle_is_one_again_after_oblong_pixels() -> None:
    oblong = np.zeros((300, 240), np.uint8)
    cv2.ellipse(oblong, (120, 150), (40, 80), 0, 0, 360, 255, -1)
    _, _, width, height = cv2.boundingRect((isotropic(oblong, (0.2, 0.1)) > 127).astype(np.uint8))
    assert abs(width - height) <= 2


@pytest.mark.parametrize("spacing", [None, (0.1, 0.101), (0.1, 0.9), (9.0, 0.1)])
def test_square_unknown_or_foreign_scales_change_nothing(spacing: tuple[float, float] | None) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (60, 80), dtype=np.uint8)
    assert isotropic(picture, spacing) is picture


@pytest.mark.data
@pytest.mark.parametrize("name", SETS)
def test_no_lesion_is_cut_in_real_pictures(shared_data: Path, name: str) -> None:
    shown = cut = 0
    for row in read_rows(shared_data, name, "validation"):
        image, mask = read_pair(row)
        kept = np.zeros_like(mask)
        for left, top, width, height in find_view(image).panels:
            kept[top : top + height, left : left + width] = 1
        shown += int(np.count_nonzero(mask))
        cut += int(np.count_nonzero(mask[kept == 0]))
    assert cut <= 0.005 * shown
