"""How far outlines agree with blind readers': known answers, and verdicts over made-up streams."""

import numpy as np
import pytest

from sonovan.clinical.quality.agreement import (
    LEAST,
    LEAST_DICE,
    PLANNED_SD,
    agreement,
    mean_ci95,
    needed,
    spearman,
)
from sonovan.clinical.quality.overlap import overlap_of
from sonovan.contracts.quality import ReviewedFrame

ROUNDS = 120


def frame(dice: float | None, predicted: float | None = None, *, iou: float | None = None) -> ReviewedFrame:
    """iou: that of the Dice where it is not given."""
    if dice is None:
        return ReviewedFrame(dice=None, iou=None, outlined=False, predicted=predicted)
    return ReviewedFrame(
        dice=dice, iou=dice / (2 - dice) if iou is None else iou, outlined=dice > 0, predicted=predicted
    )


def stream(draw: np.random.Generator, screenings: int, mean: float, sd: float) -> list[list[ReviewedFrame]]:
    """Screenings whose means scatter by `sd`, each of one to four frames that are alike."""
    # A beta distribution of this mean and standard deviation: Dice lies between 0 and 1.
    spread = mean * (1 - mean) / sd**2 - 1
    means = draw.beta(mean * spread, (1 - mean) * spread, screenings)
    return [[frame(round(float(value), 4), iou=0.9)] * int(draw.integers(1, 5)) for value in means]


@pytest.mark.parametrize(
    ("sd", "drop", "screenings"), [(0.20, 0.05, 126), (0.10, 0.05, 32), (0.20, 0.10, 32), (0.02, 0.05, LEAST)]
)
def test_the_number_needed_is_the_normal_approximations(sd: float, drop: float, screenings: int) -> None:
    # 7.8489 · (sd / drop)², rounded up; never fewer than LEAST
    assert needed(sd, drop) == screenings


def test_means_are_over_frames_that_a_reader_outlined_and_the_rest_is_counted_apart() -> None:
    machine = ReviewedFrame(dice=None, iou=None, outlined=True, predicted=0.7)
    figures = agreement([[frame(0.9), frame(0.7)], [frame(0.0), frame(None)], [machine]])
    assert (figures.screenings, figures.frames) == (2, 3)
    assert figures.dice == pytest.approx((0.9 + 0.7 + 0.0) / 3, abs=1e-4)
    assert (figures.reader_empty, figures.outlined_there) == (2, 1)


def test_nothing_is_said_before_the_number_needed_is_there() -> None:
    few = agreement([[frame(0.9)]] * (LEAST - 1))
    assert (few.verdict, few.needed) == ("too_few", needed(PLANNED_SD))
    alike = agreement([[frame(0.9)]] * LEAST)
    assert (alike.verdict, alike.needed) == ("met", LEAST)  # screenings that do not scatter need no more
    scattered = agreement([[frame(0.7, iou=0.8)], [frame(1.0, iou=0.8)]] * (LEAST // 2))
    assert scattered.verdict == "too_few"
    assert scattered.needed == needed(0.152564)  # the standard deviation of thirty such figures
    assert agreement([]).verdict == "too_few"


@pytest.mark.parametrize(("dice", "iou", "verdict"), [(0.9, 0.8, "met"), (0.7, 0.8, "missed"), (0.9, 0.6, "missed")])
def test_both_bounds_must_be_met(dice: float, iou: float, verdict: str) -> None:
    draw = np.random.default_rng(7)
    found = [[frame(dice + float(off), iou=iou + float(off))] for off in draw.normal(0, 0.02, 60)]
    assert agreement(found).verdict == verdict


def test_the_interval_draws_screenings_not_frames() -> None:
    one_each = mean_ci95([[0.6], [1.0]] * 20)
    copied = mean_ci95([[0.6] * 50, [1.0] * 50] * 20)
    assert one_each == copied  # a woman's fifty like frames say no more than one of them


def test_a_mean_on_the_bound_is_seldom_called_missed_and_a_drop_of_005_mostly_is() -> None:
    """The stated rates: at most 5 % at the bound (2.5 % and the bootstrap's own error), power .8 at .05 below it.

    As in the stage, screenings are added until the verdict is no longer that they are too few.
    """
    draw, missed = np.random.default_rng(20261128), {LEAST_DICE: 0, LEAST_DICE - 0.05: 0}
    for mean in missed:
        for _ in range(ROUNDS):
            reviewed = stream(draw, needed(PLANNED_SD), mean, PLANNED_SD)
            while (figures := agreement(reviewed)).verdict == "too_few":
                reviewed += stream(draw, 10, mean, PLANNED_SD)
            missed[mean] += figures.verdict == "missed"
    at_bound, below = (count / ROUNDS for count in missed.values())
    assert at_bound <= 0.05
    assert below >= 0.8 - 2 * (0.8 * 0.2 / ROUNDS) ** 0.5


def test_how_well_it_predicted_is_told_once_enough_frames_have_both() -> None:
    draw = np.random.default_rng(3)
    dice = draw.uniform(0.3, 1.0, 40)
    told = agreement([[frame(float(value), predicted=float(min(1.0, value + 0.05)))] for value in dice])
    assert told.predicted_frames == 40
    assert told.predicted_minus_measured == pytest.approx(0.045, abs=0.01)
    assert told.spearman is not None
    assert told.spearman > 0.98
    few = agreement([[frame(0.8, predicted=0.9)]] * 19)
    assert (few.predicted_minus_measured, few.spearman) == (None, None)


@pytest.mark.parametrize(
    ("one", "other", "rank"),
    [
        ((1, 2, 3, 4), (10, 20, 30, 40), 1.0),
        ((1, 2, 3, 4), (4, 3, 2, 1), -1.0),
        ((1, 2, 2, 3), (1, 2, 3, 4), 0.9487),  # 3 / sqrt(10), a tie at its mean rank
        ((1, 1, 1), (1, 2, 3), None),
    ],
)
def test_correlation_of_ranks(one: tuple[float, ...], other: tuple[float, ...], rank: float | None) -> None:
    assert spearman(one, other) == rank


def test_overlap_of_two_masks() -> None:
    reader, machine = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    reader[0, :3], machine[0, 1:] = 1, 2
    found = overlap_of(reader, machine)
    assert (found.dice, found.iou, found.outlined) == (0.6667, 0.5, True)
    assert overlap_of(reader, None).dice == 0.0
    assert overlap_of(None, machine) == overlap_of(np.zeros_like(reader), machine)
    assert overlap_of(None, machine).dice is None
    assert overlap_of(None, machine).outlined
    with pytest.raises(ValueError, match="rows and columns"):
        overlap_of(reader, np.ones((5, 4), np.uint8))
