"""Runtimes and precisions against each other: how fast, and whether the masks stay the same.

    nice python -m benchmarks.engines --data ../shared/data

Writes benchmarks/results/engines.json. A precision may stand in a network's registry entry only while its mean Dice
against onnxruntime in float32 is at least .995 here, over the real validation pictures of every set
(tests/models/test_precision.py holds the registry to that).
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.engine.choose import PRECISIONS, open_runner
from models.engine.measure import measure
from models.engine.runner import Runner
from models.errors import ProviderNotGiven
from models.registry import WEIGHTS_DIR, Entry, read_registry, read_weights
from models.segmenter import Segmenter
from models.training.data import SETS, read_gray, read_rows

RESULTS: Final = Path(__file__).parent / "results" / "engines.json"
BAR: Final = 0.995
Picture = tuple[str, NDArray[np.uint8]]


def read_pictures(data: Path) -> list[Picture]:
    """Organ and grey picture of every real validation row: precisions are a choice, and choices are made there."""
    rows = [row for name in SETS for row in read_rows(data, name, "validation")]
    return [(row.organ, read_gray(row.image)) for row in rows]


def masks_of(entry: Entry, runner: Runner, pictures: Sequence[Picture]) -> list[NDArray[np.bool_]]:
    """The binary mask of each picture at its own size, as `segment` would store it."""
    segmenter = Segmenter(entry, runner)
    return [segmenter.segment(picture, organ).labels > 0 for organ, picture in pictures]


def agreement(masks: Sequence[NDArray[np.bool_]], reference: Sequence[NDArray[np.bool_]]) -> dict[str, float]:
    """Dice against the reference over pictures in which either found something; two empty masks say nothing.

    Raises ValueError when nothing was found anywhere: that would show no disagreement either.
    """
    dice = np.array(
        [
            2 * np.count_nonzero(mask & truth) / (np.count_nonzero(mask) + np.count_nonzero(truth))
            for mask, truth in zip(masks, reference, strict=True)
            if mask.any() or truth.any()
        ]
    )
    if dice.size == 0:
        raise ValueError("no picture has a mask: there is nothing to compare")
    return {
        "pictures_with_mask": int(dice.size),
        "dice_mean": round(float(dice.mean()), 5),
        "dice_p05": round(float(np.percentile(dice, 5)), 5),
        "dice_min": round(float(dice.min()), 5),
    }


def compare(weights: bytes, entry: Entry, pictures: Sequence[Picture], rounds: int = 5) -> list[dict[str, Any]]:
    """Every provider and precision of this machine: speed, and agreement with `cpu/fp32`."""
    anything = entry.model_copy(update={"precisions": ("fp32", "bf16", "fp16")})
    runners = []
    for provider, precisions in PRECISIONS.items():
        for precision in precisions:
            try:
                runners.append(open_runner(weights, anything, provider, precision))
            except ProviderNotGiven as error:
                print(error, file=sys.stderr)
    reference = masks_of(entry, open_runner(weights, anything, "cpu", "fp32"), pictures)
    speeds = measure(runners, entry.side, rounds)
    return [
        {**asdict(speed), **agreement(masks_of(entry, runner, pictures), reference)}
        for speed, runner in zip(speeds, runners, strict=True)
    ]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the development data")
    parser.add_argument("--weights-dir", type=Path, default=WEIGHTS_DIR)
    parser.add_argument("--model", default=None, help="id in the registry; default: the first")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    entry = read_registry(asked.weights_dir).entry(asked.model)
    pictures = read_pictures(asked.data)
    rows = compare(read_weights(entry, asked.weights_dir), entry, pictures)
    document = {
        "model": entry.id,
        "weights_sha256": entry.sha256,
        "pictures": len(pictures),
        "bar_dice_mean": BAR,
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 1),
        "versions": {name: version(name) for name in ("onnxruntime-gpu", "openvino", "opencv-python", "numpy")},
        "engines": rows,
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        verdict = "allowed" if row["dice_mean"] >= BAR else "NOT allowed"
        speed = f"{row['latency_ms']:7.1f} ms {row['frames_per_s']:6.1f}/s"
        print(f"{row['name']:15} {speed}  Dice {row['dice_mean']} {verdict}")


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
