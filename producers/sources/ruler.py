"""The scale of a captured picture from the ruler that the scanner draws beside it: equal steps of short bright ticks.

Ticks are thin bright strokes, all beginning or all ending on one line. Six or more of them in equal steps, with nothing
else among them, are a ruler. How many mm a step is, no tick says. The site may say it. Where it does not, a ruler whose
every tenth tick is longer has steps of 0.1, 1 or 10 mm, and often its length leaves only 1 mm possible: no picture of a
breast or a thyroid is 200 mm deep, and none as shallow as 20 mm. Otherwise there is no scale: None, never a guess.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.producers.sources.source import Box, Pixels

_BRIGHT: Final = 40
"""Grey levels by which a tick stands out of what lies above and below it."""
_THICKEST, _SHORTEST, _LONGEST = 4, 3, 48
_FEWEST: Final = 6
_SMALLEST_STEP: Final = 5.0
_OFF_PX: Final = 0.75
"""So far a tick lies from its place at most."""
_PRESENT: Final = 0.9
"""Share of the places that must have a tick: a cursor may hide one."""
_LEAST_EXTENT: Final = 0.3
"""Share of the picture along the ruler that it must reach over."""
_LONGER: Final = 1.4
_ALIKE: Final = 0.01
_SHALLOWEST_MM, _DEEPEST_MM = 20.0, 200.0
"""Of the field of view of a breast or a thyroid."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """Ticks in equal steps. down: the ruler runs from top to bottom, else from left to right.

    step_px: between two ticks. ticks: how many were seen. longer_every: every so many-th tick is longer, None where all
    are alike. confidence: 0 to 1, how exactly and completely the ticks stand in their places. box: where they lie.
    """

    down: bool
    step_px: float
    ticks: int
    longer_every: int | None
    confidence: float
    box: Box

    def mm_per_px(self, tick_mm: float | None = None) -> float | None:
        """The size of a pixel. tick_mm: what a step is on this scanner, as the site says; None where nobody said."""
        if tick_mm is not None:
            return tick_mm / self.step_px
        possible = [mm for mm in (0.1, 1.0, 10.0) if _SHALLOWEST_MM <= mm * (self.ticks - 1) <= _DEEPEST_MM]
        if self.longer_every == 10 and possible == [1.0]:
            return 1.0 / self.step_px
        return None


def find_ruler(pixels: Pixels) -> Ruler | None:
    """The ruler of a picture; None where there is none, or where two of them disagree.

    pixels: (rows, columns) or (rows, columns, 3), uint8 or uint16.
    """
    grey = _grey(pixels)
    found = [*_rulers(grey, down=True), *_rulers(np.ascontiguousarray(grey.T), down=False)]
    if not found:
        return None
    best = max(found, key=lambda each: (each.confidence, each.ticks))
    for other in found:
        ratio = max(other.step_px, best.step_px) / min(other.step_px, best.step_px)
        if abs(ratio - round(ratio)) > _ALIKE * ratio:
            return None
    return best


def _rulers(grey: NDArray[np.uint8], *, down: bool) -> list[Ruler]:
    """Rulers that run from top to bottom, at most one for each line on which ticks begin or end."""
    found = []
    ticks, everything = _ticks(grey)
    for marks in _lines(ticks):
        ruler = _ruler(marks, grey.shape[0], down=down)
        if ruler is not None and _among(marks, everything) - len(marks) <= (1 - _PRESENT) * len(marks):
            found.append(ruler)
    return found


def _among(marks: NDArray[np.float64], everything: NDArray[np.float64]) -> int:
    """How many strokes of any kind lie where the ticks do: letters, and ticks of another length, are no gaps."""
    left, right, top, bottom = marks[:, 0].min(), marks[:, 1].max(), marks[0, 2] - 1, marks[-1, 2] + 1
    across = (everything[:, 0] < right) & (everything[:, 1] > left)
    return int(np.count_nonzero(across & (everything[:, 2] >= top) & (everything[:, 2] <= bottom)))


def _ticks(grey: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(left, right, middle row, length) of every short thin stroke that lies flat; and of everything that is bright."""
    above = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((2 * _THICKEST + 1, 1), np.uint8))
    _, _, stats, centres = cv2.connectedComponentsWithStats((above > _BRIGHT).astype(np.uint8), connectivity=8)
    stats, centres = stats[1:], centres[1:]
    left, width, height = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    full = stats[:, cv2.CC_STAT_AREA] >= 0.8 * width * height
    good = (height <= _THICKEST) & (width >= _SHORTEST) & (width <= _LONGEST) & full
    marks = np.column_stack([left, left + width, centres[:, 1], width]).astype(np.float64)
    return marks[good], marks


def _lines(marks: NDArray[np.float64]) -> Iterable[NDArray[np.float64]]:
    """Marks that begin, or that end, on one line of pixels, give or take one."""
    for edge in (0, 1):
        by_edge: dict[int, list[int]] = defaultdict(list)
        for number, place in enumerate(marks[:, edge].astype(int)):
            for near in (place - 1, place, place + 1):
                by_edge[near].append(number)
        for numbers in by_edge.values():
            if len(numbers) >= _FEWEST:
                yield marks[numbers][np.argsort(marks[numbers][:, 2])]


def _ruler(marks: NDArray[np.float64], extent: int, *, down: bool) -> Ruler | None:
    rows = marks[:, 2]
    steps = np.diff(rows)
    step = float(np.median(steps))
    if step < _SMALLEST_STEP or rows[-1] - rows[0] < _LEAST_EXTENT * extent:
        return None
    places = np.concatenate([[0.0], np.cumsum(np.round(steps / step))])
    if len(set(places)) != len(places):
        return None
    slope, start = np.polyfit(places, rows, 1)
    places = np.round((rows - start) / slope)
    if len(set(places)) != len(places):
        return None
    off = np.abs(rows - (start + slope * places))
    present = len(rows) / (places[-1] - places[0] + 1)
    if off.max() > _OFF_PX or present < _PRESENT:
        return None
    confidence = round(float(present * (1 - off.mean() / _OFF_PX)), 3)
    left, right, top, bottom = marks[:, 0].min(), marks[:, 1].max(), rows[0] - 2, rows[-1] + 3
    across, along = (int(left), int(right - left)), (max(0, int(top)), int(bottom - max(0, top)))
    box = (across[0], along[0], across[1], along[1]) if down else (along[0], across[0], along[1], across[1])
    return Ruler(down, float(slope), len(rows), _longer_every(places, marks[:, 3]), confidence, box)


def _longer_every(places: NDArray[np.float64], lengths: NDArray[np.float64]) -> Literal[2, 5, 10] | None:
    """2, 5 or 10 where just every so many-th tick is the longest; None otherwise.

    Ticks of a middle length between them, such as at 5 mm, do not count.
    """
    longest = lengths >= lengths.max() - 1
    if lengths.max() < _LONGER * np.percentile(lengths, 10):
        return None
    at = places[longest]
    for every in (2, 5, 10):
        expected = (places - at[0]) % every == 0
        if len(at) >= 2 and np.array_equal(expected, longest):
            return every
    return None


def _grey(pixels: Pixels) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint16:
        top = max(1, int(pixels.max()))
        pixels = (pixels.astype(np.float32) * (255 / top)).astype(np.uint8)
    return np.ascontiguousarray(pixels if pixels.ndim == 2 else pixels.max(axis=2))
