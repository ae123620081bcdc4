"""Tell without the network whether a frame may show text that was not there when the picture was last looked at.

Tissue moves from frame to frame; a screen's layout stands still. So two things are watched. Outside the ultrasound,
pixels that change. Within it, strokes: thin structures that stand out from their surroundings on both sides, as letters
do. Where many of them appear side by side in a place where there were few in every frame before, letters may have come.
A wrong alarm costs a look and nothing else.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_CHANGED: Final = 32
_CHANGED_SHARE: Final = 0.003
"""This share of a picture's pixels, outside the ultrasound and changed by so many grey levels, is another layout; a
clock or a counter that goes on changes fewer, and is black anyway."""
_SCENE: Final = 24
"""Mean change of a picture, in grey levels of a copy of 32 pixels, from which it is another picture."""
STROKE: Final = 45
"""Grey levels by which a stroke stands out from what lies within three pixels of it."""
CELL: Final = 8
_FULL: Final = 10
"""Pixels of strokes in a cell of 8 × 8 in which letters may be."""
_NEW: Final = 7
"""So many more than in the fullest of the cells around it in any frame before."""
_KERNEL: Final = np.ones((5, 5), np.uint8)


class Seen:
    """What stood in the picture at the last look, and the strokes that its tissue has shown so far."""

    def __init__(self, grey: Gray, ultrasound: Mask) -> None:
        """grey: the picture that was looked at, (rows, columns) uint8. ultrasound: its pixels that were left."""
        self._reference, self._ultrasound = grey, ultrasound
        self._small = _shrunk(grey)
        self._fullest = _around(_cells(grey, ultrasound))
        self._asked: tuple[Gray, NDArray[np.int16]] | None = None

    def look_again(self, grey: Gray, ultrasound: Mask) -> None:
        """Take in another look. What the tissue has shown stays known, or each frame of a sweep would look new.

        grey: as for `Seen`; of another size, everything begins anew. ultrasound: as for `Seen`.
        """
        before, self._asked = self._fullest, None
        self._reference, self._ultrasound = grey, ultrasound
        self._small = _shrunk(grey)
        self._fullest = _around(_cells(grey, ultrasound))
        if before.shape == self._fullest.shape:
            np.maximum(self._fullest, before, out=self._fullest)

    def add(self, grey: Gray) -> None:
        """Take in a frame that is no other layout: how its tissue looks."""
        self._small = _shrunk(grey)
        np.maximum(self._fullest, _around(self._cells(grey)), out=self._fullest)

    def differs(self, grey: Gray) -> bool:
        """Whether this frame must be looked at anew. grey: (rows, columns) uint8."""
        if grey.shape != self._reference.shape:
            return True
        change = cv2.absdiff(grey, self._reference) >= _CHANGED
        if np.count_nonzero(change & ~self._ultrasound) >= _CHANGED_SHARE * change.size:
            return True
        if float(cv2.absdiff(_shrunk(grey), self._small).mean()) >= _SCENE:
            return True
        cells = self._cells(grey)
        new = (cells >= _FULL) & (cells >= self._fullest + _NEW)
        across, down = new[:, 1:] & new[:, :-1], new[1:] & new[:-1]
        return bool(across.any() or down.any())

    def _cells(self, grey: Gray) -> NDArray[np.int16]:
        """As `_cells`, once for the frame that is asked about and then taken in."""
        if self._asked is None or self._asked[0] is not grey:
            self._asked = (grey, _cells(grey, self._ultrasound))
        return self._asked[1]


def _cells(grey: Gray, ultrasound: Mask) -> NDArray[np.int16]:
    """Pixels of strokes in each cell, int16 (rows / CELL, columns / CELL)."""
    bright = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, _KERNEL)
    dark = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, _KERNEL)
    strokes = ((bright >= STROKE) | (dark >= STROKE)) & ultrasound
    rows, columns = strokes.shape[0] // CELL * CELL, strokes.shape[1] // CELL * CELL
    cells = strokes[:rows, :columns].reshape(rows // CELL, CELL, columns // CELL, CELL)
    return np.asarray(cells.sum(axis=(1, 3)), np.int16)


def _around(cells: NDArray[np.int16]) -> NDArray[np.int16]:
    """The fullest of each cell and its eight neighbours: tissue moves by less than a cell between two frames."""
    return np.asarray(cv2.dilate(cells, np.ones((3, 3), np.uint8)), np.int16)


def _shrunk(grey: Gray) -> Gray:
    return np.asarray(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA), np.uint8)
