"""Whether a window of screenings looks like the reference: Kolmogorov and Smirnov's test, feature by feature.

Each screening gives one figure to each feature, so that frames of one woman, which are alike, count once. Windows do
not overlap: each screening is tested once. Screenings of one day are alike for reasons of the day: a window counts for
as many independent screenings as it is worth, judged by the days of the reference (`days.worth`). A window is tested on
up to seven features, each at a seventh of the rate (Bonferroni), so that a window of a plain stream drifts in at most
RATE of the cases, however the features hang together. Sources: Smirnov, Ann Math Stat 19:279 (1948); the correction for
small numbers, Stephens, J R Stat Soc B 32:115 (1970); psi, Siddiqi, Credit Risk Scorecards (2006), chapter 9.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from sonovan.clinical.quality.days import share_of_days, worth
from sonovan.contracts.quality import FEATURES, Drift, Feature, Flagged, LookAt

WINDOW: Final = 100
"""Screenings of a window."""
REFERENCE_WINDOWS: Final = 4
"""The first so many windows of a scanner on a van, with one network, are what the later ones are held against."""
RATE: Final = 0.01
"""Of windows of a plain stream, at most this share is called drifted."""
LEAST_SHARE: Final = 0.3
"""A feature is tested where at least this share of a window's screenings has it."""
PSI_BINS: Final = 10
CENTRAL: Final = 0.995
"""A screening outside this central share of the reference, in any feature, is flagged."""
LOW_PREDICTED: Final = 0.6
"""Below it lie 16 of 47 bad outlines and 5 of 403 good ones of the validation sets (docs/accuracy.md)."""

Values = Mapping[Feature, Sequence[float]]
"""By feature, one figure of each screening that has it."""

Days = Mapping[Feature, Sequence[int]]
"""By feature, the day of each screening that has it, in the order of its `Values`."""


@dataclass(frozen=True, slots=True)
class DriftBounds:
    """The size of windows, how many of them are the reference, and the rate of false alarms of a window."""

    window: int = WINDOW
    reference_windows: int = REFERENCE_WINDOWS
    rate: float = RATE


USUAL: Final = DriftBounds()


def compare(
    reference: Values, window: Values, bounds: DriftBounds = USUAL, days: tuple[Days, Days] | None = None
) -> tuple[Drift, ...]:
    """Each feature of a full window against the reference; without those that too few screenings have.

    days: of the reference's screenings and of the window's; where they are not known, each screening counts for itself.
    """
    least = max(2, round(LEAST_SHARE * bounds.window))
    found = []
    for feature in FEATURES:
        before, now = reference.get(feature, ()), window.get(feature, ())
        if min(len(before), len(now)) < least:
            continue
        distance = ks_distance(before, now)
        counted = _worth(before, now, None if days is None else (days[0].get(feature, ()), days[1].get(feature, ())))
        critical = ks_critical(*counted, bounds.rate / len(FEATURES))
        low, middle, high = np.percentile(before, (25, 50, 75))
        found.append(
            Drift(
                feature=feature,
                reference_screenings=len(before),
                screenings=len(now),
                independent=counted[1],
                reference_median=_short(middle),
                low=_short(low),
                high=_short(high),
                median=_short(float(np.median(now))),
                distance=round(distance, 4),
                critical=round(critical, 4),
                psi=round(psi(before, now), 4),
                drifted=distance > critical,
            )
        )
    return tuple(found)


def drift_code(feature: Feature) -> str:
    """What a fault calls a feature that drifted; its figure is by how much the median has moved."""
    return f"drift_{feature}"


def ks_distance(one: Sequence[float], other: Sequence[float]) -> float:
    """The largest difference of two empirical distributions, 0 to 1."""
    first, second = np.sort(np.asarray(one, np.float64)), np.sort(np.asarray(other, np.float64))
    places = np.concatenate([first, second])
    shares = [np.searchsorted(each, places, side="right") / len(each) for each in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())


def _worth(
    before: Sequence[float], now: Sequence[float], days: tuple[Sequence[int], Sequence[int]] | None
) -> tuple[float, float]:
    """As how many independent screenings those of the reference and of the window count."""
    if days is None or (len(days[0]), len(days[1])) != (len(before), len(now)):
        return len(before), len(now)
    share = share_of_days(before, days[0])
    return round(worth(days[0], share), 1), round(worth(days[1], share), 1)


def ks_p(distance: float, one: float, other: float) -> float:
    """How often two samples of so many, of one distribution, lie further apart; too large where values repeat."""
    root = math.sqrt(one * other / (one + other))
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.2:  # the series converges slowly there, and the value is 1 to nine digits
        return 1.0
    terms = (2 * (-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return min(1.0, max(0.0, math.fsum(terms)))


@lru_cache(maxsize=4096)
def ks_critical(one: float, other: float, rate: float) -> float:
    """The distance that two samples of so many, of one distribution, exceed in `rate` of the cases."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if ks_p(middle, one, other) > rate else (low, middle)
    return high


def psi(reference: Sequence[float], window: Sequence[float]) -> float:
    """The population stability index over tenths of the reference; 0 where they are alike.

    Half a screening is added to each tenth, so that an empty one is no infinity. With 100 screenings against 400 it is
    .11 in the mean where nothing drifted: it says how much, and tests nothing.
    """
    edges = np.unique(np.quantile(np.asarray(reference, np.float64), np.linspace(0, 1, PSI_BINS + 1)[1:-1]))
    shares = []
    for values in (reference, window):
        counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1) + 0.5
        shares.append(counts / counts.sum())
    return max(0.0, float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum()))


def central(reference: Values) -> dict[Feature, tuple[float, float]]:
    """By feature, the bounds of the CENTRAL share of the reference's screenings."""
    edge = (1 - CENTRAL) / 2
    return {
        feature: (float(low), float(high))
        for feature, values in reference.items()
        if len(values)
        for low, high in [np.quantile(values, (edge, 1 - edge))]
    }


def flags_of(
    screening_id: str, values: Mapping[Feature, float], look_at: LookAt, usual: Mapping[Feature, tuple[float, float]]
) -> list[Flagged]:
    """Why somebody should look at a screening: little is expected of an outline, or it is like next to none before.

    usual: what `central` gives, empty as long as there is no reference. look_at: where to look.
    """
    place = {"screening_id": screening_id, "sequence_id": look_at.sequence_id, "frame_index": look_at.frame_index}
    found = []
    if look_at.predicted is not None and look_at.predicted < LOW_PREDICTED:
        found.append(Flagged(**place, because="predicted_low", feature="predicted", value=look_at.predicted))
    for feature in FEATURES:
        if feature in values and feature in usual:
            low, high = usual[feature]
            if not low <= values[feature] <= high:
                found.append(Flagged(**place, because="outside_reference", feature=feature, value=values[feature]))
    return found


def _short(value: float) -> float:
    return float(f"{value:.5g}")
