"""What a layout says of one picture, before a pixel is read, and what it cannot say anything of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.index import UnusableData

Gray = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Drawn = Callable[[tuple[int, int]], Mask]
"""Gives the mask of a drawing for a picture of (rows, columns); raises UnusableData where it does not fit."""

Reason = Literal[
    "no_picture", "no_mask", "picture_unreadable", "mask_unreadable", "mask_empty", "lesion_in_normal",
    "outline_broken", "label_unknown", "id_unusable", "not_in_table", "same_id",
]  # fmt: skip
"""Why a picture of a set is not imported."""


@dataclass(frozen=True)
class LeftOut:
    """A picture or file that is not imported. name: its path inside the set's folder. told: one sentence for people."""

    name: str
    reason: Reason
    told: str


@dataclass(frozen=True)
class Found:
    """One picture of a set.

    name: where it lies in the set's folder, for reports. picture: its file, or its pixels where the set has no file of
    it. label: `benign`, `malignant`, `normal`, or empty where nobody says. patient: what marks one woman or one sweep,
    empty where nobody says. lesions: every drawing of a lesion, whose union is the mask; None where nobody drew.
    gland: the drawings of the thyroid itself. about: further columns of the index, as the set's table has them.
    """

    id: str
    name: str
    picture: Path | Gray
    label: str = ""
    patient: str = ""
    lesions: tuple[Drawn, ...] | None = None
    gland: tuple[Drawn, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """What the module of a layout found in a folder."""

    found: tuple[Found, ...]
    left_out: tuple[LeftOut, ...]


def filled(points: list[list[tuple[float, float]]], size: tuple[int, int]) -> Mask:
    """The union of polygons, (rows, columns) bool. points: of each polygon (column, row), the top left pixel is (0, 0).

    Raises UnusableData where a polygon has fewer than three points, or one of them lies further outside than the
    picture is long: it was drawn on another picture.
    """
    rows, columns = size
    drawing = np.zeros(size, np.uint8)
    for polygon in points:
        if len(polygon) < 3:
            raise UnusableData(f"an outline of {len(polygon)} points encloses nothing")
        corners = np.asarray(polygon, np.float64)
        if not np.isfinite(corners).all() or (corners < 0).any() or (corners > (columns, rows)).any():
            raise UnusableData(f"an outline leaves its picture of {columns}×{rows} pixels")
        cv2.fillPoly(drawing, [np.round(corners).astype(np.int32)], 1)
    return drawing.astype(np.bool_)


def pictures_in(
    folder: Path, suffixes: tuple[str, ...] = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
) -> list[Path]:
    """The pictures directly in a folder, sorted by name; none where the folder is absent."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in suffixes)


def folder_within(top: Path, *names: str) -> Path:
    """The folder that holds all of `names`: `top` itself, or one that lies at most two levels below it.

    Archives of public sets differ in whether they begin with a folder of their own.
    Raises UnusableData that names what is missing where none or several do.
    """
    if not top.is_dir():
        raise UnusableData(f"{top} is no folder")
    candidates = [top, *sorted(path for pattern in ("*", "*/*") for path in top.glob(pattern) if path.is_dir())]
    holding = [each for each in candidates if all((each / name).exists() for name in names)]
    wanted = " and ".join(names)
    if not holding:
        raise UnusableData(f"neither {top} nor a folder in it holds {wanted}; is it the folder of this set?")
    if holding[0] != top and len(holding) > 1:
        raise UnusableData(f"{len(holding)} folders in {top} hold {wanted}; name one of them")
    return holding[0]
