"""Write simulated scans as the folders that `sonovan evaluate froc` reads; a scan's number fixes what it shows."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from benchmarks.sweeps.simulate import MAKEUP, SLICES, Makeup, Sweep, simulate
from benchmarks.sweeps.tissue import Lesion, Tissue, read_tissue
from sonovan.models.evaluation.index import SETS, Split

SHARES: Final = (("busi", 0.25), ("busbra", 0.4), ("breast", 0.1), ("thyroid", 0.25))
"""Which set's tissue and lesions a scan is made of; `thyroid`: nodules of ddti in its own tissue; and gland."""
SEEDS: Final[dict[Split, int]] = {"validation": 41_000, "test": 57_000}
"""Sweeps on which the tracker was tuned have the first seed, those of which figures are reported the second."""


@dataclass(frozen=True)
class _Stock:
    """tissues: lists of which one is drawn for a scan; in order where they are frames of a real sweep."""

    organ: str
    tissues: tuple[tuple[Tissue, ...], ...]
    lesions: tuple[Lesion, ...]


def write_scans(
    data: Path, split: Split, scans: int, out: Path, say: Callable[[str], None], makeup: Makeup = MAKEUP
) -> list[Path]:
    """The folders of so many scans; every other one shows no lesion. What stands there already is not made again.

    data: folder of the public sets. The same arguments give the same pixels.
    """
    wanted = [out / f"{split}-{number:03d}" for number in range(scans)]
    if all((folder / "scan.json").is_file() for folder in wanted):
        return wanted
    stocks = _stocks(data, split)
    for number, folder in enumerate(wanted):
        if not (folder / "scan.json").is_file():
            rng = np.random.default_rng([SEEDS[split], number])
            organ, sweep = _scan(rng, stocks, number, makeup)
            _write(folder, organ, sweep)
        if number % 25 == 24:
            say(f"{split}: {number + 1} of {scans} scans made")
    return wanted


def _stocks(data: Path, split: Split) -> dict[str, _Stock]:
    stocks = {}
    for name in ("busi", "busbra", "breast"):
        tissues, lesions = read_tissue(data, name, split)
        stocks[name] = _Stock(SETS[name], (tuple(tissues),), tuple(lesions))
    stills, nodules = read_tissue(data, "ddti", split)
    frames, _ = read_tissue(data, "gland", split)
    sweeps: dict[str, list[Tissue]] = {}
    for each in sorted(frames, key=lambda tissue: tissue.order):
        sweeps.setdefault(each.order[0], []).append(each)
    stocks["thyroid"] = _Stock("thyroid", (tuple(stills), *map(tuple, sweeps.values())), tuple(nodules))
    return stocks


def _scan(rng: np.random.Generator, stocks: dict[str, _Stock], number: int, makeup: Makeup) -> tuple[str, Sweep]:
    names = [name for name, _ in SHARES]
    stock = stocks[names[int(rng.choice(len(names), p=[share for _, share in SHARES]))]]
    lesion = number % 2 == 0  # nodules stay in tissue of their own set
    pool = stock.tissues[0 if lesion else int(rng.integers(len(stock.tissues)))]
    if pool[0].set == "gland":  # neighbours of a real sweep, a few frames apart
        step = int(rng.integers(1, 4))
        first = int(rng.integers(0, max(len(pool) - SLICES * step, 1)))
        tissues = [pool[min(first + place * step, len(pool) - 1)] for place in range(SLICES)]
    else:
        tissues = [pool[int(each)] for each in rng.choice(len(pool), SLICES, replace=len(pool) < SLICES)]
    count = 1 + int(rng.random() < makeup.two) if lesion else 0
    lesions = [stock.lesions[int(each)] for each in rng.choice(len(stock.lesions), count, replace=False)]
    return stock.organ, simulate(rng, tissues, lesions, makeup)


def _write(folder: Path, organ: str, sweep: Sweep) -> None:
    for name, planes in (("frames", sweep.frames), ("masks", sweep.truth)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index, plane in enumerate(planes):
            if name == "frames" or plane.any():
                cv2.imwrite(str(folder / name / f"{index:04d}.png"), plane, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    words = {True: "malignant", False: "benign", None: None}
    labels = {str(number): words[each] for number, each in enumerate(sweep.malignant, start=1)}
    document = {"organ": organ, "labels": labels, "made_of": sweep.plan}
    (folder / "scan.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
