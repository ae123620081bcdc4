"""Any picture that a scanner delivers becomes 8-bit grey by a rule that can be stated."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sonovan.models.errors import UnusablePicture
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.prepare import MAX_SIDE, paint_over_marks, to_grey, whole_or


@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.uint16, ">u2"]),
        st.one_of(
            st.tuples(st.integers(1, 40), st.integers(1, 40)),
            st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)),
        ),
    )
)
@settings(deadline=None)
def test_every_picture_becomes_grey(pixels: np.ndarray) -> None:
    grey = to_grey(pixels)
    assert grey.shape == pixels.shape[:2]
    assert grey.dtype == np.uint8
    assert (to_grey(pixels) == grey).all()


def test_eight_bits_of_grey_stay_as_they_are_in_any_shape() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (31, 17), dtype=np.uint8)
    assert (to_grey(grey) == grey).all()
    assert (to_grey(np.dstack([grey] * 3)) == grey).all()
    assert (to_grey(grey[::-1, ::2]) == grey[::-1, ::2]).all()


def test_colour_doppler_stays_visible() -> None:
    picture = np.zeros((3, 1, 3), np.uint8)
    picture[0, 0], picture[1, 0], picture[2, 0] = (255, 0, 0), (0, 0, 255), (0, 255, 255)
    red, blue, cyan = to_grey(picture).ravel().tolist()
    assert (red, blue, cyan) == (76, 29, 179)


def test_sixteen_bits_in_full_are_mapped_from_the_full_range() -> None:
    ramp = np.linspace(0, 65535, 5000).astype(np.uint16).reshape(50, 100)
    assert np.abs(to_grey(ramp).astype(float) - ramp / 257).max() <= 0.5001


def test_twelve_bits_in_sixteen_are_windowed_to_what_they_use() -> None:
    ramp = np.linspace(100, 4095, 5000).astype(np.uint16).reshape(50, 100)
    grey = to_grey(ramp)
    assert (grey.min(), grey.max()) == (0, 255)
    assert (np.diff(grey.ravel().astype(int)) >= 0).all()
    hot = ramp.copy()
    hot[0, 0] = 65535  # one defect pixel does not blacken the rest
    assert np.abs(to_grey(hot)[1:].astype(int) - grey[1:]).max() <= 2


@pytest.mark.parametrize(("value", "grey"), [(0, 0), (255, 1), (257, 1), (40000, 156), (65535, 255)])
def test_a_sixteen_bit_picture_of_one_value_keeps_its_level(value: int, grey: int) -> None:
    assert (to_grey(np.full((9, 9), value, np.uint16)) == grey).all()


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.zeros((4, 4), np.float32), "dtype"),
        (np.zeros((4, 4), np.int16), "dtype"),
        (np.zeros((4, 4), bool), "dtype"),
        (np.zeros((4, 4), np.uint32), "dtype"),
        (np.full((4, 4), np.nan), "dtype"),
        (np.zeros((4, 4, 4), np.uint8), "shape"),
        (np.zeros((4, 4, 2), np.uint8), "shape"),
        (np.zeros((4,), np.uint8), "shape"),
        (np.zeros((0, 4), np.uint8), "shape"),
        (np.zeros((1, MAX_SIDE + 1), np.uint8), "too_large"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(pixels: np.ndarray, reason: str) -> None:
    with pytest.raises(UnusablePicture) as caught:
        to_grey(pixels)
    assert caught.value.reason == reason


def test_panels_lie_in_the_picture() -> None:
    assert whole_or((), (48, 64)) == ((0, 0, 64, 48),)
    assert whole_or([(0, 0, 32, 48), (32, 0, 32, 48)], (48, 64)) == ((0, 0, 32, 48), (32, 0, 32, 48))
    for panel in [(-1, 0, 5, 5), (0, 0, 65, 48), (0, 1, 64, 48), (0, 0, 0, 5), (70, 0, 1, 1)]:
        with pytest.raises(UnusablePicture, match="panel"):
            whole_or([panel], (48, 64))


def test_callipers_and_text_are_painted_over_and_nothing_else() -> None:
    tissue = simulate_sweep("breast", 3, 4).frames[1] // 2
    marked = tissue.copy()
    cv2.drawMarker(marked, (200, 150), 255, cv2.MARKER_CROSS, 14, 2)
    for column in range(210, 400, 8):
        marked[160:162, column : column + 2] = 250
    cv2.putText(marked, "MAMA DIR", (60, 430), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    drawn = marked != tissue
    cleaned = paint_over_marks(marked)
    before, after = (np.abs(one.astype(int) - tissue)[drawn].mean() for one in (marked, cleaned))
    assert after < 0.35 * before
    far = cv2.dilate(drawn.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    assert (cleaned[far] == tissue[far]).all()
    assert (paint_over_marks(tissue) == tissue).all()


def test_coloured_strokes_are_painted_over_and_doppler_is_not() -> None:
    tissue = simulate_sweep("breast", 3, 4).frames[1] // 2
    colour = np.dstack([tissue] * 3)
    cv2.circle(colour, (450, 300), 60, (220, 30, 20), -1)
    cv2.line(colour, (60, 60), (200, 60), (250, 220, 0), 2)
    cleaned, grey = paint_over_marks(colour), to_grey(colour)
    assert (cleaned[260:340, 410:490] == grey[260:340, 410:490]).all()
    assert np.abs(cleaned[60, 60:200].astype(int) - tissue[60, 60:200]).mean() < 40


def test_only_eight_bits_are_cleaned() -> None:
    with pytest.raises(UnusablePicture, match="uint16"):
        paint_over_marks(np.zeros((40, 40), np.uint16))  # type: ignore[arg-type]  # a caller's mistake
