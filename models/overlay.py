"""Pictures for people: outlines on the grey frame, and several of them on a sheet."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.picture.letterbox import Gray
from sonovan.models.picture.prepare import to_grey

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]
"""(rows, columns, 3) uint8, blue, green, red as OpenCV has it."""

YELLOW: Final[Colour] = (0, 220, 255)
_SHIFT: Final = 4  # polygon corners in sixteenths of a pixel
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX


def draw_overlay(
    grey: Gray,
    polygons: Sequence[Sequence[tuple[float, float]]],
    *,
    labels: Sequence[str] | None = None,
    caption: str | None = None,
    colour: Colour = YELLOW,
    longest_px: int = 1600,
) -> bytes:
    """PNG of the frame with each polygon outlined and labelled, anti-aliased.

    grey: (rows, columns) uint8. polygons: (column, row) in pixels of the frame. labels: ASCII, one per polygon; None
    numbers them from 1 where there are several. caption: ASCII, in a strip below.
    A frame longer than `longest_px` is shrunk for display. Raises ValueError where labels are not as many as polygons.
    """
    return _png(draw(grey, polygons, labels=labels, caption=caption, colour=colour, longest_px=longest_px))


def outlined_frame(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    polygons: Sequence[Sequence[tuple[float, float]]],
    *,
    labels: Sequence[str] | None = None,
) -> bytes:
    """PNG of a frame as it is stored, with its outlines: what the report, `sonovan screen` and a console show.

    pixels: (rows, columns) or (rows, columns, 3), uint8 or uint16. polygons, labels: as for `draw_overlay`.
    Raises UnusablePicture for other pixels.
    """
    return draw_overlay(to_grey(pixels), polygons, labels=labels)


def contact_sheet(pictures: Sequence[Picture], *, columns: int = 5, tile_px: int = 320) -> bytes:
    """PNG with the pictures in rows from the top left, each fitted into a square tile. Raises ValueError for none."""
    if not pictures:
        raise ValueError("a contact sheet needs a picture")
    rows = -(-len(pictures) // columns)
    sheet = np.zeros((rows * tile_px, min(columns, len(pictures)) * tile_px, 3), np.uint8)
    for number, picture in enumerate(pictures):
        fitted = _shrink(picture, tile_px)
        top, left = number // columns * tile_px, number % columns * tile_px
        sheet[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted
    return _png(sheet)


def draw(
    grey: Gray,
    polygons: Sequence[Sequence[tuple[float, float]]],
    *,
    labels: Sequence[str] | None = None,
    caption: str | None = None,
    colour: Colour = YELLOW,
    longest_px: int = 1600,
) -> Picture:
    """As `draw_overlay`, not yet coded."""
    if labels is None:  # the number of the only one would be taken for the finding's
        labels = [str(number) if len(polygons) > 1 else "" for number in range(1, len(polygons) + 1)]
    shrunk = _shrink(grey, longest_px)
    scale = np.array([shrunk.shape[1] / grey.shape[1], shrunk.shape[0] / grey.shape[0]])
    picture = cv2.cvtColor(shrunk, cv2.COLOR_GRAY2BGR)
    size = max(0.4, min(picture.shape[:2]) / 900)
    thick = max(1, round(min(picture.shape[:2]) / 400))
    for label, polygon in zip(labels, polygons, strict=True):
        corners = (np.asarray(polygon, np.float64) + 0.5) * scale - 0.5
        fixed = np.rint(corners * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(picture, [fixed.reshape(-1, 1, 2)], True, colour, thick, cv2.LINE_AA, _SHIFT)
        width = cv2.getTextSize(label, _FONT, size, thick)[0][0]
        right, top = int(corners[:, 0].max()) + 3, int(corners[:, 1].min())
        place = (max(0, min(right, picture.shape[1] - width - 2)), max(top, int(30 * size)))  # never beyond the edge
        cv2.putText(picture, label, place, _FONT, size, colour, thick, cv2.LINE_AA)
    return _with_caption(picture, caption, size) if caption else np.asarray(picture, np.uint8)


def _with_caption(picture: Picture, caption: str, size: float) -> Picture:
    height = int(36 * size) + 4
    strip = np.zeros((height, picture.shape[1], 3), np.uint8)
    place = (6, height - int(12 * size) - 2)
    cv2.putText(strip, caption, place, _FONT, size, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack((picture, strip))


def _shrink(picture: NDArray[np.uint8], longest_px: int) -> NDArray[np.uint8]:
    rows, columns = picture.shape[:2]
    scale = longest_px / max(rows, columns)
    if scale >= 1:
        return picture
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _png(picture: Picture) -> bytes:
    done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise ValueError(f"no PNG could be made of a picture of {picture.shape}")
    return bytes(data)
