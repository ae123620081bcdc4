"""Pictures with masks as the networks learn from them: cut to the ultrasound field, letterboxed; simulated frames too.

Rows, splits and files are read by `sonovan.models.evaluation`, which everybody who measures shares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sonovan.models.evaluation.index import Row
from sonovan.models.evaluation.pictures import Gray, read_mask, read_pair
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.letterbox import letterbox
from sonovan.models.picture.view import find_view
from training.network import ORGANS

SIMULATED_TRAIN_SEED = 100_000  # seeds below belong to tests, demos and evaluation


@dataclass(frozen=True)
class Sample:
    """A letterboxed picture and its mask, both (side, side) uint8; the mask is 0 or 255.

    malignant: what histology or follow-up said of the lesion; None where nobody says. gland: where the thyroid is, as
    the mask; None where nobody says.
    """

    set: str
    organ: str
    image: Gray
    mask: Gray
    malignant: bool | None = None
    gland: Gray | None = None


def load(rows: list[Row], side: int) -> list[Sample]:
    """Reads everything once, cuts it to the ultrasound field as the segmenter does, and letterboxes it.

    A picture without an organ (`other/`) becomes a sample of each: there is nothing to outline for either.
    3,000 pictures of 384² are 900 MB with their masks.
    """
    samples = []
    for row in rows:
        image, mask = read_pair(row)
        left, top, width, height = find_view(image).box
        field = np.s_[top : top + height, left : left + width]
        square, _ = letterbox(image[field], side)
        outlined = _square(mask[field], side)
        gland = None
        if drawn := row.about.get("gland_mask"):
            folder = row.image.parents[len(Path(row.about["image"]).parts) - 1]
            whole = read_mask(folder / drawn, (image.shape[0], image.shape[1]))
            gland = _square(np.where(whole[field], np.uint8(255), np.uint8(0)), side)
        malignant = {"malignant": True, "benign": False}.get(row.label)
        for organ in (row.organ,) if row.organ else tuple(ORGANS):
            samples.append(Sample(row.set, organ, square, outlined, malignant, gland))
    return samples


def _square(mask: Gray, side: int) -> Gray:
    soft, _ = letterbox(mask, side)
    return np.where(soft > 127, np.uint8(255), np.uint8(0))


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
            samples.append(Sample("simulated", organ, square, _square(mask, side)))
    say(f"simulated frames: {len(samples)}")
    return samples
