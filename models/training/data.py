"""Pictures with masks for training: reading, splitting by group, letterboxing, simulated frames.

Splits are those of every network and benchmark of this project: a function of set and group alone, so that no woman and
no sweep ever stands on both sides.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.letterbox import letterbox
from models.phantom import simulate_sweep

Split = Literal["train", "validation", "test"]
Gray = NDArray[np.uint8]

SETS: dict[str, str] = {"busi": "breast", "busbra": "breast", "breast": "breast", "ddti": "thyroid", "gland": "thyroid"}
GLAND: dict[str, Split] = {"block1": "test", "block9": "test", "block5": "validation"}
SIMULATED_TRAIN_SEED = 100_000  # seeds below belong to tests, demos and evaluation


@dataclass(frozen=True)
class Row:
    """One line of an index.csv. mask is None where there is nothing to find."""

    set: str
    id: str
    group: str
    label: str
    image: Path
    mask: Path | None

    @property
    def organ(self) -> str:
        return SETS[self.set]


@dataclass(frozen=True)
class Sample:
    """A letterboxed picture and its mask, both (side, side) uint8; the mask is 0 or 255.

    malignant: what histology or follow-up said of the lesion; None where nobody says.
    """

    set: str
    organ: str
    image: Gray
    mask: Gray
    malignant: bool | None = None


def split_of(set_name: str, group: str) -> Split:
    """The split of a group: a tenth for test, a tenth for validation, the rest for training."""
    if set_name == "gland":  # twelve blocks of one origin: a hash would leave a split empty
        return GLAND.get(group, "train")
    bucket = int(hashlib.sha256(f"{set_name}/{group}".encode()).hexdigest(), 16) % 10
    return "test" if bucket == 0 else "validation" if bucket == 1 else "train"


def read_rows(data: Path, set_name: str, split: Split | None = None) -> list[Row]:
    """Rows of one set in file order. Raises FileNotFoundError when the set is not there."""
    folder = data / set_name
    rows: list[Row] = []
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if split is not None and split_of(set_name, line["group"]) != split:
                continue
            label = line.get("label") or ""
            mask = folder / line["mask"] if line.get("mask") and label != "normal" else None
            rows.append(Row(set_name, line["id"], line["group"], label, folder / line["image"], mask))
    return rows


def read_gray(path: Path) -> Gray:
    """(rows, columns) uint8. Raises FileNotFoundError when the file is absent or no picture."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise FileNotFoundError(path)
    return np.asarray(image, np.uint8)


def read_pair(row: Row) -> tuple[Gray, Gray]:
    """Picture and mask (0 or 255) at the picture's size."""
    image = read_gray(row.image)
    if row.mask is None:
        return image, np.zeros_like(image)
    mask = read_gray(row.mask)
    if mask.shape != image.shape:
        size = (image.shape[1], image.shape[0])
        mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return image, np.where(mask > 127, np.uint8(255), np.uint8(0))


def load(rows: list[Row], side: int) -> list[Sample]:
    """Reads and letterboxes everything once: 3,000 pictures of 288² are 500 MB with their masks."""
    samples = []
    for row in rows:
        image, mask = read_pair(row)
        square, _ = letterbox(image, side)
        soft, _ = letterbox(mask, side)
        malignant = {"malignant": True, "benign": False}.get(row.label)
        samples.append(Sample(row.set, row.organ, square, np.where(soft > 127, np.uint8(255), np.uint8(0)), malignant))
    return samples


def simulated(first_seed: int, sweeps: int, per_sweep: int, side: int, say: Callable[[str], None]) -> list[Sample]:
    """Frames of phantoms of both organs in turn; one in four sweeps holds no lesion."""
    samples = []
    for number in range(sweeps):
        organ: Literal["breast", "thyroid"] = "breast" if number % 2 == 0 else "thyroid"
        lesions = 0 if number % 8 in (6, 7) else None
        sweep = simulate_sweep(organ, per_sweep, first_seed + number, lesions=lesions)
        for frame, truth in zip(sweep.frames, sweep.truth, strict=True):
            mask = np.zeros(frame.shape, np.uint8)
            for lesion in truth:
                mask[lesion.mask] = 255
            square, _ = letterbox(frame, side)
            soft, _ = letterbox(mask, side)
            samples.append(Sample("simulated", organ, square, np.where(soft > 127, np.uint8(255), np.uint8(0))))
    say(f"simulated frames: {len(samples)}")
    return samples
