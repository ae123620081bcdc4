"""How many independent screenings so many screenings are worth, where those of one day are alike.

Gain, preset, operator and village are those of a day. With a share of the variance between days, means and
distributions of a window scatter as those of fewer screenings do; a test that counts each for itself finds a drift in
any two weeks. Sources: the share and its bounds, Searle, Casella & McCulloch, Variance Components (1992), section 3.6;
the number that screenings are worth, Kish, Survey Sampling (1965), section 5.4, with the mean size of a day's group as
its members see it; the quantile, Wilson & Hilferty, PNAS 17:684 (1931).
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

CERTAINTY_Z: Final = 0.524
"""The share that counts is one that the true one exceeds in three of ten cases: standard deviations of a normal.
Chosen on simulated days of one scanner's pictures (docs/decisions/0117)."""


def share_of_days(values: Sequence[float], days: Sequence[int], certainty_z: float = CERTAINTY_Z) -> float:
    """The share of the variance of ranks that lies between days, 0 to 1, as large as it may be.

    Ranks, for what is compared are distributions: a day that moves the many who lie close together moves those, however
    far a few lie from them. values: of screenings. days: which day each is of, any number that is the same for one day.
    Where there is a single day nothing tells it from the screenings: 1. Where no two screenings are of one day: 0.
    """
    (_, day), figures = np.unique(np.asarray(days), return_inverse=True), _ranks(values)
    counts = np.bincount(day)
    groups, many = len(counts), len(figures)
    if groups == many:
        return 0.0
    if groups < 2:
        return 1.0
    means = np.bincount(day, weights=figures) / counts
    between = float((counts * (means - figures.mean()) ** 2).sum()) / (groups - 1)
    within = float(((figures - means[day]) ** 2).sum()) / (many - groups)
    if within == 0:
        return 0.0 if between == 0 else 1.0
    usual = (many - float((counts**2).sum()) / many) / (groups - 1)
    ratio = between / within / _low_quantile(groups - 1, certainty_z)
    return min(1.0, max(0.0, (ratio - 1) / (ratio - 1 + usual)))


def worth(days: Sequence[int], share: float) -> float:
    """How many independent screenings these are worth: their number for a share of 0, that of days for one of 1 where
    all days have as many."""
    _, counts = np.unique(np.asarray(days), return_counts=True)
    many = len(days)
    return many / (1 + (float((counts**2).sum()) / many - 1) * share)


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """The place of each value among all, equal ones at the middle of their places."""
    _, place, counts = np.unique(np.asarray(values, np.float64), return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[place], np.float64)


def _low_quantile(freedom: int, certainty_z: float) -> float:
    """Below this lies the ratio of variances, where days differ by nothing, as often as a normal lies below
    -certainty_z: of chi square over its degrees of freedom, since screenings within days are many."""
    part = 2 / (9 * freedom)
    return float(max(1e-9, 1 - part - certainty_z * math.sqrt(part)) ** 3)
