"""Whether windows look like the reference: known distances, and the stated rates on streams that are plain or drift.

Streams here are of the figures that `python -m benchmarks.drift` found on real pictures of one scanner. The sizes of
windows were chosen on another scanner's pictures with other seeds.
"""

from collections.abc import Mapping

import numpy as np
import pytest

from sonovan.clinical.quality.drift import (
    RATE,
    REFERENCE_WINDOWS,
    USUAL,
    WINDOW,
    central,
    compare,
    flags_of,
    ks_critical,
    ks_distance,
    ks_p,
    psi,
)
from sonovan.contracts.ids import mint_id
from sonovan.contracts.quality import FEATURES, Feature, LookAt

SEED = 20261128
Stream = dict[Feature, list[float]]

REFERENCE = WINDOW * REFERENCE_WINDOWS
A_DAY = 40


def screenings(
    draw: np.random.Generator, many: int, *, gain: float = 1.0, speckle: float = 1.0, size: float = 1.0,
    score: float = 0.0,
) -> Stream:  # fmt: skip
    """The figures of so many screenings. gain, speckle, size: factors of what is measured; score: what is added."""
    dull = draw.random(many) < 0.03  # a woman in thirty has no outline at all
    found = {
        "brightness": np.clip(draw.normal(199.1, 28.43, many) * gain, 0, 255),
        "sharpness": draw.normal(0.788, 0.1706, many) * speckle,
        "refused": (draw.random(many) < 0.01).astype(float),
        "regions": 1.0 + (draw.random(many) < 0.03) - dull,
        "region_size": draw.lognormal(np.log(0.243), 0.4, many) * size,
        "score": np.clip(draw.normal(0.9543, 0.01833, many) + score, 0, 1),
        "predicted": np.clip(draw.normal(0.9203, 0.03137, many) + score, 0, 1),
    }
    of_outlines = ("region_size", "score", "predicted")
    return {name: found[name][~dull if name in of_outlines else slice(None)].tolist() for name in FEATURES}


def drifted(reference: Stream, window: Stream) -> set[Feature]:
    return {each.feature for each in compare(reference, window, days=(days(reference), days(window))) if each.drifted}


def days(stream: Stream) -> dict[Feature, list[int]]:
    """Forty screenings a day."""
    return {feature: [number // A_DAY for number in range(len(values))] for feature, values in stream.items()}


def test_distance_of_known_samples() -> None:
    assert ks_distance([1, 2, 3, 4], [1, 2, 3, 4]) == 0
    assert ks_distance([1, 2, 3], [4, 5, 6]) == 1
    assert ks_distance([1, 2, 3, 4], [3, 4, 5, 6]) == 0.5


@pytest.mark.parametrize(
    ("distance", "one", "other", "p"),
    # scipy 1.14, stats.ks_2samp(method="asymp") has .0038 without Stephens' correction; exact values: method="exact"
    [(0.2, 100, 400, 0.0030), (0.15, 100, 400, 0.0487), (0.3, 50, 200, 0.0012)],
)
def test_how_often_two_samples_lie_further_apart(distance: float, one: int, other: int, p: float) -> None:
    assert ks_p(distance, one, other) == pytest.approx(p, rel=0.15)


def test_the_bound_is_where_its_rate_is() -> None:
    bound = ks_critical(100, 400, 0.01)
    assert ks_p(bound, 100, 400) == pytest.approx(0.01, rel=1e-6)
    assert ks_critical(100, 400, 0.001) > bound


def test_psi_is_nothing_for_the_same_and_much_for_another() -> None:
    draw = np.random.default_rng(1)
    same, other = draw.normal(0, 1, 4000).tolist(), draw.normal(1, 1, 4000).tolist()
    assert psi(same, draw.normal(0, 1, 4000).tolist()) < 0.02
    assert 0.7 < psi(same, other) < 1.3  # two normals a standard deviation apart: 1 in the limit of narrow bins
    assert psi([0.0] * 90 + [1.0] * 10, [0.0] * 90 + [1.0] * 10) < 0.01


def test_a_feature_that_too_few_screenings_have_is_not_tested() -> None:
    draw = np.random.default_rng(2)
    reference, window = screenings(draw, REFERENCE), screenings(draw, WINDOW)
    window["score"] = window["score"][: WINDOW // 4]
    assert {each.feature for each in compare(reference, window)} == {*FEATURES} - {"score"}


def test_at_most_the_stated_share_of_plain_windows_is_called_drifted() -> None:
    draw, windows = np.random.default_rng(SEED), 1000
    alarms = 0
    for number in range(windows):
        if number % 10 == 0:
            reference = screenings(draw, REFERENCE)
        alarms += bool(drifted(reference, screenings(draw, WINDOW)))
    # Two standard errors of a share of RATE above it.
    assert alarms / windows <= RATE + 2 * (RATE * (1 - RATE) / windows) ** 0.5


def test_the_stated_share_holds_where_each_day_has_a_gain_of_its_own() -> None:
    draw, windows, alarms, alone = np.random.default_rng(SEED + 1), 500, 0, 0

    def with_gains(stream: Stream) -> Stream:
        gains = draw.normal(1, 0.06, len(stream["brightness"]) // A_DAY + 1).repeat(A_DAY)
        return {**stream, "brightness": [v * g for v, g in zip(stream["brightness"], gains, strict=False)]}

    for number in range(windows):
        if number % 10 == 0:
            reference = with_gains(screenings(draw, REFERENCE))
        window = with_gains(screenings(draw, WINDOW))
        alarms += bool(drifted(reference, window))
        alone += any(each.drifted for each in compare(reference, window))
    assert alarms / windows <= RATE + 2 * (RATE * (1 - RATE) / windows) ** 0.5
    assert alone / windows > 5 * RATE, "each screening counted for itself finds a drift in days"


def test_a_window_tells_for_how_many_screenings_it_counts() -> None:
    draw = np.random.default_rng(3)
    reference, window = screenings(draw, REFERENCE), screenings(draw, WINDOW)
    for each in compare(reference, window):
        assert each.independent == each.screenings
    apart = compare(reference, window, days=(days(reference), days(window)))
    assert all(each.independent is not None and each.independent <= each.screenings for each in apart)
    one_day = {feature: [7] * len(values) for feature, values in reference.items()}
    low = {**window, "score": [0.1] * len(window["score"])}
    told = compare(reference, low, days=(one_day, days(low)))
    assert not any(each.drifted for each in told), "nothing tells that day from its screenings"


DRIFTS: Mapping[str, tuple[Mapping[str, float], Feature]] = {
    "gain": ({"gain": 1.1}, "brightness"),
    "speckle": ({"speckle": 0.85}, "sharpness"),
    "size": ({"size": 1.4}, "region_size"),
    "score": ({"score": -0.05}, "score"),
}
FOUND_WITHIN = 3 * WINDOW
"""Screenings after which nine of ten of these drifts are found, the rest of the window in which they began counted."""


@pytest.mark.parametrize("name", DRIFTS)
def test_a_stated_drift_is_found_within_the_stated_number_of_screenings(name: str) -> None:
    change, feature = DRIFTS[name]
    draw, streams, found = np.random.default_rng(SEED), 60, 0
    for _ in range(streams):
        reference = screenings(draw, REFERENCE)
        # The window in which it begins is left out, as if the drift began with its second screening.
        found += any(
            feature in drifted(reference, screenings(draw, WINDOW, **change)) for _ in range(FOUND_WITHIN // WINDOW - 1)
        )
    assert found / streams >= 0.9


def test_an_unlike_screening_is_flagged_and_a_usual_one_is_not() -> None:
    draw = np.random.default_rng(4)
    usual = central(screenings(draw, REFERENCE))
    place = LookAt(sequence_id=mint_id(2), frame_index=8, predicted=0.9)
    values: dict[Feature, float] = {"brightness": 190.0, "score": 0.95}
    assert flags_of(mint_id(1), values, place, usual) == []
    dark = flags_of(mint_id(1), {**values, "brightness": 90.0}, place, usual)
    assert [(each.because, each.feature, each.value) for each in dark] == [("outside_reference", "brightness", 90)]
    low = flags_of(mint_id(1), values, place.model_copy(update={"predicted": 0.41}), {})
    assert [(each.because, each.frame_index) for each in low] == [("predicted_low", 8)]


def test_a_plain_screening_is_seldom_flagged() -> None:
    draw = np.random.default_rng(5)
    usual, place = central(screenings(draw, REFERENCE)), LookAt(sequence_id=mint_id(2), frame_index=0, predicted=0.9)
    stream = screenings(draw, 2000)
    flagged = 0
    for number in range(1900):
        values = {feature: stream[feature][number] for feature in FEATURES}
        flagged += bool(flags_of(mint_id(1), values, place, usual))
    assert flagged / 1900 < 0.06  # seven features, half a percent each, and the reference's own error


def test_the_usual_bounds_are_those_that_are_stated() -> None:
    assert (USUAL.window, USUAL.reference_windows, USUAL.rate) == (WINDOW, REFERENCE_WINDOWS, RATE)
