"""How well the shipped file outlines lesions: Dice per set with intervals over groups, lesions found in phantoms.

What is measured is the room's own segmenter, as `segment` runs it: letterbox, graph, threshold, smallest area, refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.phantom import simulate_sweep
from models.segmenter import Segmenter, load
from models.training.data import SETS, Row, Split, read_pair, read_rows

Mask = NDArray[np.bool_]
Organ = Literal["breast", "thyroid"]

SIMULATED_FOUND_IOU = 0.3
SIMULATED_EVALUATION_SEED = 1_000  # far from the seeds of training (100,000 on) and validation (50,000 on)


@dataclass(frozen=True)
class Score:
    """One picture: Dice and IoU are None where there is nothing to find; empty says that no region was returned."""

    id: str
    group: str
    label: str
    dice: float | None
    iou: float | None
    empty: bool
    refused: bool


def overlap(found: Mask, truth: Mask) -> tuple[float, float]:
    """Dice and IoU of two masks of which at least one is not empty."""
    both, either = int((found & truth).sum()), int((found | truth).sum())
    return 2 * both / (both + either), both / either


def score(segmenter: Segmenter, row: Row) -> Score:
    """A refused picture counts as a miss, and not as empty."""
    image, mask = read_pair(row)
    seen = segmenter.segment(image, row.organ)
    found, truth = seen.labels > 0, mask > 0
    dice, iou = overlap(found, truth) if truth.any() else (None, None)
    empty = seen.assessable and not seen.regions
    return Score(row.id, row.group, row.label, dice, iou, empty, not seen.assessable)


def interval(values: list[float], groups: list[str], draws: int = 2000) -> tuple[float, float]:
    """95 % bootstrap interval of the mean, drawing whole groups: pictures of one woman are not independent."""
    names = sorted(set(groups))
    sums = np.array([sum(v for v, g in zip(values, groups, strict=True) if g == name) for name in names])
    counts = np.array([groups.count(name) for name in names])
    picks = np.random.default_rng(0).integers(0, len(names), (draws, len(names)))
    means = sums[picks].sum(1) / counts[picks].sum(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return round(float(low), 4), round(float(high), 4)


def summary(scores: list[Score]) -> dict[str, Any]:
    """The figures of one set; None where the set cannot say."""
    lesions = [one for one in scores if one.dice is not None]
    normals = [one for one in scores if one.dice is None]
    benign = [one for one in lesions if one.label == "benign"]
    malignant = [one for one in lesions if one.label == "malignant"]
    return {
        "n": len(scores),
        "groups": len({one.group for one in scores}),
        "lesions": len(lesions),
        "lesion_dice": _figure(lesions, _dice),
        "lesion_iou": _figure(lesions, lambda one: one.iou or 0.0),
        "benign_dice": _figure(benign, _dice),
        "malignant_dice": _figure(malignant, _dice),
        "missed": round(float(np.mean([_dice(one) < 0.1 for one in lesions])), 4) if lesions else None,
        "refused": sum(one.refused for one in scores),
        "normals": len(normals),
        "empty_on_normal": _figure(normals, lambda one: float(one.empty)),
        "worst": [one.id for one in sorted(lesions, key=_dice)[:8]],
    }


def _dice(one: Score) -> float:
    return one.dice or 0.0


def _figure(scores: list[Score], value: Callable[[Score], float]) -> dict[str, Any] | None:
    if not scores:
        return None
    values = [value(one) for one in scores]
    low, high = interval(values, [one.group for one in scores])
    mean, median = round(float(np.mean(values)), 4), round(float(np.median(values)), 4)
    return {"mean": mean, "ci95": [low, high], "median": median}


def simulated(segmenter: Segmenter, organ: Organ, sweeps: int, frames: int = 40) -> dict[str, Any]:
    """The share of frames with visible lesions in which each is found (IoU ≥ .3), and of the others left empty."""
    hits: list[bool] = []
    empty: list[bool] = []
    for number in range(sweeps):
        sweep = simulate_sweep(organ, frames, SIMULATED_EVALUATION_SEED + number)
        for frame, truth in zip(sweep.frames, sweep.truth, strict=True):
            labels = segmenter.segment(frame, organ).labels
            if truth:
                hits.append(all(_found(labels, lesion.mask) for lesion in truth))
            else:
                empty.append(not labels.any())
    return {
        "sweeps": sweeps,
        "frames_with_lesion": len(hits),
        "found": round(float(np.mean(hits)), 4),
        "frames_without": len(empty),
        "empty_without": round(float(np.mean(empty)), 4),
    }


def _found(labels: NDArray[np.uint8], truth: Mask) -> bool:
    touching = {int(label) for label in np.unique(labels[truth])} - {0}
    return any(overlap(labels == label, truth)[1] >= SIMULATED_FOUND_IOU for label in touching)


def evaluate(data: Path, weights: Path, model: str, split: Split, sweeps: int = 20) -> dict[str, Any]:
    """Everything that card and accuracy page show, in float32; a set whose folder is absent is left out.

    weights: folder of the registry. sweeps: simulated ones per organ.
    """
    cv2.setNumThreads(1)
    segmenter = load(model, provider="cpu", precision="fp32", weights_dir=weights)
    organs: tuple[Organ, ...] = ("breast", "thyroid")
    sets = {
        name: summary([score(segmenter, row) for row in read_rows(data, name, split)])
        for name in SETS
        if (data / name / "index.csv").exists()
    }
    return {
        "model": model,
        "weights_sha256": segmenter.weights_sha256,
        "split": split,
        "provider": segmenter.provider,
        "sets": sets,
        "simulated": {organ: simulated(segmenter, organ, sweeps) for organ in organs} if sweeps else {},
    }
