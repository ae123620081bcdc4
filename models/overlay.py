"""Pictures for people: a frame or a part of it, plain or with outlines, with a title and a scale bar in its pixels."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.picture.letterbox import Box, Gray
from sonovan.models.picture.prepare import to_grey

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]
"""(rows, columns, 3) uint8, blue, green, red as OpenCV has it."""
Polygon = Sequence[tuple[float, float]]
"""(column, row) in pixels of the frame, through the centres of a region's border pixels."""

YELLOW: Final[Colour] = (0, 220, 255)
WHITE: Final[Colour] = (255, 255, 255)
LEAST_PX: Final = 900
"""A smaller picture is enlarged to this, so that outline and text are fine against it; never more than MOST_TIMES."""
MOST_PX: Final = 1600
MOST_TIMES: Final = 4.0
BARS_MM: Final = (50.0, 20.0, 10.0, 5.0, 2.0, 1.0)
"""Lengths of a scale bar; the longest that takes at most a quarter of the width is drawn."""
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX


def outlined_frame(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    polygons: Sequence[Polygon],
    *,
    labels: Sequence[str] | None = None,
    title: str = "",
    box: Box | None = None,
    spacing_mm: tuple[float, float] | None = None,
) -> bytes:
    """PNG of a frame as it is stored, with its outlines: what the report, `sonovan screen` and a console show.

    pixels: (rows, columns) or (rows, columns, 3), uint8 or uint16. polygons: none for a plain picture. The rest is as
    for `draw`.
    Raises UnusablePicture for other pixels.
    """
    return _png(draw(to_grey(pixels), polygons, labels=labels, title=title, box=box, spacing_mm=spacing_mm))


def plain_and_outlined(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    outline: Polygon,
    *,
    title: str,
    box: Box | None,
    spacing_mm: tuple[float, float] | None,
) -> tuple[bytes, bytes]:
    """PNG of one part of a frame twice, equally large: plain, and with one outline. Arguments and errors are those of
    `outlined_frame`."""
    draw_with = partial(outlined_frame, pixels, title=title, box=box, spacing_mm=spacing_mm)
    return draw_with([]), draw_with([outline])


def draw(
    grey: Gray,
    polygons: Sequence[Polygon],
    *,
    labels: Sequence[str] | None = None,
    title: str = "",
    box: Box | None = None,
    spacing_mm: tuple[float, float] | None = None,
    colour: Colour = YELLOW,
) -> Picture:
    """A frame, or its part within `box`, each polygon outlined and labelled, anti-aliased.

    grey: (rows, columns) uint8. labels: one per polygon; None numbers them from 1 where there are several.
    title: in a strip above, in any script that OpenCV's own font holds, Chinese among them. spacing_mm: (column, row)
    of the pixels; where it is known the picture has square pixels and a scale bar in a strip below. Small pictures are
    enlarged and large ones shrunk (LEAST_PX, MOST_PX). A line runs just outside the region and leaves its margin free
    to be judged. Raises ValueError where labels are not as many as polygons.
    """
    if labels is None:  # the number of the only one would be taken for the finding's
        labels = [str(number) if len(polygons) > 1 else "" for number in range(1, len(polygons) + 1)]
    left, top, width, height = box or (0, 0, grey.shape[1], grey.shape[0])
    across, down = _scale(width, height, spacing_mm)
    size = (max(1, round(width * across)), max(1, round(height * down)))
    shrinks = size[0] * size[1] < width * height
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    shown = cv2.resize(grey[top : top + height, left : left + width], size, interpolation=how)
    picture = np.asarray(cv2.cvtColor(shown, cv2.COLOR_GRAY2BGR), np.uint8)
    thick = max(1.2, max(size) / 600)
    moved = [(np.asarray(each, np.float64) + 0.5 - (left, top)) * (across, down) - 0.5 for each in polygons]
    for corners in moved:
        _outline(picture, corners, thick, colour)
    for label, corners in zip(labels, moved, strict=True):
        _label(picture, label, corners, colour)
    strips = [_title_strip(title, size[0])] if title else []
    below = [] if spacing_mm is None else [_scale_strip(across / spacing_mm[0], size[0])]
    return np.vstack([*strips, picture, *below])


def contact_sheet(pictures: Sequence[Picture], *, columns: int = 5, tile_px: int = 320) -> bytes:
    """PNG with the pictures in rows from the top left, each fitted into a square tile. Raises ValueError for none."""
    if not pictures:
        raise ValueError("a contact sheet needs a picture")
    rows = -(-len(pictures) // columns)
    sheet = np.zeros((rows * tile_px, min(columns, len(pictures)) * tile_px, 3), np.uint8)
    for number, picture in enumerate(pictures):
        scale = min(1.0, tile_px / max(picture.shape[:2]))
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        top, left = number // columns * tile_px, number % columns * tile_px
        fitted = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        sheet[top : top + size[1], left : left + size[0]] = fitted
    return _png(sheet)


def text_picture(text: str, *, ink: Colour, ground: Colour, height_px: int = 56) -> bytes:
    """PNG of one line of text, in pixels: it reads the same where no font of its language is installed.

    text: in any script that OpenCV's own font holds, Chinese among them. ink, ground: blue, green, red.
    """
    size = height_px / 48
    (width, _), _ = cv2.getTextSize(text, _FONT, size, 2)
    picture = np.full((height_px, width + 16, 3), ground, np.uint8)
    cv2.putText(picture, text, (8, round(0.74 * height_px)), _FONT, size, ink, 2, cv2.LINE_AA)
    return _png(picture)


def _scale(width: int, height: int, spacing_mm: tuple[float, float] | None) -> tuple[float, float]:
    """Pixels shown per pixel of the frame, across and down; in mm they are equal."""
    fine = 1.0 if spacing_mm is None else min(spacing_mm)
    across, down = (1.0, 1.0) if spacing_mm is None else (spacing_mm[0] / fine, spacing_mm[1] / fine)
    longest = max(width * across, height * down)
    times = min(MOST_TIMES, max(1.0, LEAST_PX / longest), MOST_PX / longest)
    return across * times, down * times


def _outline(picture: Picture, corners: NDArray[np.float64], thick: float, colour: Colour) -> None:
    """Draw a line `thick` pixels wide around a polygon, two of its widths away from it, with a dark rim outside."""
    rows, columns = picture.shape[:2]
    reach = int(4 * thick) + 3
    low, high = np.floor(corners.min(axis=0)).astype(int) - reach, np.ceil(corners.max(axis=0)).astype(int) + reach + 1
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(columns, int(high[0])), min(rows, int(high[1]))
    if left >= right or top >= bottom:
        return
    outside = np.full((bottom - top, right - left), 255, np.uint8)
    cv2.fillPoly(outside, [np.rint((corners - (left, top)) * 16).astype(np.int32)], 0, cv2.LINE_8, 4)
    away = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    part = picture[top:bottom, left:right].astype(np.float32)
    for middle, tone, strength in ((3.6 * thick, (0, 0, 0), 0.6), (2.5 * thick, colour, 1.0)):
        share = np.clip(thick / 2 + 0.5 - np.abs(away - middle), 0, 1)[..., None] * strength
        part += share * (np.array(tone, np.float32) - part)
    picture[top:bottom, left:right] = np.rint(part).astype(np.uint8)


def _label(picture: Picture, label: str, corners: NDArray[np.float64], colour: Colour) -> None:
    """Beside the polygon's upper right corner, never beyond the picture's edge, on a dark rim."""
    if not label:
        return
    size, thick = _text_size(picture.shape[1])
    width = cv2.getTextSize(label, _FONT, size, thick)[0][0]
    right, top = int(corners[:, 0].max()) + round(12 * size), int(corners[:, 1].min())
    place = (max(0, min(right, picture.shape[1] - width - 2)), max(top, int(30 * size)))
    cv2.putText(picture, label, place, _FONT, size, (0, 0, 0), thick + 2, cv2.LINE_AA)
    cv2.putText(picture, label, place, _FONT, size, colour, thick, cv2.LINE_AA)


def _text_size(width: int) -> tuple[float, int]:
    """OpenCV's font scale, and the thickness of its strokes, for a picture so many pixels wide."""
    size = min(max(width / 1000, 0.4), 1.2)
    return size, max(1, round(1.6 * size))


def _title_strip(title: str, width: int) -> Picture:
    size, thick = _text_size(width)
    needed = cv2.getTextSize(title, _FONT, size, thick)[0][0] + 12
    size = size * min(1.0, width / needed)
    strip = np.zeros((int(38 * size) + 8, width, 3), np.uint8)
    cv2.putText(strip, title, (6, int(27 * size) + 4), _FONT, size, WHITE, thick, cv2.LINE_AA)
    return strip


def _scale_strip(px_per_mm: float, width: int) -> Picture:
    """A bar with ticks at its ends and its length in mm; the strip is empty where not even 1 mm would fit."""
    size, thick = _text_size(width)
    strip = np.zeros((int(38 * size) + 8, width, 3), np.uint8)
    length = next((each for each in BARS_MM if each * px_per_mm <= width / 4), None)
    if length is None:
        return strip
    middle, end = strip.shape[0] // 2, 8 + round(length * px_per_mm)
    tick = max(3, strip.shape[0] // 5)
    cv2.line(strip, (8, middle), (end, middle), WHITE, thick)
    for at in (8, end):
        cv2.line(strip, (at, middle - tick), (at, middle + tick), WHITE, thick)
    place = (end + round(14 * size), middle + round(10 * size))
    cv2.putText(strip, f"{length:.0f} mm", place, _FONT, size, WHITE, thick, cv2.LINE_AA)
    return strip


def _png(picture: Picture) -> bytes:
    # Level 6 takes more than twice as long for 7 % fewer bytes, and a report waits for four pictures or more.
    done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise ValueError(f"no PNG could be made of a picture of {picture.shape}")
    return bytes(data)
