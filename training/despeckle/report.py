"""What every method of despeckling is worth: against clean pictures, on real frames, in time, and for the mask.

Needs no torch: what is measured is `sonovan.models.despeckle` and the shipped network, as everybody runs them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.despeckle import METHODS, Method, despeckle
from sonovan.models.despeckle.diffusion import GRAPH_STEPS, Diffusion, diffuse
from sonovan.models.despeckle.measures import (
    edge_preservation,
    equivalent_looks,
    even_regions,
    psnr,
    ssim,
    suppression_index,
)
from sonovan.models.despeckle.noise import Noise
from sonovan.models.despeckle.simulated import Gray, Kind, Speckle, clean_picture, speckled
from sonovan.models.engine.choose import choose
from sonovan.models.evaluation.index import Row, read_rows
from sonovan.models.evaluation.pictures import read_gray, read_pair
from sonovan.models.heads.prompting import read_decoder
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.letterbox import letterbox
from sonovan.models.registry import read_registry, read_variants, read_weights
from sonovan.models.segmenter import Segmenter, load
from training.despeckle.page import page

LEVELS: dict[Kind, tuple[float, float, float]] = {"bmode": (1.4, 3, 6), "gamma": (3, 6, 12), "root": (1.5, 3, 5)}
"""None of them is among those that the network was trained with (`pairs.LEVELS`)."""
GRAIN = 1.2
PICTURES = 6
FIRST_SEED = 2_000  # far from the seeds of training and of the choice of parameters
DICE_SETS = ("busi", "busbra", "breast", "ddti")
IN_GRAPH: tuple[Method, ...] = ("none", "diffusion", "learned")
CINE = "cine/breast_sweep_2"  # the learned method has seen the other one
Say = Callable[[str], None]


@dataclass(frozen=True)
class Files:
    """Where the report goes: figures (JSON), page (Markdown), contact sheet (PNG)."""

    results: Path
    page: Path
    sheet: Path


def report(data: Path, per_set: int, files: Files, methods: Sequence[Method], say: Say) -> None:
    """Measures `methods` and writes the report; the figures of the other methods stay as they were.

    Page and sheet are written once there are figures of all methods.
    Raises ValueError when figures that are to stay were measured on other pictures or with other weights.
    """
    segmenter = load(precision="fp32")
    facts: dict[str, Any] = {"model": segmenter.model_id, "weights_sha256": segmenter.weights_sha256}
    facts |= {"provider": segmenter.provider, "graph_steps": GRAPH_STEPS, "levels": LEVELS, "grain": GRAIN}
    facts["simulated"] = simulated(methods, say)
    facts["real"] = real(data, methods, say)
    facts["ms"] = times(data, methods, say)
    facts["dice"] = dice(segmenter, data, per_set, methods, say)
    if set(methods) != set(METHODS) and files.results.exists():
        facts = merged(json.loads(files.results.read_text(encoding="utf-8")), facts)
    files.results.parent.mkdir(parents=True, exist_ok=True)
    files.results.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if all(method in facts["ms"] for method in METHODS):
        files.page.write_text(page(facts), encoding="utf-8")
        files.sheet.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(files.sheet), contact_sheet())


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Figures of `new` over those of `old`, method by method. Raises ValueError where both are not comparable."""
    for name in ("weights_sha256", "levels", "grain", "graph_steps"):
        if json.dumps(old[name]) != json.dumps(new[name]):
            raise ValueError(f"the figures that are to stay were measured with another {name}: measure all methods")
    if old["dice"]["cases"] != new["dice"]["cases"] or old["real"]["frames"] != new["real"]["frames"]:
        raise ValueError("the figures that are to stay were measured on other pictures: measure all methods")
    return {
        **new,
        "simulated": {key: old["simulated"][key] | new["simulated"][key] for key in new["simulated"]},
        "real": {**new["real"], "methods": old["real"]["methods"] | new["real"]["methods"]},
        "ms": old["ms"] | new["ms"],
        "dice": {
            "cases": new["dice"]["cases"],
            "scores": old["dice"]["scores"] | new["dice"]["scores"],
            "refused": old["dice"]["refused"] | new["dice"]["refused"],
        },
    }


def simulated(methods: Sequence[Method], say: Say) -> dict[str, Any]:
    """PSNR, SSIM and edges kept (against the clean picture) per noise, level and method; means over six pictures."""
    found: dict[str, Any] = {}
    for kind, levels in LEVELS.items():
        noise: Noise = "gamma" if kind == "gamma" else "bmode"
        for level in levels:
            speckle = Speckle(kind, level, GRAIN)
            values: dict[str, list[tuple[float, float, float]]] = {method: [] for method in methods}
            for seed in range(FIRST_SEED, FIRST_SEED + PICTURES):
                clean = clean_picture(seed)
                noisy = speckled(clean, speckle, np.random.default_rng([seed, 5]))
                for method in methods:
                    out = despeckle(noisy, method, noise)
                    values[method].append((psnr(out, clean), ssim(out, clean), edge_preservation(clean, out)))
            found[f"{kind} {level:g}"] = {method: _means(value, 3) for method, value in values.items()}
            say(f"simulated {kind} {level:g}")
    return found


def real(data: Path, methods: Sequence[Method], say: Say) -> dict[str, Any]:
    """ENL and SSI in even regions, edges kept (σ = 2), per method: medians over frames of a cine and validation."""
    frames = [read_gray(path) for path in sorted((data / CINE).glob("*.jpg"))[::5]]
    for name in DICE_SETS:
        frames += [read_gray(row.image) for row in _spread(read_rows(data, name, "validation"), 6)]
    values: dict[str, list[tuple[float, float, float]]] = {method: [] for method in methods}
    for frame in frames:
        regions = even_regions(frame)
        if not regions:
            continue
        for method in methods:
            out = despeckle(frame, method)
            looks = float(np.mean([equivalent_looks(out[at]) for at in regions]))
            index = float(np.mean([suppression_index(frame[at], out[at]) for at in regions]))
            values[method].append((looks, index, edge_preservation(frame, out, 2.0)))
    count = len(values[methods[0]])
    say(f"real frames: {count}")
    medians = {method: [round(float(v), 3) for v in np.median(value, 0)] for method, value in values.items()}
    return {"frames": count, "methods": medians}


def times(data: Path, methods: Sequence[Method], say: Say) -> dict[str, Any]:
    """Milliseconds of one core per frame: the median of nine, at 256×256 and at the cine's own size."""
    cv2.setNumThreads(1)
    full = read_gray(sorted((data / CINE).glob("*.jpg"))[0])
    small = cv2.resize(full, (256, 256), interpolation=cv2.INTER_AREA)
    found: dict[str, Any] = {"full": f"{full.shape[1]}×{full.shape[0]}"}
    for method in methods:
        found[method] = [_median_ms(np.asarray(picture, np.uint8), method) for picture in (small, full)]
        say(f"{method} {found[method]} ms")
    return found


def dice(segmenter: Segmenter, data: Path, per_set: int, methods: Sequence[Method], say: Say) -> dict[str, Any]:
    """Dice of the shipped network on validation pictures with a lesion, each despeckled first, per picture and method.

    A despeckled picture that is refused as foreign is outlined all the same, and counted in `refused`: what is asked
    is what despeckling does to the mask. `at 256` despeckles the picture at the network's size, as a layer inside the
    graph would; its own baseline is `none at 256`.
    cases: (set, group) of each picture. scores: one list per method, in the order of the cases.
    """
    entry = read_registry().entry(segmenter.model_id)
    runner = choose(read_weights(entry), entry, "auto", "fp32", read_variants(entry))
    outliner = Segmenter(entry, runner, read_decoder(entry))
    cases: list[list[str]] = []
    scores: dict[str, list[float]] = {}
    refused: dict[str, int] = {}
    for name in DICE_SETS:
        rows = [row for row in read_rows(data, name, "validation") if row.mask is not None]
        for row in _spread(rows, per_set):
            cases.append([row.set, row.group])
            for method, (picture, truth) in _despeckled(row, entry.side, methods).items():
                found = outliner.segment(picture, row.organ).labels > 0
                both = int((found & truth).sum())
                scores.setdefault(method, []).append(round(2 * both / max(int(found.sum() + truth.sum()), 1), 4))
                accepted = segmenter.segment(picture, row.organ).assessable
                refused[method] = refused.get(method, 0) + (not accepted)
        say(f"Dice {name}")
    return {"cases": cases, "scores": scores, "refused": refused}


def _despeckled(row: Row, side: int, methods: Sequence[Method]) -> dict[str, tuple[Gray, NDArray[np.bool_]]]:
    """What the network is shown, and the true mask there, per method at full size and inside the graph."""
    picture, mask = read_pair(row)
    shown: dict[str, tuple[Gray, NDArray[np.bool_]]] = {}
    for method in methods:
        shown[method] = despeckle(picture, method), mask > 127
    square, fit = letterbox(picture, side)
    at = slice(fit.top, fit.top + fit.height), slice(fit.left, fit.left + fit.width)
    truth = letterbox(mask, side)[0][at] > 127
    for method in methods:
        if method in IN_GRAPH:
            shown[f"{method} at 256"] = _as_layer(square[at], method), truth
    return shown


def _as_layer(picture: Gray, method: Method) -> Gray:
    if method != "diffusion":
        return despeckle(picture, method)
    diffused = diffuse(picture.astype(np.float32) / np.float32(255), Diffusion(), GRAPH_STEPS).image
    return np.asarray(np.rint(diffused * 255), np.uint8)


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
        began = time.process_time()  # of this process alone: others share the machine
        despeckle(picture, method)
        spent.append(1e3 * (time.process_time() - began))
    return round(float(np.median(spent)), 1)


def _means(values: list[tuple[float, float, float]], digits: int) -> list[float]:
    return [round(float(value), digits) for value in np.mean(values, 0)]
