"""The weights of a track's score are fitted on whole scans, and judged on scans that they did not see."""

from dataclasses import astuple

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.track_weights import features_of, fit, folded
from sonovan.analyser import Analyser
from sonovan.clinical.track_score import track_score
from sonovan.models.phantom.sweep import simulate_sweep


def made_up(cases: int, weights: tuple[float, ...]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Features at random, and hits drawn with the odds that these weights give."""
    rng = np.random.default_rng(5)
    values = rng.uniform(0, 1, (cases, len(weights) - 1))
    odds = weights[0] + values @ np.array(weights[1:])
    return values, rng.uniform(0, 1, cases) < 1 / (1 + np.exp(-odds))


def test_the_fit_finds_the_weights_that_made_the_hits() -> None:
    weights = (-2.0, 3.0, 0.0, 1.5, -2.0, 1.0)
    found = astuple(fit(*made_up(40_000, weights)))
    assert found == pytest.approx(weights, abs=0.15)


def test_where_every_candidate_is_of_one_kind_nothing_is_fitted() -> None:
    values, _ = made_up(20, (0.0, 1.0, 1.0, 1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="hits and others"):
        fit(values, np.ones(20, np.bool_))


def test_no_scan_is_judged_by_weights_that_saw_it() -> None:
    values, hit = made_up(400, (-1.0, 2.0, 2.0, 0.0, 0.0, 0.0))
    scan_of = np.arange(400) // 4
    other = np.where(scan_of == 7, ~hit, hit)
    same = folded(values, hit, scan_of)[scan_of == 7] == folded(values, other, scan_of)[scan_of == 7]
    assert same.all()


def test_the_features_are_those_of_the_score_in_the_report() -> None:
    sweep = simulate_sweep("breast", 9, 3, size=(240, 320), lesions=1)
    with Analyser(organ="breast", side="left", plan=("left",), intended_use="decision_support") as analyser:
        for frame in sweep.frames:
            analyser.push(frame)
    analysis = analyser.close()
    told = [max(each.track_score for each in finding.sightings) for finding in analysis.findings]
    assert told
    assert [track_score(each) for each in features_of(analysis)] == told
