"""One sweep: the probe moves over tissue that changes with its way, and lesions come and go in it.

The way is told in shares of the sweep, 0 to 1. Tissue along it is made of several stills of one set, each of which
gives way to the next; a lesion is a section through an ellipsoid: it grows, is whole in the middle, and shrinks.
Between neighbouring frames the hand moves the picture sideways and up and down and presses it; speckle is laid over it
that is another one after a short way. Speckle on a compressed picture: u + √u·n (Loupas et al., IEEE Trans Circuits
Syst 36:129, 1989).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.sweeps.artefacts import draw_artefacts, with_artefact, without_contact
from benchmarks.sweeps.tissue import Lesion, Tissue, laid_in

Gray = NDArray[np.uint8]
Plane = NDArray[np.float32]

SIZE: Final = (288, 336)
"""Rows and columns of a frame."""
SLICES: Final = 3
"""Stills that a sweep passes: with a way of about 28 mm another one every 9 mm."""
THINNEST: Final = 0.3
"""A section smaller than this share of the whole lesion is swallowed by the slice's thickness: not in the truth."""
LEAST_SEEN_PX: Final = 60
"""A lesion with fewer pixels within the frame is not in the frame's truth."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A lesion in a sweep: its middle on the canvas (column, row), where on the way it is whole, half its length."""

    lesion: Lesion
    middle: tuple[float, float]
    whole_at: float
    half: float
    scale: float


@dataclass(frozen=True, eq=False)
class Sweep:
    """frames: uint8. truth: by frame, a label mask of the same shape: 0, or the number of a lesion from 1.

    malignant: of each lesion, in their order; None where nobody says. plan: how it was made, in words for a person.
    """

    frames: list[Gray]
    truth: list[Gray]
    malignant: tuple[bool | None, ...]
    plan: str


@dataclass(frozen=True)
class Makeup:
    """How sweeps are made. How hard sweeps are was set on validation alone (docs/decisions/0047).

    frames: of a sweep. artefacts: mean number of artefacts. lasting: share of them that stay. reversals: share of
    sweeps in which the probe turns back for a while. lost: share of sweeps that lose contact on one or two frames.
    late, edge, two: shares of sweeps with a lesion on which the sweep ends, that the frame's edge cuts, or with two.
    """

    frames: int = 10
    artefacts: float = 1.5
    lasting: float = 0.05
    reversals: float = 0.3
    lost: float = 0.25
    late: float = 0.15
    edge: float = 0.15
    two: float = 0.2


MAKEUP: Final = Makeup()


def simulate(
    rng: np.random.Generator, tissues: Sequence[Tissue], lesions: Sequence[Lesion], makeup: Makeup = MAKEUP
) -> Sweep:
    """A sweep over these stills, of which at least one is needed, with these lesions in it, none to two."""
    rows, columns = SIZE
    width = min(each.canvas.shape[1] for each in tissues)
    tissue = _Along(rng, [each.canvas[:, :width] for each in tissues])
    way = _way(rng, makeup)
    shift, press = _hand(rng, makeup.frames, ((tissue.shape[0] - rows) / 2, (width - columns) / 2))
    placed, told = _places(rng, lesions, tissue.shape, makeup)
    speckle = [_grain(rng, tissue.shape) for _ in range(12)]
    gain = float(np.exp(rng.normal(0, 0.1)))
    noise = [_grain(rng, SIZE) for _ in range(4)]
    artefacts = draw_artefacts(rng, makeup.frames, SIZE, makeup.artefacts, makeup.lasting)
    lost = _lost(rng, makeup)
    frames, truth = [], []
    for index in range(makeup.frames):
        canvas, labels = tissue.at(way[index]), np.zeros(tissue.shape, np.uint8)
        for number, each in enumerate(placed, start=1):
            canvas, labels = _with_lesion(canvas, labels, each, way[index], number)
        grained = _speckled(canvas, speckle, way[index], tissue.shape)
        plane, seen = _seen(grained, labels, shift[index], press[index])
        lit = float(np.exp(rng.normal(0, 0.02)))
        frame = np.asarray(np.clip(plane * gain * lit, 0, 255), np.uint8)
        for artefact in artefacts:
            frame = with_artefact(frame, artefact, index, noise[index % len(noise)])
        if index in lost:
            frame = without_contact(frame, lost[index])
            seen[:, round(lost[index] * columns) :] = 0
        for number in range(1, len(placed) + 1):
            if np.count_nonzero(seen == number) < LEAST_SEEN_PX:
                seen[seen == number] = 0
        frames.append(frame)
        truth.append(seen)
    kinds = ", ".join(f"{each.kind} {each.frames[0]}-{each.frames[1]}" for each in artefacts)
    plan = (
        f"{told}; tissue {' '.join(each.row for each in tissues)}; artefacts: {kinds or 'none'}; lost: {sorted(lost)}"
    )
    return Sweep(frames, truth, tuple(each.lesion.malignant for each in placed), plan)


class _Along:
    """The tissue along the way: stills that give way to each other, bent by a little that changes slowly."""

    def __init__(self, rng: np.random.Generator, canvases: Sequence[Gray]) -> None:
        self.shape = (canvases[0].shape[0], canvases[0].shape[1])
        self._stills = [cv2.GaussianBlur(each, (0, 0), 0.8).astype(np.float32) for each in _alike(canvases)]
        count = len(canvases)
        self._borders = [(number + 1) / count + 0.06 * _smooth(rng, self.shape, 60) for number in range(count - 1)]
        self._bends = [3.5 * _smooth(rng, self.shape, 90) for _ in range(4)]
        y, x = np.mgrid[: self.shape[0], : self.shape[1]].astype(np.float32)
        self._grid = (x, y)

    def at(self, z: float) -> Gray:
        seen = self._stills[0]
        for still, border in zip(self._stills[1:], self._borders, strict=True):
            share = np.clip((z - border) / 0.08 + 0.5, 0, 1)
            if share.max() == 0 or share.min() == 1:
                seen = seen if share.max() == 0 else still
                continue
            # two textures averaged have less contrast than either: it is given back
            back = 1 / np.sqrt(share**2 + (1 - share) ** 2)
            mean = cv2.GaussianBlur(seen + share * (still - seen), (0, 0), 6)
            seen = np.clip(mean + back * (seen + share * (still - seen) - mean), 0, 255)
        c, s = math.cos(2.2 * z), math.sin(2.2 * z)
        bend_x, bend_y = c * self._bends[0] + s * self._bends[1], 0.6 * (c * self._bends[2] + s * self._bends[3])
        moved = cv2.remap(
            seen, self._grid[0] + bend_x, self._grid[1] + bend_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        return np.asarray(np.clip(moved, 0, 255), np.uint8)


def _alike(canvases: Sequence[Gray]) -> list[Plane]:
    """The stills with the brightness over depth of the first: one machine at one setting."""
    first = cv2.GaussianBlur(canvases[0].astype(np.float32).mean(axis=1, keepdims=True), (1, 0), sigmaX=0.1, sigmaY=20)
    found = []
    for each in canvases:
        own = cv2.GaussianBlur(each.astype(np.float32).mean(axis=1, keepdims=True), (1, 0), sigmaX=0.1, sigmaY=20)
        gain = np.clip((first.reshape(-1, 1) + 4) / (own.reshape(-1, 1) + 4), 0.5, 2.0)
        found.append(np.clip(each.astype(np.float32) * gain, 0, 255).astype(np.float32))
    return found


def _way(rng: np.random.Generator, makeup: Makeup) -> list[float]:
    """The place of each frame on the way, 0 to 1; where it turns back, for a quarter of the sweep."""
    steps = rng.uniform(0.7, 1.3, makeup.frames)
    if rng.random() < makeup.reversals:
        length = makeup.frames // 4
        start = int(rng.integers(makeup.frames // 4, makeup.frames - length))
        steps[start : start + length] *= -1
    way = np.cumsum(steps)
    way -= way.min()
    return [float(each) for each in way / way.max()]


def _hand(
    rng: np.random.Generator, frames: int, room: tuple[float, float]
) -> tuple[list[tuple[float, float]], list[float]]:
    """By frame, how far the picture has moved (columns, rows) and how much it is pressed together."""
    t = np.linspace(0, 1, frames)

    def wave(most: float) -> NDArray[np.float64]:
        slow = np.sin(2 * np.pi * (rng.uniform(0.4, 1.3) * t + rng.uniform(0, 1)))
        quick = np.cumsum(rng.normal(0, 0.08, frames))
        both = slow * rng.uniform(0.3, 0.8) + quick
        return np.asarray(most * np.clip(both, -0.95, 0.95))

    across, down = wave(room[1]), wave(room[0])
    return [(float(a), float(b)) for a, b in zip(across, down, strict=True)], [
        float(each) for each in 1 + 0.04 * wave(1)
    ]


def _places(
    rng: np.random.Generator, lesions: Sequence[Lesion], shape: tuple[int, int], makeup: Makeup
) -> tuple[list[Placed], str]:
    """Where the lesions lie, and what is special about it."""
    placed: list[Placed] = []
    told = []
    for number, lesion in enumerate(lesions):
        special = rng.random()
        late, edge = special < makeup.late, makeup.late <= special < makeup.late + makeup.edge
        scale = float(rng.uniform(0.75, 1.15))
        half = float(rng.uniform(0.2, 0.38))
        whole_at = (
            1.0 + half * float(rng.uniform(-0.3, 0.3)) if late else float(rng.uniform(half * 0.8, 1 - half * 0.8))
        )
        height, width = lesion.mask.shape[0] * scale, lesion.mask.shape[1] * scale
        margin = (shape[1] - SIZE[1]) / 2
        column = float(rng.uniform(margin + width / 2, max(shape[1] - margin - width / 2, margin + width / 2 + 1)))
        if edge:  # two thirds to nearly all of it are seen while the hand is still
            column = margin + float(rng.uniform(0.15, 0.4)) * width
            column = column if rng.random() < 0.5 else shape[1] - column
        row = float(np.clip(lesion.depth * shape[0], height / 2 + 14, max(shape[0] - height / 2 - 14, height / 2 + 14)))
        if number:  # beside the first, or where that leaves no room, before or after it
            other = placed[0]
            away = (width + other.lesion.mask.shape[1] * other.scale) / 2
            sides = [
                place for place in (other.middle[0] - away, other.middle[0] + away) if _inside(place, width, shape)
            ]
            if sides:
                column = sides[int(rng.integers(len(sides)))]
            else:
                half = min(half, 0.24)
                whole_at = other.whole_at + (0.52 if other.whole_at < 0.5 else -0.52)
        placed.append(Placed(lesion, (column, row), whole_at, half, scale))
        told.append(f"{lesion.row}{' late' if late else ''}{' at the edge' if edge else ''}")
    return placed, f"{len(placed)} lesions {' '.join(told)}"


def _inside(column: float, width: float, shape: tuple[int, int]) -> bool:
    margin = (shape[1] - SIZE[1]) / 2
    return margin + width / 2 <= column <= shape[1] - margin - width / 2


def _with_lesion(canvas: Gray, labels: Gray, placed: Placed, z: float, number: int) -> tuple[Gray, Gray]:
    away = (z - placed.whole_at) / placed.half
    section = math.sqrt(max(1 - away * away, 0.0))
    if section < THINNEST:
        return canvas, labels
    scale = placed.scale * section
    size = (max(round(placed.lesion.mask.shape[1] * scale), 4), max(round(placed.lesion.mask.shape[0] * scale), 4))
    patch = cv2.resize(placed.lesion.picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    mask = cv2.resize(placed.lesion.mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
    at = (round(placed.middle[1] - size[1] / 2), round(placed.middle[0] - size[0] / 2))
    reach = max(2, round(0.08 * max(size)))
    padded = mask.astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    around = np.asarray(cv2.dilate(padded, kernel), np.bool_)
    canvas = laid_in(canvas, patch, around, at)
    labels = labels.copy()
    top, left = max(at[0], 0), max(at[1], 0)
    part = mask[top - at[0] : canvas.shape[0] - at[0], left - at[1] : canvas.shape[1] - at[1]]
    if part.size:
        labels[top : top + part.shape[0], left : left + part.shape[1]][part] = number
    return canvas, labels


def _grain(rng: np.random.Generator, shape: tuple[int, int]) -> Plane:
    """Speckle's grain, wider than it is deep; mean 0, deviation 1."""
    grain = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), sigmaX=1.3, sigmaY=0.8)
    return np.asarray(grain / grain.std(), np.float32)


def _speckled(canvas: Gray, speckle: Sequence[Plane], z: float, shape: tuple[int, int]) -> Plane:
    """The speckle of the place on the way: two neighbouring fields mixed, so that it changes little by little."""
    at = z * (len(speckle) - 1)
    low = min(int(at), len(speckle) - 2)
    share = at - low
    noise = ((1 - share) * speckle[low] + share * speckle[low + 1]) / math.sqrt(share**2 + (1 - share) ** 2)
    plane = canvas.astype(np.float32)
    return np.asarray(plane + 0.9 * np.sqrt(plane) * noise, np.float32)


def _seen(canvas: Plane, labels: Gray, shift: tuple[float, float], press: float) -> tuple[Plane, Gray]:
    """What the frame sees of the canvas."""
    rows, columns = SIZE
    left, top = (canvas.shape[1] - columns) / 2 + shift[0], (canvas.shape[0] - rows) / 2 + shift[1]
    matrix = np.array([[1, 0, left], [0, press, top * (2 - press)]], np.float32)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    frame = cv2.warpAffine(canvas, matrix, (columns, rows), flags=how, borderMode=cv2.BORDER_REFLECT_101)
    mask = cv2.warpAffine(labels, matrix, (columns, rows), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return np.asarray(frame, np.float32), np.asarray(mask, np.uint8)


def _lost(rng: np.random.Generator, makeup: Makeup) -> dict[int, float]:
    """Frames that lose contact, and from which share of the width on."""
    if rng.random() >= makeup.lost:
        return {}
    frames = rng.integers(0, makeup.frames, int(rng.integers(1, 3)))
    return {int(each): 0.0 if rng.random() < 0.5 else float(rng.uniform(0.3, 0.8)) for each in frames}


def _smooth(rng: np.random.Generator, shape: tuple[int, int], reach: float) -> Plane:
    """A field that changes over `reach` pixels; mean 0, deviation 1."""
    small = rng.standard_normal((math.ceil(shape[0] / reach) + 3, math.ceil(shape[1] / reach) + 3)).astype(np.float32)
    field = cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray((field - field.mean()) / field.std(), np.float32)
