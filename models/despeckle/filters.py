"""The classic speckle filters that the others are compared with. Each takes and gives (rows, columns) float32, 0..1.

Their parameters are those of the best PSNR over both noise models, from a grid over simulated pictures
(docs/despeckle.md).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.despeckle.noise import Noise, noise_variance

Plane = NDArray[np.float32]


def median(image: Plane, noise: Noise, size: int = 5) -> Plane:
    """The median of size×size pixels (3 or 5); `noise` makes no difference to it."""
    return np.asarray(cv2.medianBlur(image, size), np.float32)


def lee(image: Plane, noise: Noise, size: int = 7) -> Plane:
    """The local mean, and as much of the deviation from it as exceeds the speckle.

    size: side of the window. The speckle's variance is estimated from the frame.
    Source: Lee, IEEE Trans. Pattern Analysis 2(2), 1980.
    """
    mean = cv2.blur(image, (size, size), borderType=cv2.BORDER_REFLECT)
    variance = np.maximum(cv2.blur(image * image, (size, size), borderType=cv2.BORDER_REFLECT) - mean * mean, 0)
    speckle = noise_variance(image, noise)
    expected = speckle if noise == "bmode" else speckle * mean * mean
    kept = np.maximum(variance - expected, 0) / np.maximum(variance, 1e-12)
    return np.asarray(mean + kept * (image - mean), np.float32)


def bilateral(image: Plane, noise: Noise, spatial: float = 2.0, tonal: float = 5.5) -> Plane:
    """A Gaussian over neighbours that are near in grey level too.

    spatial: σ in pixels. tonal: σ of grey level in multiples of the speckle's estimated σ at the mean grey level.
    Source: Tomasi & Manduchi, Proc. ICCV, 1998.
    """
    spread = max(tonal * _sigma(image, noise), 1e-4)
    return np.asarray(cv2.bilateralFilter(image, 2 * round(2 * spatial) + 1, spread, spatial), np.float32)


def non_local_means(image: Plane, noise: Noise, strength: float = 1.2, patch: int = 9, search: int = 21) -> Plane:
    """The mean of pixels whose surroundings look alike.

    strength: OpenCV's h in multiples of the speckle's estimated σ. patch, search: sides in pixels. OpenCV's filter
    works on 8 bits, so the picture is rounded first. Source: Buades et al., Proc. CVPR, 2005.
    """
    h = max(255 * strength * _sigma(image, noise), 0.1)
    grey = np.rint(image * 255).astype(np.uint8)
    return np.asarray(cv2.fastNlMeansDenoising(grey, None, h, patch, search), np.float32) / np.float32(255)


def srad(image: Plane, noise: Noise, steps: int = 10, step: float = 0.2) -> Plane:
    """Speckle reducing anisotropic diffusion: steered by the local coefficient of variation against the speckle's own.

    The method wants multiplicative speckle: a log-compressed picture (`bmode`) is expanded first (58 dB over its range)
    and compressed again. steps, step: of the explicit scheme, step ≤ 1/4; the speckle scale decays as exp(−t/6).
    Raises ValueError for a step above 1/4.
    Source: Yu & Acton, IEEE Trans. Image Processing 11(11), 2002.
    """
    if not 0 < step <= 0.25:
        raise ValueError(f"a step of {step} is not stable; it must be at most 0.25")
    range_ln = np.float32(58 / 20 * np.log(10))
    u = np.exp((image - 1) * range_ln) if noise == "bmode" else np.maximum(image, np.float32(1 / 512))
    low, high = float(u.min()), float(u.max())
    start = noise_variance(np.asarray(u / high, np.float32), "gamma")
    for number in range(steps):
        u = _srad_step(u, step, start * float(np.exp(-2 * step * number / 6)))
    u = np.clip(u, low, high)
    return np.asarray(np.log(u) / range_ln + 1 if noise == "bmode" else u, np.float32)


def _srad_step(u: Plane, step: float, speckle: float) -> Plane:
    """speckle: q0², the squared coefficient of variation of even parts by now."""
    edge = cv2.copyMakeBorder(u, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    north, south = edge[:-2, 1:-1] - u, edge[2:, 1:-1] - u
    west, east = edge[1:-1, :-2] - u, edge[1:-1, 2:] - u
    gradient = (north**2 + south**2 + west**2 + east**2) / (u * u)
    laplace = (north + south + west + east) / u
    variation = np.maximum(0.5 * gradient - laplace**2 / 16, 0) / (1 + 0.25 * laplace) ** 2
    c = np.clip(1 / (1 + (variation - speckle) / max(speckle * (1 + speckle), 1e-12)), 0, 1)
    # as published, a face takes the coefficient of the pixel below it, or to its right
    below = cv2.copyMakeBorder(c, 0, 1, 0, 1, cv2.BORDER_REPLICATE)
    flux = below[1:, :-1] * south + c * north + below[:-1, 1:] * east + c * west
    return np.asarray(u + np.float32(step) * flux, np.float32)


def _sigma(image: Plane, noise: Noise) -> float:
    scale = 1.0 if noise == "bmode" else float(image.mean())
    return float(np.sqrt(noise_variance(image, noise))) * scale
