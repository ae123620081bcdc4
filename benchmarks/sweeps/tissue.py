"""Real tissue without its lesions, and real lesions without their tissue: what simulated sweeps are made of."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.index import Row, Split, read_rows
from sonovan.models.evaluation.pictures import read_pair
from sonovan.models.picture.view import find_view

Gray = NDArray[np.uint8]
Mask = NDArray[np.bool_]

ROWS: Final = 312
"""Rows of a canvas; the frame of a sweep sees a part of it."""
COLUMNS: Final = 440
"""A canvas has at least so many columns; a narrower picture is mirrored at its sides."""
LEAST_PX: Final = 120
"""Lesions with fewer pixels on the canvas are not used: a section of one could not be seen."""
LARGEST: Final = 0.22
"""Nor are those that cover more than this share of a frame's height times width: nothing of a sweep would be left."""
DEEPEST: Final = 0.25
"""So much of a picture's depth may be cut off so that it fills the width of a canvas."""
ALIKE: Final = 0.65
"""Tissue that is laid in is at least so bright as what surrounded the lesion, and no brighter than its inverse."""
SMALL: Final = {"ddti": 0.05}
SMALL_ELSEWHERE: Final = 0.025
"""Lesions are taken out of pictures of which they cover no more than this share: what is laid in must not be seen. Of
ddti, whose nodules are large, fewer than three pictures would be left."""
FINE: Final = 5.0
"""Of the tissue that is laid in only what is finer than this many pixels is kept; the rest is that of the rim."""
GROWN: Final = 0.22
"""How far tissue is taken away around a lesion, as a share of the root of its area."""
WRITTEN: Final = 0.002
"""Share of nearly white pixels from which on a picture may have text or callipers burned in."""
DOUBTFUL: Final = frozenset(
    {
        *("benign_159", "benign_76", "normal_129", "normal_35", "normal_94", "benign_219", "benign_308", "benign_424"),
        *("malignant_189", "bus_0033-l", "bus_0033-r", "bus_0273-l", "bus_0273-r", "bus_0597-l", "bus_0055-r"),
        *("bus_0918-l", "bus_0690-s", "bus_0197-l", "187_1", "274_1", "58_1", "60_1", "301_1", "610_1", "153_1"),
        *("390_1", "554_1", "bus_0035-l", "bus_0035-r", "bus_0698-s", "bus_0080-l", "bus_0080-r"),
    }
)
"""Pictures of validation and test that are no tissue for a sweep, by their ids: a person who looked at all of them saw
something that may be a lesion nobody outlined, what is left of one, a split screen, or large letters. No network was
asked."""
AROUND: Final = 0.25
"""How much of its surroundings a lesion keeps, as a share of its width and height."""


@dataclass(frozen=True, eq=False)
class Tissue:
    """A canvas without lesions, (ROWS, columns) uint8. order: its place in a real sweep, where the set has them."""

    set: str
    row: str
    canvas: Gray
    order: tuple[str, str]


@dataclass(frozen=True, eq=False)
class Lesion:
    """A lesion with its surroundings at the scale of the canvas.

    picture, mask: of one shape. depth: of its middle, as a share of the canvas' height. malignant: None where not told.
    """

    set: str
    row: str
    picture: Gray
    mask: Mask
    depth: float
    malignant: bool | None


def read_tissue(data: Path, set_name: str, split: Split) -> tuple[list[Tissue], list[Lesion]]:
    """The canvases and lesions of one split of a public set; pictures that give neither are left out."""
    tissues: list[Tissue] = []
    lesions: list[Lesion] = []
    for row in read_rows(data, set_name, split):
        canvas, mask = _canvas(row)
        parts = _parts(mask)
        small = mask.sum() <= SMALL.get(set_name, SMALL_ELSEWHERE) * mask.size
        free = canvas if not parts else _without(canvas, mask) if small else None
        if free is not None and row.id not in DOUBTFUL and _usable(free):
            tissues.append(Tissue(set_name, row.id, free, (row.group, row.image.name)))
        found = [lesion for part in parts if (lesion := _lesion(row, canvas, part)) is not None]
        lesions += sorted(found, key=lambda lesion: -int(lesion.mask.sum()))[:1]
    return tissues, lesions


def _canvas(row: Row) -> tuple[Gray, Mask]:
    """The picture's field, as wide as a canvas where that cuts no more than DEEPEST of its depth off, else mirrored."""
    image, mask = read_pair(row)
    left, top, width, height = find_view(image).box
    field = np.s_[top : top + height, left : left + width]
    scale = min(max(ROWS / height, COLUMNS / width), ROWS / (height * (1 - DEEPEST)))
    size = (round(width * scale), max(round(height * scale), ROWS))
    canvas = cv2.resize(image[field], size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)[:ROWS]
    drawn = cv2.resize(mask[field], size, interpolation=cv2.INTER_NEAREST)[:ROWS]
    pad = max(0, COLUMNS - size[0])
    sides = (0, 0, pad // 2, pad - pad // 2)
    return (
        np.asarray(cv2.copyMakeBorder(canvas, *sides, cv2.BORDER_REFLECT_101), np.uint8),
        np.asarray(cv2.copyMakeBorder(drawn, *sides, cv2.BORDER_REFLECT_101) > 127, np.bool_),
    )


def _parts(mask: Mask) -> list[Mask]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return [labels == part for part in range(1, count) if stats[part, cv2.CC_STAT_AREA] >= 20]


def _usable(canvas: Gray) -> bool:
    """It is lit, and nothing is written on it."""
    return float(canvas.mean()) > 20 and float(np.mean(canvas < 4)) < 0.45 and float(np.mean(canvas > 245)) < WRITTEN


def _without(canvas: Gray, mask: Mask) -> Gray | None:
    """The canvas with tissue from beside its lesions in their place; None where no such tissue is to be had.

    Its gradients are laid in, so that brightness and rim are those of the new place (Pérez et al., SIGGRAPH 2003).
    """
    for part in _parts(mask):
        reach = 3 + round(GROWN * math.sqrt(part.sum()))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        gone = np.asarray(cv2.dilate(part.astype(np.uint8), kernel))
        gone[:2], gone[-2:], gone[:, :2], gone[:, -2:] = 0, 0, 0, 0
        move = _nearest_free(canvas, gone.astype(np.bool_), mask | gone.astype(np.bool_))
        if move is None:
            return None
        moved = np.roll(canvas, (-move[0], -move[1]), axis=(0, 1)).astype(np.float32)
        grain = moved - cv2.GaussianBlur(moved, (0, 0), FINE)  # what is larger would look like another lesion
        canvas = laid_in(canvas, np.clip(grain + 128, 0, 255).astype(np.uint8), gone.astype(np.bool_), (0, 0))
    return canvas


def _nearest_free(canvas: Gray, gone: Mask, lesions: Mask) -> tuple[int, int] | None:
    """Rows and columns by which a place is away that has the shape of `gone`, shows no lesion and is as bright."""
    around = np.asarray(cv2.dilate(gone.astype(np.uint8), np.ones((15, 15), np.uint8)), np.bool_) & ~gone
    usual = float(canvas[around].mean())
    rows, columns = np.flatnonzero(gone.any(axis=1)), np.flatnonzero(gone.any(axis=0))
    height, width = gone.shape
    shape = gone[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    moves = [(dy, dx) for dy in range(-60, 61, 12) for dx in range(-width, width, 8)]
    for dy, dx in sorted(moves, key=lambda move: (abs(move[1]) + 3 * abs(move[0]), move)):
        top, left = int(rows[0]) + dy, int(columns[0]) + dx
        if top < 0 or left < 0 or top + shape.shape[0] > height or left + shape.shape[1] > width:
            continue
        place = np.s_[top : top + shape.shape[0], left : left + shape.shape[1]]
        there = canvas[place][shape]
        if (
            not (lesions[place] & shape).any()
            and ALIKE < there.mean() / (usual + 1) < 1 / ALIKE
            and (there < 4).mean() < 0.1
        ):
            return dy, dx
    return None


def laid_in(canvas: Gray, patch: Gray, where: Mask, at: tuple[int, int]) -> Gray:
    """`canvas` with the gradients of `patch` where `where` says so.

    patch, where: of one shape. at: (row, column) of their upper left corner on the canvas; what reaches beyond is cut.
    """
    top, left = max(0, -at[0]), max(0, -at[1])
    bottom, right = canvas.shape[0] - at[0], canvas.shape[1] - at[1]
    patch, where = patch[top:bottom, left:right], where[top:bottom, left:right]
    at = (max(at[0], 0), max(at[1], 0))
    inner = np.zeros((where.shape[0] + 4, where.shape[1] + 4), np.uint8)
    inner[2:-2, 2:-2] = where
    rows, columns = np.flatnonzero(inner.any(axis=1)), np.flatnonzero(inner.any(axis=0))
    if len(rows) < 4 or len(columns) < 4:
        return canvas
    wide = cv2.copyMakeBorder(canvas, 8, 8, 8, 8, cv2.BORDER_REFLECT_101)
    source = cv2.copyMakeBorder(patch, 2, 2, 2, 2, cv2.BORDER_REFLECT_101)
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    source, inner = source[box], inner[box] * np.uint8(255)
    middle = (
        at[1] + 6 + int(columns[0]) + source.shape[1] // 2,
        at[0] + 6 + int(rows[0]) + source.shape[0] // 2,
    )
    colour = [cv2.cvtColor(each, cv2.COLOR_GRAY2BGR) for each in (source, wide)]
    mixed = cv2.seamlessClone(colour[0], colour[1], inner, middle, cv2.NORMAL_CLONE)
    return np.ascontiguousarray(mixed[8:-8, 8:-8, 0], np.uint8)


def _lesion(row: Row, canvas: Gray, part: Mask) -> Lesion | None:
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    height, width = int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
    inside = rows[0] > 1 and columns[0] > 1 and rows[-1] < part.shape[0] - 2 and columns[-1] < part.shape[1] - 2
    if not inside or part.sum() < LEAST_PX or height * width > LARGEST * ROWS * COLUMNS:
        return None
    dy, dx = max(6, round(AROUND * height)), max(6, round(AROUND * width))
    box = np.s_[max(0, rows[0] - dy) : rows[-1] + dy + 1, max(0, columns[0] - dx) : columns[-1] + dx + 1]
    depth = float(rows[0] + rows[-1]) / 2 / canvas.shape[0]
    malignant = {"malignant": True, "benign": False}.get(row.label)
    return Lesion(row.set, row.id, canvas[box].copy(), part[box].copy(), depth, malignant)
