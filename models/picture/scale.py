"""Make oblong pixels square, since networks learned shapes from pictures with square pixels."""

from typing import Final

import cv2
import numpy as np

from sonovan.models.picture.letterbox import Gray

SAME: Final = 0.02
"""Pixels whose sides differ by less than this share count as square: it changes no mask."""
OBLONG: Final = 4.0
"""No B-mode picture has pixels more oblong than this; a scale that says so belongs to another axis (time, velocity)."""


def isotropic(picture: Gray, spacing_mm: tuple[float, float] | None) -> Gray:
    """The picture with square pixels: the axis with the finer pixels is shrunk by area interpolation.

    picture: (rows, columns) uint8. spacing_mm: (column, row), the width and height of a pixel; None: not known.
    Returns the picture itself where pixels are square, their size is not known or not one of B-mode. It covers the
    same field, so a mask of it, stretched to the picture's size, lies in its place.
    """
    if spacing_mm is None:
        return picture
    width_mm, height_mm = spacing_mm
    ratio = width_mm / height_mm
    if abs(ratio - 1) < SAME or not 1 / OBLONG <= ratio <= OBLONG:
        return picture
    rows, columns = picture.shape
    size = (max(1, round(columns * ratio)), rows) if ratio < 1 else (columns, max(1, round(rows / ratio)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
