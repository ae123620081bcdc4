"""Linear heads on a region's numbers: logistic, heavily penalised, the penalty chosen inside the training groups.

BrEaST has 134 women outside test, so nothing larger than a line can be learnt from it; for `malignant`, too, small
networks did no better. The trunk was taught the diagnosis of the training pictures of BUSI and BUS-BRA, so that its
probability is set on pictures that the trunk has not learnt from.
Sources: Platt, Advances in Large Margin Classifiers (1999); Guo et al., ICML 2017 (arXiv 1706.04599), temperature.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sonovan.models.heads.lesions import WORDS
from sonovan.models.heads.region_vector import PLAIN
from training.heads import Array
from training.lesions.gather import Lesions
from training.lesions.words import KEYS

AXES = 128
PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
INNER = 3
HOW = {"drawn": 1.0, "varied": 0.5, "found": 1.0}
"""Weight of a mask by where it comes from; others weigh nothing."""
FALSE = 0.5
"""Weight, for `malignant` alone, of a found region that meets no lesion: whatever it is, it is no malignant one."""
MALIGNANT = "malignant"
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Space:
    """Where heads live: (F,) mean and scale, (F - PLAIN, AXES) axes of the features; the plain numbers as they are."""

    mean: Array
    scale: Array
    axes: Array

    def read(self, values: Array) -> Array:
        """(N, AXES + PLAIN) float32, each of about unit variance at most."""
        standard = np.clip((values - self.mean) / self.scale, -5, 5)
        return np.concatenate([standard[:, :-PLAIN] @ self.axes, standard[:, -PLAIN:]], 1).astype(np.float32)


@dataclass(frozen=True)
class Line:
    """One head: (inputs, words) weights and (words,) offsets; probabilities are softmax of their sum / temperature."""

    weights: Array
    offsets: Array
    temperature: float = 1.0

    def shares(self, read: Array) -> Array:
        """(N, words) probabilities."""
        logits = torch.from_numpy((read @ self.weights + self.offsets) / self.temperature)
        return np.asarray(torch.softmax(logits, 1).numpy(), np.float32)


def space_of(values: Array) -> Space:
    """The space that a set of regions spans, whatever they are."""
    mean, scale = values.mean(0), values.std(0) + 1e-3
    standard = np.clip((values - mean) / scale, -5, 5)[:, :-PLAIN]
    _, spread, axes = np.linalg.svd(standard - standard.mean(0), full_matrices=False)
    kept = axes[:AXES].T / (spread[0] / np.sqrt(len(values)))  # the first axis has unit variance, the others less
    return Space(mean.astype(np.float32), scale.astype(np.float32), kept.astype(np.float32))


def wanted(lesions: Lesions, key: str) -> Numbers:
    """(N,) the word's number that is true, -1 where unknown."""
    if key == MALIGNANT:
        return np.where((lesions.how == "false") & (lesions.malignant > 0), 0, lesions.malignant).astype(np.int64)
    return lesions.words[:, KEYS.index(key)].astype(np.int64)


def words_of(key: str) -> int:
    """How many values a head has."""
    return 2 if key == MALIGNANT else len(WORDS[key.split(".")[0]][key.split(".")[1]])


def weights_of(lesions: Lesions, truth: Numbers, key: str) -> Array:
    """Pictures weigh alike whatever masks they have, words by the root of how often they come, unknown ones nothing."""
    how = HOW | {"false": FALSE} if key == MALIGNANT else HOW
    weights = np.array([how.get(str(one), 0.0) for one in lesions.how], np.float64) * (truth >= 0)
    total = np.bincount(lesions.picture, weights)
    weights /= np.maximum(total[lesions.picture], 1e-9)
    for word in range(words_of(key)):
        own = truth == word
        weights[own] /= np.sqrt(max(weights[own].sum(), 1e-9))
    return np.asarray(weights / max(weights.sum(), 1e-9), np.float32)


def fit(read: Array, truth: Numbers, weights: Array, words: int, penalty: float) -> Line:
    """Multinomial logistic regression with a squared penalty on the weights, not on the offsets."""
    known = weights > 0
    x, y, w = (torch.from_numpy(part[known]) for part in (read, truth, weights))
    line, offset = torch.zeros(read.shape[1], words, requires_grad=True), torch.zeros(words, requires_grad=True)
    optimiser = torch.optim.LBFGS([line, offset], max_iter=40, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        each = functional.cross_entropy(x @ line + offset, y, reduction="none")
        total = (each * w).sum() + penalty * (line * line).sum() / 2
        total.backward()
        return total

    optimiser.step(loss)
    return Line(line.detach().numpy(), offset.detach().numpy())


def best_penalty(read: Array, lesions: Lesions, truth: Numbers, key: str) -> float:
    """The penalty with the least loss over inner folds of groups, found masks judged where there are any."""
    weights = weights_of(lesions, truth, key)
    part = np.array([_fold(str(group)) for group in lesions.group])
    losses = np.zeros(len(PENALTIES))
    judged = weights * np.isin(lesions.how, ("drawn", "found"))
    for number in range(INNER):
        held = part == number
        if not (judged[held] > 0).any() or len(set(truth[~held & (truth >= 0)])) < words_of(key):
            continue
        for place, penalty in enumerate(PENALTIES):
            line = fit(read[~held], truth[~held], weights[~held], words_of(key), penalty)
            shares = line.shares(read[held])
            known = judged[held] > 0
            right = shares[known, truth[held][known]]
            losses[place] += float(-(np.log(np.maximum(right, 1e-6)) * judged[held][known]).sum())
    return PENALTIES[int(losses.argmin())]


def learn(space: Space, lesions: Lesions, key: str) -> Line:
    """A head from all rows that know the word; not yet calibrated."""
    read, truth = space.read(lesions.values), wanted(lesions, key)
    penalty = best_penalty(read, lesions, truth, key)
    return fit(read, truth, weights_of(lesions, truth, key), words_of(key), penalty)


def calibrated(line: Line, read: Array, truth: Numbers, weights: Array) -> Line:
    """The line with temperature and offsets set on other pictures than those it learnt from (Platt for two words)."""
    logits = torch.from_numpy((read @ line.weights + line.offsets).astype(np.float32))
    known = torch.from_numpy((truth >= 0) & (weights > 0))
    y, w = torch.from_numpy(truth)[known], torch.from_numpy(weights)[known]
    slope, shift = torch.zeros(1, requires_grad=True), torch.zeros(line.offsets.size, requires_grad=True)
    optimiser = torch.optim.LBFGS([slope, shift], max_iter=80, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        each = functional.cross_entropy(logits[known] * torch.exp(slope) + shift, y, reduction="none")
        total = (each * w).sum() / w.sum() + 0.003 * (shift * shift).sum() + 0.003 * (slope * slope).sum()
        total.backward()
        return total

    optimiser.step(loss)
    scale = float(torch.exp(slope.detach()))
    return Line(line.weights * scale, line.offsets * scale + shift.detach().numpy())


class LesionHeads(nn.Module):
    """(N, F) → `malignant` (N, 1), then `organ.descriptor` (N, words) for each of KEYS, probabilities."""

    def __init__(self, space: Space, lines: dict[str, Line]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(space.mean))
        self.register_buffer("scale", torch.from_numpy(space.scale))
        self.register_buffer("axes", torch.from_numpy(space.axes))
        self.lines = nn.ModuleDict()
        for key, line in lines.items():
            part = nn.Linear(*line.weights.shape)
            part.weight = nn.Parameter(torch.from_numpy(np.ascontiguousarray(line.weights.T)) / line.temperature)
            part.bias = nn.Parameter(torch.from_numpy(line.offsets) / line.temperature)
            self.lines[key.replace(".", "_")] = part

    def forward(self, values: Tensor) -> tuple[Tensor, ...]:
        standard = torch.clamp((values - self.mean) / self.scale, -5, 5)
        read = torch.cat([standard[:, :-PLAIN] @ self.axes, standard[:, -PLAIN:]], 1)
        shares = [torch.softmax(self.lines[key.replace(".", "_")](read), 1) for key in (MALIGNANT, *KEYS)]
        return shares[0][:, 1:], *shares[1:]


def _fold(group: str) -> int:
    return int(hashlib.sha256(f"inner/{group}".encode()).hexdigest(), 16) % INNER
