"""Every lesion through the frozen trunk, under its drawn mask, varied ones and the mask that the trunk finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.engine.runner import Outputs
from sonovan.models.evaluation.index import SETS, Row, read_rows
from sonovan.models.evaluation.measures import overlap
from sonovan.models.evaluation.pictures import read_pair
from sonovan.models.heads.region_vector import in_square, region_vector, tallness
from sonovan.models.picture.letterbox import Box, Gray, Letterbox, letterbox
from sonovan.models.picture.view import find_view
from sonovan.models.regions import FoundRegion, find_regions, in_order
from training.heads import BATCH, Array, say, seeded
from training.lesions.words import KEYS, word_of
from training.network import ORGANS, SIZE

LESION_SETS = ("busi", "busbra", "breast", "ddti")
THRESHOLD = 0.4
MIN_AREA_PX = 40
MET = 0.3
"""A found region is a lesion's when their IoU is at least this."""


@dataclass(frozen=True)
class Lesions:
    """One row per mask of a lesion.

    values: (N, F) float32. picture: (N,) index into the pictures. how: `drawn`, `varied`, `found` (a region that meets
    a lesion), `false` (a found region that meets none). tall: (N,) log height over width. set, group, id, split: (N,)
    text. malignant: (N,) 1, 0, -1 unknown. words: (N, heads) the word's number, -1 unknown.
    area: (N,) of the mask in pixels of the square.
    """

    values: Array
    picture: NDArray[np.int32]
    how: NDArray[np.str_]
    tall: Array
    area: Array
    set: NDArray[np.str_]
    group: NDArray[np.str_]
    id: NDArray[np.str_]
    split: NDArray[np.str_]
    malignant: NDArray[np.int8]
    words: NDArray[np.int8]

    def where(self, chosen: NDArray[np.bool_]) -> Lesions:
        """The rows that are chosen."""
        return Lesions(**{name: array[chosen] for name, array in self.__dict__.items()})

    def save(self, path: Path) -> None:
        """Values in float16."""
        np.savez_compressed(path, **{**self.__dict__, "values": self.values.astype(np.float16)})


def load(path: Path) -> Lesions:
    """What `Lesions.save` wrote."""
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays["values"] = arrays["values"].astype(np.float32)
    return Lesions(**arrays)


class Looker(Protocol):
    """What gives features: `training.heads.Trunk`, or `training.lesions.thresholds.Registered`."""

    def look(self, squares: Sequence[Gray]) -> Iterator[Outputs]:
        """What it makes of each letterboxed picture (256, 256) uint8, N = 1."""
        ...


@dataclass(frozen=True)
class _Picture:
    row: Row
    split: str
    square: Gray
    fit: Letterbox
    view: Box
    truth: NDArray[np.bool_]


def gather(
    data: Path, trunk: Looker, *, test: bool = False, most: int | None = None, sets: Sequence[str] = LESION_SETS
) -> Lesions:
    """All lesions of the four sets outside test, or those of the test split alone.

    trunk: a checkpoint's, or the registered network. most: of a set's training pictures, evenly spaced; None is all.
    """
    rows: list[dict[str, object]] = []
    count = 0
    for name in sets:
        splits = ("test",) if test else ("train", "validation")
        pictures: list[_Picture] = []
        for split in splits:
            chosen = [row for row in read_rows(data, name, split) if row.label != "normal"]  # type: ignore[arg-type]
            if split == "train" and most is not None and most < len(chosen):
                chosen = [chosen[number * len(chosen) // most] for number in range(most)]
            for row in chosen:
                pictures.append(_open(row, split))
                if len(pictures) == 4 * BATCH:
                    rows += _look(pictures, count, trunk)
                    count += len(pictures)
                    pictures.clear()
        rows += _look(pictures, count, trunk)
        count += len(pictures)
        say(f"{name}: {count} pictures, {len(rows)} masks so far")
    return _stacked(rows)


def _open(row: Row, split: str) -> _Picture:
    grey, mask = read_pair(row)
    left, top, width, height = view = find_view(grey).box
    square, fit = letterbox(grey[top : top + height, left : left + width], SIZE)
    return _Picture(row, split, square, fit, view, mask > 127)


def _look(pictures: list[_Picture], first: int, trunk: Looker) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for number, (one, seen) in enumerate(zip(pictures, trunk.look([each.square for each in pictures]), strict=True)):
        features = {name: seen[name][0] for name in ("deep", "fine", "edge")}
        channel = ORGANS[SETS[one.row.set]]
        for how, mask in _masks(one, seen["masks"][0, channel]):
            if (mask >= 0.5).sum() < 12:
                continue
            vector = region_vector(one.square, mask, one.fit, features)
            rows.append(_row(one, first + number, how, mask, vector))
    return rows


def _masks(one: _Picture, square: Array) -> list[tuple[str, Array]]:
    """The drawn mask, two variations of it, and what the trunk finds."""
    rows, columns = one.truth.shape
    drawn = in_square((0, 0, columns, rows), one.truth, one.view, one.fit, SIZE)
    chance = seeded(f"{one.row.set}/{one.row.id}")
    masks = [("drawn", drawn)] + [("varied", _varied(chance, drawn)) for _ in range(2)]
    left, top, width, height = one.view
    found = find_regions(square, one.fit, 0, [(0, 0, width, height)], THRESHOLD, MIN_AREA_PX)
    shown = one.truth[top : top + height, left : left + width]
    for region in in_order(found):
        how = "found" if _meets(region, shown) else "false"
        masks.append((how, in_square(region.box, region.mask, (0, 0, width, height), one.fit, SIZE)))
    return masks


def _varied(chance: np.random.Generator, drawn: Array) -> Array:
    """Grown or shrunk, moved a little, its outline unsteady: as networks draw."""
    size = max(2.0, float(np.sqrt(drawn.sum() / np.pi)))
    rough = cv2.GaussianBlur(chance.standard_normal(drawn.shape).astype(np.float32), (0, 0), max(1.5, size / 4))
    rough /= max(float(rough.std()), 1e-6)
    inside = cv2.distanceTransform((drawn >= 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((drawn < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    edge = float(chance.normal(0, 0.12)) * size + 0.1 * size * rough
    across, down = (float(chance.normal(0, 0.06)) * size for _ in range(2))
    moved = np.array([[1, 0, across], [0, 1, down]], np.float64)
    return np.asarray(cv2.warpAffine(((inside - outside) > edge).astype(np.float32), moved, drawn.shape), np.float32)


def _meets(region: FoundRegion, truth: NDArray[np.bool_]) -> bool:
    whole = np.zeros_like(truth)
    left, top, width, height = region.box
    whole[top : top + height, left : left + width] = region.mask
    count, labels = cv2.connectedComponents(truth.astype(np.uint8), connectivity=8)
    return any(overlap(whole, labels == number)[1] >= MET for number in range(1, count))


def _row(one: _Picture, number: int, how: str, mask: Array, vector: Array) -> dict[str, object]:
    words = [word_of(one.row, key) for key in KEYS]
    return {
        "values": vector, "picture": number, "how": how, "tall": tallness((mask >= 0.5).astype(np.float32)),
        "area": float(mask.sum()), "set": one.row.set, "group": f"{one.row.set}/{one.row.group}", "id": one.row.id,
        "split": one.split, "malignant": {"malignant": 1, "benign": 0}.get(one.row.label, -1),
        "words": [-1 if word is None else word for word in words],
    }  # fmt: skip


def _stacked(rows: list[dict[str, object]]) -> Lesions:
    kinds = {
        "values": np.float32, "picture": np.int32, "tall": np.float32, "area": np.float32, "malignant": np.int8,
        "words": np.int8, "how": np.str_, "set": np.str_, "group": np.str_, "id": np.str_, "split": np.str_,
    }  # fmt: skip
    return Lesions(**{name: np.array([row[name] for row in rows], kind) for name, kind in kinds.items()})
