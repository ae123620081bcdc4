"""Five-fold: every region's answer by a head that learnt from nobody of its group, and the heads that are shipped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonovan.models.heads.lesions import WORDS
from training.folds import FOLDS, fold_of
from training.heads import Array
from training.lesions.figures import Figures, given_figures, head_figures, picture_auc, switched
from training.lesions.gather import Lesions
from training.lesions.learn import MALIGNANT, Line, Numbers, Space, calibrated, learn, wanted, words_of
from training.lesions.words import KEYS

ORIENTATION_LEAST = 0.8
"""A rule's answer is given from this probability on."""
BREAST_SETS = ("busi", "busbra", "breast")
TAUGHT = ("busi", "busbra")
"""Sets whose training split taught the trunk what is malignant."""


@dataclass(frozen=True)
class Answers:
    """part: the rows that know the word. logits: (N, words), each by a head of other folds. shares: calibrated."""

    part: Lesions
    truth: Numbers
    logits: Array
    shares: Array


def fold_numbers(lesions: Lesions) -> NDArray[np.int64]:
    """(N,) fold of each row by its group, as the trunk's five-fold figures have them."""
    names = [str(group).split("/", 1) for group in lesions.group]
    return np.array([fold_of(set_name, group) for set_name, group in names])


def judged_rows(lesions: Lesions) -> NDArray[np.bool_]:
    """One row per picture: the largest found region that meets its lesion, else the drawn mask."""
    chosen = np.zeros(len(lesions.how), np.bool_)
    best: dict[int, tuple[int, float, int]] = {}
    for row, (picture, how, area) in enumerate(zip(lesions.picture, lesions.how, lesions.area, strict=True)):
        rank = {"found": 2, "drawn": 1}.get(str(how), 0)
        if rank:
            best[int(picture)] = max(best.get(int(picture), (0, 0.0, -1)), (rank, float(area), row))
    chosen[[row for _, _, row in best.values()]] = True
    return chosen


def answers(space: Space, lesions: Lesions, key: str) -> Answers:
    """Five-fold answers of one head. Calibration is cross-fitted too: that of a fold is set on the others' answers."""
    part = lesions.where(wanted(lesions, key) >= 0)
    folds, read, truth = fold_numbers(part), space.read(part.values), wanted(part, key)
    logits = np.zeros((len(truth), words_of(key)), np.float32)
    for fold in range(FOLDS):
        own = folds == fold
        line = learn(space, part.where(~own), key)
        logits[own] = read[own] @ line.weights + line.offsets
    weights = _calibration_weights(part, key)
    shares = np.zeros_like(logits)
    for fold in range(FOLDS):
        own = folds == fold
        scale = _scale(logits, truth, np.where(own, 0, weights).astype(np.float32))
        shares[own] = scale.shares(logits[own])
    return Answers(part, truth, logits, shares)


def shipped(space: Space, found: Answers, key: str, taught: tuple[str, ...] = TAUGHT) -> Line:
    """The head that is shipped: learnt from all groups, calibrated on the five-fold answers."""
    whole = learn(space, found.part, key)
    scale = _scale(found.logits, found.truth, _calibration_weights(found.part, key, taught))
    return Line(whole.weights @ scale.weights, whole.offsets @ scale.weights + scale.offsets)


def on_taught(space: Space, lesions: Lesions, say: Callable[[str], None]) -> dict[str, Line]:
    """All heads for a trunk that has learnt from `breast` too: no figure of that set would be honest, none is made."""
    lines: dict[str, Line] = {}
    for key in (*KEYS, MALIGNANT):
        lines[key] = shipped(space, answers(space, lesions, key), key, BREAST_SETS)
        say(key)
    return lines


def train(
    space: Space, lesions: Lesions, say: Callable[[str], None]
) -> tuple[dict[str, Line], Figures, dict[str, float]]:
    """All heads, their five-fold figures over all groups outside test, and the settings that follow from them."""
    lines: dict[str, Line] = {}
    settings: dict[str, float] = {}
    heads: Figures = {}
    for key in KEYS:
        found = answers(space, lesions, key)
        rows = judged_rows(found.part)
        shares, truth = found.shares[rows], found.truth[rows]
        one = head_figures(shares, truth, [str(group) for group in found.part.group[rows]])
        settings[key] = switched(shares, truth, one)
        organ, name = key.split(".")
        heads[key] = one | {"words": list(WORDS[organ][name]), "setting": settings[key]}
        heads[key] |= given_figures(shares, truth, settings[key])
        lines[key] = shipped(space, found, key)
        say(f"{key}: {one['balanced_accuracy']} {one['balanced_accuracy_ci95']} setting {settings[key]}")
    found = answers(space, lesions, MALIGNANT)
    lines[MALIGNANT] = shipped(space, found, MALIGNANT)
    malignant = {name: malignant_figures(found, name) for name in BREAST_SETS}
    for name, one in malignant.items():
        say(f"malignant {name}: {one['picture']}")
    for organ, sets in (("breast", BREAST_SETS), ("thyroid", ("ddti",))):
        settings[f"{organ}.orientation_spread"] = _spread(lesions, sets)
        settings[f"{organ}.orientation"] = ORIENTATION_LEAST
    return lines, {"heads": heads, "malignant": malignant}, settings


def malignant_figures(found: Answers, name: str, split: str = "validation") -> Figures:
    """Of one breast set: that split, or all rows of `breast`, which the trunk has never seen."""
    own = found.part.set == name
    if name != "breast":
        own = own & (found.part.split == split)
    rows = own & judged_rows(found.part)
    figures = head_figures(found.shares[rows], found.truth[rows], [str(group) for group in found.part.group[rows]])
    return figures | {"picture": picture_auc(found.part, found.shares[:, 1], own)}


def _calibration_weights(part: Lesions, key: str, taught: tuple[str, ...] = TAUGHT) -> Array:
    """What probabilities are set on: judged rows; for `malignant` those whose diagnosis the trunk was not taught."""
    honest = judged_rows(part)
    if key == MALIGNANT:
        honest = honest & (~np.isin(part.set, taught) | (part.split == "validation"))
    return honest.astype(np.float32)


def _scale(logits: Array, truth: Numbers, weights: Array) -> Line:
    words = logits.shape[1]
    plain = Line(np.eye(words, dtype=np.float32), np.zeros(words, np.float32))
    return calibrated(plain, logits, truth, weights)


def _spread(lesions: Lesions, sets: tuple[str, ...]) -> float:
    """Standard deviation of log(height/width) of found outlines against drawn ones, robust, outside training."""
    own = np.isin(lesions.set, sets) & ((lesions.split == "validation") | (lesions.set == "breast"))
    drawn = {int(lesions.picture[row]): lesions.tall[row] for row in np.flatnonzero(own & (lesions.how == "drawn"))}
    rows = np.flatnonzero(own & (lesions.how == "found"))
    apart = [abs(float(lesions.tall[row] - drawn[int(lesions.picture[row])])) for row in rows]
    return round(float(1.4826 * np.median(apart)), 4) if apart else 0.2
