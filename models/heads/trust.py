"""Refuse pictures that are no ultrasound of the organ that was declared.

A small graph reads the means and deviations of the network's features, together with plain figures of the picture
itself, and gives the probability of each of `CLASSES`. A picture is accepted if the declared organ's probability
reaches the companion's setting `least`. One that is refused is not assessable; it is never an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.engine.entry_checks import check_companion
from sonovan.models.engine.runner import Outputs
from sonovan.models.heads.companion import Companion
from sonovan.models.heads.pooled import Vector, mean_and_deviation, picture_mask, shrunk
from sonovan.models.picture.letterbox import Gray, Letterbox

CLASSES: Final = ("breast", "thyroid", "foreign")
REASONS: Final[Mapping[str, str]] = {
    "breast": "not_breast_ultrasound",
    "thyroid": "not_thyroid_ultrasound",
}
FEATURES: Final = ("deep", "fine")
LEAST: Final = 0.5
"""The least probability of the declared organ, if the companion's settings name none."""

_BLACK, _WHITE = 2, 250
_COLOURED: Final = 40
"""A pixel whose channels differ by more than this is coloured: a Doppler map is, grey with subsampled chroma is not."""
_LAGS: Final = (1, 2, 4, 8)
_CORNER: Final = 5
"""A corner is a fifth of the picture's rows and columns; in a sector scan the corners are black."""


@dataclass(frozen=True)
class Verdict:
    """The answer about one picture.

    probabilities: by class, their sum is 1. accepted: whether the declared organ is probable enough. reason: the code
    of the refusal, None if it is accepted.
    """

    probabilities: Mapping[str, float]
    accepted: bool
    reason: str | None


class Trust:
    """The companion `trust` of a network. `verdict` may be called from several threads at once."""

    def __init__(self, graph: bytes, settings: Mapping[str, float]) -> None:
        """Raises WrongWeights for a graph that cannot be run."""
        self._graph = Companion(graph, "trust")
        check_companion(self._graph, "trust", ("evidence",), ("classes",))
        self._least = {organ: settings.get(f"least_{organ}", settings.get("least", LEAST)) for organ in REASONS}

    def verdict(self, square: Gray, fit: Letterbox, colour: float, seen: Outputs, organ: str) -> Verdict:
        """square: (side, side) uint8, the letterboxed picture; fit: where it lies. colour: see `coloured`.

        seen: the network's outputs for it alone, N = 1, with `deep` and `fine`. organ: as declared; one that has no
        class of its own is accepted unseen, for nothing is known of it.
        """
        vector = evidence(square, fit, colour, {name: seen[name][0] for name in FEATURES})
        classes = self._graph.run({"evidence": vector[None]})["classes"][0]
        probabilities = {name: float(value) for name, value in zip(CLASSES, classes, strict=True)}
        accepted = organ not in REASONS or probabilities[organ] >= self._least[organ]
        return Verdict(probabilities, accepted, None if accepted else REASONS[organ])


def coloured(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> float:
    """Share of pixels whose red, green and blue differ by more than 40 of 255; 0 for grey pictures.

    pixels: (rows, columns) or (rows, columns, 3), uint8 or uint16; some 60,000 of them are looked at.
    """
    if pixels.ndim == 2:
        return 0.0
    step = max(1, round(float(np.sqrt(pixels.shape[0] * pixels.shape[1] / 60_000))))
    some = pixels[::step, ::step].astype(np.int32)
    if pixels.dtype.itemsize > 1:
        some //= 257
    return float(np.mean(some.max(2) - some.min(2) > _COLOURED))


def evidence(square: Gray, fit: Letterbox, colour: float, seen: Mapping[str, NDArray[np.float32]]) -> Vector:
    """The input of the graph, (F,) float32: means and deviations of `deep` and `fine`, then `figures` of the picture.

    square: (side, side) uint8, letterboxed. seen: `deep` and `fine` of this picture, (C, rows, columns) each.
    """
    mask = picture_mask(fit, square.shape[0])
    parts: list[Vector] = []
    for name in FEATURES:
        features = seen[name]
        parts += mean_and_deviation(features, shrunk(mask, (features.shape[1], features.shape[2])))
    shown = square[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width]
    return np.concatenate([*parts, figures(shown, colour)])


def figures(shown: Gray, colour: float) -> Vector:
    """Plain figures of a picture at the network's scale; (32,) float32.

    shown: (rows, columns) uint8. In order: 8 shares of grey levels; shares of black and of white; colour; mean,
    deviation; mean and 90th percentile of the gradient across and down, as a share of the deviation; autocorrelation of
    what a Gaussian of 3 pixels leaves, at lags 1, 2, 4 and 8 across and down (speckle: short, and wider across than
    down); median of local deviation over local mean; share of flat 8×8 tiles; share of black in each corner, upper
    left to lower right; correlation of the rows' mean grey with depth.
    Source of the speckle figures: Wagner et al., IEEE Trans. Sonics Ultrason. 30(3), 1983.
    """
    grey = shown.astype(np.float32)
    deviation = float(grey.std()) + 1.0
    counts = np.bincount(shown.ravel() >> 5, minlength=8) / shown.size
    plain = [float(np.mean(shown <= _BLACK)), float(np.mean(shown >= _WHITE)), colour]
    plain += [float(grey.mean()) / 255, deviation / 255]
    for step in (np.abs(np.diff(grey, axis=1)), np.abs(np.diff(grey, axis=0))):
        plain += _mean_and_tail(step / deviation)
    grain = grey - cv2.GaussianBlur(grey, (0, 0), 3.0)
    plain += _correlations(grain)
    mean = cv2.blur(grey, (8, 8))
    spread = np.sqrt(np.maximum(cv2.blur(grey * grey, (8, 8)) - mean * mean, 0))
    lit = mean > 8
    plain.append(float(np.median(spread[lit] / mean[lit])) if lit.any() else 0.0)
    plain.append(float(np.mean(spread < 1.0)))
    rows, columns = max(1, shown.shape[0] // _CORNER), max(1, shown.shape[1] // _CORNER)
    for part in (shown[:rows, :columns], shown[:rows, -columns:], shown[-rows:, :columns], shown[-rows:, -columns:]):
        plain.append(float(np.mean(part <= 8)))
    plain.append(_with_depth(grey.mean(1)))
    return np.concatenate([counts, plain]).astype(np.float32)


def _mean_and_tail(step: NDArray[np.floating]) -> list[float]:
    if step.size == 0:
        return [0.0, 0.0]
    return [float(step.mean()), float(np.percentile(step, 90))]


def _correlations(grain: NDArray[np.float32]) -> list[float]:
    power = float((grain * grain).mean()) + 1e-3
    found: list[float] = []
    for lag in _LAGS:
        for ahead, behind in ((grain[:, lag:], grain[:, :-lag]), (grain[lag:], grain[:-lag])):
            found.append(float((ahead * behind).mean()) / power if ahead.size else 0.0)
    return found


def _with_depth(levels: NDArray[np.float32]) -> float:
    depth = np.linspace(-1, 1, levels.size, dtype=np.float32)
    spread = float(levels.std()) * float(depth.std())
    return float(((levels - levels.mean()) * depth).mean()) / spread if spread > 1e-6 else 0.0
