"""Fit the weights of a track's score on simulated sweeps of validation groups.

    python -m benchmarks.track_weights --data ../shared/data [--scans 600] [--keep FOLDER]

Every candidate of every scan is one case: its features, and whether it hits a lesion. The fit is a logistic
regression with a penalty of 1 on standardised features. What the shipped weights and the fitted ones find is told at
so many false positives per scan; the fitted ones by eight folds over scans, so that no scan is judged by weights that
saw it. No picture of a test group is read. Whoever takes the weights writes them into
`sonovan.clinical.track_score` and measures once on test by `make bench-sequence`.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.shared import say
from benchmarks.sweeps.looking import looked_at
from sonovan.analysis import Analysis
from sonovan.clinical.lesions import region_of
from sonovan.clinical.track_score import TRACK_WEIGHTS, TrackFeatures, TrackWeights, largest_pieces, track_features
from sonovan.contracts.results import Finding
from sonovan.models.evaluation.froc import Candidate, ScannedLesions, sensitivities
from sonovan.sweeps_with_truth import Found

Values = NDArray[np.float64]

PENALTY: Final = 1.0
"""Of the squared weights of standardised features."""
FOLDS: Final = 8
ROUNDS: Final = 50
"""Newton's steps; ten are enough for any sample that both kinds of candidates are in."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, look, fit, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--scans", type=int, default=600, help="every other one shows no lesion [600]")
    parser.add_argument("--keep", type=Path, help="folder for the sweeps and the network's answers, used again")
    chosen = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="sonovan-weights-") as temporary:
        found, _ = looked_at(chosen.data, "validation", chosen.scans, chosen.keep or Path(temporary))
    values = np.array([_values(features) for each in found for features in features_of(each.analysis)])
    hit = np.array([bool(lesions) for each in found for lesions in each.hits])
    scan_of = np.array([place for place, each in enumerate(found) for _ in each.hits])
    shipped = values @ np.array(astuple(TRACK_WEIGHTS)[1:])
    _tell("shipped weights", found, shipped)
    _tell(f"fitted, {FOLDS} folds", found, folded(values, hit, scan_of))
    say(f"{len(hit)} candidates, {int(hit.sum())} of them on a lesion; fitted on all: {fit(values, hit)}")
    return 0


def features_of(analysis: Analysis) -> list[TrackFeatures]:
    """The features of each finding, of its sighting with the highest score, in the order of the findings."""
    return [_features(analysis, finding) for finding in analysis.findings]


def _features(analysis: Analysis, finding: Finding) -> TrackFeatures:
    sighting = max(finding.sightings, key=lambda each: each.track_score)
    own = {each.frame_id for each in sighting.members}
    frames = [each for each in analysis.frames if each.assessable and each.sequence_id == sighting.sequence_id]
    by_id = {each.frame_id: each for each in frames}
    shown = [(by_id[each.frame_id], region_of(by_id[each.frame_id], each.ordinal)) for each in sighting.members]
    places = [place for place, each in enumerate(frames) if each.frame_id in own]
    before = frames[places[0] - 1] if places[0] else None
    after = frames[places[-1] + 1] if places[-1] + 1 < len(frames) else None
    return track_features(largest_pieces(shown), before, after)


def fit(values: Values, hit: NDArray[np.bool_]) -> TrackWeights:
    """The weights for which the features say best which candidates hit a lesion, to two places.

    values: (candidates, features), the fields of TrackFeatures in their order. hit: (candidates,).
    Raises ValueError where no candidate, or every one, hits a lesion.
    """
    if hit.all() or not hit.any():
        raise ValueError("weights cannot be fitted: candidates of both kinds are needed, hits and others")
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-9
    cases = np.column_stack((np.ones(len(values)), (values - mean) / spread))
    penalty = np.diag([0.0, *[PENALTY] * values.shape[1]])
    weights = np.zeros(cases.shape[1])
    for _ in range(ROUNDS):
        said = 1 / (1 + np.exp(-cases @ weights))
        slope = cases.T @ (said - hit) + penalty @ weights
        bend = (cases * (said * (1 - said))[:, None]).T @ cases + penalty
        weights -= np.linalg.solve(bend, slope)
    each = weights[1:] / spread
    return TrackWeights(*(round(float(one), 2) for one in (weights[0] - each @ mean, *each)))


def folded(values: Values, hit: NDArray[np.bool_], scan_of: NDArray[np.intp]) -> Values:
    """The log-odds of each candidate by weights that were fitted without its fold of scans, up to a fold's constant."""
    folds = np.random.default_rng(0).permutation(int(scan_of.max()) + 1) % FOLDS
    odds = np.zeros(len(hit))
    for fold in range(FOLDS):
        out = folds[scan_of] == fold
        constant, *weights = astuple(fit(values[~out], hit[~out]))
        odds[out] = constant + values[out] @ np.array(weights)
    return odds


def _values(features: TrackFeatures) -> list[float]:
    return [getattr(features, each.name) for each in fields(TrackFeatures)]


def _tell(what: str, found: Sequence[Found], odds: Values) -> None:
    scans, place = [], 0
    for each in found:
        own = odds[place : place + len(each.hits)]
        place += len(each.hits)
        pairs = zip(own, each.hits, strict=True)
        scans.append(ScannedLesions(len(each.values), tuple(Candidate(float(score), hits) for score, hits in pairs)))
    told = sensitivities(scans)
    parts = [
        f"{one['sensitivity']:.3f} ({one['ci95'][0]:.3f} to {one['ci95'][1]:.3f}) at {at}" for at, one in told.items()
    ]
    say(f"{what}: {', '.join(parts)} false positives per scan")


if __name__ == "__main__":
    sys.exit(main())
