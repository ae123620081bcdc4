"""How much speckle is left, how much of the picture: measures with and without a clean picture to compare with."""

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Plane = NDArray[np.float64]

PEAK = 255.0


def psnr(picture: Gray, clean: Gray) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal pictures.

    picture, clean: (rows, columns) uint8. 10·log10(255² / mean squared difference).
    Raises ValueError for pictures of different shape.
    """
    a, b = _planes(picture, clean)
    error = float(np.mean((a - b) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(PEAK**2 / error))


def ssim(picture: Gray, clean: Gray) -> float:
    """Mean structural similarity, at most 1, which is equality.

    picture, clean: (rows, columns) uint8, at least 11×11. Gaussian window of 11×11 pixels with σ 1.5, K1 .01, K2 .03;
    only windows that lie whole on the picture count.
    Raises ValueError for pictures of different shape or below 11×11.
    Source: Wang et al., IEEE Trans. Image Processing 13(4), 2004.
    """
    a, b = _planes(picture, clean)
    if min(a.shape) < 11:
        raise ValueError(f"SSIM needs pictures of at least 11×11 pixels, not {a.shape[1]}×{a.shape[0]}")
    mean_a, mean_b = _window(a), _window(b)
    var_a, var_b = _window(a * a) - mean_a**2, _window(b * b) - mean_b**2
    both = _window(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    level = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    form = (2 * both + c2) / (var_a + var_b + c2)
    return float(np.mean((level * form)[5:-5, 5:-5]))


def equivalent_looks(region: Gray) -> float:
    """ENL, μ²/σ² of a region that should be even: higher is smoother; infinite where nothing varies.

    region: any shape uint8, one pixel or more. Raises ValueError for a region without pixels.
    Source: Oliver & Quegan, Understanding Synthetic Aperture Radar Images, 1998.
    """
    if region.size == 0:
        raise ValueError("a region without pixels has no equivalent number of looks")
    spread = float(np.var(region, dtype=np.float64))
    return float("inf") if spread == 0 else float(np.mean(region, dtype=np.float64)) ** 2 / spread


def suppression_index(before: Gray, after: Gray) -> float:
    """SSI, (σ/μ after) / (σ/μ before): below 1 where speckle was suppressed, 1 where nothing changed.

    before, after: the same region, uint8. Raises ValueError for different shapes, or where `before` is black or even.
    Source: Sheng & Xia, Proc. IGARSS, 1996.
    """
    a, b = _planes(before, after)
    if a.std() == 0 or b.mean() == 0:
        raise ValueError("a region that is even before, or black after, has no suppression index")
    return float((b.std() / b.mean()) / (a.std() / a.mean()))


def edge_preservation(before: Gray, after: Gray, sigma: float = 0.0) -> float:
    """EPI, the correlation of both pictures' Laplacians: 1 where every edge kept its form, 0 where none did.

    before, after: (rows, columns) uint8. sigma: width in pixels of a Gaussian put before the Laplacian; at 0, as
    published, the speckle of `before` counts as edges; at 2 only what is larger than its grain does.
    An even picture against an even one gives 1, against any other one 0.
    Raises ValueError for pictures of different shape.
    Source: Sattar et al., IEEE Trans. Image Processing 6(6), 1997.
    """
    a, b = (_laplacian(plane, sigma) for plane in _planes(before, after))
    a, b = a - a.mean(), b - b.mean()
    energy = float(np.sqrt((a * a).sum() * (b * b).sum()))
    if energy == 0:
        return float(not a.any() and not b.any())
    return float((a * b).sum() / energy)


def even_regions(picture: Gray, side: int = 24, count: int = 8) -> list[tuple[slice, slice]]:
    """The regions of a frame where nothing but speckle seems to vary, most even first: where ENL is worth measuring.

    picture: (rows, columns) uint8. Squares of `side` pixels on a grid, neither black nor saturated, ordered by what
    varies in them beyond the grain (σ/μ after a Gaussian of side/6). Returns at most `count`; none for a black frame.
    """
    smooth = cv2.GaussianBlur(picture.astype(np.float64), (0, 0), side / 6)
    found: list[tuple[float, int, int]] = []
    for top in range(0, picture.shape[0] - side + 1, side):
        for left in range(0, picture.shape[1] - side + 1, side):
            part, even = (plane[top : top + side, left : left + side] for plane in (picture, smooth))
            dull = float(np.mean((part < 8) | (part > 247)))
            if part.mean() >= 30 and dull < 0.02 and part.std() > 0:
                found.append((float(even.std() / even.mean()), top, left))
    return [(slice(top, top + side), slice(left, left + side)) for _, top, left in sorted(found)[:count]]


def _planes(first: Gray, second: Gray) -> tuple[Plane, Plane]:
    if first.shape != second.shape or first.size == 0:
        raise ValueError(f"pictures of {first.shape} and {second.shape} cannot be compared")
    return first.astype(np.float64), second.astype(np.float64)


def _window(plane: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (11, 11), 1.5), np.float64)


def _laplacian(plane: Plane, sigma: float) -> Plane:
    smooth = cv2.GaussianBlur(plane, (0, 0), sigma) if sigma > 0 else plane
    return np.asarray(cv2.Laplacian(smooth, cv2.CV_64F, borderType=cv2.BORDER_REPLICATE), np.float64)
