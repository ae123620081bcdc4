"""Turn whatever a scanner delivers into the 8-bit grey picture on which networks, measures and overlays work."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.errors import UnusablePicture
from sonovan.models.picture.letterbox import Box, Gray

MAX_PIXELS: Final = 400_000_000
"""20,000 × 20,000: the largest picture that intake lets through."""
MAX_SIDE: Final = 32_767
"""OpenCV counts rows and columns of a resampled picture in 16 bits."""
NARROW: Final = 0.25
"""A 16-bit picture that uses less than this share of its range is windowed to what it uses."""
MARK_GREY: Final = 200
"""Burned-in marks are at least so bright, and by MARK_RISE brighter than the median of what surrounds them."""
MARK_RISE: Final = 100
MARK_COLOUR: Final = 60
"""Channels of a coloured pixel lie at least so far apart; thin ones were drawn, wide areas are Doppler."""
MARK_SHARE: Final = 9 / 512
"""Marks are thinner than half of this share of the picture's longest side."""


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
    """The panels as they are, or one panel over the whole picture if none is given. size: (rows, columns).

    Raises UnusablePicture for a panel without area or beyond the picture.
    """
    rows, columns = size
    for left, top, width, height in panels:
        if min(left, top) < 0 or min(width, height) < 1 or left + width > columns or top + height > rows:
            box = f"{width}×{height} at column {left}, row {top}"
            raise UnusablePicture("panel_outside", f"a panel of {box} does not lie in a picture of {columns}×{rows}")
    return tuple(panels) or ((0, 0, columns, rows),)


def paint_over_marks(pixels: NDArray[np.uint8]) -> Gray:
    """The grey picture with burned-in strokes painted over from their surroundings: callipers, dotted lines, text.

    pixels: (rows, columns) or (rows, columns, 3) red, green, blue, uint8. A picture without marks comes back as
    `to_grey` gives it. Nothing that is stored or shown goes through here, and by default nothing that a network sees:
    docs/preparation.md has the figures. It is for asking how much a network leans on callipers.
    Raises UnusablePicture as `to_grey`, and for other than 8 bits.
    Source of the filling: Telea, Journal of Graphics Tools 9(1), 2004.
    """
    if pixels.dtype != np.uint8:
        raise UnusablePicture("dtype", f"pixels are {pixels.dtype}, expected uint8")
    grey = to_grey(pixels)
    width = max(3, round(max(grey.shape) * MARK_SHARE) | 1)
    marks = (grey >= MARK_GREY) & (cv2.subtract(grey, cv2.medianBlur(grey, width)) >= MARK_RISE)
    if pixels.ndim == 3:
        marks |= _thin(pixels.max(axis=2) - pixels.min(axis=2) >= MARK_COLOUR, width)
    if not marks.any():
        return grey
    fringe = max(3, (width // 3) | 1)  # strokes are smoothed at their edges
    drawn = cv2.dilate(marks.astype(np.uint8), np.ones((fringe, fringe), np.uint8))
    return np.asarray(cv2.inpaint(grey, drawn, 3, cv2.INPAINT_TELEA), np.uint8)


def _thin(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """The pixels of a mask that belong to parts thinner than `width` pixels."""
    square = np.ones((width, width), np.uint8)
    wide = cv2.dilate(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, square), square)
    return np.asarray(mask & (wide == 0), np.bool_)


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
