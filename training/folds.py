"""Five-fold figures of a set whose test split is too small: each picture is outlined by a network that saw nobody of
its group.

The start must have been trained without the set (`train --without SET`). Each fold continues it for a short while on
the set's other four folds, with some of all other sets so that they are not forgotten, under a recipe fixed beforehand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sonovan.models.evaluation.index import SETS, Row, read_rows
from sonovan.models.evaluation.score import Score, evaluate
from sonovan.models.evaluation.summary import summary
from sonovan.models.registry import Entry
from sonovan.models.segmenter import Segmenter
from training.exported import OUTPUTS, Graph
from training.loop import Plan, Run
from training.network import SIZE, LesionNet
from training.samples import Sample, load, simulated

FOLDS = 5
REHEARSAL = {"busi": 0.35, "busbra": 0.15, "breast": 0.35, "ddti": 0.3, "gland": 0.1, "simulated": 0.1}
OWN = 4.0
"""How often an epoch shows the set that is learnt."""
LEARNT = 2.0
"""The same, in the last cycle over all sets."""
RATE = 0.25
"""Factor on the peak rates of a first training."""


def fold_of(set_name: str, group: str) -> int:
    """Which fifth of a set a group belongs to, another hash than that of the splits."""
    return int(hashlib.sha256(f"fold/{set_name}/{group}".encode()).hexdigest(), 16) % FOLDS


class TorchRunner:
    """The runner seam over a network in memory; see `sonovan.models.engine.runner.Runner`."""

    name = "torch/fp32"

    def __init__(self, network: LesionNet) -> None:
        self._graph = Graph(network).eval()

    def run(self, batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """See `Runner.run`."""
        with torch.inference_mode():
            outputs = self._graph(torch.from_numpy(batch).contiguous(memory_format=torch.channels_last))
        return {name: part.numpy() for name, part in zip(OUTPUTS, outputs, strict=True)}


def continued(
    plan: Plan, start: Path, folder: Path, train: list[Sample], say: Callable[[str], None], resume: bool
) -> LesionNet:
    """The averaged network after the plan's epochs from `start`; goes on from the folder's last checkpoint if told."""
    run = Run(plan, folder, train, [])
    if not (resume and run.resume()):
        run.start_from(start)
    run.finish(say)
    return run.kept


def plan_for(set_name: str, encoder: str, epochs: int) -> Plan:
    """The recipe of a fold."""
    shares = tuple(sorted({**REHEARSAL, set_name: OWN}.items()))
    return Plan(
        epochs=epochs,
        shares=shares,
        encoder=encoder,
        pretrained=False,
        suspicion=0.0,  # what the set says of malignancy stays unseen, so that heads can be measured on it
        encoder_rate=Plan.encoder_rate * RATE,
        decoder_rate=Plan.decoder_rate * RATE,
    )


def five_fold(
    data: Path, set_name: str, start: Path, out: Path, entry: Entry, epochs: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Trains and scores the folds, the test split left out; returns the figures of `sonovan.models.evaluation.summary`.

    entry: says threshold and smallest area, as the segmenter takes them from the registry; its companions are not used.
    Raises ValueError when `start` was trained with the set.
    """
    state = torch.load(start, map_location="cpu", weights_only=True)
    if set_name not in state["plan"]["without"]:
        raise ValueError(f"{start} was trained with {set_name}: five-fold figures from it would say nothing")
    own = read_rows(data, set_name, "train") + read_rows(data, set_name, "validation")
    others = [row for name in SETS if name != set_name for row in read_rows(data, name, "train")]
    rehearsed = load(others, SIZE + 32) + simulated(100_000, 20, 5, SIZE + 32, say)
    scores: list[Score] = []
    for fold in range(FOLDS):
        inside: list[Row] = [row for row in own if fold_of(set_name, row.group) != fold]
        outside: list[Row] = [row for row in own if fold_of(set_name, row.group) == fold]
        samples = rehearsed + load(inside, SIZE + 32)
        plan = plan_for(set_name, state["plan"]["encoder"], epochs)
        network = continued(plan, start, out / f"fold_{fold}", samples, say, resume=True)
        segmenter = Segmenter(entry, TorchRunner(network))
        scores += evaluate(segmenter, outside)
        found = [score.dice or 0.0 for score in scores if score.dice is not None]
        say(f"fold {fold}: {len(outside)} pictures, mean Dice so far {np.mean(found):.4f}")
    figures = summary(segmenter, scores, None)
    figures |= {"folds": FOLDS, "epochs": epochs, "model": entry.id, "weights_sha256": None, "fingerprint": None}
    figures["split"] = "five-fold"
    figures |= {
        "auc": None,
        "auc_ci95": None,
    }  # no lesion head here: it has figures of its own
    (out / f"{set_name}_folds.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def learn(
    data: Path,
    start: Path,
    out: Path,
    epochs: int,
    say: Callable[[str], None],
    resume: bool,
    *,
    seed: int = 0,
    boundary: float = 0.0,
) -> None:
    """A last short cycle over all training pictures of every set, the one left out so far among them: what is shipped.

    It shows every set as often as the first training did: with a fold's few pictures of other sets, the network lost
    .005 of busbra's Dice on validation.
    """
    state = torch.load(start, map_location="cpu", weights_only=True)
    rows = [row for name in SETS for row in read_rows(data, name, "train")]
    samples = load(rows, SIZE + 32) + simulated(100_000, 60, 10, SIZE + 32, say)
    (left_out,) = state["plan"]["without"]
    plan = replace(plan_for(left_out, state["plan"]["encoder"], epochs), shares=((left_out, LEARNT),))
    plan = replace(plan, seed=seed, boundary=boundary)
    continued(plan, start, out, samples, say, resume)
