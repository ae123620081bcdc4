"""`python -m training cheaper`: what the trunk would lose, and save, with a smaller input or fewer layers.

Each trial is the network as it was trained, changed in one place and not trained again: other input sides, each
residual block of the encoder left out, the weakest channels of the decoder silent. Measured on validation pictures, of
the picture alone, without companions.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from sonovan.models.evaluation.index import INDEX, SETS, read_rows
from sonovan.models.evaluation.score import evaluate
from sonovan.models.registry import Entry
from sonovan.models.segmenter import Segmenter
from training.folds import TorchRunner
from training.network import SIZE, LesionNet

SIDES = (192, 224, 288)
DECODER_SHARES = (0.1, 0.25)


@dataclass(frozen=True)
class Trial:
    """What was changed, and the Dice per set and the time of one picture relative to the network as it is."""

    name: str
    dice: dict[str, float]
    time: float


def variants(network: LesionNet) -> Iterator[tuple[str, LesionNet, int]]:
    """The network as it is, then changed: what was done, the network, the side of its input."""
    yield "as it is", network, SIZE
    for side in SIDES:
        yield f"input of {side} pixels", network, side
    for number, block in enumerate(network.blocks):
        if block.residual:
            changed = copy.deepcopy(network)
            changed.blocks[number] = nn.Identity()
            yield f"without block {number} of {len(network.blocks)}", changed, SIZE
    for share in DECODER_SHARES:
        yield f"{share:.0%} of the decoder's channels silent", silenced(network, share), SIZE


def silenced(network: LesionNet, share: float) -> LesionNet:
    """A copy in which the channels with the smallest scale after each of the decoder's norms say nothing.

    They are zero, not gone: the time is that of the whole network. Liu et al., ICCV 2017 (arXiv 1708.06519).
    """
    changed = copy.deepcopy(network)
    with torch.no_grad():
        for part in changed.ups.modules():
            if isinstance(part, nn.BatchNorm2d):
                weakest = part.weight.abs().argsort()[: int(share * len(part.weight))]
                part.weight[weakest] = 0
                part.bias[weakest] = 0
    return changed


def try_variants(network: LesionNet, entry: Entry, data: Path, say: Callable[[str], None]) -> list[Trial]:
    """All trials, each as a row of a Markdown table that is said as soon as it is known."""
    present = [name for name in SETS if (data / name / INDEX).is_file()]
    rows = [row for name in present for row in read_rows(data, name, "validation")]
    trials: list[Trial] = []
    whole = network
    for name, changed, side in variants(network):
        letterboxed = entry.input.model_copy(update={"rows": side, "columns": side})
        area = round(entry.min_area_px * (side / SIZE) ** 2)
        alone: dict[str, object] = {"companions": {}, "mirror_from": None}
        own = entry.model_copy(update={"input": letterboxed, "min_area_px": area, **alone})
        scores = evaluate(Segmenter(own, TorchRunner(changed)), rows)
        found: dict[str, list[float]] = {}
        for row, score in zip(rows, scores, strict=True):
            if score.dice is not None:
                found.setdefault(row.set, []).append(score.dice)
        dice = {key: float(np.mean(values)) for key, values in found.items()}
        trials.append(Trial(name, dice, relative_time(changed, side, whole)))
        if len(trials) == 1:
            say(f"| changed | {' | '.join(dice)} | time |\n|---|{'---|' * (len(dice) + 1)}")
        first = trials[0].dice
        told = [f"{dice[key]:.4f}" if len(trials) == 1 else f"{dice[key] - first[key]:+.4f}" for key in dice]
        say(f"| {name} | {' | '.join(told)} | {trials[-1].time:.2f} |")
    return trials


def relative_time(network: LesionNet, side: int, whole: LesionNet, rounds: int = 7) -> float:
    """Time of one picture of `side` against one of SIZE in the whole network, alternating, median of the rounds."""
    ratios = []
    with torch.inference_mode():
        for _ in range(rounds):
            spent = []
            for one, pixels in ((network, side), (whole, SIZE)):
                frames = torch.zeros(1, 1, pixels, pixels).contiguous(memory_format=torch.channels_last)
                started = time.perf_counter()
                one(frames)
                spent.append(time.perf_counter() - started)
            ratios.append(spent[0] / spent[1])
    return statistics.median(ratios)
