"""Label masks and overlays as PNG."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sonovan.models.errors import UnusablePicture
from sonovan.models.masks import decode_mask, encode_mask
from sonovan.models.overlay import contact_sheet, draw, outlined_frame, text_picture

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


def shown(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Box (left, top, width, height) of what is yellow."""
    yellow = (picture[..., 0] < 90) & (picture[..., 1] > 150) & (picture[..., 2] > 150)
    return tuple(int(each) for each in cv2.boundingRect(yellow.astype(np.uint8)))  # type: ignore[return-value]


def test_an_outline_runs_just_outside_the_region_and_leaves_its_margin_free() -> None:
    grey = np.full((1000, 1000), 90, np.uint8)
    picture = draw(grey, [[(300, 400), (500, 400), (500, 700), (300, 700)]])
    assert picture.shape == (1000, 1000, 3)
    left, top, width, _ = shown(picture)
    assert 2 <= 300 - left <= 6
    assert 2 <= 400 - top <= 6
    assert 2 <= left + width - 501 <= 6
    assert (picture[399:702, 299:502] == 90).all(), "the region and the pixel around it stay as they were"
    assert (picture[720:] == 90).all()


def test_a_small_picture_is_enlarged_and_a_large_one_shrunk_with_their_outlines() -> None:
    small = draw(np.full((200, 300), 90, np.uint8), [[(100, 50), (199, 50), (199, 149), (100, 149)]])
    assert small.shape[:2] == (600, 900)
    assert shown(small)[0] == pytest.approx(300, abs=8)
    assert shown(small)[2] == pytest.approx(300, abs=12)
    large = draw(np.full((1000, 4000), 90, np.uint8), [[(2000, 400), (3000, 400), (3000, 800)]])
    assert large.shape[:2] == (400, 1600)
    assert draw(np.full((40, 30), 90, np.uint8), []).shape[:2] == (160, 120), "never more than four times"


def test_labels_stand_beside_their_outlines() -> None:
    grey = np.full((600, 900), 90, np.uint8)
    left, right = ([(at, 120.0), (at + 180.0, 120.0), (at + 180.0, 360.0)] for at in (60.0, 510.0))
    plain, numbered = draw(grey, [left, right], labels=["", ""]), draw(grey, [left, right])
    assert (numbered == draw(grey, [left, right], labels=["1", "2"])).all()
    second = draw(grey, [left, right], labels=["", "1"])
    assert np.flatnonzero((second != plain).any(axis=(0, 2))).min() > 690  # behind the second outline alone
    assert (draw(grey, [left]) == draw(grey, [left], labels=[""])).all()
    edge = [(at + 207, row) for at, row in right]  # to the picture's last column
    named = (draw(grey, [edge], labels=["2"]) != draw(grey, [edge], labels=[""])).any(axis=(0, 2))
    assert np.count_nonzero(named) >= 5  # moved inside, not cut off
    with pytest.raises(ValueError, match="longer"):
        draw(grey, [left, right], labels=["1"])


def test_a_part_of_a_frame_is_shown_alone_with_its_outline() -> None:
    grey = np.zeros((600, 1200), np.uint8)
    grey[:, 600:] = 90
    part = draw(grey, [[(700, 100), (799, 100), (799, 199), (700, 199)]], box=(600, 0, 600, 600))
    assert part.shape[:2] == (900, 900)
    assert part.min(axis=(0, 1))[0] < 90 < part.max()
    assert shown(part)[:2] == pytest.approx((150, 150), abs=8)


def test_a_known_scale_makes_pixels_square_and_gives_a_bar_of_its_length() -> None:
    grey = np.full((200, 400), 90, np.uint8)
    picture = draw(grey, [], spacing_mm=(0.1, 0.4))
    wide, tall = 400 * 0.1, 200 * 0.4
    strip = picture[-30:, :, 0]
    body = picture[: picture.shape[0] - (picture.shape[0] - round(picture.shape[1] * tall / wide))]
    assert (body == 90).all()
    assert body.shape[0] / body.shape[1] == pytest.approx(tall / wide, abs=0.01)
    bar = np.flatnonzero((strip > 200).any(axis=0))
    bar = bar[: int(np.argmax(np.diff(bar) > 3)) + 1]
    px_per_mm = picture.shape[1] / wide
    assert bar.max() - bar.min() == pytest.approx(10 * px_per_mm, abs=4), "10 mm, a quarter of 40 mm"
    assert (draw(grey, []).shape[0]) == 450, "without a scale there is no strip"


def test_a_title_is_drawn_above_in_any_language() -> None:
    grey = np.full((300, 900), 90, np.uint8)
    titled = [draw(grey, [], title=text) for text in ("Left breast · UNSIGNED", "左侧乳腺", "右侧乳腺")]
    above = [picture[: picture.shape[0] - 300] for picture in titled]
    assert all((picture[-300:] == 90).all() for picture in titled)
    assert all((strip > 200).any() for strip in above)
    assert above[1].shape == above[2].shape
    assert (above[1] != above[2]).any(), "左 and 右 are not the same box"


def test_text_becomes_a_picture_that_needs_no_font() -> None:
    first, second = (text_picture(text, ink=(255, 255, 255), ground=(0, 0, 160)) for text in ("未签署", "非诊断"))
    assert first != second
    picture = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] == 56
    assert (picture[0, 0] == (0, 0, 160)).all()
    assert (picture == 255).all(axis=2).sum() > 200


def test_an_outlined_frame_is_a_png_of_what_is_drawn() -> None:
    pixels = np.full((400, 1000, 3), 90, np.uint8)
    data = outlined_frame(pixels, [[(200, 100), (300, 100), (300, 200)]], title="frame 7")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    grey = np.full((400, 1000), 90, np.uint8)
    assert (picture == draw(grey, [[(200, 100), (300, 100), (300, 200)]], title="frame 7")).all()


def test_a_contact_sheet_shows_every_picture() -> None:
    pictures = [draw(np.full((60, 80), 30 + 40 * number, np.uint8), []) for number in range(4)]
    sheet = cv2.imdecode(np.frombuffer(contact_sheet(pictures, columns=3, tile_px=40), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert sheet.shape == (80, 120)
    assert [int(sheet[10, 10]), int(sheet[10, 50]), int(sheet[10, 90]), int(sheet[50, 10])] == [30, 70, 110, 150]
    with pytest.raises(ValueError, match="needs a picture"):
        contact_sheet([])
