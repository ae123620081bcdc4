"""Agreement on words beyond what chance would give: Cohen's kappa of two readers, Fleiss' of more, each with an
interval.

Pictures of one woman are not independent, so the bootstrap draws groups, as every interval of this project does.
Sources: Cohen, Educational and Psychological Measurement 20:37 (1960); Fleiss, Psychological Bulletin 76:378 (1971),
with a number of readers of its own for each picture: Fleiss, Levin & Paik, Statistical Methods for Rates and
Proportions, 3rd ed., section 18.3 (2003).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.intervals import Ci95

Counts = NDArray[np.float64]
_Agreements = Callable[[Counts, Counts], tuple[Counts, Counts]]
CERTAIN: Final = 1 - 1e-12
DRAWS: Final = 2000
SEED: Final = 0


@dataclass(frozen=True)
class Kappa:
    """n: pictures that count. agreement: the share on which readers agree. ci95 is None with fewer than two groups.

    kappa is None where nothing can be told from chance: there are no pictures, or only one word was ever chosen.
    """

    n: int
    agreement: float | None
    kappa: float | None
    ci95: Ci95 | None


def cohen(one: Sequence[str], other: Sequence[str], groups: Sequence[str]) -> Kappa:
    """Two readers' words of the same pictures, in the same order. groups: of the pictures, "" where nobody says."""
    words = sorted({*one, *other})
    counts = np.zeros((len(one), len(words), len(words)))
    for place, (first, second) in enumerate(zip(one, other, strict=True)):
        counts[place, words.index(first), words.index(second)] = 1
    return _kappa(counts, groups, _cohen)


def fleiss(chosen: Sequence[Sequence[str]], groups: Sequence[str]) -> Kappa:
    """The words that readers chose for each picture, of any number of readers; those of one reader do not count."""
    kept = [place for place, each in enumerate(chosen) if len(each) > 1]
    words = sorted({word for place in kept for word in chosen[place]})
    counts = np.array([[chosen[place].count(word) for word in words] for place in kept], np.float64)
    return _kappa(counts.reshape(len(kept), len(words)), [groups[place] for place in kept], _fleiss)


def _cohen(counts: Counts, times: Counts) -> tuple[Counts, Counts]:
    """Observed and expected agreement of each draw. times: (draws, pictures), how often each picture counts."""
    words = counts.shape[1]
    table = (times @ counts.reshape(len(counts), -1)).reshape(-1, words, words)
    total = table.sum((1, 2))
    return np.trace(table, axis1=1, axis2=2) / total, (table.sum(1) * table.sum(2)).sum(1) / total**2


def _fleiss(counts: Counts, times: Counts) -> tuple[Counts, Counts]:
    readers = counts.sum(1)
    pairs = ((counts**2).sum(1) - readers) / (readers * (readers - 1))
    shares = times @ counts / (times @ readers)[:, None]
    return times @ pairs / times.sum(1), (shares**2).sum(1)


def _kappa(counts: Counts, groups: Sequence[str], agreements: _Agreements) -> Kappa:
    n = len(counts)
    if n == 0:
        return Kappa(0, None, None, None)
    observed, expected = (float(each[0]) for each in agreements(counts, np.ones((1, n))))
    if expected > CERTAIN:
        return Kappa(n, round(observed, 4), None, None)
    named = [group or f"\0{place}" for place, group in enumerate(groups)]
    names, number = np.unique(named, return_inverse=True)
    bounds = None
    if len(names) > 1:
        picks = np.random.default_rng(SEED).integers(0, len(names), (DRAWS, len(names)))
        cells = picks + np.arange(DRAWS)[:, None] * len(names)
        times = np.bincount(cells.ravel(), minlength=DRAWS * len(names)).reshape(DRAWS, len(names))[:, number]
        seen, chance = agreements(counts, times.astype(np.float64))
        told = chance <= CERTAIN  # a draw of one word alone says nothing
        if told.any():
            drawn = (seen[told] - chance[told]) / (1 - chance[told])
            bounds = [round(float(each), 4) for each in np.percentile(drawn, (2.5, 97.5))]
    return Kappa(n, round(observed, 4), round((observed - expected) / (1 - expected), 4), bounds)
