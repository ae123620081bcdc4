"""Where on a picture the scan lies: the edge beyond which nothing is shown, and the skin line under the probe.

Both are sought on the small copy on which `sonovan.models.picture.view` seeks the ultrasound, so they are as exact as
one of its 256 pixels. The scan is taken to be convex: that holds for linear probes, steered or widened ones, and for
curved ones but for the sliver above the middle of their face; a shadow that reaches the lower edge takes nothing away.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.picture.letterbox import Box, Gray
from sonovan.models.picture.view import tissue

EDGE: Final = 0.01
"""An outline that comes this near to the scan's edge is cut by it, as a share of the picture's longer side: a network
that works on 256 pixels seldom draws the last one or two."""
LEVEL: Final = 0.02
"""The skin line is level where the first echo of a column lies no further from the median, as a share of the depth."""
FACE: Final = 0.5
"""At least this share of the scan's columns must begin on the skin line, side by side: a curved face has fewer."""
FOLLOWS: Final = 0.7
"""So much of the band below the skin line must be tissue; below the membrane of a stand-off pad there is none."""
BAND: Final = 0.05
"""How deep that band is, as a share of the scan's depth."""


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """Where a region lies, from the skin line and the middle of the probe's face, or from the picture's own edges.

    from_skin: the skin line is certain; else depth counts from the scan's upper edge, and sideways from its middle.
    depth_px: rows from there to the nearest part of the region, ≥ 0. lateral_px: columns from the middle to its
    centre, positive to the picture's right. depth_share, lateral_share: both over the scan's depth and width.
    """

    from_skin: bool
    depth_px: float
    lateral_px: float
    depth_share: float
    lateral_share: float


@dataclass(frozen=True, eq=False)
class Field:
    """The scan on one picture, in pixels of the frame, edges of pixels: column 0 begins at 0, ends at 1.

    edge: (corners, 2) float32, (column, row) of its convex outline. near: an outline this near to the edge is cut.
    top, bottom, left, right: its extent. face: (left, right) columns of the skin line, None where it is not certain;
    `top` is its row then.
    """

    edge: NDArray[np.float32]
    near: float
    top: float
    bottom: float
    left: float
    right: float
    face: tuple[float, float] | None

    def cuts(self, polygon: tuple[tuple[float, float], ...]) -> bool:
        """Whether the scan's edge cuts an outline, (column, row) of pixel centres. The skin line cuts nothing."""
        edge = self.edge
        if self.face is not None:
            edge = _hull(np.concatenate([edge, edge - np.array((0, self.bottom - self.top), np.float32)]))
        return any(cv2.pointPolygonTest(edge, (x + 0.5, y + 0.5), True) <= self.near for x, y in polygon)

    def place(self, box: Box, centroid: tuple[float, float]) -> FoundPlace:
        """Where a region lies. box: (left, top, width, height); centroid: (column, row) of pixel centres."""
        left, right = self.face or (self.left, self.right)
        depth, lateral = max(box[1] - self.top, 0.0), centroid[0] + 0.5 - (left + right) / 2
        return FoundPlace(
            from_skin=self.face is not None,
            depth_px=depth,
            lateral_px=lateral,
            depth_share=min(depth / (self.bottom - self.top), 1.0),
            lateral_share=min(max(lateral / (self.right - self.left), -1.0), 1.0),
        )


def find_field(grey: Gray, box: Box, *, declared: bool) -> Field:
    """The scan within one box of a frame: the box itself where tissue does not stand out.

    grey: (rows, columns) uint8. box: (left, top, width, height) of one picture. declared: a file says that the scan
    lies there. Where nobody says so and the scan begins at the frame's upper edge, the picture may have been cut below
    the skin, and there is no skin line.
    """
    left, top, width, height = box
    near = max(1.0, EDGE * max(width, height))
    shown = tissue(grey[top : top + height, left : left + width])
    if shown is None:
        corners = [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
        return Field(np.array(corners, np.float32), near, top, top + height, left, left + width, None)
    across, down = width / shown.shape[1], height / shown.shape[0]
    columns = np.flatnonzero(shown.any(axis=0))
    first = shown.argmax(axis=0)[columns]
    last = shown.shape[0] - shown[::-1].argmax(axis=0)[columns]
    ends = [(columns, first), (columns + 1, first), (columns, last), (columns + 1, last)]
    points = np.concatenate([np.stack(each, axis=1) for each in ends]) * (across, down) + (left, top)
    upper, face = _skin_line(shown, columns, first)
    if face is not None and not declared and top + upper * down < 2:
        face = None
    begin = upper if face is not None else int(first.min())
    return Field(
        edge=_hull(points),
        near=near,
        top=top + begin * down,
        bottom=top + int(last.max()) * down,
        left=left + int(columns[0]) * across,
        right=left + (int(columns[-1]) + 1) * across,
        face=None if face is None else (left + face[0] * across, left + face[1] * across),
    )


def _hull(points: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(cv2.convexHull(points.astype(np.float32)), np.float32).reshape(-1, 2)


def _skin_line(
    shown: NDArray[np.bool_], columns: NDArray[np.intp], first: NDArray[np.intp]
) -> tuple[int, tuple[int, int] | None]:
    """The row of the skin line and the columns (first, end) of the probe's face, in pixels of the small copy.

    shown: (rows, columns) bool, tissue. columns: those with any; first: the first row of each. The face is None where
    the columns do not begin level, side by side, with tissue below.
    """
    upper = int(np.median(first))
    level = np.abs(first - upper) <= max(1.0, LEVEL * shown.shape[0])
    on_line = columns[level]
    if not level.any():
        return upper, None
    begin, end = int(on_line[0]), int(on_line[-1]) + 1
    wide = len(on_line) >= FACE * (columns[-1] + 1 - columns[0]) and len(on_line) >= 0.9 * (end - begin)
    band = shown[upper + 1 : upper + 1 + max(2, round(BAND * shown.shape[0])), begin:end]
    follows = band.size > 0 and float(band.mean()) >= FOLLOWS
    return upper, (begin, end) if wide and follows else None
