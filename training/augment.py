"""Chance variations of a training picture: what probe, scanner settings and operator change, but no lesion does."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.pictures import Gray

Field = NDArray[np.float32]


def augment(
    rng: np.random.Generator, image: Gray, mask: Gray, side: int, *, close: float = 0.0, like: Gray | None = None
) -> tuple[Field, Field]:
    """One variation. Returns picture (side, side) float32 0..255 and mask (side, side) float32 of 0 and 1.

    mask: (rows, columns), or (rows, columns, M) of several masks, then so is what is returned. close: how often the
    picture is seen from near, see `_window`. like: a picture whose scanner's grey levels this one may take over.
    """
    window = _window(rng, mask) if close and rng.random() < close else None
    affine = _affine(rng, image.shape[0], side, window)
    image, mask, affine = _reduced(image, mask, affine)
    across, down = _places(rng, affine, image.shape[0], side)
    picture = np.asarray(cv2.remap(image, across, down, cv2.INTER_LINEAR), np.float32)
    target = np.asarray(cv2.remap(mask, across, down, cv2.INTER_LINEAR), np.float32)
    if like is not None and rng.random() < 0.2:
        picture = _levels_of(picture, like, float(rng.uniform(0.5, 1.0)))
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


def _places(rng: np.random.Generator, affine: NDArray[np.float64], from_side: int, side: int) -> tuple[Field, Field]:
    """Where each of side × side pixels is taken from: columns and rows, as `cv2.remap` wants them."""
    linear, shift = np.hsplit(cv2.invertAffineTransform(affine), [2])
    steps = np.arange(side, dtype=np.float64)
    across = linear[0, 0] * steps[None] + linear[0, 1] * steps[:, None] + shift[0]
    down = linear[1, 0] * steps[None] + linear[1, 1] * steps[:, None] + shift[1]
    if rng.random() < 0.3:  # tissue gives way under the probe
        knots = rng.standard_normal((2, 7, 7)) * float(rng.uniform(0.004, 0.018)) * from_side
        bent = [cv2.resize(plane, (side, side), interpolation=cv2.INTER_CUBIC) for plane in knots]
        across, down = across + bent[0], down + bent[1]
    return across.astype(np.float32), down.astype(np.float32)


Window = tuple[float, float, float]
"""Column and row of a centre, and the length of a side, in pixels of the picture."""


def _window(rng: np.random.Generator, mask: Gray) -> Window:
    """A part of the picture to be seen from near: a lesion with its surroundings, or, one time in three, just tissue.

    So a network learns to outline what a second look shows it, and what tissue without a lesion looks like.
    """
    lesion = mask if mask.ndim == 2 else mask[..., 0]
    side = lesion.shape[0]
    length = float(rng.uniform(0.42, 0.68)) * side
    rows, columns = np.nonzero(lesion)
    if rows.size and rng.random() < 0.67:
        reach = max(int(np.ptp(rows)), int(np.ptp(columns)))
        length = min(float(side), max(length, 1.4 * reach))
        middle = ((columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2)
        column, row = (float(at + rng.uniform(-0.2, 0.2) * length) for at in middle)
    else:
        column, row = (float(value) for value in rng.uniform(length / 2, side - length / 2, 2))
    return column, row, length


def _affine(rng: np.random.Generator, from_side: int, side: int, window: Window | None) -> NDArray[np.float64]:
    """(2, 3): from pixels of the picture to those of its variation. window: what fills the variation."""
    if window is None:
        scale = side / from_side * float(np.exp(rng.uniform(np.log(0.7), np.log(1.5))))
        centre = np.array([from_side / 2, from_side / 2])
        shift = rng.uniform(-0.1, 0.1, 2) * side + side / 2
    else:
        scale = side / window[2]
        centre, shift = np.array(window[:2]), np.full(2, side / 2)
    stretch = float(np.exp(rng.uniform(-0.18, 0.18)))
    angle = float(rng.uniform(-15, 15)) * np.pi / 180
    shear = float(rng.uniform(-0.1, 0.1))
    flip = -1.0 if rng.random() < 0.5 else 1.0  # left and right are equally often seen; up and down never swap
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]]) @ np.array([[1.0, shear], [0.0, 1.0]])
    linear = turn @ np.diag([flip * scale * stretch, scale / stretch])
    return np.hstack((linear, (shift - linear @ centre)[:, None]))


def _reduced(image: Gray, mask: Gray, affine: NDArray[np.float64]) -> tuple[Gray, Gray, NDArray[np.float64]]:
    """Picture and mask made smaller by averaging where the variation would skip pixels, and the way from there."""
    side = image.shape[0]
    shrink = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    less = round(side * shrink * 1.1)
    if less >= 0.9 * side:
        return image, mask, affine
    size = (less, less)
    smaller = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    outlined = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)
    grown = side / less
    linear = affine[:, :2] * grown
    shift = affine[:, 2:] + affine[:, :2] @ np.full((2, 1), (grown - 1) / 2)  # centres of pixels stay where they were
    return smaller, outlined, np.hstack((linear, shift))


def _levels_of(picture: Field, like: Gray, share: float) -> Field:
    """The picture with grey levels as frequent as those of `like`; share: how much of the way. Black stays black."""
    own, other = (np.cumsum(np.bincount(levels[levels > 2], minlength=256)[:256]).astype(np.float64)
                  for levels in (np.clip(picture, 0, 255).astype(np.uint8), like))  # fmt: skip
    if not own[-1] or not other[-1]:
        return picture
    levels = np.arange(256)
    there = np.interp(own / own[-1], other / other[-1], levels)
    there[:3] = levels[:3]
    table = levels + share * (there - levels)
    return np.asarray(np.interp(picture, levels, table), np.float32)


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
