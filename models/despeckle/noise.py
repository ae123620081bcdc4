"""How strong a frame's speckle is, from the frame alone.

Two models. `bmode`: the picture is log-compressed, so that speckle adds a Fisher–Tippett term of one variance whatever
the grey level. `gamma`: the picture is an intensity, speckle multiplies it by Gamma(L, 1/L), so that the variance goes
with the square of the grey level. Sources: Wagner et al., IEEE Trans. Sonics Ultrason. 30(3), 1983; Michailovich &
Tannenbaum, IEEE Trans. Ultrason. 53(1), 2006.
"""

from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Noise = Literal["bmode", "gamma"]
Plane = NDArray[np.float32]

WINDOW: Final = 9
EVEN: Final = 0.3
"""The share of windows that are taken to show nothing but speckle."""
BLACK: Final = 10 / 255
"""Darker than this on average, a window shows no echo: its lack of speckle says nothing of the rest."""
CEILING: Final = 245 / 255


def echoing(image: Plane) -> NDArray[np.bool_]:
    """Where the frame shows echoes, neither black nor saturated. image: (rows, columns) float32, 0..1."""
    mean = _mean(image)
    return np.asarray((mean > BLACK) & (mean < CEILING))


def noise_variance(image: Plane, noise: Noise) -> float:
    """The speckle's variance: of what it adds (`bmode`), or of its factor, 1/L (`gamma`); 0 where nothing echoes.

    image: (rows, columns) float32, 0..1. The 30th percentile over windows of 9×9 pixels: structure only adds to the
    variance. Errs on the small side where there is nothing but speckle, above all when its grain is as wide as the
    window: filters then do less.
    """
    mean = _mean(image)
    variance = np.maximum(_mean(image * image) - mean * mean, 0)
    if noise == "gamma":
        variance = variance / np.maximum(mean, BLACK) ** 2
    here = echoing(image)
    return float(np.quantile(variance[here], EVEN)) if here.any() else 0.0


def residual_variance(image: Plane, smooth: Plane, noise: Noise, where: NDArray[np.bool_]) -> float:
    """The mean square of what was taken away: image − smooth (`bmode`), or image / smooth − 1 (`gamma`).

    image, smooth: (rows, columns) float32, 0..1. where: (rows, columns) bool; 0 where it is False everywhere.
    """
    if not where.any():
        return 0.0
    before, after = image[where], smooth[where]
    taken = before - after if noise == "bmode" else before / np.maximum(after, BLACK) - 1
    return float(np.mean(taken * taken))


def _mean(image: Plane) -> Plane:
    return np.asarray(cv2.blur(image, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT), np.float32)
