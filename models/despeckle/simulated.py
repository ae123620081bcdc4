"""Clean pictures, and speckle to put over them: what despeckling is trained and measured on.

Clean are the echogenicity maps of the phantom's tissues with ellipses in them, log-compressed as a scanner shows them.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.phantom.sweep import DEPTH_MM, DYNAMIC_RANGE_DB
from sonovan.models.phantom.tissue import Grid, breast_tissue, thyroid_tissue

Gray = NDArray[np.uint8]
Plane = NDArray[np.float32]
Kind = Literal["bmode", "gamma", "root"]


@dataclass(frozen=True)
class Speckle:
    """One kind of noise at one strength.

    `bmode`: log-compressed intensity of `level` equivalent looks, grain of about `grain` pixels (σ down; twice that
    across), where looks are a whole number, or between 1 and 2: two of unequal weight. `gamma`: independent factors
    Gamma(level, 1/level). `root`: u + √u·n with n ~ N(0, level²), u in grey levels.
    Raises ValueError for a level or grain that is not positive, and for looks of another kind.
    """

    kind: Kind
    level: float
    grain: float = 1.0

    def __post_init__(self) -> None:
        if self.level <= 0 or self.grain <= 0:
            raise ValueError("speckle has a level and a grain above 0")
        if self.kind == "bmode" and self.level != round(self.level) and not 1 < self.level < 2:
            raise ValueError(f"{self.level} looks are neither a whole number nor between 1 and 2")


def clean_picture(seed: int, size: tuple[int, int] = (256, 256)) -> Gray:
    """A picture without speckle, (rows, columns) uint8, the same for the same seed; even seeds are breasts."""
    rows, columns = size
    rng = np.random.default_rng([seed, 77])
    spacing = DEPTH_MM / rows
    make = breast_tissue if seed % 2 == 0 else thyroid_tissue
    grid = Grid.of(rows, columns, spacing, 0.0)
    tissue = make(rng, columns * spacing)(grid, float(rng.uniform(4, 24)))
    level = tissue.echo_db - np.cumsum(tissue.loss_db_per_mm, axis=0) * (DEPTH_MM / tissue.echo_db.shape[0])
    for _ in range(int(rng.integers(1, 4))):
        level = _with_ellipse(level, grid, rng)
    shown = (cv2.resize(level, (columns, rows), interpolation=cv2.INTER_LINEAR) + rng.uniform(30, 40)) * (
        255 / DYNAMIC_RANGE_DB
    )
    return np.asarray(np.clip(shown, 0, 255), np.uint8)


def speckled(clean: Gray, speckle: Speckle, rng: np.random.Generator) -> Gray:
    """The picture with noise over it: (rows, columns) uint8, unbiased before it is cut to 0..255."""
    u = clean.astype(np.float32)
    if speckle.kind == "bmode":
        noisy = u + _log_speckle(clean.shape, speckle, rng) * np.float32(255 / DYNAMIC_RANGE_DB)
        # where nothing echoes there is nothing to interfere: black stays black
        noisy = np.where(u > 0, noisy, 0)
    elif speckle.kind == "gamma":
        noisy = u * rng.gamma(speckle.level, 1 / speckle.level, clean.shape)
    else:
        noisy = u + np.sqrt(u) * rng.normal(0, speckle.level, clean.shape)
    return np.asarray(np.rint(np.clip(noisy, 0, 255)), np.uint8)


def _log_speckle(size: tuple[int, ...], speckle: Speckle, rng: np.random.Generator) -> Plane:
    """dB around 0: the envelope of a blurred complex Gaussian field, looks averaged in intensity."""
    weights = [1.0] * round(speckle.level)
    if speckle.level != round(speckle.level):
        over = 1 / (speckle.level - 1)
        weights = [1.0, over - (over * over - 1) ** 0.5]  # solves (1 + w)² / (1 + w²) = looks
    intensity = np.zeros(size, np.float32)
    for weight in weights:
        for field in rng.standard_normal((2, *size), dtype=np.float32):
            blurred = cv2.GaussianBlur(field, (0, 0), 2 * speckle.grain, sigmaY=speckle.grain)
            intensity += np.float32(weight) * blurred * blurred
    decibel = 10 * np.log10(np.maximum(intensity, 1e-12))
    return np.asarray(decibel - decibel.mean(), np.float32)


def _with_ellipse(level: Plane, grid: Grid, rng: np.random.Generator) -> Plane:
    width, depth = float(grid.x[0, -1]), float(grid.y[-1, 0])
    x, y, turn = rng.uniform(0.15, 0.85) * width, rng.uniform(0.2, 0.8) * depth, rng.uniform(-0.6, 0.6)
    a, b = rng.uniform(1.5, 8), rng.uniform(1.5, 6)
    dx, dy = grid.x - x, grid.y - y
    u, v = (np.cos(turn) * dx + np.sin(turn) * dy) / a, (np.cos(turn) * dy - np.sin(turn) * dx) / b
    inside = np.clip((1.03 - np.hypot(u, v)) / 0.06, 0, 1)
    return np.asarray(level + inside * (rng.uniform(-30, -6) - 0.8 * level * (level > -25)), np.float32)
