"""Judge whether a picture can be assessed at all, by plain rules that were not calibrated against readers.

All figures are taken from the panel shrunk to what the network sees (a few hundred pixels), so they mean the same for
every scanner and cost well below a millisecond.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from sonovan.models.picture.letterbox import Gray

MIN_SIDE_PX: Final = 32
"""A panel with fewer rows or columns shows no anatomy."""
TISSUE_GREY: Final = 24
"""Tissue is at least this bright at usual gain, a tenth of the range; a probe in air is darker."""
MIN_TISSUE: Final = 0.12
"""At least this share of the tiles must show tissue: a probe in air shows reverberation in the topmost rows only."""
SATURATED_GREY: Final = 250
MAX_SATURATED: Final = 0.6
MIN_DEVIATION: Final = 4.0
"""A picture whose grey levels deviate less than this is blank."""
MIN_CORRELATION: Final = 0.6
"""Neighbouring pixels of ultrasound resemble each other, for the pulse is wider than a pixel: .88 to 1.0 over 3,200
real pictures, .80 on screens full of text; those of noise do not (below .1)."""
MAX_SHADOWED: Final = 0.75
"""Share of columns that are dark from a third of the depth down: at most .44 in 700 real pictures of breasts and
thyroids, and .64 where a lung swallows the sound."""
GOOD_DEVIATION: Final = 40.0
_TILE: Final = 8


@dataclass(frozen=True)
class Quality:
    """What one panel is worth.

    score: 0..1, higher is better. reason: None if it can be assessed, else `too_small`, `blank`, `no_contact` …
    """

    score: float
    assessable: bool
    reason: str | None


def sharpness(picture: Gray) -> tuple[float, float] | None:
    """How much of a picture's detail is fine: (across, down), 0..4 each; None below 32 rows or columns.

    picture: (rows, columns) uint8, a panel at its own resolution. Each figure is the energy of the second difference
    over 2 pixels divided by that of the first difference over 8. Gain does not change it; a smear in one direction
    lowers it in that direction. Scanners differ, so that figures are comparable within one sweep only.
    """
    if min(picture.shape) < MIN_SIDE_PX:
        return None
    rows, columns = picture.shape
    # some 60 lines each way say as much as all of them
    across = _fine(picture[:: max(1, rows // 60)])
    return across, _fine(picture[:, :: max(1, columns // 60)].T)


def _fine(lines: Gray) -> float:
    grey = lines.astype(np.int32)
    second = 2 * grey[:, 2:-2] - grey[:, :-4] - grey[:, 4:]
    first = grey[:, 8:] - grey[:, :-8]
    return round(min(4.0, float(np.mean(second * second) / (np.mean(first * first) + 1))), 4)


def panel_quality(content: Gray, panel_size: tuple[int, int]) -> Quality:
    """The quality of one panel.

    content: (height, width) uint8, the panel shrunk to the network's square, or as it is where it is smaller.
    panel_size: its own (rows, columns).
    The score is the geometric mean of the share of tiles that echo, the spread of grey levels (40 and more is full
    marks) and the share that is not saturated. Reasons: `too_small`, `saturated`, `no_contact` (nearly all dark),
    `shadowed` (most columns dark from a third of the depth down), `blank` (one grey level), `noise` (neighbouring
    pixels have nothing in common).
    """
    if min(panel_size) < MIN_SIDE_PX:
        return Quality(0.0, False, "too_small")
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(content))
    saturated = float(np.count_nonzero(content >= SATURATED_GREY)) / content.size
    tiles = _tiles(content)
    tissue = float(np.count_nonzero(tiles >= TISSUE_GREY)) / tiles.size
    score = round(float(np.cbrt(tissue * min(1.0, deviation / GOOD_DEVIATION) * (1 - saturated))), 4)
    if saturated > MAX_SATURATED:
        return Quality(score, False, "saturated")
    if deviation < MIN_DEVIATION:
        return Quality(score, False, "no_contact" if mean < TISSUE_GREY else "blank")
    if tissue < MIN_TISSUE:
        return Quality(score, False, "no_contact")
    if _shadowed(tiles) > MAX_SHADOWED:
        return Quality(score, False, "shadowed")
    if _correlation(content, mean, deviation) < MIN_CORRELATION:
        return Quality(score, False, "noise")
    return Quality(score, True, None)


def _tiles(content: Gray) -> Gray:
    """Mean grey of tiles of about 8×8 pixels."""
    rows, columns = content.shape
    size = (max(1, columns // _TILE), max(1, rows // _TILE))
    return np.asarray(cv2.resize(content, size, interpolation=cv2.INTER_AREA), np.uint8)


def _shadowed(tiles: Gray) -> float:
    """Share of the columns in which fewer than a tenth of the tiles below the first third of the depth show tissue."""
    deep = tiles[tiles.shape[0] // 3 :] >= TISSUE_GREY
    return float(np.mean(deep.mean(axis=0) < 0.1))


def _correlation(content: Gray, mean: float, deviation: float) -> float:
    """Correlation of horizontally and vertically neighbouring pixels, the larger of both."""
    centred = content.astype(np.float32) - np.float32(mean)
    across = float((centred[:, 1:] * centred[:, :-1]).mean()) if content.shape[1] > 1 else 0.0
    down = float((centred[1:] * centred[:-1]).mean()) if content.shape[0] > 1 else 0.0
    return float(max(across, down) / (deviation * deviation))
