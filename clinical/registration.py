"""How far tissue moved between two frames, and how alike they are, from profiles that hold no picture.

Linking happens where there are no pixels, so `segment` takes four short profiles off each panel: the mean brightness
over the columns of its upper and its lower half, and over the rows of its left and its right half. Shifted against each
other they say how far the tissue moved sideways and in depth (docs/decisions/0045). Registration by projections:
Cain, Hayat & Armstrong, IEEE Trans Image Processing 10:1860 (2001).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.contracts.frames import TissueProfile

Grey = NDArray[np.uint8]
Box = tuple[int, int, int, int]

ACROSS: Final = 96
"""Cells of a profile over the columns."""
DOWN: Final = 64
"""Cells of a profile over the rows."""
REACH: Final = 0.15
"""The largest movement that is looked for, as a share of the panel's width or height."""
SMOOTH: Final = 1 / 6
"""What changes over more than this share of a profile is taken out of it: gain and attenuation are no structure."""
STEP: Final = 32.0
"""Levels of a coded profile per standard deviation; what is beyond four of them is cut."""
LEAST_PX: Final = 96
"""A panel with fewer columns or rows has no profiles: its cells would be single pixels."""
CERTAIN: Final = 0.5
"""Profiles that are less alike than this, at the best shift, do not say how the tissue moved."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How the tissue of one frame lies in another: shares of the panel's width and height, towards right and deeper.

    alike: the mean correlation of the profiles at the best shift, -1 to 1.
    """

    across: float
    down: float
    alike: float


def tissue_profile(grey: Grey, panel: int, box: Box) -> TissueProfile | None:
    """The profiles of one panel; None where it is too small for any.

    grey: (rows, columns) uint8, the frame. box: (left, top, width, height) of the panel. The same pixels give the same
    profiles on every machine: brightness is summed in whole numbers.
    """
    left, top, width, height = box
    if min(width, height) < LEAST_PX:
        return None
    part = grey[top : top + height, left : left + width].astype(np.int64)
    upper, lower = part[: height // 2].sum(axis=0), part[height // 2 :].sum(axis=0)
    west, east = part[:, : width // 2].sum(axis=1), part[:, width // 2 :].sum(axis=1)
    return TissueProfile(
        panel=panel,
        across="".join(_coded(_cells(each, ACROSS)) for each in (upper, lower)),
        down="".join(_coded(_cells(each, DOWN)) for each in (west, east)),
    )


@lru_cache(maxsize=1 << 16)
def moved(one: TissueProfile, other: TissueProfile) -> Moved:
    """How the tissue of the frame with profile `one` moved to that with profile `other`."""
    across, alike_across = _shift(one.across, other.across)
    down, alike_down = _shift(one.down, other.down)
    return Moved(across, down, round((alike_across + alike_down) / 2, 3))


def _cells(sums: NDArray[np.int64], cells: int) -> NDArray[np.float64]:
    """The profile in so many cells, each the mean over its pixels."""
    edges = np.arange(cells + 1) * len(sums) // cells
    return np.asarray(np.add.reduceat(sums, edges[:-1]) / np.diff(edges), np.float64)


def _coded(cells: NDArray[np.float64]) -> str:
    """Without what changes slowly, in standard deviations, one byte a cell in hexadecimal digits."""
    reach = max(1, round(SMOOTH * len(cells) / 2))
    padded = np.pad(cells, reach, mode="edge")
    sums = np.concatenate(([0.0], np.cumsum(padded)))
    fine = cells - (sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1)
    spread = float(np.sqrt(np.mean(fine * fine)))
    levels = np.round(fine / spread * STEP) if spread > 0 else np.zeros_like(fine)
    return bytes(np.clip(levels + 128, 0, 255).astype(np.uint8)).hex()


def _shift(one: str, other: str) -> tuple[float, float]:
    """By which share of its length the profile moved, to a fraction of a cell, and how alike both are then.

    Each text holds two profiles of one length. The middle of the first is laid over every part of the second.
    """
    first, second = _cells_of(one), _cells_of(other)
    cells = first.shape[1]
    reach = int(REACH * cells)
    middle = first[:, reach : cells - reach]
    windows = np.lib.stride_tricks.sliding_window_view(second, cells - 2 * reach, axis=1)
    middle = middle - middle.mean(axis=1, keepdims=True)
    windows = windows - windows.mean(axis=2, keepdims=True)
    norms = np.sqrt((middle**2).sum(axis=1))[:, None] * np.sqrt((windows**2).sum(axis=2))
    products = np.einsum("pc,psc->ps", middle, windows)
    alike = np.divide(products, norms, out=np.zeros_like(products), where=norms > 0).mean(axis=0)
    best = int(np.argmax(alike))
    place = best - reach + _vertex(alike, best)
    return round(place / cells, 4), round(float(alike[best]), 3)


def _vertex(values: NDArray[np.float64], best: int) -> float:
    """Where a parabola through the best value and its neighbours is highest, against the best, within half a cell."""
    if not 0 < best < len(values) - 1:
        return 0.0
    before, at, after = (float(each) for each in values[best - 1 : best + 2])
    bend = before - 2 * at + after
    return 0.0 if bend >= 0 else max(-0.5, min(0.5, 0.5 * (before - after) / bend))


@lru_cache(maxsize=1 << 12)
def _cells_of(text: str) -> NDArray[np.float64]:
    return np.frombuffer(bytes.fromhex(text), np.uint8).astype(np.float64).reshape(2, -1) - 128
