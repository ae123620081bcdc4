"""Fit a picture into the network's square, and bring a mask of the square back to the picture's size.

Training and use share this implementation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""(left, top, width, height) in pixels of the stored frame."""

STRIP_PX: Final = 4_000_000
"""A soft mask is brought to the picture's size in strips of at most this many pixels, so that a huge one fits."""


@dataclass(frozen=True)
class Letterbox:
    """Where a picture lies in its square: scale, and the offset of its top left corner in pixels."""

    scale: float
    left: int
    top: int
    width: int
    height: int


def letterbox(image: Gray, side: int, corner: bool = False) -> tuple[Gray, Letterbox]:
    """Fits a picture into a black square: area interpolation when it shrinks, linear when it grows.

    image: (rows, columns) uint8. corner: the picture lies in the top left corner instead of the
    middle. Returns (side, side) uint8 and where the picture lies in it.
    """
    rows, columns = image.shape
    scale = side / max(rows, columns)
    width, height = max(1, round(columns * scale)), max(1, round(rows * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.zeros((side, side), np.uint8)
    left, top = (0, 0) if corner else ((side - width) // 2, (side - height) // 2)
    square[top : top + height, left : left + width] = cv2.resize(image, (width, height), interpolation=how)
    return square, Letterbox(scale, left, top, width, height)


def inside(square: NDArray[np.float32], box: Letterbox) -> NDArray[np.float32]:
    """The part of a soft mask (side, side) that lies on the picture: (box.height, box.width)."""
    return square[box.top : box.top + box.height, box.left : box.left + box.width]


def unletterbox(square: NDArray[np.float32], box: Letterbox, size: tuple[int, int]) -> NDArray[np.float32]:
    """A soft mask of the square back at the picture's size (rows, columns), by linear interpolation."""
    resized = cv2.resize(inside(square, box), (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)


def enlarge(
    part: NDArray[np.float32], size: tuple[int, int], top: int, height: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Rows `top` to `top + height` of what `unletterbox` gives, strip by strip.

    part: soft mask on the picture, as `inside` gives it. size: (rows, columns) of the picture.
    Yields (first row of the strip, (rows of the strip, columns) float32); a strip has at most STRIP_PX pixels.
    """
    have = part.shape[0]
    at = np.clip((np.arange(top, top + height) + 0.5) * (have / size[0]) - 0.5, 0, have - 1)
    upper = np.floor(at).astype(np.intp)
    lower = np.minimum(upper + 1, have - 1)
    share = (at - upper).astype(np.float32)[:, None]
    each = max(1, STRIP_PX // size[1])
    for start in range(0, height, each):
        rows = slice(start, start + each)
        lines = part[upper[rows]] + (part[lower[rows]] - part[upper[rows]]) * share[rows]
        strip = cv2.resize(lines, (size[1], lines.shape[0]), interpolation=cv2.INTER_LINEAR)
        yield top + start, np.asarray(strip, np.float32)
