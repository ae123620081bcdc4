"""Frames for a browser."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sonovan.models.picture.screens import FRAME_BYTES, QUALITIES, despeckled, for_the_link, shown, without_loss


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
    assert decoded(despeckled(speckle).data).std() < speckle.std()
