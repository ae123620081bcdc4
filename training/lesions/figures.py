"""How good a head's answers are, with intervals over groups, and whether it is switched on for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.intervals import DRAWS, SEED, auc, auc_ci95, ratio_ci95
from training.heads import Array
from training.lesions.gather import Lesions
from training.lesions.learn import Numbers

Figures = dict[str, Any]
BINS = 5
SURE = 0.75
"""A value is given where those that are as probable are right this often, on pictures not learnt from."""


def head_figures(shares: Array, truth: Numbers, groups: list[str]) -> Figures:
    """Balanced accuracy, AUC (one against the rest, mean over words), calibration error; the prior beside them.

    shares: (N, words); truth: (N,), all known. Calibration error: of the likeliest word, five bins of equal count.
    Source: Guo et al., ICML 2017.
    """
    said = shares.argmax(1)
    words = shares.shape[1]
    prior = np.bincount(truth, minlength=words) / len(truth)
    sure, right = shares.max(1), (said == truth).astype(np.float64)
    balanced = _bootstrapped(lambda rows: _balanced(said[rows], truth[rows], words), groups)
    found: Figures = {
        "n": len(truth), "groups": len(set(groups)), "prior": [round(float(one), 4) for one in prior],
        "chance": round(1 / words, 4), "balanced_accuracy": round(_balanced(said, truth, words), 4),
        "balanced_accuracy_ci95": balanced, "accuracy": round(float(right.mean()), 4),
        "accuracy_ci95": ratio_ci95(list(right), [1.0] * len(right), groups),
        "calibration_error": round(_calibration(sure, right), 4),
        "calibration_error_ci95": _bootstrapped(lambda rows: _calibration(sure[rows], right[rows]), groups),
    }  # fmt: skip
    areas = [
        auc([float(one) for one in shares[:, word]], [bool(one) for one in truth == word]) for word in range(words)
    ]
    known = [area for area in areas if area is not None]
    found["auc"] = round(float(np.mean(known)), 4) if known else None
    found["auc_ci95"] = (
        auc_ci95([float(one) for one in shares[:, 1]], [bool(one) for one in truth == 1], groups)
        if words == 2
        else _bootstrapped(lambda rows: _mean_auc(shares[rows], truth[rows]), groups, 300)
    )
    return found


def switched(shares: Array, truth: Numbers, found: Figures) -> float:
    """The setting of a head: 0 is off, else the probability from which its value is given.

    Off where the interval of its balanced accuracy does not lie above chance, or its probabilities say no more than
    the prior does (log loss). On: the least probability from which `SURE` of the values given are right, among those
    that leave at least a tenth; a head that never is so right is off too.
    """
    low = found["balanced_accuracy_ci95"]
    prior = np.asarray(found["prior"])
    mine = -np.log(np.maximum(shares[np.arange(len(truth)), truth], 1e-6)).mean()
    theirs = -np.log(np.maximum(prior[truth], 1e-6)).mean()
    if low is None or low[0] <= found["chance"] or mine >= theirs:
        return 0.0
    sure, right = shares.max(1), shares.argmax(1) == truth
    for least in np.arange(round(1 / shares.shape[1], 2), 0.96, 0.01):
        given = sure >= least
        if given.mean() < 0.1:
            return 0.0
        if right[given].mean() >= SURE:
            return round(float(least), 2)
    return 0.0


def given_figures(shares: Array, truth: Numbers, least: float) -> Figures:
    """Of values that are given: how many, and how many of them are right, by word."""
    if least <= 0:
        return {"given": 0.0, "right": None, "by_word": {}}
    given, said = shares.max(1) >= least, shares.argmax(1)
    right = said == truth
    words = {
        str(word): [int((given & (said == word)).sum()), int((given & right & (said == word)).sum())]
        for word in range(shares.shape[1])
    }
    share = round(float(right[given].mean()), 4) if given.any() else None
    return {"given": round(float(given.mean()), 4), "right": share, "by_word": words}


def picture_auc(lesions: Lesions, malignant: Array, rows: NDArray[np.bool_]) -> Figures:
    """As `models evaluate` has it: highest score of a picture's found regions, 0 where none was found."""
    scores: dict[int, float] = {}
    truth: dict[int, bool] = {}
    groups: dict[int, str] = {}
    for row in np.flatnonzero(rows):
        picture = int(lesions.picture[row])
        truth[picture], groups[picture] = bool(lesions.malignant[row] == 1), str(lesions.group[row])
        score = float(malignant[row]) if lesions.how[row] in ("found", "false") else 0.0
        scores[picture] = max(scores.get(picture, 0.0), score)
    order = sorted(scores)
    values, positive = [scores[one] for one in order], [truth[one] for one in order]
    area = auc(values, positive)
    ci95 = auc_ci95(values, positive, [groups[one] for one in order])
    return {"n": len(order), "malignant": sum(positive), "auc": area and round(area, 4), "auc_ci95": ci95}


def _balanced(said: Numbers, truth: Numbers, words: int) -> float:
    hits = [float((said[truth == word] == word).mean()) for word in range(words) if (truth == word).any()]
    return float(np.mean(hits))


def _calibration(sure: Array, right: NDArray[np.float64]) -> float:
    order = np.argsort(sure, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if part.size]
    gaps = [part.size * abs(float(sure[part].mean()) - float(right[part].mean())) for part in parts]
    return sum(gaps) / len(sure)


def _mean_auc(shares: Array, truth: Numbers) -> float:
    areas = [auc(list(shares[:, word]), list(truth == word)) for word in range(shares.shape[1])]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else float("nan")


def _bootstrapped(value: Callable[[NDArray[np.intp]], float], groups: list[str], draws: int = DRAWS) -> list[float]:
    """95 % interval of a figure of rows, drawing whole groups."""
    names, number = np.unique(groups, return_inverse=True)
    rows_of = [np.flatnonzero(number == one) for one in range(len(names))]
    chance = np.random.default_rng(SEED)
    values = [
        value(np.concatenate([rows_of[one] for one in chance.integers(0, len(names), len(names))]))
        for _ in range(draws)
    ]
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return [round(float(low), 4), round(float(high), 4)]
