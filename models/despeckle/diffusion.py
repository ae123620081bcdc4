"""Despeckling by nonlinear diffusion with a variable exponent, in numpy: the reference of the form inside the graph.

    u_t = div( c(x, u_σ) ∇u ),   c = g(x) · (1 + |∇u_σ|² / λ²)^((p(x) − 2) / 2),   no flux across the border

u_σ is u after a Gaussian of width σ. Where p is 2 this is linear diffusion, where p is 1 (regularised) total variation
flow. The exponent lies between, driven by two indicators of u_σ:

    b(x) = 2 s^α / (1 + s^α),  s = u_σ / max u_σ(0)     grey level: 0 where black, 1 where brightest
    e(x) = 1 / (1 + |∇u_σ|² / λ²)                       edge: 1 where even, 0 on an edge
    p(x) = 1 + b(x) e(x)

Direction `with` takes s as it is: bright parts are smoothed more linearly, dark ones keep their edges. `against` takes
1 − s. For multiplicative noise (`gamma`) g = b: speckle vanishes with the grey level, and so does diffusion, which then
degenerates twice, at edges and in the dark. For log-compressed pictures (`bmode`) speckle is equally strong at all grey
levels, and g = 1.

Step bound. One explicit step gives a pixel u + dt Σ c_f (u_n − u) over its at most four faces f, where c_f is the mean
of the two pixels' c. Since p ≤ 2 and the base is ≥ 1, c ≤ g ≤ 1. With dt Σ c_f ≤ 4 dt ≤ 1 the new value is a convex
combination of the pixel and its neighbours: it stays within their range (maximum principle). So dt ≤ 1/4 is enough,
whatever the picture. What leaves a pixel through a face enters its neighbour: the mean stays.

Sources: Guo et al., IEEE Trans. Image Processing 21(3), 2012 (variable exponent); Zhou et al., IEEE Trans. Image
Processing 24(1), 2015 (doubly degenerate, grey level indicator); Catté et al., SIAM J. Numer. Anal. 29(1), 1992 (u_σ).
"""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.despeckle.noise import Noise, echoing, noise_variance, residual_variance

Plane = NDArray[np.float32]
Direction = Literal["with", "against"]

STEP_BOUND: Final = 0.25
GRAPH_STEPS: Final = 6
"""Steps of the form inside a graph unless told otherwise: about what the stopping rule gives on real frames."""
SHARE: Final[dict[Noise, float]] = {"bmode": 0.7, "gamma": 1.0}


@dataclass(frozen=True)
class Diffusion:
    """What is diffused how.

    noise: model of the speckle. direction: how p follows the grey level. step: dt, at most 1/4. sigma: width in pixels
    of the Gaussian of u_σ. edge: λ, the gradient of u_σ per pixel (of a picture 0..1) from which on p and c give way.
    alpha: how fast b rises. share: what part of the speckle's estimated variance is taken away before it stops; None
    is .7 for `bmode` and 1 for `gamma` (docs/despeckle.md): B-mode has a grain, and what is wider than u_σ looks like
    structure. max_steps: where to stop when that is never reached.
    Raises ValueError for a step above the bound, and for other numbers that are not positive.
    """

    noise: Noise = "bmode"
    direction: Direction = "with"
    step: float = STEP_BOUND
    sigma: float = 1.5
    edge: float = 0.012
    alpha: float = 1.0
    share: float | None = None
    max_steps: int = 60

    def __post_init__(self) -> None:
        if not 0 < self.step <= STEP_BOUND:
            raise ValueError(f"a step of {self.step} breaks the maximum principle; it must be at most {STEP_BOUND}")
        if min(self.sigma, self.edge, self.alpha, self.stop_at) <= 0 or self.max_steps < 0:
            raise ValueError("sigma, edge, alpha and share must be positive, max_steps not negative")

    @property
    def stop_at(self) -> float:
        """The share of the speckle's variance at which diffusion stops."""
        return SHARE[self.noise] if self.share is None else self.share


@dataclass(frozen=True, eq=False)
class Diffused:
    """image: (rows, columns) float32, 0..1. steps: how many were done. residual, noise: variances, taken and there."""

    image: Plane
    steps: int
    residual: float
    noise: float


def diffuse(image: Plane, plan: Diffusion, steps: int | None = None) -> Diffused:
    """Diffuses a frame for `steps`, or until as much was taken away as the speckle is estimated to be.

    image: (rows, columns) float32, 0..1. steps: None stops by the discrepancy rule (Morozov): when the residual's
    variance reaches `plan.stop_at` times the speckle's, after `plan.max_steps` at the latest.
    Raises ValueError for another dtype or shape, or values outside 0..1.
    """
    if image.dtype != np.float32 or image.ndim != 2 or image.size == 0:
        raise ValueError(f"an image is (rows, columns) float32, not {image.shape} {image.dtype}")
    if not (image.min() >= 0 and image.max() <= 1):
        raise ValueError("an image to be diffused has values from 0 to 1")
    target, where = noise_variance(image, plan.noise), echoing(image)
    kernel = gaussian_kernel(plan.sigma)
    brightest = max(float(_blur(image, kernel).max()), 1e-6)
    now, done, taken = image, 0, 0.0
    for _ in range(plan.max_steps if steps is None else steps):
        if steps is None and taken >= plan.stop_at * target:
            break
        now = _step(now, plan, kernel, brightest)
        done += 1
        taken = residual_variance(image, now, plan.noise, where)
    return Diffused(now, done, taken, target)


def gaussian_kernel(sigma: float) -> NDArray[np.float32]:
    """The taps of the Gaussian of u_σ, out to 3σ: (taps,) float32, sum 1."""
    taps = 2 * int(np.ceil(3 * sigma)) + 1
    return np.asarray(cv2.getGaussianKernel(taps, sigma, cv2.CV_64F), np.float32).ravel()


def _step(u: Plane, plan: Diffusion, kernel: NDArray[np.float32], brightest: float) -> Plane:
    c = _conductivity(_blur(u, kernel), plan, brightest)
    down = 0.5 * (c[1:] + c[:-1]) * (u[1:] - u[:-1])
    across = 0.5 * (c[:, 1:] + c[:, :-1]) * (u[:, 1:] - u[:, :-1])
    change = np.zeros_like(u)
    change[:-1] += down
    change[1:] -= down
    change[:, :-1] += across
    change[:, 1:] -= across
    return np.asarray(u + np.float32(plan.step) * change, np.float32)


def _conductivity(smooth: Plane, plan: Diffusion, brightest: float) -> Plane:
    edge = cv2.copyMakeBorder(smooth, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    slope_x = 0.5 * (edge[1:-1, 2:] - edge[1:-1, :-2])
    slope_y = 0.5 * (edge[2:, 1:-1] - edge[:-2, 1:-1])
    base = 1 + (slope_x * slope_x + slope_y * slope_y) * np.float32(1 / plan.edge**2)
    level = np.clip(smooth * np.float32(1 / brightest), 0, 1)
    if plan.direction == "against":
        level = 1 - level
    level = level ** np.float32(plan.alpha)
    grey = 2 * level / (1 + level)
    exponent = 1 + grey / base
    c = np.exp(np.log(base) * (exponent - 2) * np.float32(0.5))
    return np.asarray(grey * c if plan.noise == "gamma" else c, np.float32)


def _blur(u: Plane, kernel: NDArray[np.float32]) -> Plane:
    return np.asarray(cv2.sepFilter2D(u, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)
