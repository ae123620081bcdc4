"""The figures that a card and the accuracy page show: every set a network answers for, and phantoms with known lesions.

What is measured is the room's own segmenter in float32, by `sonovan.models.evaluation`, as `sonovan models evaluate`
does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation import score as scoring
from sonovan.models.evaluation.card import accuracy_page, card
from sonovan.models.evaluation.foreign import foreign
from sonovan.models.evaluation.index import FOREIGN, INDEX, SETS, Split, read_rows
from sonovan.models.evaluation.measures import Mask, overlap
from sonovan.models.evaluation.summary import summary
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.registry import read_registry
from sonovan.models.segmenter import Segmenter, load

Organ = Literal["breast", "thyroid"]

ORGANS: tuple[Organ, ...] = ("breast", "thyroid")
_OF_BENCHMARKS: Final = re.compile(r"<!-- (\w+): begin -->.*?<!-- \1: end -->", re.DOTALL)
SIMULATED_FOUND_IOU = 0.3
SIMULATED_EVALUATION_SEED = 1_000  # far from the seeds of training (100,000 on) and validation (50,000 on)


def evaluate(
    data: Path, weights: Path, model: str, split: Split, sweeps: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Everything that is measured on one split; a set whose folder is absent, or of another organ, is left out.

    weights: folder of the registry. sweeps: simulated ones per organ.
    """
    cv2.setNumThreads(1)
    entry = read_registry(weights).entry(model)
    segmenter = load(model, provider="cpu", precision="fp32", weights_dir=weights)
    sets = {}
    for name, organ in SETS.items():
        if organ not in entry.organs or not (data / name / INDEX).is_file():
            continue
        sets[name] = summary(segmenter, scoring.evaluate(segmenter, read_rows(data, name, split)), split)
        say(f"{split} {name} Dice {sets[name]['lesion_dice']} empty {sets[name]['empty_on_normal']}")
    organs: tuple[Organ, ...] = tuple(organ for organ in ORGANS if organ in entry.organs)
    others = read_rows(data, FOREIGN, split) if (data / FOREIGN / INDEX).is_file() else []
    return {
        "model": entry.id,
        "weights_sha256": segmenter.weights_sha256,
        "split": split,
        "provider": segmenter.provider,
        "organs": list(entry.organs),
        "input": entry.side,
        "threshold": entry.threshold,
        "min_area_px": entry.min_area_px,
        "sets": sets,
        "foreign": {organ: foreign(segmenter, others, organ) for organ in organs} if others else {},
        "simulated": {organ: simulated(segmenter, organ, sweeps) for organ in organs} if sweeps else {},
    }


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


def write_card(facts: dict[str, Any], cards: Path) -> None:
    """Writes `<model>.json` and, from it, `<model>.md`. facts: `training`, `validation`, `test`, maybe `five_fold`."""
    path = cards / f"{facts['test']['model']}.json"
    path.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(card(facts), encoding="utf-8")


def write_page(weights: Path, cards: Path, page: Path) -> None:
    """Writes the accuracy page from the cards of the registry's networks, in its order.

    What benchmarks wrote into the page, from one of their markers to the next, stays at its end.

    A card without figures, or with those of a format before `sensitivity`, has nothing to compare and is left out.
    """
    known: list[dict[str, Any]] = []
    for entry in read_registry(weights).models:
        path = cards / f"{entry.id}.json"
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        sets = facts.get("test", {}).get("sets", {})
        if sets and all("sensitivity" in one for one in sets.values()):
            known.append(facts)
    before = page.read_text(encoding="utf-8") if page.is_file() else ""
    kept = "".join(f"\n{part[0]}\n" for part in _OF_BENCHMARKS.finditer(before))
    page.write_text(accuracy_page(known) + kept, encoding="utf-8")
