"""Chance variations of a training picture: what probe, scanner settings and operator change, but no lesion does."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.pictures import Gray

Field = NDArray[np.float32]


def augment(rng: np.random.Generator, image: Gray, mask: Gray, side: int) -> tuple[Field, Field]:
    """One variation. Returns picture (side, side) float32 0..255 and mask (side, side) float32 of 0 and 1."""
    across, down = _places(rng, image.shape[0], side)
    picture = np.asarray(cv2.remap(image, across, down, cv2.INTER_LINEAR), np.float32)
    target = np.asarray(cv2.remap(mask, across, down, cv2.INTER_LINEAR), np.float32)
    picture = _tone(rng, picture)
    if rng.random() < 0.2:
        picture = _shadow(rng, picture)
    if rng.random() < 0.35:
        picture = _speckle(rng, picture)
    chance = rng.random()
    if chance < 0.2:
        sigma = float(rng.uniform(0.4, 1.1))
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    elif chance < 0.35:
        picture = _coarse(rng, picture)
    return np.clip(picture, 0, 255), (target > 127).astype(np.float32)


def plain(image: Gray, mask: Gray) -> tuple[Field, Field]:
    """The picture as it is, in the form of `augment`."""
    return image.astype(np.float32), (mask > 127).astype(np.float32)


def _places(rng: np.random.Generator, from_side: int, side: int) -> tuple[Field, Field]:
    """Where each of side × side pixels is taken from: columns and rows, as `cv2.remap` wants them."""
    linear, shift = np.hsplit(cv2.invertAffineTransform(_affine(rng, from_side, side)), [2])
    steps = np.arange(side, dtype=np.float64)
    across = linear[0, 0] * steps[None] + linear[0, 1] * steps[:, None] + shift[0]
    down = linear[1, 0] * steps[None] + linear[1, 1] * steps[:, None] + shift[1]
    if rng.random() < 0.3:  # tissue gives way under the probe
        knots = rng.standard_normal((2, 7, 7)) * float(rng.uniform(0.004, 0.018)) * from_side
        bent = [cv2.resize(plane, (side, side), interpolation=cv2.INTER_CUBIC) for plane in knots]
        across, down = across + bent[0], down + bent[1]
    return across.astype(np.float32), down.astype(np.float32)


def _affine(rng: np.random.Generator, from_side: int, side: int) -> NDArray[np.float64]:
    scale = side / from_side * float(np.exp(rng.uniform(np.log(0.7), np.log(1.5))))
    stretch = float(np.exp(rng.uniform(-0.18, 0.18)))
    angle = float(rng.uniform(-15, 15)) * np.pi / 180
    shear = float(rng.uniform(-0.1, 0.1))
    flip = -1.0 if rng.random() < 0.5 else 1.0  # left and right are equally often seen; up and down never swap
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]]) @ np.array([[1.0, shear], [0.0, 1.0]])
    linear = turn @ np.diag([flip * scale * stretch, scale / stretch])
    centre = np.array([from_side / 2, from_side / 2])
    shift = rng.uniform(-0.1, 0.1, 2) * side + side / 2
    return np.hstack((linear, (shift - linear @ centre)[:, None]))


def _tone(rng: np.random.Generator, picture: Field) -> Field:
    """Gain, dynamic range, a grey map of another maker, and a depth gain that is set wrong."""
    if rng.random() < 0.5:
        gamma = float(np.exp(rng.uniform(-0.45, 0.45)))
        toned = 255 * np.power(picture / 255, gamma)
    else:
        rises = rng.dirichlet(np.full(5, 4.0))  # a monotone curve through five random steps
        toned = 255 * np.interp(picture / 255, np.linspace(0, 1, 6), np.concatenate(([0.0], np.cumsum(rises))))
    toned = toned * float(rng.uniform(0.75, 1.25)) + float(rng.uniform(-12, 12)) * (picture > 4)
    if rng.random() < 0.3:
        slope = float(rng.uniform(-0.3, 0.3))
        toned = toned * (1 + slope * np.linspace(-1, 1, picture.shape[0]))[:, None]
    return np.asarray(toned, np.float32)


def _shadow(rng: np.random.Generator, picture: Field) -> Field:
    """A band below some depth in which less echoes: a rib, a nipple, air under the probe."""
    side = picture.shape[0]
    centre, width = float(rng.uniform(0, side)), float(rng.uniform(0.03, 0.1)) * side
    depth, strength = float(rng.uniform(0, 0.6)) * side, float(rng.uniform(0.3, 0.8))
    steps = np.arange(side)
    across = np.exp(-0.5 * ((steps - centre) / width) ** 2)
    below = 1 / (1 + np.exp(np.clip((depth - steps) / (0.02 * side), -30, 30)))
    return np.asarray(picture * (1 - strength * below[:, None] * across[None]), np.float32)


def _coarse(rng: np.random.Generator, picture: Field) -> Field:
    """A picture that was stored smaller than it is shown."""
    side = picture.shape[0]
    less = max(8, round(side / float(rng.uniform(1.3, 2.5))))
    small = cv2.resize(picture, (less, less), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)


def _speckle(rng: np.random.Generator, picture: Field) -> Field:
    """Multiplicative grain with the correlation length of a point spread function, wider across than along."""
    noise = rng.standard_normal(picture.shape, dtype=np.float32)
    grain = float(rng.uniform(0.5, 1.3))
    noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=1.6 * grain, sigmaY=0.8 * grain)
    noise /= max(float(noise.std()), 1e-6)
    return np.asarray(picture * (1 + float(rng.uniform(0.05, 0.25)) * noise), np.float32)
