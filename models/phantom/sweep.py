"""Synthetic B-mode sweeps of a breast or a thyroid with lesions whose outline is known.

Not a wave simulation: a complex field of scatterers is weighted by an echogenicity map, blurred by a point spread
function that widens with depth, and its envelope is log-compressed. That gives fully developed (Rayleigh) speckle whose
grain, edges and decorrelation behave as in a scanner, at some tens of milliseconds per frame.

Sources: Wagner et al., IEEE Trans. Sonics Ultrason. 30(3), 1983 (speckle statistics); Bamber & Dickinson, Phys. Med.
Biol. 25(3), 1980 (convolution model of B-mode); Duck, Physical Properties of Tissue, 1990 (order of echogenicities).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.phantom.tissue import Grid, Tissue, breast_tissue, lobe_centre_mm, thyroid_tissue

Organ = Literal["breast", "thyroid"]
Kind = Literal["solid", "cyst", "shadowing"]
Field = NDArray[np.float32]

DEPTH_MM = 40.0
SWEEP_MM = 28.0  # path of the probe in elevation, however many frames sample it
VISIBLE_MM2 = 10.0  # a thinner pole is swallowed by the slice thickness of a real probe
DECORRELATION_MM = 2.0  # elevation after which the speckle is another one
DYNAMIC_RANGE_DB = 58.0


@dataclass(frozen=True)
class SimulatedLesion:
    """One ellipsoid; lengths in mm as (lateral, depth, elevation), frames inclusive (None: never visible)."""

    lesion: int
    kind: Kind
    centre_mm: tuple[float, float, float]
    semi_axes_mm: tuple[float, float, float]
    first_frame: int | None
    last_frame: int | None


@dataclass(frozen=True)
class TrueLesion:
    """Where lesion number `lesion` is in one frame. mask: (rows, columns) bool."""

    lesion: int
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class SimulatedSweep:
    """frames: (rows, columns) uint8 each; truth: the visible lesions per frame; pixel_spacing_mm: (column, row)."""

    organ: Organ
    frames: list[NDArray[np.uint8]]
    truth: list[list[TrueLesion]]
    pixel_spacing_mm: tuple[float, float]
    lesions: list[SimulatedLesion]


@dataclass(frozen=True)
class _Shape:
    """An ellipsoid whose radius is modulated with the angle, and what it does to sound."""

    kind: Kind
    centre: tuple[float, float, float]
    axes: tuple[float, float, float]
    tilt: float
    waves: tuple[tuple[float, float, float], ...]  # amplitude, order, phase
    contrast_db: float
    loss_db_per_mm: float
    edge_db: float

    def radius(self, grid: Grid, z: float) -> Field:
        """Normalised radius over the grid: below 1 is inside. (rows, columns) float32."""
        c, s = float(np.cos(self.tilt)), float(np.sin(self.tilt))
        dx, dy = grid.x - self.centre[0], grid.y - self.centre[1]
        u, v = (c * dx + s * dy) / self.axes[0], (c * dy - s * dx) / self.axes[1]
        w = (z - self.centre[2]) / self.axes[2]
        angle, flat = np.arctan2(v, u), u * u + v * v
        round_ = np.sqrt(flat + w * w)
        bump = np.zeros_like(angle)
        for amplitude, order, phase in self.waves:
            bump += amplitude * np.cos(order * angle + phase + 0.8 * w)
        # fading towards the poles, where all angles meet: a pole is smooth
        return np.asarray(round_ / (1 + bump * np.sqrt(flat) / (round_ + 1e-6)), np.float32)


def simulate_sweep(
    organ: Organ,
    frames: int = 40,
    seed: int = 0,
    size: tuple[int, int] = (480, 640),
    lesions: int | None = None,
) -> SimulatedSweep:
    """A sweep through a phantom; the same arguments give the same bytes.

    size: (rows, columns); the picture is always 40 mm deep, and the probe travels 28 mm in elevation.
    lesions: how many; None draws one or two.
    A lesion stands in `truth` of every frame in which its section is at least 10 mm².
    Raises ValueError for an unknown organ, no frames, more than three lesions, or a picture below 64×64.
    """
    rows, columns = size
    if organ not in ("breast", "thyroid"):
        raise ValueError(f"no phantom for organ {organ!r}")
    if frames < 1 or min(rows, columns) < 64 or (lesions is not None and not 0 <= lesions <= 3):
        raise ValueError("a sweep has one frame or more of at least 64×64 and at most three lesions")
    rng = np.random.default_rng([seed, 0 if organ == "breast" else 1])
    spacing = DEPTH_MM / rows
    wander = _wander(rng, frames)
    make: Callable[[np.random.Generator, float], Callable[[Grid, float], Tissue]]
    make = breast_tissue if organ == "breast" else thyroid_tissue
    width_mm = columns * spacing
    tissue = make(rng, width_mm)
    count = int(rng.integers(1, 3)) if lesions is None else lesions
    shapes = _place(rng, organ, count, width_mm)
    speckle = _Speckle(seed, organ, rows, columns + 2 * round(4.0 / spacing))
    gain_db = float(rng.uniform(-4, 4))
    noise_db = float(rng.uniform(-56, -50))

    pictures: list[NDArray[np.uint8]] = []
    truth: list[list[TrueLesion]] = []
    for index in range(frames):
        z = SWEEP_MM * (index / (frames - 1) if frames > 1 else 0.5)
        shift = round(float(wander[index]) / spacing)
        grid = Grid.of(rows, columns, spacing, shift * spacing)
        seen = tissue(grid, z)
        radii = [shape.radius(grid, z) for shape in shapes]
        for shape, radius in zip(shapes, radii, strict=True):
            seen = _embed(seen, shape, radius)
        pictures.append(_image(seen, speckle.at(z, shift, columns), spacing, gain_db, noise_db, (rows, columns)))
        truth.append(_visible(radii, spacing, (rows, columns)))
    found = [_lesion(number, shape, truth) for number, shape in enumerate(shapes)]
    return SimulatedSweep(organ, pictures, truth, (spacing, spacing), found)


def _wander(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    """The operator's hand: lateral offset in mm per frame, within ±3 mm."""
    t = np.linspace(0, 1, frames)
    a, p, q = rng.uniform(1.0, 3.0), rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.5)
    return np.asarray(a * np.sin(2 * np.pi * q * t + p), np.float64)


def _place(rng: np.random.Generator, organ: Organ, count: int, width_mm: float) -> list[_Shape]:
    shapes: list[_Shape] = []
    for number in range(count):
        kind: Kind = ("solid", "cyst", "shadowing")[int(rng.choice(3, p=(0.5, 0.25, 0.25)))]
        share = (number + 0.5) / count
        if organ == "breast":
            axes = (rng.uniform(4.5, 10.0), rng.uniform(3.2, 6.5), rng.uniform(5.0, 8.0))
            room = max(width_mm / 2 - axes[0] - 4, 1.0)
            x = width_mm / 2 + rng.uniform(-room, room)
            y = rng.uniform(5.0 + axes[1], 26.0 - axes[1])
        else:
            axes = (rng.uniform(3.5, 6.5), rng.uniform(3.0, 5.0), rng.uniform(4.5, 7.5))
            x = lobe_centre_mm(width_mm) + rng.uniform(-4.0, 4.0)
            y = 18.0 + rng.uniform(-2.0, 2.0)
        z = SWEEP_MM * (0.15 + 0.70 * share) + rng.uniform(-1.5, 1.5)
        length = min(axes[2], 0.9 * 0.35 * SWEEP_MM) if count < 2 else min(axes[2], 0.32 * SWEEP_MM / count)
        axes = (axes[0], axes[1], length)
        if kind == "shadowing" and organ == "breast":
            axes = (axes[1], min(axes[0], 7.0), axes[2])  # taller than wide, as malignant masses tend to be
        rough = {"solid": 0.035, "cyst": 0.015, "shadowing": 0.075}[kind]
        waves = tuple((rough * rng.uniform(0.5, 1.3), float(k), rng.uniform(0, 2 * np.pi)) for k in (2, 3, 5, 8))
        contrast = {"solid": (-20, -11), "cyst": (-42, -32), "shadowing": (-22, -14)}[kind]
        loss = {"solid": (-0.3, 0.1), "cyst": (-0.9, -0.5), "shadowing": (0.8, 1.8)}[kind]
        shapes.append(
            _Shape(
                kind,
                (float(x), float(y), float(z)),
                (float(axes[0]), float(axes[1]), float(axes[2])),
                float(rng.uniform(-0.35, 0.35)),
                waves,
                float(rng.uniform(*contrast)),
                float(rng.uniform(*loss)),
                float(rng.uniform(1.0, 5.0)),
            )
        )
    return shapes


def _embed(tissue: Tissue, shape: _Shape, radius: Field) -> Tissue:
    inside = np.clip((1.03 - radius) / 0.06, 0, 1)
    rim = np.exp(-(((radius - 1.08) / 0.07) ** 2))
    # a lesion replaces the tissue rather than darkening it: its level is set against gland, not against what lay there
    echo = tissue.echo_db + inside * (shape.contrast_db - tissue.echo_db * 0.8) + rim * shape.edge_db
    return Tissue(echo, tissue.loss_db_per_mm + inside * shape.loss_db_per_mm)


def _visible(radii: list[Field], spacing: float, size: tuple[int, int]) -> list[TrueLesion]:
    found = []
    for number, radius in enumerate(radii):
        if radius.min() >= 1:
            continue
        mask = cv2.resize(radius, (size[1], size[0]), interpolation=cv2.INTER_LINEAR) < 1
        if mask.sum() * spacing * spacing >= VISIBLE_MM2:
            found.append(TrueLesion(number, mask))
    return found


def _lesion(number: int, shape: _Shape, truth: list[list[TrueLesion]]) -> SimulatedLesion:
    seen = [index for index, frame in enumerate(truth) if any(lesion.lesion == number for lesion in frame)]
    first, last = (seen[0], seen[-1]) if seen else (None, None)
    return SimulatedLesion(number, shape.kind, shape.centre, shape.axes, first, last)


class _Speckle:
    """A random field along the sweep: unit-variance complex noise that turns into another one every 2 mm."""

    def __init__(self, seed: int, organ: Organ, rows: int, columns: int) -> None:
        self._key = (seed, 2 if organ == "breast" else 3)
        self._shape = (rows, columns, 2)
        self._slices: dict[int, Field] = {}

    def at(self, z: float, shift: int, columns: int) -> Field:
        """(rows, columns, 2) float32, real and imaginary part."""
        low, part = divmod(z / DECORRELATION_MM, 1.0)
        turn = part * np.pi / 2
        start = (self._shape[1] - columns) // 2 + shift
        near, far = (self._slice(int(low) + i)[:, start : start + columns] for i in (0, 1))
        # cos² + sin² = 1 keeps the variance, so the picture does not pulse between slices
        return np.asarray(np.cos(turn) * near + np.sin(turn) * far, np.float32)

    def _slice(self, k: int) -> Field:
        if k not in self._slices:
            self._slices = {old: field for old, field in self._slices.items() if old >= k - 1}
            rng = np.random.default_rng([*self._key, k])
            self._slices[k] = rng.standard_normal(self._shape, dtype=np.float32)
        return self._slices[k]


def _image(
    tissue: Tissue, field: Field, spacing: float, gain_db: float, noise_db: float, size: tuple[int, int]
) -> NDArray[np.uint8]:
    rows, columns = size
    step = DEPTH_MM / tissue.echo_db.shape[0]
    # sound passes a tissue twice, but loss is given as seen in the picture; the scanner's TGC leaves a slight tilt
    level = tissue.echo_db - np.cumsum(tissue.loss_db_per_mm, axis=0) * step
    amplitude = cv2.resize(np.power(np.float32(10), level / 20), (columns, rows), interpolation=cv2.INTER_LINEAR)
    scattered = field * amplitude[..., None]
    grain = 0.16 / spacing  # axial half width of the pulse, in pixels
    near = _blur(scattered, 1.5 * grain, 0.75 * grain)
    far = _blur(scattered, 3.2 * grain, 0.85 * grain)
    deep = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None] ** 1.2
    echo = near * (1 - deep) + far * deep
    envelope = np.sqrt(echo[..., 0] ** 2 + echo[..., 1] ** 2) + np.float32(10 ** (noise_db / 20))
    shown = (20 * np.log10(envelope) + gain_db + 36) * (255 / DYNAMIC_RANGE_DB)
    return np.asarray(np.clip(shown, 0, 255), np.uint8)


def _blur(field: Field, across: float, along: float) -> Field:
    """Separable Gaussian of unit energy, so that speckle keeps its mean level whatever the width."""
    blurred = cv2.GaussianBlur(field, (0, 0), sigmaX=across, sigmaY=along, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred * np.float32(2 * np.sqrt(np.pi * across * along)), np.float32)
