"""Label masks as runs: each stretch of one label in one row. Exact to the pixel, and small enough to send for every
frame of a sweep."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.errors import UnusablePicture

Labels = NDArray[np.uint8]
Runs = NDArray[np.uint16]
"""(K, 4) uint16: label, row, first column, length; in the order of rows, then of columns."""

WIDTH: Final = 4


def runs_of(labels: Labels) -> Runs:
    """The runs of a label mask (rows, columns) uint8; none where it is all 0. At most 65,535 rows or columns."""
    rows, columns = labels.shape
    framed = np.zeros((rows, columns + 2), np.uint8)
    framed[:, 1:-1] = labels
    at_row, at_column = np.nonzero(framed[:, 1:] != framed[:, :-1])
    label = framed[at_row, at_column + 1]
    length = np.diff(at_column, append=0)  # every row ends with a change back to 0, so the next change is in its row
    kept = label > 0
    found = np.stack([label[kept], at_row[kept], at_column[kept], length[kept]], axis=1)
    return np.ascontiguousarray(found, np.uint16)


def labels_of(runs: Runs, size: tuple[int, int]) -> Labels:
    """The label mask of runs. size: (rows, columns).

    Raises UnusablePicture `mask_corrupt` for runs that leave the picture, overlap or have a label beyond 255 or of 0.
    """
    if runs.ndim != 2 or runs.shape[1] != WIDTH:
        raise UnusablePicture("mask_corrupt", "a run is label, row, first column and length")
    rows, columns = size
    label, row, first, length = runs.astype(np.int64).T
    inside = (row < rows) & (first + length <= columns) & (length > 0) & (label > 0) & (label <= 255)
    if not inside.all():
        raise UnusablePicture("mask_corrupt", f"a run of the mask does not lie in a picture of {columns}×{rows}")
    steps = np.zeros(rows * columns + 1, np.int32)
    start = row * columns + first
    np.add.at(steps, start, 1)
    np.add.at(steps, start + length, -1)
    if (np.cumsum(steps) > 1).any():
        raise UnusablePicture("mask_corrupt", "two runs of the mask share a pixel")
    flat = np.zeros(rows * columns, np.uint8)
    for value, begin, count in zip(label.tolist(), start.tolist(), length.tolist(), strict=True):
        flat[begin : begin + count] = value
    return flat.reshape(rows, columns)


def numbered(mask: NDArray[np.bool_]) -> Labels:
    """A label mask of the connected parts of a mask, numbered as one reads. Parts beyond the 255th share its number."""
    count, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    return np.asarray(np.minimum(parts, 255) if count > 256 else parts, np.uint8)
