"""Label masks and overlays as PNG."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sonovan.models.errors import UnusablePicture
from sonovan.models.masks import decode_mask, encode_mask
from sonovan.models.overlay import YELLOW, contact_sheet, draw, draw_overlay


def is_yellow(pixel: np.ndarray) -> bool:
    """Nearly the outline's colour: it is anti-aliased."""
    return bool(np.abs(pixel.astype(int) - YELLOW).max() < 50)


LABELS = np.tile(np.repeat(np.arange(8, dtype=np.uint8), 8), (40, 1))


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60))))
@settings(deadline=None)
def test_a_mask_survives_its_png_and_gives_the_same_bytes(labels: np.ndarray) -> None:
    data = encode_mask(labels)
    assert (decode_mask(data) == labels).all()
    assert encode_mask(labels.copy()) == data


@given(cut=st.integers(0, len(encode_mask(LABELS)) - 1))
@settings(deadline=None, max_examples=60)
def test_a_mask_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(UnusablePicture):
        decode_mask(encode_mask(LABELS)[:cut])


def test_pictures_that_are_no_mask_are_refused() -> None:
    colour = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes()
    deep = cv2.imencode(".png", np.zeros((4, 4), np.uint16))[1].tobytes()
    huge = bytearray(encode_mask(LABELS))
    huge[16:24] = (1_000_000).to_bytes(4, "big") * 2
    for data in (colour, deep, bytes(huge), b"", b"GIF89a" + b"\0" * 60):
        with pytest.raises(UnusablePicture) as caught:
            decode_mask(data)
        assert caught.value.reason == "mask_corrupt"


def test_only_label_masks_are_encoded() -> None:
    for wrong in (np.zeros((4, 4), np.uint16), np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4), np.uint8)):
        with pytest.raises(ValueError, match="label mask"):
            encode_mask(wrong)


def test_an_outline_lies_on_the_region_and_leaves_the_rest_grey() -> None:
    grey = np.full((200, 300), 90, np.uint8)
    picture = draw(grey, [[(50, 40), (150, 40), (150, 120), (50, 120)]])
    assert is_yellow(picture[40, 100])
    assert is_yellow(picture[80, 50])
    assert (picture[60:110, 60:140] == 90).all()
    assert (picture[130:] == 90).all()


def test_labels_stand_beside_their_outlines() -> None:
    grey = np.full((200, 300), 90, np.uint8)
    left, right = ([(at, 40.0), (at + 60.0, 40.0), (at + 60.0, 120.0)] for at in (20.0, 170.0))
    plain, numbered = draw(grey, [left, right], labels=["", ""]), draw(grey, [left, right])
    assert (numbered == draw(grey, [left, right], labels=["1", "2"])).all()
    second = draw(grey, [left, right], labels=["", "1"])
    changed = np.flatnonzero((second != plain).any(axis=(0, 2)))
    assert changed.min() > 230  # behind the second outline alone
    assert (draw(grey, [left]) == draw(grey, [left], labels=[""])).all()
    edge = [(at + 69, row) for at, row in right]  # to the picture's last column
    named = (draw(grey, [edge], labels=["2"]) != draw(grey, [edge], labels=[""])).any(axis=(0, 2))
    assert np.count_nonzero(named) >= 5  # moved inside, not cut off
    with pytest.raises(ValueError, match="longer"):
        draw(grey, [left, right], labels=["1"])


def test_an_overlay_is_a_png_that_shrinks_with_its_outline() -> None:
    grey = np.zeros((1000, 4000), np.uint8)
    data = draw_overlay(grey, [[(2000, 400), (3000, 400), (3000, 800)]], caption="frame 7: unsigned, not a result")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 1600
    assert picture.shape[0] > 400
    assert is_yellow(picture[160, 1000])
    assert picture[405:].any()


def test_a_contact_sheet_shows_every_picture() -> None:
    pictures = [draw(np.full((60, 80), 30 + 40 * number, np.uint8), []) for number in range(4)]
    sheet = cv2.imdecode(np.frombuffer(contact_sheet(pictures, columns=3, tile_px=40), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert sheet.shape == (80, 120)
    assert [int(sheet[10, 10]), int(sheet[10, 50]), int(sheet[10, 90]), int(sheet[50, 10])] == [30, 70, 110, 150]
    with pytest.raises(ValueError, match="needs a picture"):
        contact_sheet([])
