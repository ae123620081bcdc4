"""Average a network's features under a mask. Small heads read these averages, in training and in use."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.picture.letterbox import Letterbox

Weights = NDArray[np.float32]
Vector = NDArray[np.float32]

_LEAST: Final = 1e-6
"""A mask that covers a smaller share of the grid counts as empty, and the means under it are 0."""


def shrunk(mask: NDArray[np.float32], size: tuple[int, int]) -> Weights:
    """The share of each cell of a coarser grid that a mask covers.

    mask: (side, side) float32, 0..1. size: (rows, columns) of the grid. Returns (rows, columns) float32, 0..1.
    """
    return np.asarray(cv2.resize(mask, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.float32)


def picture_mask(fit: Letterbox, side: int) -> NDArray[np.float32]:
    """(side, side) float32: 1 where the letterboxed picture lies, 0 on its borders."""
    mask = np.zeros((side, side), np.float32)
    mask[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width] = 1
    return mask


def mean_under(features: NDArray[np.float32], weights: Weights) -> Vector:
    """The mean (C,) of features (C, rows, columns) under weights (rows, columns); zeros if the weights are empty."""
    total = float(weights.sum())
    if total < _LEAST * weights.size:
        return np.zeros(features.shape[0], np.float32)
    return np.asarray(features.reshape(features.shape[0], -1) @ (weights.ravel() / total), np.float32)


def mean_and_deviation(features: NDArray[np.float32], weights: Weights) -> tuple[Vector, Vector]:
    """The mean (C,) and standard deviation (C,) of features (C, rows, columns) under weights (rows, columns)."""
    mean = mean_under(features, weights)
    spread = mean_under((features - mean[:, None, None]) ** 2, weights)
    return mean, np.asarray(np.sqrt(spread), np.float32)
