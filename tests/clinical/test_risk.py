import math
import random

import pytest

from sonovan.clinical.category import categorised
from sonovan.clinical.risk import CALIBRATIONS, fitted, known_calibration, risk_at, risk_of, shift_of
from sonovan.contracts.derivation import USUAL, Programme
from tests.clinical.records import finding


def outcomes(number: int, intercept: float, slope: float) -> tuple[list[float], list[bool]]:
    chance = random.Random(0)
    scores = [chance.uniform(0.01, 0.99) for _ in range(number)]
    logits = [intercept + slope * math.log(score / (1 - score)) for score in scores]
    return scores, [chance.random() < 1 / (1 + math.exp(-logit)) for logit in logits]


def test_a_fit_finds_the_line_that_made_the_outcomes_and_how_sure_it_is() -> None:
    found = fitted(*outcomes(4000, -1.0, 0.7))
    few = fitted(*outcomes(100, -1.0, 0.7))
    assert (found.intercept, found.slope) == (pytest.approx(-1.0, abs=0.15), pytest.approx(0.7, abs=0.15))
    assert few.variances[0] > 10 * found.variances[0]


def test_a_sites_outcomes_shift_the_intercept_alone() -> None:
    shift, error = shift_of(*outcomes(4000, -2.0, 1.0), "public-1")
    assert shift == pytest.approx(-2.0, abs=0.2)
    assert 0 < error < 0.1
    usual, shifted = risk_at(0.5, USUAL), risk_at(0.5, Programme(calibration_shift=round(shift, 3)))
    assert usual.probability == 0.5
    assert shifted.probability == pytest.approx(0.12, abs=0.02)


@pytest.mark.parametrize("truth", [[True] * 30, [False] * 30, [True, False] * 9])
def test_too_few_outcomes_or_one_kind_alone_move_nothing(truth: list[bool]) -> None:
    with pytest.raises(ValueError, match="outcomes are needed"):
        shift_of([0.5] * len(truth), truth, "public-1")


@pytest.mark.parametrize("score", [0.0, 0.01, 0.3, 0.97, 1.0])
def test_a_risk_lies_in_its_interval_and_names_the_mix_it_was_calibrated_on(score: float) -> None:
    risk = risk_at(score, USUAL)
    assert risk.ci95[0] < risk.probability < risk.ci95[1]
    table = CALIBRATIONS["public-1"]
    assert (risk.calibration, risk.lesions) == ("public-1", table.lesions)
    assert risk.malignant_share == round(table.malignant / table.lesions, 3)


def test_a_finding_without_a_score_has_no_risk() -> None:
    assert risk_of(finding(), USUAL) is None


def test_a_category_follows_the_risk_of_the_programme() -> None:
    (usual,) = categorised([finding(malignant=0.6)])
    (shifted,) = categorised([finding(malignant=0.6)], Programme(calibration_shift=-3.0))
    assert [each.categories[0].value for each in (usual, shifted)] == ["4C", "4A"]


def test_an_unknown_calibration_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="public-1"):
        known_calibration("public-9")
