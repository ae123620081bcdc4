"""What lies around the lesions of a phantom: echogenicity and loss of layered breast and neck tissue.

Levels are dB relative to glandular tissue (0 dB); loss is what remains after the scanner's depth gain, in dB per mm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Coordinates in mm of a picture's half-resolution grid: tissue is smooth, so half is enough. (rows, columns)."""

    x: Field
    y: Field

    @classmethod
    def of(cls, rows: int, columns: int, spacing_mm: float, shift_mm: float) -> Grid:
        x = (np.arange(columns // 2, dtype=np.float32) * 2 + 0.5) * spacing_mm + shift_mm
        y = (np.arange(rows // 2, dtype=np.float32) * 2 + 0.5) * spacing_mm
        xs, ys = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        return cls(xs, ys)


@dataclass(frozen=True)
class Tissue:
    """echo_db, loss_db_per_mm: (rows, columns) float32 over a Grid."""

    echo_db: Field
    loss_db_per_mm: Field


Wave = Callable[[Field, float], Field]
Slice = Callable[[Grid, float], Field]


def smooth_noise(
    rng: np.random.Generator, cell_mm: tuple[float, float, float], extent_mm: tuple[float, float]
) -> Slice:
    """A smooth random volume of about unit variance; calling it gives the slice at elevation z.

    cell_mm: correlation lengths (lateral, depth, elevation). extent_mm: (lateral, depth) covered from −10 mm on.
    """
    across, down = int(np.ceil((extent_mm[0] + 20) / cell_mm[0])) + 3, int(np.ceil(extent_mm[1] / cell_mm[1])) + 3
    volume = rng.standard_normal((48, down, across), dtype=np.float32) * np.float32(1.3)

    def at(grid: Grid, z: float) -> Field:
        low, part = divmod(max(z, 0.0) / cell_mm[2], 1.0)
        k = int(low) % 47
        plane = volume[k] * np.float32(np.cos(part * np.pi / 2)) + volume[k + 1] * np.float32(np.sin(part * np.pi / 2))
        # the grid is regular, so a resampling by an affine map is exact and fast
        sx = (grid.x[0, 1] - grid.x[0, 0]) / cell_mm[0]
        sy = (grid.y[1, 0] - grid.y[0, 0]) / cell_mm[1]
        to = np.array([[sx, 0, (grid.x[0, 0] + 10) / cell_mm[0]], [0, sy, grid.y[0, 0] / cell_mm[1] + 1]], np.float64)
        size = (grid.x.shape[1], grid.x.shape[0])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(plane, to, size, flags=flags, borderMode=cv2.BORDER_REFLECT), np.float32)

    return at


def _border(rng: np.random.Generator, depth_mm: float, swing_mm: float) -> Wave:
    """A wavy interface: its depth in mm over x at elevation z."""
    parts = [
        (rng.uniform(0.3, 1) / k, rng.uniform(0.08, 0.14) * k, rng.uniform(0, 6.3), rng.uniform(-0.15, 0.15) * k)
        for k in (1, 2, 3)
    ]

    def at(x: Field, z: float) -> Field:
        wave = np.zeros_like(x)
        for amplitude, pitch, phase, drift in parts:
            wave += np.float32(amplitude) * np.cos(pitch * x + phase + drift * z)
        return np.asarray(depth_mm + swing_mm * wave, np.float32)

    return at


def _above(y: Field, border: Field, soft_mm: float = 0.25) -> Field:
    """1 below the interface, 0 above it, with a soft edge."""
    return np.asarray(np.clip((y - border) / soft_mm + 0.5, 0, 1), np.float32)


def _line(y: Field, border: Field, thick_mm: float) -> Field:
    return np.asarray(np.exp(-(((y - border) / thick_mm) ** 2)), np.float32)


def breast_tissue(rng: np.random.Generator, width_mm: float) -> Callable[[Grid, float], Tissue]:
    """Skin, fat with Cooper's ligaments, gland, retromammary fat, pectoral muscle."""
    fat_to, gland_to = rng.uniform(6, 12), rng.uniform(24, 28)
    skin, fat = _border(rng, rng.uniform(1.6, 2.4), 0.1), _border(rng, fat_to, 1.6)
    gland, muscle = _border(rng, gland_to, 1.0), _border(rng, gland_to + rng.uniform(2.5, 4.0), 0.6)
    ground = _border(rng, rng.uniform(36, 42), 0.8)
    lobules = smooth_noise(rng, (6.0, 3.5, 7.0), (width_mm, 44))
    mottle = smooth_noise(rng, (3.5, 1.6, 5.0), (width_mm, 44))
    fibres = smooth_noise(rng, (9.0, 0.6, 9.0), (width_mm, 44))
    fatty = rng.uniform(-0.6, 1.4)  # how much fat lies within the gland
    coupling = rng.uniform(0, 1)

    def at(grid: Grid, z: float) -> Tissue:
        x, y = grid.x, grid.y
        row = x[:1]
        in_fat, in_gland = _above(y, skin(row, z)), _above(y, fat(row, z), 0.8)
        in_retro, in_muscle = _above(y, gland(row, z), 0.5), _above(y, muscle(row, z))
        lobe, grain = lobules(grid, z), mottle(grid, z)
        septa = np.exp(-((lobe / 0.12) ** 2))
        fat_db = -12 + 1.5 * grain + 11 * septa
        gland_db = 1.5 * lobe + 3.0 * grain - 7 * np.clip(lobe + fatty - 1.2, 0, 1)
        muscle_db = -11 + 4.5 * fibres(grid, z)
        echo = 5 + (fat_db - 5) * in_fat
        echo += (gland_db - echo) * in_gland
        echo += (-11 + grain - echo) * in_retro
        echo += (muscle_db - echo) * in_muscle
        echo += 9 * _line(y, skin(row, z), 0.25) + 10 * _line(y, muscle(row, z), 0.35)
        echo += 12 * _line(y, ground(row, z), 0.5)
        loss = np.full_like(echo, 0.12)
        loss += 3.0 * _above(y, ground(row, z))  # chest wall: lung and rib let nothing through
        edge = np.minimum(x - x[0, 0], x[0, -1] - x)
        loss[: y.shape[0] // 20] += coupling * 2.5 * np.clip(1 - edge / 3.0, 0, 1)[: y.shape[0] // 20]
        return Tissue(echo.astype(np.float32), loss.astype(np.float32))

    return at


def lobe_centre_mm(width_mm: float) -> float:
    """Lateral centre of the thyroid lobe."""
    return 0.5 * width_mm


def thyroid_tissue(rng: np.random.Generator, width_mm: float) -> Callable[[Grid, float], Tissue]:
    """Skin, fat, strap muscles, one lobe with isthmus, trachea with its shadow, carotid artery, longus colli."""
    side = 1.0 if rng.random() < 0.5 else -1.0  # where the trachea lies
    centre = lobe_centre_mm(width_mm)
    skin, fat = _border(rng, rng.uniform(1.2, 1.8), 0.1), _border(rng, rng.uniform(3.0, 5.0), 0.4)
    strap, deep = _border(rng, rng.uniform(8.5, 10.5), 0.5), _border(rng, rng.uniform(27, 30), 0.8)
    half, thick = rng.uniform(11.5, 14.0), rng.uniform(7.5, 9.5)
    trachea, carotid = centre + side * (half + rng.uniform(7, 9)), centre - side * (half + rng.uniform(3.0, 5.0))
    vessel = rng.uniform(2.6, 3.8)
    mottle = smooth_noise(rng, (2.5, 2.0, 4.0), (width_mm, 44))
    fibres = smooth_noise(rng, (9.0, 0.6, 9.0), (width_mm, 44))
    lobules = smooth_noise(rng, (8.0, 5.0, 9.0), (width_mm, 44))

    def at(grid: Grid, z: float) -> Tissue:
        x, y = grid.x, grid.y
        row = x[:1]
        grain, fibre = mottle(grid, z), fibres(grid, z)
        muscle_db = -14 + 4.0 * fibre
        echo = 5 + (-10 + 2 * grain - 5) * _above(y, skin(row, z))
        echo += (muscle_db - echo) * _above(y, fat(row, z))
        echo += (-7 + 2.5 * grain - echo) * _above(y, strap(row, z), 0.6)
        echo += (muscle_db - 1 - echo) * _above(y, deep(row, z))
        grow = 1 - 0.25 * ((z - 14) / 14) ** 2  # the lobe tapers towards its poles
        lobe = np.sqrt(((x - centre) / (half * grow)) ** 2 + ((y - 18) / (thick * grow)) ** 2) + 0.04 * lobules(grid, z)
        isthmus = (side * (x - centre) > 0) & (side * (trachea - x) > -6) & (np.abs(y - 11.5) < 2)
        inside = np.maximum(np.clip((1 - lobe) / 0.05 + 0.5, 0, 1), isthmus)
        echo += (1.5 + 1.3 * grain - echo) * inside
        echo += 8 * np.exp(-(((lobe - 1.03) / 0.035) ** 2)) * (1 - isthmus)
        loss = np.full_like(echo, 0.12)
        artery = np.hypot(x - carotid, (y - 20) * 1.05) / vessel
        lumen = np.clip((1 - artery) / 0.1 + 0.5, 0, 1)
        echo += (-38 - echo) * lumen + 9 * np.exp(-(((artery - 1.08) / 0.09) ** 2))
        loss -= 0.5 * lumen
        ring = np.hypot(x - trachea, (y - 22) * 0.95) / 9.0
        air = np.clip((1 - ring) / 0.06, 0, 1)
        echo += 14 * np.exp(-(((ring - 1.0) / 0.05) ** 2)) * (y < 20)
        loss += 2.2 * air * (y < 22)
        return Tissue(echo.astype(np.float32), loss.astype(np.float32))

    return at
