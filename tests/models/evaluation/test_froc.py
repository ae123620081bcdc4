"""FROC against curves that were worked out by hand."""

import pytest

from sonovan.models.evaluation.froc import Candidate, ScannedLesions, froc, gains, sensitivities


def scan(lesions: int, *candidates: tuple[float, set[int]]) -> ScannedLesions:
    return ScannedLesions(lesions, tuple(Candidate(score, frozenset(hits)) for score, hits in candidates))


# three scans, three lesions: the second scan shows none, the third one's first lesion is hit twice
THREE = [
    scan(1, (0.9, {0}), (0.5, set())),
    scan(0, (0.8, set())),
    scan(2, (0.7, {0}), (0.6, {0}), (0.3, {1})),
]


def test_the_curve_is_the_one_worked_out_by_hand() -> None:
    by_hand = [(0.9, 0, 1), (0.8, 1, 1), (0.7, 1, 2), (0.6, 1, 2), (0.5, 2, 2), (0.3, 2, 3)]
    assert [(each.threshold, each.false_positives * 3, each.sensitivity * 3) for each in froc(THREE)] == [
        pytest.approx(row) for row in by_hand
    ]


@pytest.mark.parametrize(
    ("rate", "sensitivity"),
    [(0.0, 1 / 3), (0.1, 1 / 3), (0.33, 1 / 3), (0.34, 2 / 3), (0.5, 2 / 3), (0.66, 2 / 3), (0.67, 1.0), (9.0, 1.0)],
)
def test_between_two_thresholds_nothing_is_interpolated(rate: float, sensitivity: float) -> None:
    (found,) = sensitivities(THREE, (rate,)).values()
    assert found["sensitivity"] == pytest.approx(sensitivity, abs=1e-4)


@pytest.mark.parametrize(
    ("scans", "rate", "sensitivity"),
    [
        # a false positive with the same score as a hit comes with it
        ([scan(1, (0.9, {0})), scan(0, (0.9, set()))], 0.1, 0.0),
        ([scan(1, (0.9, {0})), scan(0, (0.9, set()))], 0.5, 1.0),
        # a second candidate on a lesion is neither a hit nor a false positive
        ([scan(1, (0.9, {0}), (0.8, {0})), scan(1, (0.7, {0}))], 0.0, 1.0),
        # one candidate may hit two lesions
        ([scan(2, (0.9, {0, 1}))], 0.0, 1.0),
        # scans without a lesion count among the scans
        ([scan(1, (0.9, set()), (0.8, {0})), *[scan(0)] * 9], 0.1, 1.0),
        ([scan(1, (0.9, set()), (0.8, {0})), *[scan(0)] * 8], 0.1, 0.0),
        # no candidate at all
        ([scan(2)], 0.5, 0.0),
    ],
)
def test_the_rules_of_counting(scans: list[ScannedLesions], rate: float, sensitivity: float) -> None:
    (found,) = sensitivities(scans, (rate,)).values()
    assert found["sensitivity"] == sensitivity


def test_the_interval_holds_the_value_and_is_the_same_every_time() -> None:
    scans = THREE * 20
    told = sensitivities(scans, (0.5,))["0.5"]
    low, high = told["ci95"]
    assert low < told["sensitivity"] < high
    assert sensitivities(scans, (0.5,))["0.5"] == told


def test_the_interval_draws_scans_and_not_lesions() -> None:
    # one scan holds nearly all lesions: whether it is drawn decides, so that the interval is wide
    scans = [scan(20, *[(0.9, {number}) for number in range(20)]), *[scan(1) for _ in range(4)]]
    low, high = sensitivities(scans, (0.1,))["0.1"]["ci95"]
    assert low == 0.0
    assert high > 0.9


def test_a_gain_is_paired() -> None:
    better = [
        scan(one.lesions, *[(each.score, set(each.hits)) for each in one.candidates if each.hits]) for one in THREE
    ]
    told = gains(THREE * 20, better * 20, (0.1,))["0.1"]
    assert told["gain"] == pytest.approx(2 / 3, abs=1e-4)
    assert told["ci95"][0] > 0
    assert gains(THREE, THREE, (0.1,))["0.1"] == {"gain": 0.0, "ci95": [0.0, 0.0]}


def test_without_a_lesion_there_is_no_sensitivity() -> None:
    with pytest.raises(ValueError, match="no scan has a lesion"):
        sensitivities([scan(0, (0.4, set()))])


def test_other_scans_are_refused() -> None:
    with pytest.raises(ValueError, match="not of the same scans"):
        gains(THREE, THREE[:2])


def test_a_hit_on_a_lesion_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="does not have"):
        scan(1, (0.5, {1}))
