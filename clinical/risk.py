"""The probability that a finding is malignant, with its interval: its score, calibrated on lesions of known outcome.

logit(risk) = a + b · logit(score) + shift. a and b stand in `CALIBRATIONS` with the covariance of their fit, from which
the interval follows; the shift is a site's own (`sonovan models calibrate`), and carries a population where fewer
lesions are malignant. Sources: Platt, Advances in Large Margin Classifiers (1999); Steyerberg et al., Stat Med 23:2567
(2004), updating the intercept.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from sonovan.contracts.derivation import Programme, Risk
from sonovan.contracts.results import Finding

NEAR: Final = 0.002
"""Scores nearer to 0 or 1 than this count as this: fewer lesions than that stand behind any score."""
LEAST_OUTCOMES: Final = 20
"""Fewer outcomes than this, or none of one kind, move no intercept."""
Z95: Final = 1.96


@dataclass(frozen=True, slots=True)
class Calibration:
    """intercept, slope: of the line through logits. variances: of the intercept, of both together, of the slope.

    lesions, malignant: how many it was fitted on, and how many of them were malignant.
    """

    intercept: float
    slope: float
    variances: tuple[float, float, float]
    lesions: int
    malignant: int


CALIBRATIONS: Final[Mapping[str, Calibration]] = MappingProxyType(
    {"public-1": Calibration(0.0, 1.0, (0.0781, 0.0045, 0.0342), 201, 74)}
)
"""By name. `public-1`: breast lesions of the validation pictures of the public sets (`make bench-findings`), on which
the score itself is calibrated: a line fitted to them (−.06, 1.26) does not differ from (0, 1), so that the score is
kept and the fit gives its interval."""


def risk_of(finding: Finding, programme: Programme) -> Risk | None:
    """The risk of a breast finding; None where it has no malignant score. Raises KeyError as `risk_at` does."""
    return None if finding.malignant is None else risk_at(finding.malignant, programme)


def risk_at(malignant: float, programme: Programme) -> Risk:
    """The risk at a malignant score.

    Raises KeyError for a calibration that is not known: `known_calibration` checks it when a stage starts.
    """
    table = CALIBRATIONS[programme.calibration]
    score = _logit(malignant)
    middle = table.intercept + table.slope * score + programme.calibration_shift
    own, both, slope = table.variances
    half = Z95 * math.sqrt(own + 2 * both * score + slope * score**2)
    return Risk(
        probability=_share(middle),
        ci95=(_share(middle - half), _share(middle + half)),
        calibration=programme.calibration,
        lesions=table.lesions,
        malignant_share=round(table.malignant / table.lesions, 3),
        shift=programme.calibration_shift,
    )


def known_calibration(name: str) -> str:
    """The name. Raises ValueError that lists the known ones."""
    if name not in CALIBRATIONS:
        raise ValueError(f"no calibration is called {name!r}; there are {', '.join(CALIBRATIONS)}")
    return name


def fitted(scores: Sequence[float], malignant: Sequence[bool]) -> Calibration:
    """The calibration that makes these outcomes likeliest, by Newton's method. Raises ValueError for too few."""
    x, y = _checked(scores, malignant)
    inputs = np.stack([np.ones_like(x), x], 1)
    line = np.array([0.0, 1.0])
    for _ in range(50):
        shares = 1 / (1 + np.exp(-inputs @ line))
        information = inputs.T @ (inputs * (shares * (1 - shares))[:, None])
        step = np.linalg.solve(information, inputs.T @ (y - shares))
        line = line + step
        if float(np.abs(step).max()) < 1e-9:
            break
    spread = np.linalg.inv(information)
    variances = (float(spread[0, 0]), float(spread[0, 1]), float(spread[1, 1]))
    return Calibration(float(line[0]), float(line[1]), variances, len(y), int(y.sum()))


def shift_of(scores: Sequence[float], malignant: Sequence[bool], name: str) -> tuple[float, float]:
    """The shift that makes a site's own outcomes likeliest with the slope kept, and its standard error.

    scores: of findings, before calibration, as revisions have them. Raises ValueError for too few outcomes.
    """
    x, y = _checked(scores, malignant)
    table = CALIBRATIONS[known_calibration(name)]
    logits, shift, information = table.intercept + table.slope * x, 0.0, 1.0
    for _ in range(100):
        shares = 1 / (1 + np.exp(-(logits + shift)))
        information = max(float((shares * (1 - shares)).sum()), 1e-9)
        step = max(-1.0, min(1.0, float((y - shares).sum()) / information))
        shift += step
        if abs(step) < 1e-9:
            break
    return shift, 1 / math.sqrt(information)


def _checked(scores: Sequence[float], malignant: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    if len(scores) < LEAST_OUTCOMES or all(malignant) or not any(malignant):
        raise ValueError(f"at least {LEAST_OUTCOMES} outcomes are needed, malignant and benign ones among them")
    return np.array([_logit(each) for each in scores]), np.array(malignant, float)


def _logit(share: float) -> float:
    bounded = min(max(share, NEAR), 1 - NEAR)
    return math.log(bounded / (1 - bounded))


def _share(logit: float) -> float:
    return round(1 / (1 + math.exp(-min(max(logit, -30.0), 30.0))), 4)
