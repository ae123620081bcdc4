"""Frames for a browser."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sonovan.models.despeckle import despeckled
from sonovan.models.picture.screens import FRAME_BYTES, QUALITIES, for_the_link, outlined, shown, without_loss


def decoded(data: bytes) -> NDArray[np.uint8]:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return np.asarray(found if found.ndim == 2 else found[..., ::-1], np.uint8)


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 3)])
def test_what_is_measured_on_has_every_pixel_as_it_was(shape: tuple[int, ...]) -> None:
    picture = noise(*shape)
    assert np.array_equal(decoded(without_loss(picture).data), picture)


def test_a_calm_frame_is_sent_at_the_best_quality() -> None:
    calm = np.tile(np.linspace(0, 255, 640).astype(np.uint8), (480, 1))
    coded = for_the_link(calm)
    assert coded.quality == QUALITIES[0]
    assert np.abs(decoded(coded.data).astype(int) - calm).max() < 8


def test_a_frame_that_is_too_large_for_the_link_loses_quality_and_says_so() -> None:
    speckle = cv2.GaussianBlur(noise(768, 1024), (0, 0), 2.0)
    coded = for_the_link(np.asarray(speckle, np.uint8))
    assert coded.quality in QUALITIES[1:]
    assert len(coded.data) <= FRAME_BYTES


def test_colour_keeps_its_edges() -> None:
    doppler = np.zeros((64, 64, 3), np.uint8)
    doppler[:, 31:33] = (255, 40, 0)
    back = decoded(for_the_link(doppler).data).astype(int)
    assert np.abs(back - doppler).max() < 60


def test_sixteen_bits_are_shown_in_eight() -> None:
    twelve = (noise(32, 32).astype(np.uint16) << 4) & 0x0FFF
    assert shown(twelve).dtype == np.uint8
    assert shown(twelve).max() > 200
    colour = np.full((4, 4, 3), 0x1234, np.uint16)
    assert (shown(colour) == 0x12).all()


def test_a_despeckled_frame_is_smoother() -> None:
    speckle = noise(64, 64)
    assert decoded(without_loss(despeckled(speckle)).data).std() < speckle.std()


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 3)])
def test_a_region_is_outlined_just_outside_it_and_all_else_is_as_it_was(shape: tuple[int, ...]) -> None:
    picture, labels = np.full(shape, 90, np.uint8), np.zeros((6, 8), np.uint8)
    labels[2:4, 5:8] = 2  # to the picture's right edge
    drawn = outlined(picture, labels)
    yellow = (drawn == (255, 220, 0)).all(axis=2)
    assert sorted(zip(*map(list, np.nonzero(yellow)), strict=True)) == [
        (1, 5), (1, 6), (1, 7), (2, 4), (3, 4), (4, 5), (4, 6), (4, 7),
    ]  # fmt: skip
    assert (drawn[~yellow] == 90).all()
    assert (picture == 90).all()


def test_a_mask_of_another_size_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="a mask of"):
        outlined(np.zeros((6, 8), np.uint8), np.zeros((8, 6), np.uint8))
