"""What looks like a lesion on a few frames and is none. It stays with the probe while the tissue moves beneath it."""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Kind = Literal["hole", "shadow", "rib"]
KINDS: Final[tuple[Kind, ...]] = ("hole", "shadow", "rib")


@dataclass(frozen=True)
class Artefact:
    """One artefact. Frames are first and last; middle is (column, row) and radii are in pixels of the frame.

    dark: what is left of the brightness in its core. waves: amplitude, order and phase of its outline's waviness.
    """

    kind: Kind
    frames: tuple[int, int]
    middle: tuple[float, float]
    radii: tuple[float, float]
    dark: float
    waves: tuple[tuple[float, int, float], ...]


def draw_artefacts(
    rng: np.random.Generator, frames: int, size: tuple[int, int], mean: float, lasting: float
) -> list[Artefact]:
    """Some artefacts for a sweep: their number is drawn from a Poisson distribution of this mean.

    Most last one to three frames; of each, the share `lasting` stays for six to ten, as the shadow of poor contact
    does: that one can be told only by its not moving with the tissue.
    """
    rows, columns = size
    found = []
    for _ in range(int(rng.poisson(mean))):
        kind = KINDS[int(rng.integers(len(KINDS)))]
        length = int(rng.integers(6, 11)) if rng.random() < lasting else int(rng.integers(1, 4))
        first = int(rng.integers(0, max(frames - length, 0) + 1))
        wide = float(rng.uniform(14, 40))
        radii = (wide, wide * float(rng.uniform(0.45, 0.9)))
        middle = (float(rng.uniform(0.12, 0.88)) * columns, float(rng.uniform(0.2, 0.6)) * rows)
        waves = tuple((float(rng.uniform(0, 0.12)), order, float(rng.uniform(0, 6.28))) for order in (2, 3, 5))
        found.append(Artefact(kind, (first, first + length - 1), middle, radii, float(rng.uniform(0.15, 0.45)), waves))
    return found


def with_artefact(frame: Gray, artefact: Artefact, index: int, noise: NDArray[np.float32]) -> Gray:
    """The frame with the artefact as it is on frame `index`; unchanged where it is not there.

    noise: (rows, columns) of mean 0 and deviation 1, so that its inside has a grain.
    """
    first, last = artefact.frames
    if not first <= index <= last:
        return frame
    rows, columns = frame.shape
    swell = 0.8 + 0.2 * np.sin(np.pi * (index - first + 0.5) / (last - first + 1))
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    u, v = (x - artefact.middle[0]) / artefact.radii[0], (y - artefact.middle[1]) / artefact.radii[1]
    angle = np.arctan2(v, u)
    bump = sum(amplitude * np.cos(order * angle + phase) for amplitude, order, phase in artefact.waves)
    radius = np.hypot(u, v) / (swell * (1 + bump))
    inside = 1 / (1 + np.exp(np.clip((radius - 1) / 0.09, -50, 50)))
    band = np.exp(-((u / 1.05) ** 4)) / (1 + np.exp(np.clip(-(v + 0.2) / 0.12, -50, 50)))
    seen = frame.astype(np.float32)
    if artefact.kind == "hole":
        gain = 1 - (1 - artefact.dark) * inside
    elif artefact.kind == "shadow":
        fade = np.exp(-np.clip(v, 0, None) / 3.0)
        gain = 1 - (1 - artefact.dark) * np.maximum(inside, 0.8 * band * fade)
    else:
        arc = np.exp(-(((radius - 1) / 0.12) ** 2)) * (v < 0)
        seen = seen + 110 * arc.astype(np.float32)
        gain = 1 - (1 - artefact.dark) * np.maximum(inside * (v > -0.6), 0.9 * band)
    seen = seen * gain.astype(np.float32)
    seen += 0.9 * np.sqrt(np.maximum(seen, 1)) * noise * inside.astype(np.float32)
    return np.asarray(np.clip(cv2.GaussianBlur(seen, (0, 0), 0.7), 0, 255), np.uint8)


def without_contact(frame: Gray, side: float) -> Gray:
    """The probe lost contact: the frame is dark beyond `side` (a share of the width, from the left; 0 is all of it)."""
    x = np.linspace(0, 1, frame.shape[1], dtype=np.float32)
    lit = 1 / (1 + np.exp((x - side) / 0.03)) if side > 0 else np.zeros_like(x)
    return (frame * (0.06 + 0.94 * lit)[None]).astype(np.uint8)
