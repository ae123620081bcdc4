"""Whatever a scanner delivers, as the 8-bit grey picture that networks, measures and overlays share."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import UnusablePicture
from models.letterbox import Box, Gray

MAX_PIXELS: Final = 400_000_000
"""20,000 × 20,000: the largest picture that intake lets through."""
MAX_SIDE: Final = 32_767
"""OpenCV counts rows and columns of a resampled picture in 16 bits."""
NARROW: Final = 0.25
"""A 16-bit picture that uses less than this share of its range is windowed to what it uses."""


def to_grey(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> Gray:
    """One grey level per pixel, 0..255.

    pixels: (rows, columns) or (rows, columns, 3) red, green, blue; uint8 or uint16 of either byte order.
    Colour becomes luma (ITU-R BT.601), in which colour Doppler stays visible. 16 bits are mapped linearly from the
    full range 0..65535; when the span between the 0.1st and 99.9th percentile is below a quarter of that (12-bit data
    in a 16-bit container), from that span. A picture of one value keeps it (16 bits: its upper byte).
    Raises UnusablePicture for another dtype or shape, no pixels, or more than 400 million of them.
    """
    if pixels.dtype.newbyteorder("=") not in (np.uint8, np.uint16):
        raise UnusablePicture("dtype", f"pixels are {pixels.dtype}, expected uint8 or uint16")
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3) or pixels.size == 0:
        raise UnusablePicture(
            "shape", f"pixels of shape {pixels.shape} are neither (rows, columns) nor (rows, columns, 3)"
        )
    rows, columns = pixels.shape[:2]
    if rows * columns > MAX_PIXELS or max(rows, columns) > MAX_SIDE:
        raise UnusablePicture("too_large", f"{columns}×{rows} pixels are more than can be segmented")
    native = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))
    grey = native if native.ndim == 2 else cv2.cvtColor(native, cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.uint8) if grey.dtype == np.uint8 else _eight_bits(np.asarray(grey, np.uint16))


def whole_or(panels: Sequence[Box], size: tuple[int, int]) -> tuple[Box, ...]:
    """The panels as they are, or one that covers the picture when none is named. size: (rows, columns).

    Raises UnusablePicture for a panel without area or beyond the picture.
    """
    rows, columns = size
    for left, top, width, height in panels:
        if min(left, top) < 0 or min(width, height) < 1 or left + width > columns or top + height > rows:
            box = f"{width}×{height} at column {left}, row {top}"
            raise UnusablePicture("panel_outside", f"a panel of {box} does not lie in a picture of {columns}×{rows}")
    return tuple(panels) or ((0, 0, columns, rows),)


def _eight_bits(grey: NDArray[np.uint16]) -> Gray:
    low, high = _window(grey)
    if high <= low:
        low, high = 0, 65535
    levels = (np.arange(65536, dtype=np.float64) - low) * (255 / (high - low))
    return np.asarray(np.rint(np.clip(levels, 0, 255)).astype(np.uint8)[grey], np.uint8)


def _window(grey: NDArray[np.uint16]) -> tuple[int, int]:
    counts = np.asarray(cv2.calcHist([grey], [0], None, [65536], [0, 65536]), np.float64).ravel()
    share = np.cumsum(counts) / counts.sum()
    low, high = int(np.searchsorted(share, 0.001)), int(np.searchsorted(share, 0.999))
    return (0, 65535) if high - low >= NARROW * 65535 else (low, high)
