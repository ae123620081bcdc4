"""Draw a scanner's screen around a real picture: where the picture lies, and which strings stand where, and how.

Eight layouts are reported on and four others, with other pictures, are those on which thresholds were chosen. The
layouts are drawn after what scanners show (a bar above, a column beside, a footer, text over the tissue, a split
screen) and are no maker's own.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.text.strings import CHINESE, Kind, string_of

Gray = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Condition = Literal["plain", "over_tissue", "rotated", "low_contrast"]
CONDITIONS: Final[tuple[Condition, ...]] = ("plain", "over_tissue", "rotated", "low_contrast")

FONTS: Final = Path("/usr/share/fonts/truetype")
CHINESE_FONT: Final = FONTS / "wqy" / "wqy-zenhei.ttc"
_SANS: Final = FONTS / "liberation" / "LiberationSans-Regular.ttf"
_MONO: Final = FONTS / "liberation" / "LiberationMono-Bold.ttf"
_NARROW: Final = FONTS / "liberation" / "LiberationSans-Bold.ttf"
_DEJAVU: Final = FONTS / "dejavu" / "DejaVuSans.ttf"
INK: Final = 24
"""A pixel that text changes by at least this many grey levels is its ink."""


@dataclass(frozen=True)
class Field:
    """One string's place: x, y of its corner as shares of the screen, its height in pixels, and how it is drawn."""

    x: float
    y: float
    size: int
    condition: Condition = "plain"
    level: int = 235


@dataclass(frozen=True)
class Layout:
    """A screen. scan: (left, top, width, height) of the picture as shares. halves: whether it is shown twice."""

    name: str
    rows: int
    columns: int
    scan: tuple[float, float, float, float]
    fields: tuple[Field, ...]
    font: Path
    background: int = 0
    halves: bool = False
    pixelated: bool = False


@dataclass(frozen=True)
class Planted:
    """One string as drawn. ink: the pixels that it changed."""

    kind: Kind
    condition: Condition
    text: str
    ink: Mask


@dataclass(frozen=True)
class Screen:
    """A drawn screen. picture: (rows, columns) uint8. tissue, lesion, callipers: where they lie."""

    layout: str
    picture: Gray
    planted: tuple[Planted, ...]
    tissue: Mask
    lesion: Mask
    callipers: Mask
    bare: Gray = field(repr=False)


CHOOSING: Final = (
    Layout("bar", 480, 640, (0.1, 0.14, 0.8, 0.8), (
        Field(0.02, 0.01, 15), Field(0.45, 0.01, 14), Field(0.72, 0.06, 12), Field(0.02, 0.07, 13, "low_contrast", 70),
        Field(0.3, 0.3, 15, "over_tissue"), Field(0.94, 0.3, 13, "rotated")), _SANS),
    Layout("column", 600, 800, (0.22, 0.06, 0.74, 0.9), (
        Field(0.01, 0.05, 16), Field(0.01, 0.15, 13), Field(0.01, 0.25, 14), Field(0.01, 0.5, 15, "low_contrast", 80),
        Field(0.4, 0.7, 17, "over_tissue"), Field(0.5, 0.3, 16, "rotated")), _DEJAVU, 12),
    Layout("footer", 352, 576, (0.05, 0.02, 0.9, 0.82), (
        Field(0.02, 0.87, 13), Field(0.45, 0.87, 12), Field(0.02, 0.93, 12), Field(0.3, 0.1, 13, "over_tissue"),
        Field(0.5, 0.6, 13, "low_contrast", 60)), _NARROW, 0, pixelated=True),
    Layout("full", 400, 520, (0, 0, 1, 1), (
        Field(0.05, 0.03, 15, "over_tissue"), Field(0.5, 0.03, 13, "over_tissue"), Field(0.05, 0.88, 14, "over_tissue"),
        Field(0.9, 0.3, 13, "rotated"), Field(0.4, 0.5, 15, "low_contrast", 60)), _SANS),
)  # fmt: skip

REPORTED: Final = (
    Layout("header", 480, 640, (0.15, 0.16, 0.7, 0.78), (
        Field(0.01, 0.01, 14), Field(0.4, 0.01, 13), Field(0.75, 0.01, 12), Field(0.01, 0.06, 13),
        Field(0.4, 0.06, 12, "low_contrast", 64), Field(0.4, 0.35, 14, "over_tissue")), _DEJAVU),
    Layout("corners", 576, 720, (0.08, 0.1, 0.84, 0.8), (
        Field(0.01, 0.02, 16), Field(0.65, 0.02, 14), Field(0.01, 0.93, 13), Field(0.65, 0.93, 15),
        Field(0.3, 0.2, 16, "over_tissue"), Field(0.94, 0.4, 14, "rotated")), _SANS, 8),
    Layout("wide", 720, 1280, (0.25, 0.08, 0.5, 0.86), (
        Field(0.01, 0.05, 20), Field(0.01, 0.11, 18), Field(0.01, 0.17, 16), Field(0.78, 0.05, 18),
        Field(0.78, 0.5, 16, "low_contrast", 70), Field(0.4, 0.7, 18, "over_tissue"), Field(0.6, 0.3, 18, "rotated")),
        _NARROW, 16),
    Layout("small", 352, 576, (0.12, 0.1, 0.76, 0.85), (
        Field(0.02, 0.01, 12), Field(0.5, 0.01, 12), Field(0.3, 0.2, 13, "over_tissue"),
        Field(0.02, 0.93, 12, "low_contrast", 70), Field(0.9, 0.2, 12, "rotated")), _SANS),
    Layout("grey", 600, 800, (0.03, 0.12, 0.72, 0.84), (
        Field(0.03, 0.02, 17, level=20), Field(0.4, 0.02, 15, level=0), Field(0.78, 0.2, 14, level=10),
        Field(0.78, 0.3, 14, "low_contrast", 70), Field(0.2, 0.5, 16, "over_tissue"), Field(0.6, 0.6, 15, "rotated")),
        _DEJAVU, 130),
    Layout("split", 480, 800, (0.04, 0.12, 0.92, 0.8), (
        Field(0.02, 0.02, 15), Field(0.55, 0.02, 14), Field(0.02, 0.94, 13), Field(0.2, 0.2, 14, "over_tissue"),
        Field(0.6, 0.75, 15, "over_tissue"), Field(0.55, 0.94, 12, "low_contrast", 60)), _MONO, halves=True),
    Layout("overlay", 512, 512, (0, 0, 1, 1), (
        Field(0.02, 0.02, 15, "over_tissue"), Field(0.45, 0.02, 14, "over_tissue"),
        Field(0.02, 0.92, 15, "over_tissue"), Field(0.45, 0.92, 13, "over_tissue"), Field(0.92, 0.3, 14, "rotated"),
        Field(0.3, 0.5, 16, "low_contrast", 60)), _SANS),
    Layout("pixels", 384, 512, (0.05, 0.15, 0.9, 0.8), (
        Field(0.01, 0.02, 12), Field(0.5, 0.02, 12), Field(0.01, 0.08, 13), Field(0.3, 0.25, 13, "over_tissue"),
        Field(0.2, 0.8, 13, "over_tissue"), Field(0.5, 0.08, 12, "low_contrast", 75)), _SANS, pixelated=True),
    Layout("tall", 768, 1024, (0.1, 0.06, 0.7, 0.88), (
        Field(0.82, 0.05, 18), Field(0.82, 0.12, 16), Field(0.82, 0.19, 14), Field(0.1, 0.01, 17),
        Field(0.3, 0.3, 20, "over_tissue"), Field(0.5, 0.55, 18, "rotated"), Field(0.82, 0.6, 16, "low_contrast", 64)),
        _MONO, 4),
)  # fmt: skip


def draw(layout: Layout, picture: Gray, lesion: Mask, kinds: Sequence[Kind], rng: random.Random) -> Screen:
    """A screen of a layout with one string per field.

    picture: (rows, columns) uint8. lesion: of the same shape. kinds: drawn from for each field. No string is planted
    where the lesion is, for nobody writes upon one: a field that would meet it is moved, or left out.
    """
    rows, columns = layout.rows, layout.columns
    canvas = np.full((rows, columns), layout.background, np.uint8)
    tissue, on_canvas = np.zeros((rows, columns), np.bool_), np.zeros((rows, columns), np.bool_)
    left, top = round(layout.scan[0] * columns), round(layout.scan[1] * rows)
    width, height = round(layout.scan[2] * columns), round(layout.scan[3] * rows)
    boxes = [(left, top, width, height)]
    if layout.halves:
        boxes = [(left, top, width // 2, height), (left + width // 2, top, width - width // 2, height)]
    for x, y, across, down in boxes:
        canvas[y : y + down, x : x + across] = cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA)
        shown = cv2.resize(lesion.astype(np.uint8), (across, down), interpolation=cv2.INTER_NEAREST) > 0
        on_canvas[y : y + down, x : x + across] = shown
        tissue[y : y + down, x : x + across] = True
    callipers = _callipers(canvas, on_canvas, rng)
    bare = canvas.copy()
    taken = cv2.dilate((on_canvas | callipers).astype(np.uint8), np.ones((9, 9))) > 0
    planted = []
    for place in layout.fields:
        kind = rng.choice(list(kinds))
        one = _plant(canvas, place, kind, layout, taken, rng)
        if one is not None:
            planted.append(one)
            taken |= cv2.dilate(one.ink.astype(np.uint8), np.ones((25, 25))) > 0
    return Screen(layout.name, canvas, tuple(planted), tissue, on_canvas, callipers, bare)


def _plant(canvas: Gray, place: Field, kind: Kind, layout: Layout, taken: Mask, rng: random.Random) -> Planted | None:
    """Draw one string at its place, or near it where something else is; None where it finds no room."""
    text = string_of(kind, rng)
    drawn = _glyphs(text, kind, place.size + rng.choice((0, 0, 1, 2)), layout)
    if place.condition == "rotated":
        turn = rng.choice((90, 90, -90, 20, -30, 45))
        drawn = _turned(drawn, turn)
    rows, columns = canvas.shape
    height, width = drawn.shape
    if height >= rows or width >= columns:
        return None
    for attempt in range(12):
        wander = 0 if attempt == 0 else 0.04 * attempt
        x = round((place.x + rng.uniform(-wander, wander)) * columns)
        y = round((place.y + rng.uniform(-wander, wander)) * rows)
        x, y = min(max(x, 0), columns - width), min(max(y, 0), rows - height)
        if taken[y : y + height, x : x + width].any():
            continue
        under = canvas[y : y + height, x : x + width].astype(np.float32)
        level = float(place.level)
        if place.condition == "low_contrast":  # so many grey levels above what lies under it
            base = float(np.median(under))
            level = base + place.level if base + place.level <= 255 else base - place.level
        alpha = drawn.astype(np.float32) / 255
        mixed = np.clip(under * (1 - alpha) + level * alpha, 0, 255)
        ink = np.zeros(canvas.shape, np.bool_)
        ink[y : y + height, x : x + width] = np.abs(mixed - under) >= INK
        canvas[y : y + height, x : x + width] = np.round(mixed).astype(np.uint8)
        return Planted(kind, place.condition, text, ink) if ink.any() else None
    return None


def _glyphs(text: str, kind: Kind, size: int, layout: Layout) -> Gray:
    """A string, white on black, cut to what is drawn."""
    path = CHINESE_FONT if kind in CHINESE or any(ord(sign) > 0x2FF for sign in text) else layout.font
    font = ImageFont.truetype(str(path), size)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4), 0)
    pen = ImageDraw.Draw(image)
    if layout.pixelated:
        pen.fontmode = "1"
    pen.text((2 - left, 2 - top), text, fill=255, font=font)
    return np.asarray(image, np.uint8)


def _turned(drawn: Gray, degrees: int) -> Gray:
    if degrees in (90, -90):
        return np.ascontiguousarray(np.rot90(drawn, degrees // 90))
    return np.asarray(Image.fromarray(drawn).rotate(degrees, Image.Resampling.BICUBIC, expand=True), np.uint8)


def _callipers(canvas: Gray, lesion: Mask, rng: random.Random) -> Mask:
    """Draw two pairs of crosses with dotted lines across the lesion, on half of the screens; what changed."""
    changed = np.zeros(canvas.shape, np.bool_)
    if not lesion.any() or rng.random() < 0.5:
        return changed
    before = canvas.copy()
    ys, xs = np.nonzero(lesion)
    middle_x, middle_y = int(xs.mean()), int(ys.mean())
    ends = [
        ((int(xs.min()), middle_y), (int(xs.max()), middle_y)),
        ((middle_x, int(ys.min())), (middle_x, int(ys.max()))),
    ]
    for start, end in ends:
        for x, y in (start, end):
            cv2.line(canvas, (x - 5, y), (x + 5, y), 255, 1)
            cv2.line(canvas, (x, y - 5), (x, y + 5), 255, 1)
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1])) // 5
        for step in range(1, max(steps, 1)):
            x = start[0] + (end[0] - start[0]) * step // steps
            y = start[1] + (end[1] - start[1]) * step // steps
            canvas[min(max(y, 0), canvas.shape[0] - 1), min(max(x, 0), canvas.shape[1] - 1)] = 230
    return np.asarray(before != canvas, np.bool_)
