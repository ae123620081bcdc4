"""Chance variations of a whole picture, before it is letterboxed: what probe, settings, screen and capture change."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.trust.odd import Colour, Rng


def vary(rng: Rng, picture: Colour, *, doppler: bool) -> Colour:
    """One variation. picture: (rows, columns, 3) uint8.

    A crop of at least 65 % of each side, left and right swapped, black or grey margins with captions, gain, gamma,
    depth gain, speckle, blur. doppler: in some, a coloured map is laid over a part: colour is not foreign.
    """
    picture = _crop(rng, picture)
    if rng.random() < 0.5:
        picture = np.ascontiguousarray(picture[:, ::-1])
    field = _tone(rng, picture.astype(np.float32))
    if rng.random() < 0.4:
        field = _speckle(rng, field)
    if rng.random() < 0.2:
        field = np.asarray(cv2.GaussianBlur(field, (0, 0), float(rng.uniform(0.4, 1.2))), np.float32)
    shown = np.asarray(np.clip(field, 0, 255), np.uint8)
    if doppler and rng.random() < 0.2:
        shown = _doppler(rng, shown)
    if rng.random() < 0.25:
        shown = _margins(rng, shown)
    return shown


def _crop(rng: Rng, picture: Colour) -> Colour:
    rows, columns = picture.shape[:2]
    height, width = (max(32, int(side * rng.uniform(0.65, 1.0))) for side in (rows, columns))
    top, left = int(rng.integers(0, max(1, rows - height + 1))), int(rng.integers(0, max(1, columns - width + 1)))
    return picture[top : top + height, left : left + width]


def _tone(rng: Rng, field: NDArray[np.float32]) -> NDArray[np.float32]:
    toned = 255 * np.power(field / 255, float(np.exp(rng.uniform(-0.45, 0.45))))
    toned *= float(rng.uniform(0.7, 1.3))
    if rng.random() < 0.3:
        toned *= (1 + float(rng.uniform(-0.4, 0.4)) * np.linspace(-1, 1, field.shape[0]))[:, None, None]
    return np.asarray(toned, np.float32)


def _speckle(rng: Rng, field: NDArray[np.float32]) -> NDArray[np.float32]:
    grain = float(rng.uniform(0.5, 1.6))
    chance = rng.standard_normal(field.shape[:2]).astype(np.float32)
    blurred = cv2.GaussianBlur(chance, (0, 0), sigmaX=1.6 * grain, sigmaY=0.8 * grain)
    blurred /= max(float(blurred.std()), 1e-6)
    return np.asarray(field * (1 + float(rng.uniform(0.05, 0.25)) * blurred)[..., None], np.float32)


def _doppler(rng: Rng, shown: Colour) -> Colour:
    rows, columns = shown.shape[:2]
    clouds = cv2.GaussianBlur(rng.standard_normal((rows, columns)).astype(np.float32), (0, 0), rows / 25)
    inside = np.zeros((rows, columns), np.bool_)
    top, left = int(rng.integers(0, rows // 2)), int(rng.integers(0, columns // 2))
    inside[top : top + rows // 2, left : left + columns // 2] = True
    flow = inside & (clouds > np.quantile(clouds, float(rng.uniform(0.7, 0.97))))
    painted = shown.copy()
    painted[flow] = (230, 60, 20) if rng.random() < 0.5 else (30, 60, 230)
    cv2.rectangle(painted, (left, top), (left + columns // 2, top + rows // 2), (60, 220, 60), 1)
    return painted


def _margins(rng: Rng, shown: Colour) -> Colour:
    rows, columns = shown.shape[:2]
    above, below, left, right = (int(side * rng.uniform(0, 0.18)) for side in (rows, rows, columns, columns))
    ground = int(rng.choice([0, 0, 0, 12, 40]))
    framed = cv2.copyMakeBorder(shown, above, below, left, right, cv2.BORDER_CONSTANT, value=(ground,) * 3)
    for _ in range(int(rng.integers(0, 6))):
        at = (int(rng.integers(0, columns)), int(rng.integers(12, rows + above)))
        words = "".join(chr(int(code)) for code in rng.integers(48, 91, int(rng.integers(2, 12))))
        cv2.putText(framed, words, at, cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(0.3, 0.5)), (210, 210, 210), 1)
    return np.asarray(framed, np.uint8)
