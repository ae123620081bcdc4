"""Chance variations of a training picture: what probe, scanner settings and operator change, but no lesion does."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.data import Gray

Field = NDArray[np.float32]


def augment(rng: np.random.Generator, image: Gray, mask: Gray, side: int) -> tuple[Field, Field]:
    """One variation. Returns picture (side, side) float32 0..255 and mask (side, side) float32 of 0 and 1."""
    matrix = _affine(rng, image.shape[0], side)
    flags = cv2.INTER_LINEAR
    picture = np.asarray(cv2.warpAffine(image, matrix, (side, side), flags=flags), np.float32)
    target = np.asarray(cv2.warpAffine(mask, matrix, (side, side), flags=flags), np.float32)
    picture = _tone(rng, picture)
    if rng.random() < 0.35:
        picture = _speckle(rng, picture)
    if rng.random() < 0.2:
        sigma = float(rng.uniform(0.4, 1.1))
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    return np.clip(picture, 0, 255), (target > 127).astype(np.float32)


def plain(image: Gray, mask: Gray) -> tuple[Field, Field]:
    """The picture as it is, in the form of `augment`."""
    return image.astype(np.float32), (mask > 127).astype(np.float32)


def _affine(rng: np.random.Generator, from_side: int, side: int) -> NDArray[np.float64]:
    scale = side / from_side * float(np.exp(rng.uniform(np.log(0.78), np.log(1.35))))
    stretch = float(np.exp(rng.uniform(-0.13, 0.13)))
    angle = float(rng.uniform(-12, 12)) * np.pi / 180
    shear = float(rng.uniform(-0.08, 0.08))
    flip = -1.0 if rng.random() < 0.5 else 1.0  # left and right are equally often seen; up and down never swap
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]]) @ np.array([[1.0, shear], [0.0, 1.0]])
    linear = turn @ np.diag([flip * scale * stretch, scale / stretch])
    centre = np.array([from_side / 2, from_side / 2])
    shift = rng.uniform(-0.1, 0.1, 2) * side + side / 2
    return np.hstack((linear, (shift - linear @ centre)[:, None]))


def _tone(rng: np.random.Generator, picture: Field) -> Field:
    """Gain, dynamic range, and a depth gain that is set wrong."""
    gamma = float(np.exp(rng.uniform(-0.4, 0.4)))
    toned = 255 * np.power(picture / 255, gamma)
    toned = toned * float(rng.uniform(0.75, 1.25)) + float(rng.uniform(-12, 12)) * (picture > 4)
    if rng.random() < 0.3:
        slope = float(rng.uniform(-0.3, 0.3))
        toned = toned * (1 + slope * np.linspace(-1, 1, picture.shape[0]))[:, None]
    return np.asarray(toned, np.float32)


def _speckle(rng: np.random.Generator, picture: Field) -> Field:
    """Multiplicative grain with the correlation length of a point spread function, wider across than along."""
    noise = rng.standard_normal(picture.shape, dtype=np.float32)
    grain = float(rng.uniform(0.5, 1.3))
    noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=1.6 * grain, sigmaY=0.8 * grain)
    noise /= max(float(noise.std()), 1e-6)
    return np.asarray(picture * (1 + float(rng.uniform(0.05, 0.25)) * noise), np.float32)
