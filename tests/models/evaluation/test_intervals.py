"""Areas under the curve with ties, and what the bootstrap draws."""

import numpy as np
import pytest

from sonovan.models.evaluation.intervals import (
    auc,
    auc_ci95,
    rank_correlation,
    rank_correlation_ci95,
    ratio_ci95,
)


def test_auc_of_separated_mixed_and_tied_scores() -> None:
    assert auc([0.1, 0.2, 0.8, 0.9], [False, False, True, True]) == 1
    assert auc([0.1, 0.2, 0.8, 0.9], [True, True, False, False]) == 0
    assert auc([0.5, 0.5], [True, False]) == 0.5
    # positives .3 and .5 against negatives .3 and .4: tie, lost, won, won
    assert auc([0.3, 0.5, 0.3, 0.4], [True, True, False, False]) == pytest.approx((0.5 + 0 + 1 + 1) / 4)


def test_auc_equals_counting_pairs() -> None:
    rng = np.random.default_rng(3)
    scores, positive = rng.integers(0, 6, 60) / 5, rng.random(60) < 0.4
    pairs = [(a > b) + (a == b) / 2 for a in scores[positive] for b in scores[~positive]]
    assert auc(list(scores), list(positive)) == pytest.approx(float(np.mean(pairs)))


def test_auc_without_both_classes_is_unknown() -> None:
    assert auc([0.1, 0.2], [True, True]) is None
    assert auc([0.1, 0.2], [False, False]) is None
    assert auc([], []) is None


def test_an_interval_holds_its_mean_and_is_the_same_every_time() -> None:
    values = list(np.random.default_rng(0).normal(0.8, 0.1, 100))
    groups = [f"g{number}" for number in range(100)]
    low, high = ratio_ci95(values, [1.0] * 100, groups) or (0, 0)
    assert low < np.mean(values) < high
    assert high - low == pytest.approx(2 * 1.96 * 0.1 / 10, rel=0.25)
    assert ratio_ci95(values, [1.0] * 100, groups) == [low, high]


def test_pictures_of_one_group_are_drawn_together() -> None:
    values = [0.0] * 50 + [1.0] * 50
    wide = ratio_ci95(values, [1.0] * 100, ["a"] * 50 + ["b"] * 50)
    narrow = ratio_ci95(values, [1.0] * 100, [f"g{number}" for number in range(100)])
    assert wide == [0, 1]
    assert narrow is not None
    assert narrow[1] - narrow[0] < 0.25


def test_a_share_is_drawn_as_a_ratio_of_sums() -> None:
    # Every group has 1 of 2 or 2 of 4: whatever is drawn, it is one half.
    assert ratio_ci95([1, 2, 1], [2, 4, 2], ["a", "b", "c"]) == [0.5, 0.5]


def test_without_groups_or_with_one_alone_there_is_no_interval() -> None:
    assert ratio_ci95([0.1, 0.9], [1, 1], ["", ""]) is None
    assert ratio_ci95([0.1, 0.9], [1, 1], ["a", "a"]) is None
    assert auc_ci95([0.1, 0.9], [True, False], ["", ""]) is None


def test_a_picture_without_a_group_among_others_is_its_own() -> None:
    assert ratio_ci95([0.0, 1.0], [1, 1], ["a", ""]) == [0, 1]


def test_an_auc_has_an_interval_from_the_draws_that_have_both_classes() -> None:
    assert auc_ci95([0.9, 0.8, 0.1, 0.2], [True, True, False, False], ["a", "b", "c", "d"]) == [1, 1]
    low, high = auc_ci95([0.9, 0.2, 0.5, 0.1], [True, True, False, False], ["a", "b", "c", "d"]) or (1, 0)
    assert 0 <= low < 0.75 < high <= 1


def test_rank_correlation_of_equal_opposite_and_tied_orders() -> None:
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 400]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    # by hand: ranks 1.5 1.5 3 4 against 1 2 3 4
    assert rank_correlation([0.5, 0.5, 0.6, 0.7], [1, 2, 3, 4]) == pytest.approx(4.5 / (4.5 * 5) ** 0.5)


def test_rank_correlation_of_what_never_varies_is_unknown() -> None:
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None
    assert rank_correlation([], []) is None


def test_the_interval_of_a_rank_correlation_draws_whole_groups() -> None:
    one, other = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 3.0, 2.0, 5.0, 4.0, 6.0]
    alone = rank_correlation_ci95(one, other, list("abcdef"))
    twice = rank_correlation_ci95(one * 2, other * 2, list("abcdef") * 2)
    assert alone is not None
    assert twice is not None
    assert alone == pytest.approx(twice)
    assert -1 <= alone[0] < alone[1] <= 1
    assert rank_correlation_ci95(one, other, [""] * 6) is None
