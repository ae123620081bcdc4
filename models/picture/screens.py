"""A frame as a browser shows it: small for the link while it moves, without loss once it stands still."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.picture.prepare import to_grey

Shown = NDArray[np.uint8]
"""(rows, columns) or (rows, columns, 3) red, green, blue: what a screen can show."""

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"

QUALITIES: Final = (85, 75, 60, 45)
"""JPEG's quality: the first by which a frame fits FRAME_BYTES, or the last one."""
_SHARES: Final = {75: 0.75, 60: 0.6, 45: 0.5}
"""About how large a frame of speckle becomes by these, against the first: not all are tried on every frame."""
FRAME_BYTES: Final = 70_000
"""At 20 Mbit/s, 30 frames of this size arrive in 0.84 s: a sweep that plays gains on the link (decision 0113)."""

_YELLOW: Final = (255, 220, 0)
"""Red, green, blue."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A picture as bytes. quality: of JPEG; None where nothing was lost."""

    data: bytes
    kind: str
    quality: int | None


def shown(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> Shown:
    """A frame in 8 bits. Grey of 16 bits is windowed as for the network; colour of 16 bits keeps its upper byte."""
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, np.uint8)
    if pixels.ndim == 2:
        return to_grey(pixels)
    return np.asarray(pixels >> 8, np.uint8)


def outlined(picture: Shown, labels: NDArray[np.uint8]) -> Shown:
    """The picture with a yellow line around each region, just outside it, so that its margin is free to be judged.

    labels: (rows, columns) uint8, 0 is no region. Raises ValueError for another size than the picture's.
    """
    if labels.shape != picture.shape[:2]:
        raise ValueError(f"a mask of {labels.shape} on a picture of {picture.shape}")
    inside = np.pad(labels > 0, 1)
    beside = np.zeros_like(inside)
    for down, across in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        beside |= np.roll(inside, (down, across), (0, 1))
    line = (beside & ~inside)[1:-1, 1:-1]
    coloured = np.array(picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2))
    coloured[line] = _YELLOW
    return coloured


def for_the_link(picture: Shown) -> Coded:
    """A frame for moving pictures: JPEG of the best of QUALITIES that fits FRAME_BYTES, or of the last one.

    Colour keeps its full resolution: Doppler is thin and saturated, and half of it would move its edges.
    """
    made = first = Coded(_jpeg(picture, QUALITIES[0]), JPEG, QUALITIES[0])
    for quality, share in _SHARES.items():
        if len(made.data) <= FRAME_BYTES:
            break
        if len(first.data) * share <= 1.1 * FRAME_BYTES or quality == QUALITIES[-1]:
            made = Coded(_jpeg(picture, quality), JPEG, quality)
    return made


def without_loss(picture: Shown) -> Coded:
    """A frame to measure and draw on: PNG, every pixel as `shown` gives it."""
    return Coded(_coded(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1]), PNG, None)


def _jpeg(picture: Shown, quality: int) -> bytes:
    sampled = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return _coded(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality, *sampled])


def _coded(suffix: str, picture: Shown, settings: list[int]) -> bytes:
    ordered = picture if picture.ndim == 2 else picture[..., ::-1]  # OpenCV wants blue first
    done, data = cv2.imencode(suffix, ordered, settings)
    if not done:
        raise ValueError(f"no {suffix[1:]} could be made of a picture of {picture.shape}")
    return bytes(data)
