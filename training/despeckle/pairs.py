"""Clean pictures and speckle over them, for training: phantoms, diffused training pictures, an averaged cine.

Levels of noise are drawn from LEVELS; the report measures others. Only training groups are read, and of the cines only
the first, so that validation pictures and the second cine are new to the network.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sonovan.models.despeckle import despeckle
from sonovan.models.despeckle.simulated import Gray, Kind, Speckle, clean_picture, speckled
from sonovan.models.evaluation.index import read_rows
from sonovan.models.evaluation.pictures import read_gray
from training.samples import SIMULATED_TRAIN_SEED

SIDE = 64
SETS = ("busi", "busbra", "breast", "ddti")
CINE = "cine/breast_sweep_1"
LEVELS: dict[Kind, tuple[float, ...]] = {"bmode": (1, 2, 4, 8), "gamma": (2, 4, 8, 16), "root": (1, 2, 4)}
KINDS: tuple[Kind, ...] = ("bmode", "bmode", "bmode", "gamma", "root")  # what scanners show, three times in five
GRAINS = (0.6, 1.8)


def clean_pool(data: Path, phantoms: int, per_set: int, say: Callable[[str], None]) -> list[Gray]:
    """Pictures of at least 64×64 to put speckle over. Raises FileNotFoundError when a set or the cine is not there."""
    pool = [clean_picture(SIMULATED_TRAIN_SEED + number) for number in range(phantoms)]
    for name in SETS:
        rows = read_rows(data, name, "train")
        for row in rows[:: max(1, len(rows) // per_set)][:per_set]:
            pool.append(despeckle(read_gray(row.image)))
    frames = [read_gray(path) for path in sorted((data / CINE).glob("*.jpg"))]
    if not frames:
        raise FileNotFoundError(data / CINE)
    pool += [averaged(frames[at : at + 5]) for at in range(0, len(frames) - 4, 2)]
    pool = [picture for picture in pool if min(picture.shape) >= SIDE]
    say(f"{len(pool)} clean pictures")
    return pool


def averaged(frames: list[Gray]) -> Gray:
    """The mean of neighbouring frames, each shifted onto the middle one: (rows, columns) uint8."""
    middle = frames[len(frames) // 2].astype(np.float32)
    total = np.zeros_like(middle)
    for frame in frames:
        moving = frame.astype(np.float32)
        (dx, dy), _ = cv2.phaseCorrelate(middle, moving)
        back = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
        size = (middle.shape[1], middle.shape[0])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        total += cv2.warpAffine(moving, back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.rint(total / len(frames)).astype(np.uint8)


def draw(pool: list[Gray], seed: int, step: int, count: int) -> tuple[Tensor, Tensor]:
    """A batch of (speckled, clean), each (count, 1, 64, 64) float32, 0..255: a function of seed and step alone."""
    rng = np.random.default_rng([seed, step])
    noisy = np.empty((count, 1, SIDE, SIDE), np.float32)
    clean = np.empty_like(noisy)
    for at in range(count):
        picture = _patch(pool[int(rng.integers(len(pool)))], rng)
        kind = KINDS[int(rng.integers(len(KINDS)))]
        speckle = Speckle(kind, float(rng.choice(LEVELS[kind])), float(rng.uniform(*GRAINS)))
        noisy[at, 0], clean[at, 0] = speckled(picture, speckle, rng), picture
    return torch.from_numpy(noisy), torch.from_numpy(clean)


def _patch(picture: Gray, rng: np.random.Generator) -> NDArray[np.uint8]:
    top, left = (int(rng.integers(length - SIDE + 1)) for length in picture.shape)
    patch = picture[top : top + SIDE, left : left + SIDE]
    if rng.random() < 0.5:
        patch = patch[:, ::-1]
    gain = rng.uniform(0.7, 1.3)
    return np.clip(patch * gain, 0, 255).astype(np.uint8)
