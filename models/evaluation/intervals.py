"""Means, shares, areas under the curve and rank correlations with 95 % intervals, drawing whole groups.

Pictures of one woman are not independent, so the bootstrap draws groups, never pictures. Draws are seeded: the same
figures have the same interval.
Source: Field & Welsh, J R Stat Soc B 69:369 (2007), the cluster bootstrap.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

DRAWS: Final = 2000
SEED: Final = 0
Ci95 = list[float]


def ratio_ci95(numerators: Sequence[float], denominators: Sequence[float], groups: Sequence[str]) -> Ci95 | None:
    """The interval of sum(numerators) / sum(denominators); of a mean where every denominator is 1.

    None where the groups are not known (`""`) or there is but one, or no draw has a denominator.
    """
    drawn = _draws(groups)
    if drawn is None:
        return None
    number, times = drawn
    above = np.bincount(number, np.asarray(numerators, np.float64), times.shape[1])
    below = np.bincount(number, np.asarray(denominators, np.float64), times.shape[1])
    totals = times @ below
    return _percentiles((times @ above)[totals > 0] / totals[totals > 0])


def auc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """The probability that a positive has a higher score than a negative, ties counting half; None without either.

    Source: Hanley & McNeil, Radiology 143:29 (1982).
    """
    ranks, known = _ranks(scores), np.asarray(positive, np.bool_)
    value = _area(ranks, known, np.ones(len(ranks)))
    return None if np.isnan(value) else value


def auc_ci95(scores: Sequence[float], positive: Sequence[bool], groups: Sequence[str]) -> Ci95 | None:
    """The interval of `auc`; draws without one of both classes are left out. None as `ratio_ci95` says."""
    drawn = _draws(groups)
    if drawn is None:
        return None
    number, times = drawn
    ranks, known = _ranks(scores), np.asarray(positive, np.bool_)
    areas = np.array([_area(ranks, known, weights[number]) for weights in times])
    return _percentiles(areas[~np.isnan(areas)])


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """How far two lists order the same things alike, -1 to 1; equals share their ranks. None where one never varies.

    Source: Spearman, Am J Psychol 15:72 (1904).
    """
    value = _correlation(np.asarray(one, np.float64), np.asarray(other, np.float64))
    return None if np.isnan(value) else value


def rank_correlation_ci95(one: Sequence[float], other: Sequence[float], groups: Sequence[str]) -> Ci95 | None:
    """The interval of `rank_correlation`; draws in which one list never varies are left out. None as `ratio_ci95`."""
    drawn = _draws(groups)
    if drawn is None:
        return None
    number, times = drawn
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    places = np.arange(len(first))
    picked = (np.repeat(places, counts[number].astype(np.intp)) for counts in times)
    values = np.array([_correlation(first[each], second[each]) for each in picked])
    return _percentiles(values[~np.isnan(values)])


def _draws(groups: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.float64]] | None:
    """The number of each picture's group, and how often each draw holds each group (DRAWS, groups)."""
    if not any(groups):
        return None
    named = [group or f"\0{place}" for place, group in enumerate(groups)]  # a picture without a group is its own
    names, number = np.unique(named, return_inverse=True)
    if len(names) < 2:  # every draw would be the same
        return None
    picks = np.random.default_rng(SEED).integers(0, len(names), (DRAWS, len(names)))
    cells = picks + np.arange(DRAWS)[:, None] * len(names)
    times = np.bincount(cells.ravel(), minlength=DRAWS * len(names)).reshape(DRAWS, len(names))
    return np.asarray(number, np.intp), times.astype(np.float64)


def _percentiles(values: NDArray[np.float64]) -> Ci95 | None:
    if values.size == 0:
        return None
    low, high = np.percentile(values, (2.5, 97.5))
    return [round(float(low), 4), round(float(high), 4)]


def _ranks(scores: Sequence[float]) -> NDArray[np.intp]:
    return np.asarray(np.unique(np.asarray(scores, np.float64), return_inverse=True)[1], np.intp)


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    first, second = _mean_ranks(one), _mean_ranks(other)
    if first.size == 0 or not (first.std() and second.std()):
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _mean_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place], np.float64)


def _area(ranks: NDArray[np.intp], positive: NDArray[np.bool_], weights: NDArray[np.float64]) -> float:
    count = int(ranks.max()) + 1 if ranks.size else 0
    above = np.bincount(ranks[positive], weights[positive], count)
    below = np.bincount(ranks[~positive], weights[~positive], count)
    pairs = float(above.sum() * below.sum())
    if pairs == 0:
        return float("nan")
    return float((above * (np.cumsum(below) - below / 2)).sum()) / pairs
