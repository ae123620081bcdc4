"""What the first guard of privacy lets out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sonovan.producers.privacy import as_grey, black_out
from tests.producers.files import colour, grey


@given(
    boxes=st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 40), st.integers(1, 30), st.integers(1, 30)), max_size=4
    )
)
def test_outside_the_declared_boxes_everything_is_black(boxes: list[tuple[int, int, int, int]]) -> None:
    picture = np.maximum(grey(), 1)
    cleaned = black_out(picture, tuple(boxes))
    inside = np.zeros(picture.shape, bool)
    for left, top, width, height in boxes:
        inside[top : top + height, left : left + width] = True
    assert np.array_equal(cleaned.pixels, np.where(inside, picture, 0))
    assert cleaned.blackened_px == np.count_nonzero(~inside)


def test_without_a_declaration_nothing_changes() -> None:
    assert black_out(grey(), None).blackened_px == 0
    assert np.array_equal(black_out(colour(), None).pixels, colour())


def test_the_picture_that_was_read_is_not_touched() -> None:
    picture = grey()
    black_out(picture, ((0, 0, 1, 1),))
    assert np.array_equal(picture, grey())


def test_a_grey_picture_of_three_channels_becomes_one_and_a_coloured_pixel_keeps_three() -> None:
    picture = np.repeat(grey()[..., None], 3, axis=2)
    assert np.array_equal(as_grey(picture), grey())
    picture[0, 0, 0] ^= 1
    assert as_grey(picture).ndim == 3


def test_a_colour_outside_the_regions_does_not_keep_three_channels() -> None:
    picture = np.repeat(grey()[..., None], 3, axis=2)
    picture[0, 0] = (255, 0, 0)
    assert black_out(picture, ((1, 1, 40, 40),)).pixels.ndim == 2
