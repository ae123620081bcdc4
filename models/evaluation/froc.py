"""FROC: how many of the lesions are found at so many false positives per scan, with intervals that draw whole scans.

A scan is one sweep, or what else is read as a whole. A candidate is what a reader would be shown once: a track for a
sequence, a cluster of outlines for single frames. It hits a lesion where, on a frame at least, its centre lies inside
the lesion's true outline. A second candidate on a lesion that was hit already counts neither for nor against. All
others are false positives, those of scans without any lesion too. At every threshold the candidates that score as high
are shown; between two thresholds nothing is interpolated.
Source: Chakraborty & Winter, Radiology 174:873 (1990); the step rule and the bootstrap by scan are those of LUNA16
(Setio et al., Medical Image Analysis 42:1, 2017), without its interpolation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.intervals import DRAWS, SEED

AT: Final = (0.1, 0.2, 0.5)
"""False positives per scan at which sensitivity is told."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate of a scan. hits: the lesions of the scan that it hits, by their numbers."""

    score: float
    hits: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ScannedLesions:
    """One scan: how many lesions it truly shows, and the candidates."""

    lesions: int
    candidates: tuple[Candidate, ...]

    def __post_init__(self) -> None:
        if any(not 0 <= hit < self.lesions for each in self.candidates for hit in each.hits):
            raise ValueError("a candidate hits a lesion that the scan does not have")


@dataclass(frozen=True, slots=True)
class Point:
    """One step of the curve: what is shown at or above `threshold`."""

    threshold: float
    false_positives: float
    sensitivity: float


def froc(scans: Sequence[ScannedLesions]) -> list[Point]:
    """The curve, from the highest threshold to the lowest; empty where there is no candidate.

    false_positives are per scan, over all scans; sensitivity is over all lesions.
    Raises ValueError where no scan has a lesion: there is nothing to be found.
    """
    events = _events(scans)
    whole = np.ones((1, len(scans)))
    false, found, lesions = _counted(events, whole)
    return [
        Point(float(threshold), float(a) / len(scans), float(b) / float(lesions[0]))
        for threshold, a, b in zip(events.thresholds, false[0], found[0], strict=True)
    ]


def sensitivities(scans: Sequence[ScannedLesions], at: Sequence[float] = AT) -> dict[str, dict[str, Any]]:
    """By the false positives per scan: `sensitivity`, the highest that is reached at no more of them, and `ci95`.

    Raises ValueError as `froc` does.
    """
    events = _events(scans)
    whole = _reached(events, np.ones((1, len(scans))), at)[0]
    drawn = _reached(events, _draws(len(scans)), at)
    return {f"{rate:g}": _told(whole[place], drawn[:, place]) for place, rate in enumerate(at)}


def gains(
    one: Sequence[ScannedLesions], other: Sequence[ScannedLesions], at: Sequence[float] = AT
) -> dict[str, dict[str, Any]]:
    """By the false positives per scan: by how much `other` finds more lesions than `one` on the same scans.

    The interval is of the paired difference: each draw takes the same scans of both.
    Raises ValueError where they are not of the same scans, and as `froc` does.
    """
    if [each.lesions for each in one] != [each.lesions for each in other]:
        raise ValueError("the two are not of the same scans in the same order")
    first, second, draws = _events(one), _events(other), _draws(len(one))
    ones = np.ones((1, len(one)))
    whole = _reached(second, ones, at)[0] - _reached(first, ones, at)[0]
    drawn = _reached(second, draws, at) - _reached(first, draws, at)
    return {
        f"{rate:g}": {"gain": round(float(whole[place]), 4), "ci95": _ci95(drawn[:, place])}
        for place, rate in enumerate(at)
    }


@dataclass(frozen=True, slots=True)
class _Events:
    """What happens as the threshold falls: at step `step`, in scan `scan`, so many false positives and lesions more."""

    thresholds: NDArray[np.float64]
    step: NDArray[np.intp]
    scan: NDArray[np.intp]
    false: NDArray[np.float64]
    found: NDArray[np.float64]
    lesions: NDArray[np.float64]


def _events(scans: Sequence[ScannedLesions]) -> _Events:
    if not any(scan.lesions for scan in scans):
        raise ValueError("no scan has a lesion: sensitivity is not defined")
    scores = sorted({each.score for scan in scans for each in scan.candidates}, reverse=True)
    place = {score: step for step, score in enumerate(scores)}
    rows: list[tuple[int, int, int, int]] = []
    for number, scan in enumerate(scans):
        first: dict[int, int] = {}
        for each in scan.candidates:
            step = place[each.score]
            if not each.hits:
                rows.append((step, number, 1, 0))
            for hit in each.hits:
                first[hit] = min(step, first.get(hit, step))
        rows += [(step, number, 0, 1) for step in first.values()]
    steps, numbers, false, found = np.array(sorted(rows), np.intp).reshape(-1, 4).T
    return _Events(
        np.array(scores),
        steps,
        numbers,
        false.astype(np.float64),
        found.astype(np.float64),
        np.array([scan.lesions for scan in scans], np.float64),
    )


def _counted(
    events: _Events, times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """False positives and lesions found at or above each threshold, (draws, thresholds), and the lesions of each draw.

    times: (draws, scans), how often a draw holds a scan.
    """
    weights = times[:, events.scan]
    ends = np.searchsorted(events.step, np.arange(len(events.thresholds)), side="right") - 1
    false = np.cumsum(weights * events.false, axis=1)[:, ends]
    found = np.cumsum(weights * events.found, axis=1)[:, ends]
    return false, found, times @ events.lesions


def _reached(events: _Events, times: NDArray[np.float64], at: Sequence[float]) -> NDArray[np.float64]:
    """(draws, rates): the highest sensitivity at no more than each rate; NaN for a draw without a lesion."""
    false, found, lesions = _counted(events, times)
    scans = times.sum(axis=1)
    reached = np.zeros((len(times), len(at)))
    for place, rate in enumerate(at):
        allowed = np.where(false <= rate * scans[:, None] + 1e-9, found, 0.0)
        best = allowed.max(axis=1) if allowed.shape[1] else np.zeros(len(times))
        with np.errstate(invalid="ignore", divide="ignore"):
            reached[:, place] = np.where(lesions > 0, best / lesions, np.nan)
    return reached


def _draws(scans: int) -> NDArray[np.float64]:
    """(DRAWS, scans): how often each draw holds each scan; the same for the same number of scans."""
    picks = np.random.default_rng(SEED).integers(0, scans, (DRAWS, scans))
    cells = picks + np.arange(DRAWS)[:, None] * scans
    return np.bincount(cells.ravel(), minlength=DRAWS * scans).reshape(DRAWS, scans).astype(np.float64)


def _told(value: float, drawn: NDArray[np.float64]) -> dict[str, Any]:
    return {"sensitivity": round(float(value), 4), "ci95": _ci95(drawn)}


def _ci95(drawn: NDArray[np.float64]) -> list[float]:
    low, high = np.percentile(drawn[~np.isnan(drawn)], (2.5, 97.5))
    return [round(float(low), 4), round(float(high), 4)]
