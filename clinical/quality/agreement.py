"""How far outlines agree with those that readers drew blind: means, intervals, and how many are needed to say so.

Dice and IoU are averaged over frames on which a reader outlined something, as in the networks' cards; a frame on which
the network outlined nothing counts 0. Intervals draw whole screenings with replacement, since frames of one woman are
alike. Source: Field & Welsh, J R Stat Soc B 69:369 (2007), the cluster bootstrap. Draws are seeded: the same figures
have the same interval.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.contracts.quality import Agreement, AgreementVerdict, ReviewedFrame

LEAST_DICE: Final = 0.80
LEAST_IOU: Final = 0.70
"""What the programme asks of live segmentation, in the mean."""

DROP: Final = 0.05
"""A fall of the mean by so much must be told."""
Z_ALPHA: Final = 1.959964
"""Of a 95 % interval, which is wrong on one side in 2.5 %."""
Z_POWER: Final = 0.841621
"""Of a power of .8."""
PLANNED_SD: Final = 0.20
"""Between screenings, taken as long as fewer than LEAST have been measured: Dice of single pictures on
the validation parts of busi, busbra and ddti has a standard deviation of .12 to .21."""
LEAST: Final = 30
"""With fewer screenings neither their standard deviation nor the interval is worth anything."""
LEAST_PAIRS: Final = 20
"""Frames with a measured and a predicted Dice before anything is said of how they go together."""
MEAN_DICE: Final = "mean_dice"
MEAN_IOU: Final = "mean_iou"
SCREENINGS_REVIEWED: Final = "screenings_reviewed"
"""Codes of what a fault says."""
DRAWS: Final = 2000
SEED: Final = 0

Reviewed = Sequence[ReviewedFrame]
"""The frames of one screening that readers drew blind."""


def needed(sd: float, drop: float = DROP) -> int:
    """How many screenings tell a mean that lies `drop` below the bound from one on it, with a power of .8.

    sd: the standard deviation between the means of screenings. The interval is one of 95 %, so that the normal
    approximation asks for ((1.96 + 0.84) · sd / drop)²: 126 for a standard deviation of .20 and a drop of .05.
    Source: Chow, Shao & Wang, Sample Size Calculations in Clinical Research, 2nd ed., section 3.1.
    """
    return max(LEAST, math.ceil(((Z_ALPHA + Z_POWER) * sd / drop) ** 2 - 1e-9))


def agreement(screenings: Sequence[Reviewed]) -> Agreement:
    """The figures over these screenings. Frames on which readers outlined nothing are counted apart."""
    drawn = [[frame for frame in frames if frame.dice is not None] for frames in screenings]
    drawn = [frames for frames in drawn if frames]
    empty = [frame for frames in screenings for frame in frames if frame.dice is None]
    dice = [[frame.dice or 0.0 for frame in frames] for frames in drawn]
    iou = [[frame.iou or 0.0 for frame in frames] for frames in drawn]
    least = max(needed(_sd(dice)), needed(_sd(iou)))
    dice_ci, iou_ci = mean_ci95(dice), mean_ci95(iou)
    pairs = [(frame.dice, frame.predicted) for frames in drawn for frame in frames if frame.predicted is not None]
    measured, predicted = [pair[0] or 0.0 for pair in pairs], [pair[1] for pair in pairs]
    calibrated = len(pairs) >= LEAST_PAIRS
    return Agreement(
        screenings=len(drawn),
        frames=sum(map(len, drawn)),
        dice=_mean(dice),
        dice_low=dice_ci and dice_ci[0],
        dice_high=dice_ci and dice_ci[1],
        iou=_mean(iou),
        iou_low=iou_ci and iou_ci[0],
        iou_high=iou_ci and iou_ci[1],
        needed=least,
        verdict=_verdict(len(drawn), least, dice_ci, iou_ci),
        reader_empty=len(empty),
        outlined_there=sum(frame.outlined for frame in empty),
        predicted_frames=len(pairs),
        predicted_minus_measured=round(float(np.mean(predicted) - np.mean(measured)), 4) if calibrated else None,
        spearman=spearman(measured, predicted) if calibrated else None,
    )


def mean_ci95(screenings: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """The 95 % interval of the mean over all frames, drawing whole screenings; None where there are fewer than two."""
    if len(screenings) < 2:
        return None
    sums = np.array([math.fsum(values) for values in screenings])
    counts = np.array([len(values) for values in screenings], np.float64)
    picks = np.random.default_rng(SEED).integers(0, len(sums), (DRAWS, len(sums)))
    low, high = np.percentile(sums[picks].sum(axis=1) / counts[picks].sum(axis=1), (2.5, 97.5))
    return round(float(low), 4), round(float(high), 4)


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """The correlation of ranks, ties having their mean rank; None where one of them is constant.

    Source: Spearman, Am J Psychol 15:72 (1904).
    """
    ranks = _ranks(one), _ranks(other)
    spread = float(np.std(ranks[0]) * np.std(ranks[1]))
    if spread == 0:
        return None
    together = float(np.mean((ranks[0] - ranks[0].mean()) * (ranks[1] - ranks[1].mean()))) / spread
    return round(min(1.0, max(-1.0, together)), 4)


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    _, place, counts = np.unique(np.asarray(values, np.float64), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place], np.float64)


def _mean(screenings: Sequence[Sequence[float]]) -> float | None:
    values = [value for each in screenings for value in each]
    return round(math.fsum(values) / len(values), 4) if values else None


def _sd(screenings: Sequence[Sequence[float]]) -> float:
    """The standard deviation of which, over the root of their number, is the error of the mean over all frames.

    For screenings of one frame each it is the plain one; where their numbers of frames differ it is that of the ratio
    of two sums. Source: Cochran, Sampling Techniques, 3rd ed., section 6.4.
    """
    if len(screenings) < LEAST:
        return PLANNED_SD
    sums = np.array([math.fsum(values) for values in screenings])
    counts = np.array([len(values) for values in screenings], np.float64)
    return float(np.std((sums - counts * sums.sum() / counts.sum()) / counts.mean(), ddof=1))


def _verdict(
    screenings: int, least: int, dice: tuple[float, float] | None, iou: tuple[float, float] | None
) -> AgreementVerdict:
    if dice is None or iou is None or screenings < least:
        return "too_few"
    if dice[1] < LEAST_DICE or iou[1] < LEAST_IOU:
        return "missed"
    return "met" if dice[0] >= LEAST_DICE and iou[0] >= LEAST_IOU else "unclear"
