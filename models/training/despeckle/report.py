"""What every method of despeckling is worth: against clean pictures, on real frames, in time, and for the mask.

Needs no torch: what is measured is `models.despeckle` and the shipped network, as everybody runs them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.despeckle import METHODS, Method, despeckle
from models.despeckle.diffusion import Diffusion, diffuse
from models.despeckle.measures import (
    edge_preservation,
    equivalent_looks,
    even_regions,
    psnr,
    ssim,
    suppression_index,
)
from models.despeckle.noise import Noise
from models.despeckle.simulated import Gray, Kind, Speckle, clean_picture, speckled
from models.letterbox import letterbox
from models.phantom import simulate_sweep
from models.registry import read_registry
from models.segmenter import Segmenter, load
from models.training.data import Row, read_gray, read_pair, read_rows
from models.training.despeckle.page import page

LEVELS: dict[Kind, tuple[float, float, float]] = {"bmode": (1.4, 3, 6), "gamma": (3, 6, 12), "root": (1.5, 3, 5)}
"""None of them is among those that the network was trained with (`pairs.LEVELS`)."""
GRAIN = 1.2
PICTURES = 8
FIRST_SEED = 2_000  # far from the seeds of training and of the choice of parameters
DICE_SETS = ("busi", "busbra", "breast", "ddti")
CINE = "cine/breast_sweep_2"  # the learned method has seen the other one
GRAPH_STEPS = 12
Say = Callable[[str], None]


def report(data: Path, per_set: int, results: Path, where: Path, sheet: Path, say: Say) -> None:
    """Measures everything, then writes results (JSON), page (Markdown) and contact sheet (PNG)."""
    segmenter = load(precision="fp32")
    facts: dict[str, Any] = {"model": segmenter.model_id, "weights_sha256": segmenter.weights_sha256}
    facts |= {"provider": segmenter.provider, "graph_steps": GRAPH_STEPS, "levels": LEVELS, "grain": GRAIN}
    facts["simulated"] = simulated(say)
    facts["real"] = real(data, say)
    facts["ms"] = times(data, say)
    facts["dice"] = dice(segmenter, data, per_set, say)
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    where.write_text(page(facts), encoding="utf-8")
    sheet.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(sheet), contact_sheet())


def simulated(say: Say) -> dict[str, Any]:
    """PSNR, SSIM and edges kept (against the clean picture) per noise, level and method; means over eight pictures."""
    found: dict[str, Any] = {}
    for kind, levels in LEVELS.items():
        noise: Noise = "gamma" if kind == "gamma" else "bmode"
        for level in levels:
            speckle = Speckle(kind, level, GRAIN)
            values: dict[str, list[tuple[float, float, float]]] = {method: [] for method in METHODS}
            for seed in range(FIRST_SEED, FIRST_SEED + PICTURES):
                clean = clean_picture(seed)
                noisy = speckled(clean, speckle, np.random.default_rng([seed, 5]))
                for method in METHODS:
                    out = despeckle(noisy, method, noise)
                    values[method].append((psnr(out, clean), ssim(out, clean), edge_preservation(clean, out)))
            found[f"{kind} {level:g}"] = {method: _means(value, 3) for method, value in values.items()}
            say(f"simulated {kind} {level:g}")
    return found


def real(data: Path, say: Say) -> dict[str, Any]:
    """ENL and SSI in even regions, edges kept (σ = 2), per method: medians over frames of a cine and validation."""
    frames = [read_gray(path) for path in sorted((data / CINE).glob("*.jpg"))[::5]]
    for name in DICE_SETS:
        frames += [read_gray(row.image) for row in _spread(read_rows(data, name, "validation"), 6)]
    values: dict[str, list[tuple[float, float, float]]] = {method: [] for method in METHODS}
    for frame in frames:
        regions = even_regions(frame)
        if not regions:
            continue
        for method in METHODS:
            out = despeckle(frame, method)
            looks = float(np.mean([equivalent_looks(out[at]) for at in regions]))
            index = float(np.mean([suppression_index(frame[at], out[at]) for at in regions]))
            values[method].append((looks, index, edge_preservation(frame, out, 2.0)))
    count = len(values["none"])
    say(f"real frames: {count}")
    medians = {method: [round(float(v), 3) for v in np.median(value, 0)] for method, value in values.items()}
    return {"frames": count, "methods": medians}


def times(data: Path, say: Say) -> dict[str, Any]:
    """Milliseconds per frame on one thread: the median of nine, at 256×256 and at the cine's own size."""
    cv2.setNumThreads(1)
    full = read_gray(sorted((data / CINE).glob("*.jpg"))[0])
    small = cv2.resize(full, (256, 256), interpolation=cv2.INTER_AREA)
    found: dict[str, Any] = {"full": f"{full.shape[1]}×{full.shape[0]}"}
    for method in METHODS:
        found[method] = [_median_ms(np.asarray(picture, np.uint8), method) for picture in (small, full)]
        say(f"{method} {found[method]} ms")
    return found


@dataclass(frozen=True)
class _Case:
    group: str
    dice: dict[str, float]


def dice(segmenter: Segmenter, data: Path, per_set: int, say: Say) -> dict[str, Any]:
    """Dice of the shipped network on validation pictures with a lesion, each despeckled first, per set and method.

    `at 256` despeckles the letterboxed picture, as a layer inside the graph would; its own baseline is `none at 256`.
    `change` is the mean difference to the baseline over all pictures with its 95 % interval, groups drawn.
    """
    side = read_registry().entry(segmenter.model_id).side
    cases: dict[str, list[_Case]] = {}
    for name in DICE_SETS:
        rows = [row for row in read_rows(data, name, "validation") if row.mask is not None]
        cases[name] = [_case(segmenter, row, side) for row in _spread(rows, per_set)]
        say(f"Dice {name}: {len(cases[name])}")
    everyone = [case for part in cases.values() for case in part]
    found: dict[str, Any] = {"n": {name: len(part) for name, part in cases.items()}, "methods": {}}
    for method in everyone[0].dice:
        baseline = "none at 256" if method.endswith("at 256") else "none"
        entry = {name: round(float(np.mean([c.dice[method] for c in part])), 4) for name, part in cases.items()}
        changes = np.array([case.dice[method] - case.dice[baseline] for case in everyone])
        found["methods"][method] = entry | {"change": _interval(changes, [case.group for case in everyone])}
    return found


def _case(segmenter: Segmenter, row: Row, side: int) -> _Case:
    picture, mask = read_pair(row)
    scores: dict[str, float] = {}
    for method in METHODS:
        scores[method] = _overlap(segmenter, despeckle(picture, method), mask, row.organ)
    square, fit = letterbox(picture, side)
    truth, _ = letterbox(mask, side)
    inner = square[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width]
    diffused = diffuse(inner.astype(np.float32) / np.float32(255), Diffusion(), GRAPH_STEPS).image
    layers = {
        "none at 256": inner,
        "diffusion at 256": np.rint(diffused * 255).astype(np.uint8),
        "learned at 256": despeckle(inner, "learned"),
    }
    for name, smooth in layers.items():
        placed = square.copy()
        placed[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width] = smooth
        scores[name] = _overlap(segmenter, placed, truth, row.organ)
    return _Case(f"{row.set}/{row.group}", scores)


def _overlap(segmenter: Segmenter, picture: Gray, mask: Gray, organ: str) -> float:
    found, truth = segmenter.segment(picture, organ).labels > 0, mask > 127
    return float(2 * (found & truth).sum() / max(int(found.sum() + truth.sum()), 1))


def _interval(changes: NDArray[np.float64], groups: list[str], draws: int = 2000) -> list[float]:
    """Mean, and its 95 % interval by drawing whole groups."""
    names = sorted(set(groups))
    at = {name: number for number, name in enumerate(names)}
    sums, counts = np.zeros(len(names)), np.zeros(len(names))
    for change, group in zip(changes, groups, strict=True):
        sums[at[group]] += change
        counts[at[group]] += 1
    picks = np.random.default_rng(0).integers(0, len(names), (draws, len(names)))
    low, high = np.percentile(sums[picks].sum(1) / counts[picks].sum(1), (2.5, 97.5))
    return [round(float(value), 4) for value in (changes.mean(), low, high)]


def contact_sheet() -> Gray:
    """One simulated breast frame under every method, named: (rows, columns) uint8."""
    frame = simulate_sweep("breast", 9, seed=12, size=(288, 288), lesions=1).frames[4]
    cells = []
    for method in METHODS:
        cell = np.full((288 + 24, 288), 255, np.uint8)
        cell[24:] = despeckle(frame, method)
        name = "as simulated" if method == "none" else method
        cv2.putText(cell, name, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1, cv2.LINE_AA)
        cells.append(cell)
    half = (len(cells) + 1) // 2
    return np.vstack([np.hstack(cells[:half]), np.hstack(cells[half:])])


def _spread(rows: list[Row], count: int) -> list[Row]:
    """At most `count` rows, evenly over the list."""
    if len(rows) <= count:
        return rows
    return [rows[int(at)] for at in np.linspace(0, len(rows) - 1, count)]


def _median_ms(picture: Gray, method: Method) -> float:
    despeckle(picture, method)
    spent = []
    for _ in range(9):
        began = time.perf_counter()
        despeckle(picture, method)
        spent.append(1e3 * (time.perf_counter() - began))
    return round(float(np.median(spent)), 1)


def _means(values: list[tuple[float, float, float]], digits: int) -> list[float]:
    return [round(float(value), digits) for value in np.mean(values, 0)]
