"""Files as arrays: odd pictures, odd masks, and what is true where."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan.models.evaluation.index import Row, UnusableData, read_folder
from sonovan.models.evaluation.pictures import read_gray, read_mask, read_pair, read_picture, read_truth
from tests.models.evaluation.folders import SIDE, Folder, mask, picture

BOX = (50, 60, 40, 30)


def written(path: Path, pixels: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), pixels)
    return path


@pytest.fixture
def row(tmp_path: Path) -> Row:
    return read_folder(Folder(tmp_path / "a").add("p1", [BOX], [BOX], label="benign").write())[0]


def test_colour_comes_as_red_green_blue_and_alpha_is_dropped(tmp_path: Path) -> None:
    blue_green_red_alpha = np.zeros((5, 6, 4), np.uint8)
    blue_green_red_alpha[...] = (1, 2, 3, 77)
    seen = read_picture(written(tmp_path / "a.png", blue_green_red_alpha))
    assert seen.shape == (5, 6, 3)
    assert seen[0, 0].tolist() == [3, 2, 1]


def test_sixteen_bits_with_a_narrow_range_stay_visible(tmp_path: Path) -> None:
    path = written(tmp_path / "a.png", picture(BOX).astype(np.uint16) * 16)
    assert read_picture(path).dtype == np.uint16
    grey = read_gray(path)
    assert grey.max() > 200
    assert grey.min() < 50


def test_a_picture_of_floats_with_nan_is_refused_by_name(tmp_path: Path) -> None:
    pixels = np.full((40, 40), 0.5, np.float32)
    pixels[3, 3] = np.nan
    with pytest.raises(UnusableData, match=r"a\.tiff: its samples are float32"):
        read_picture(written(tmp_path / "a.tiff", pixels))


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_what_is_no_picture_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnusableData, match=r"a\.png is no picture"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("lit", [1, 255, 200])
def test_a_mask_of_ones_or_of_255_is_the_same_mask(tmp_path: Path, lit: int) -> None:
    path = written(tmp_path / "m.png", mask(BOX, lit=lit))
    assert (read_mask(path, (SIDE, SIDE)) == (mask(BOX) > 0)).all()


def test_a_mask_that_would_pass_for_empty_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "m.png", mask(BOX, lit=100))
    with pytest.raises(UnusableData, match=r"m\.png.*highest value is 100"):
        read_mask(path, (SIDE, SIDE))


def test_a_mask_drawn_in_its_alpha_channel_is_refused(tmp_path: Path) -> None:
    lesion = mask(BOX)
    opaque = written(tmp_path / "o.png", np.dstack([lesion, lesion, lesion, np.full_like(lesion, 255)]))
    assert (read_mask(opaque, (SIDE, SIDE)) == (lesion > 0)).all()
    for ground in (0, 255):  # it would pass for empty, or for lesion everywhere
        drawn = np.dstack([np.full((SIDE, SIDE, 3), ground, np.uint8), lesion])
        with pytest.raises(UnusableData, match=r"m\.png: the mask is transparent in part"):
            read_mask(written(tmp_path / "m.png", drawn), (SIDE, SIDE))


def test_a_mask_of_the_same_shape_is_scaled_to_its_picture(tmp_path: Path) -> None:
    path = written(tmp_path / "m.png", mask(BOX))
    doubled = read_mask(path, (2 * SIDE, 2 * SIDE))
    assert np.count_nonzero(doubled) == 4 * BOX[2] * BOX[3]
    assert doubled[2 * BOX[1], 2 * BOX[0]]
    assert read_mask(path, (2 * SIDE + 4, 2 * SIDE)).shape == (2 * SIDE + 4, 2 * SIDE)  # .9 % off


def test_a_mask_of_another_shape_is_refused_with_both_sizes(tmp_path: Path) -> None:
    path = written(tmp_path / "m.png", mask(BOX))
    with pytest.raises(UnusableData, match=r"m\.png has 224×224 pixels, its picture 224×230"):
        read_mask(path, (230, 224))


def test_normal_means_nothing_whatever_the_mask_shows_and_no_mask_means_unknown(row: Row) -> None:
    size = (SIDE, SIDE)
    drawn = read_truth(row, size)
    assert drawn is not None
    assert drawn.sum() == BOX[2] * BOX[3]
    normal = read_truth(replace(row, label="normal"), size)
    assert normal is not None
    assert not normal.any()
    assert read_truth(replace(row, mask=None), size) is None


def test_a_pair_for_training_needs_a_truth(row: Row) -> None:
    image, truth = read_pair(row)
    assert (image == picture(BOX)).all()
    assert (truth == mask(BOX)).all()
    with pytest.raises(UnusableData, match="row p1"):
        read_pair(replace(row, mask=None))
