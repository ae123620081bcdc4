"""Pictures that no scanner made, by procedure: what a mistaken upload or a cable in the wrong socket may show.

Each function takes a random generator and gives (rows, columns, 3) uint8, red, green, blue.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.uint8]
Rng = np.random.Generator


def _size(rng: Rng) -> tuple[int, int]:
    return int(rng.integers(240, 520)), int(rng.integers(240, 640))


def _bytes(field: NDArray[np.floating]) -> Colour:
    return np.asarray(np.clip(field, 0, 255), np.uint8)


def _maybe_grey(rng: Rng, picture: Colour) -> Colour:
    if rng.random() < 0.5:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    return np.asarray(picture, np.uint8)


def noise(rng: Rng) -> Colour:
    """Coloured noise whose power falls with frequency, from nearly white to cloudy."""
    rows, columns = _size(rng)
    slope = float(rng.uniform(0.3, 3.2))
    fy, fx = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None]
    gain = 1 / np.maximum(np.hypot(fy, fx), 1 / max(rows, columns)) ** (slope / 2)
    planes = []
    for _ in range(3):
        field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((rows, columns))) * gain, (rows, columns))
        planes.append(127 + 55 * field / max(float(field.std()), 1e-9))
    return _maybe_grey(rng, _bytes(np.stack(planes, 2)))


def gradient(rng: Rng) -> Colour:
    """A smooth ramp, straight or radial, with or without a little noise."""
    rows, columns = _size(rng)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float64)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * x / columns + np.sin(angle) * y / rows
    if rng.random() < 0.4:
        ramp = np.hypot(x / columns - rng.random(), y / rows - rng.random())
    ramp = (ramp - ramp.min()) / max(float(np.ptp(ramp)), 1e-9)
    low, high = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
    field = low + ramp[..., None] * (high - low) + rng.normal(0, rng.choice([0, 2, 6]), (rows, columns, 1))
    return _maybe_grey(rng, _bytes(field))


def page(rng: Rng) -> Colour:
    """Lines of text on paper or on a dark screen."""
    rows, columns = _size(rng)
    paper, ink = (int(rng.integers(215, 256)), int(rng.integers(0, 70)))
    if rng.random() < 0.35:
        paper, ink = ink, paper
    picture = np.full((rows, columns, 3), paper, np.uint8)
    scale = float(rng.uniform(0.3, 0.7))
    step = int(32 * scale) + 3
    for y in range(step, rows, step):
        letters = "".join(chr(int(code)) for code in rng.integers(48, 123, int(rng.integers(4, 90))))
        font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX]))
        at = (int(rng.integers(2, 30)), y)
        cv2.putText(picture, letters, at, font, scale, (ink, ink, ink), 1, cv2.LINE_AA)
    return picture


def chart(rng: Rng) -> Colour:
    """Axes with curves or bars, as a monitor shows them."""
    rows, columns = _size(rng)
    ground = int(rng.choice([0, 20, 245, 255]))
    picture = np.full((rows, columns, 3), ground, np.uint8)
    for part in range(1, int(rng.integers(3, 10))):
        level = rows * part // 10
        cv2.line(picture, (0, level), (columns, level), (128, 128, 128), 1)
    for _ in range(int(rng.integers(1, 5))):
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        x = np.arange(0, columns, 4)
        if rng.random() < 0.6:
            y = rows / 2 + np.cumsum(rng.normal(0, rows / 40, x.size))
            points = np.stack([x, np.clip(y, 0, rows - 1)], 1).astype(np.int32)
            cv2.polylines(picture, [points], False, colour, int(rng.integers(1, 4)), cv2.LINE_AA)
        else:
            for left in range(10, columns, 40):
                top = int(rng.integers(0, rows))
                cv2.rectangle(picture, (left, top), (left + 25, rows), colour, -1)
    return picture


def window(rng: Rng) -> Colour:
    """A desktop: panes, buttons, captions."""
    rows, columns = _size(rng)
    picture = np.full((rows, columns, 3), rng.integers(30, 240, 3), np.uint8)
    for _ in range(int(rng.integers(4, 18))):
        left, top = int(rng.integers(0, columns - 20)), int(rng.integers(0, rows - 20))
        corner = (left + int(rng.integers(20, columns)), top + int(rng.integers(12, rows)))
        fill = tuple(int(value) for value in rng.integers(0, 256, 3))
        cv2.rectangle(picture, (left, top), corner, fill, -1)
        cv2.rectangle(picture, (left, top), corner, (90, 90, 90), 1)
        cv2.putText(picture, "Menu File Help"[: int(rng.integers(3, 14))], (left + 4, top + 14), 0, 0.4, (0, 0, 0), 1)
    return _maybe_grey(rng, picture)


def scene(rng: Rng) -> Colour:
    """Objects before a ground: dead leaves, whose edges and scales are those of photographs, under uneven light.

    Source: Lee, Mumford & Huang, Int. J. Comput. Vision 41:35 (2001).
    """
    rows, columns = _size(rng)
    picture = np.full((rows, columns, 3), rng.integers(0, 256, 3), np.uint8)
    for _ in range(int(rng.integers(20, 160))):
        size = 8 / max(float(rng.random()), 0.03) ** 0.8
        centre = (int(rng.integers(0, columns)), int(rng.integers(0, rows)))
        axes = (max(2, int(size * rng.uniform(0.4, 1.2))), max(2, int(size * rng.uniform(0.4, 1.2))))
        fill = tuple(int(value) for value in np.clip(rng.normal(120, 60, 3), 0, 255))
        if rng.random() < 0.5:
            cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, fill, -1, cv2.LINE_AA)
        else:
            box = cv2.boxPoints((centre, (2.0 * axes[0], 2.0 * axes[1]), float(rng.uniform(0, 90))))
            cv2.fillPoly(picture, [box.astype(np.int32)], fill, cv2.LINE_AA)
    light = cv2.resize(rng.uniform(0.5, 1.3, (3, 3)).astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
    texture = rng.normal(0, rng.uniform(1, 12), (rows, columns, 1))
    blurred = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 2.0)))
    return _maybe_grey(rng, _bytes(blurred * light[..., None] + texture))


def pattern(rng: Rng) -> Colour:
    """Stripes and boards: test pictures of a cable or a camera."""
    rows, columns = _size(rng)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float64)
    period, angle = rng.uniform(4, 80), rng.uniform(0, np.pi)
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    if rng.random() < 0.5:
        wave = wave * np.sin(2 * np.pi * (y * np.cos(angle) - x * np.sin(angle)) / period)
    if rng.random() < 0.6:
        wave = np.sign(wave)
    low, high = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
    return _maybe_grey(rng, _bytes(low + (wave[..., None] + 1) / 2 * (high - low)))


def sector(rng: Rng) -> Colour:
    """A sector scan of speckle with cavities, on black: what a cardiac or abdominal probe draws, without its organs.

    Speckle: log-compressed Rayleigh field, wider with depth. Source: Wagner et al., IEEE Trans. Sonics Ultrason. 30(3).
    """
    depth, lines = 420, 220
    field = rng.standard_normal((depth, lines)) + 1j * rng.standard_normal((depth, lines))
    echo = np.zeros((depth, lines))
    for _ in range(int(rng.integers(2, 9))):
        centre, axes = rng.uniform((60, 20), (380, 200)), rng.uniform((15, 10), (110, 60))
        v, u = np.mgrid[0:depth, 0:lines].astype(np.float64)
        inside = ((v - centre[0]) / axes[0]) ** 2 + ((u - centre[1]) / axes[1]) ** 2 < 1
        echo[inside] += rng.uniform(-32, 14)
    real = cv2.GaussianBlur(field.real, (0, 0), sigmaX=1.4, sigmaY=1.2)
    imaginary = cv2.GaussianBlur(field.imag, (0, 0), sigmaX=1.4, sigmaY=1.2)
    level = 20 * np.log10(np.hypot(real, imaginary) + 1e-3) + cv2.GaussianBlur(echo, (0, 0), 2.5)
    level -= np.linspace(0, rng.uniform(0, 40), depth)[:, None]
    grey = np.clip((level - np.percentile(level, rng.uniform(5, 45))) * rng.uniform(4, 7), 0, 255)
    size = int(rng.integers(300, 520))
    half = float(rng.uniform(0.35, 0.8))
    top = float(rng.uniform(0.0, 0.3))  # of a curved probe's face, as a share of the depth
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    x, y = (x - size / 2) / size, y / size + top * np.cos(half)
    radius, angle = np.hypot(x, y), np.arctan2(x, y)
    at = ((radius - top) / 0.95 * (depth - 1)).astype(np.float32)
    across = ((angle / half + 1) / 2 * (lines - 1)).astype(np.float32)
    drawn = cv2.remap(grey.astype(np.float32), across, at, cv2.INTER_LINEAR, borderValue=0)
    return np.repeat(_bytes(drawn)[..., None], 3, 2)


KINDS: dict[str, Callable[[Rng], Colour]] = {
    "noise": noise, "gradient": gradient, "page": page, "chart": chart, "window": window, "scene": scene,
    "pattern": pattern, "sector": sector,
}  # fmt: skip
