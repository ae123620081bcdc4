"""Rulers in captured pictures: drawn in several layouts, disturbed, absent."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from sonovan.producers.sources.calibration import CONTRADICTED, Calibration, ScaleOfSweep
from sonovan.producers.sources.ruler import Ruler, find_ruler


def tissue(rows: int = 480, columns: int = 640, seed: int = 0) -> np.ndarray:
    """Speckle with layers, within a dark border."""
    chance = np.random.default_rng(seed)
    speckle = cv2.GaussianBlur(chance.gamma(1.0, 40.0, (rows, columns)).astype(np.float32), (0, 0), 1.6)
    layers = 1 + 0.6 * np.sin(np.arange(rows) / 9)[:, None]
    picture = np.zeros((rows, columns), np.float32)
    picture[20:-20, 80:-80] = (speckle * layers)[20:-20, 80:-80]
    return picture.clip(0, 255).astype(np.uint8)


def ruled(
    picture: np.ndarray,
    step: float,
    lengths: Sequence[int] = (8,),
    *,
    at: int | None = None,
    first: float = 30.0,
    thick: int = 1,
    ends: bool = False,
    bright: int = 200,
    without: Sequence[int] = (),
) -> np.ndarray:
    """The picture with a ruler down its right side. lengths: of the ticks, in turn. ends: they end on one line."""
    drawn, column = picture.copy(), picture.shape[1] - 40 if at is None else at
    for number in range(int((picture.shape[0] - 2 * first) / step) + 1):
        row, length = round(first + number * step), lengths[number % len(lengths)]
        left = column - length if ends else column
        if number not in without:
            drawn[row : row + thick, left : left + length] = bright
    return drawn  # fmt: skip


def metric(step: float, **more: object) -> np.ndarray:
    """A ruler of millimetres: longer ticks at each cm, middle ones at each half."""
    return ruled(tissue(), step, [20, *[6] * 4, 12, *[6] * 4], **more)  # type: ignore[arg-type]  # its own options


def found(picture: np.ndarray) -> Ruler:
    ruler = find_ruler(picture)
    assert ruler is not None
    return ruler


@pytest.mark.parametrize("step", [20.0, 33.3, 47.25, 61.7])
@pytest.mark.parametrize("options", [{}, {"ends": True}, {"thick": 3}, {"at": 20}, {"bright": 90}])
def test_equal_ticks_are_found_to_a_hundredth(step: float, options: dict[str, object]) -> None:
    ruler = found(ruled(tissue(), step, **options))  # type: ignore[arg-type]  # its own options
    assert ruler.step_px == pytest.approx(step, rel=0.01)
    assert ruler.down
    assert ruler.longer_every is None
    assert ruler.mm_per_px() is None, "nobody said what a tick is"
    assert ruler.mm_per_px(tick_mm=10) == pytest.approx(10 / step, rel=0.01)


@pytest.mark.parametrize("step", [6.2, 7.0, 9.5, 12.0])
def test_a_ruler_of_millimetres_with_longer_centimetres_tells_its_scale_itself(step: float) -> None:
    ruler = found(metric(step))
    assert ruler.longer_every == 10
    assert ruler.mm_per_px() == pytest.approx(1 / step, rel=0.01)


def test_a_ruler_of_ten_that_is_too_short_to_tell_mm_from_cm_tells_nothing() -> None:
    ruler = found(ruled(tissue(), 30, [20, *[6] * 9]))
    assert ruler.ticks < 21
    assert ruler.mm_per_px() is None


@pytest.mark.parametrize("every", [2, 5])
def test_other_longer_ticks_are_seen_and_tell_no_unit(every: int) -> None:
    ruler = found(ruled(tissue(), 17, [16, *[6] * (every - 1)]))
    assert ruler.longer_every == every
    assert ruler.mm_per_px() is None


def test_a_ruler_from_left_to_right_is_found() -> None:
    ruler = found(np.ascontiguousarray(ruled(tissue(640, 480), 41).T))
    assert not ruler.down
    assert ruler.step_px == pytest.approx(41, rel=0.01)


def test_two_rulers_that_agree_are_one_scale_and_two_that_do_not_are_none() -> None:
    assert found(ruled(ruled(tissue(), 30), 30, at=20)).step_px == pytest.approx(30, rel=0.01)
    assert find_ruler(ruled(ruled(tissue(), 30), 37, at=20)) is None


def test_a_tick_that_a_cursor_hides_does_not_matter_and_many_do() -> None:
    assert found(ruled(tissue(), 25, without=[7])).step_px == pytest.approx(25, rel=0.01)
    assert find_ruler(ruled(tissue(), 25, without=range(2, 16, 2))) is None


def test_numbers_beside_the_ticks_do_not_disturb() -> None:
    picture = ruled(tissue(), 40)
    for number in range(10):
        cv2.putText(picture, str(number), (612, 34 + 40 * number), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 200, 1)  # type: ignore[call-overload]
    assert found(picture).step_px == pytest.approx(40, rel=0.01)


@pytest.mark.parametrize("seed", range(12))
def test_a_picture_without_a_ruler_has_none(seed: int) -> None:
    assert find_ruler(tissue(seed=seed)) is None
    assert find_ruler(np.random.default_rng(seed).integers(0, 256, (480, 640)).astype(np.uint8)) is None


def test_text_lines_uneven_ticks_and_a_few_ticks_are_no_ruler() -> None:
    menu = tissue()
    for number in range(18):
        cv2.putText(
            menu, ("Gain 52", "DR 60", "FR 31")[number % 3], (575, 30 + 24 * number), cv2.FONT_HERSHEY_PLAIN, 0.8, 220
        )  # type: ignore[call-overload]
    assert find_ruler(menu) is None
    uneven = tissue()
    for row in np.cumsum([30, 20, 31, 25, 40, 22, 35, 28, 33, 41]):
        uneven[row, 600:608] = 220
    assert find_ruler(uneven) is None
    few = tissue()
    few[[100, 140, 180, 220], 600:608] = 220
    assert find_ruler(few) is None
    assert find_ruler(np.zeros((480, 640), np.uint8)) is None


def test_the_scale_of_a_sweep_follows_the_ruler_when_the_depth_is_changed() -> None:
    scale = ScaleOfSweep(Calibration(), [].append)
    for picture, step in ((metric(8.0), 8.0), (metric(8.0), 8.0), (metric(10.0), 10.0)):
        spacing, notes = scale.of(picture)
        assert spacing == pytest.approx((1 / step, 1 / step), rel=0.01)
        assert notes == ()


def test_a_typed_scale_that_the_ruler_contradicts_is_none_and_said_once() -> None:
    told: list[str] = []
    scale = ScaleOfSweep(Calibration(spacing_mm=0.125), told.append)
    assert scale.of(metric(8.0)) == ((0.125, 0.125), ())
    assert scale.of(metric(10.0)) == (None, (CONTRADICTED,))
    assert scale.of(metric(10.0)) == (None, (CONTRADICTED,))
    assert len(told) == 1
    unknown = ScaleOfSweep(Calibration(spacing_mm=0.3), told.append)  # nobody said what a tick is, but it moved
    assert unknown.of(ruled(tissue(), 30)) == ((0.3, 0.3), ())
    assert unknown.of(ruled(tissue(), 36)) == (None, (CONTRADICTED,))


def test_oblong_pixels_of_television_get_no_scale_from_one_ruler() -> None:
    picture = ruled(tissue(576, 720), 9.0, [20, *[6] * 4, 12, *[6] * 4])
    assert found(picture).mm_per_px() == pytest.approx(1 / 9, rel=0.01)
    assert ScaleOfSweep(Calibration(), [].append).of(picture) == (None, ())
