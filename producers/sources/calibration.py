"""The scale of a captured picture: typed by whoever stands beside the scanner, or read off its ruler.

Better none than a wrong one: where the two contradict each other, there is none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.producers.sources.ruler import Ruler, find_ruler
from sonovan.producers.sources.source import Box, Pixels

CONTRADICTED: Final = "spacing_contradicts_ruler"
_LOOK_AGAIN: Final = 32
"""Frames after which a picture without a ruler is looked at again."""
_SAME_RULER: Final = 4.0
"""Grey levels by which the place of a ruler that stands still differs from frame to frame at most, in the mean."""
_TYPED_OFF: Final = 0.03
"""Share by which a typed scale may differ from the ruler: depths are shown in whole millimetres or half centimetres."""
_STEP_OFF: Final = 0.01
_OBLONG: Final = frozenset({(576, 720), (480, 720), (576, 704), (480, 704), (486, 720)})
"""Rows and columns of analogue television, whose pixels are not square (ITU-R BT.601): one ruler tells one side."""

Spacing = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the site says of a captured picture.

    picture: where the ultrasound lies, None where nobody said. spacing_mm: of a pixel, typed. depth_mm: from the top of
    `picture` to its bottom, typed as the scanner shows it. ruler: whether one is looked for in the picture; tick_mm:
    what is between two of its ticks, None where nobody said.
    """

    picture: Box | None = None
    spacing_mm: float | None = None
    depth_mm: float | None = None
    ruler: bool = True
    tick_mm: float | None = None

    def spacing(self) -> tuple[float, float] | None:
        """(column, row) in mm, of square pixels; None where nobody said."""
        if self.spacing_mm is not None:
            return self.spacing_mm, self.spacing_mm
        if self.depth_mm is not None and self.picture is not None:
            return self.depth_mm / self.picture[3], self.depth_mm / self.picture[3]
        return None


class ScaleOfSweep:
    """The scale of each frame of one sweep. A ruler is found once and then watched; when it changes it is read anew."""

    def __init__(self, calibration: Calibration, tell: Callable[[str], None]) -> None:
        """tell: takes a line for the operator when ruler and typed scale contradict each other."""
        self._calibration, self._tell = calibration, tell
        self._ruler: Ruler | None = None
        self._strip: NDArray[np.int16] | None = None
        self._wait, self._first_step = 0, 0.0
        self._told = False

    def of(self, pixels: Pixels) -> tuple[Spacing, tuple[str, ...]]:
        """(column, row) in mm of one frame's pixels, None where that is not known; and the frame's notes."""
        typed = self._calibration.spacing()
        if not self._calibration.ruler:
            return typed, ()
        ruler = self._seen(pixels)
        if ruler is None:
            return typed, ()
        self._first_step = self._first_step or ruler.step_px
        read = None if pixels.shape[:2] in _OBLONG else ruler.mm_per_px(self._calibration.tick_mm)
        if typed is None:
            return (None if read is None else (read, read)), ()
        moved = abs(ruler.step_px / self._first_step - 1) > _STEP_OFF
        if moved or (read is not None and abs(read / typed[1] - 1) > _TYPED_OFF):
            if not self._told:
                self._told = True
                self._tell("the ruler in the picture contradicts the depth that was said: nothing is measured")
            return None, (CONTRADICTED,)
        return typed, ()

    def _seen(self, pixels: Pixels) -> Ruler | None:
        if self._ruler is not None and self._strip is not None:
            strip = _strip(pixels, self._ruler.box)
            if strip.shape == self._strip.shape and np.abs(strip - self._strip).mean() <= _SAME_RULER:
                return self._ruler
        elif self._wait > 0:
            self._wait -= 1
            return None
        self._ruler = find_ruler(pixels)
        self._wait = _LOOK_AGAIN
        self._strip = None if self._ruler is None else _strip(pixels, self._ruler.box)
        return self._ruler


def _strip(pixels: Pixels, box: Box) -> NDArray[np.int16]:
    left, top, width, height = box
    return pixels[top : top + height, left : left + width].astype(np.int16)
