"""Where findings lie, drawn: a clock face for each breast, the lobes of the thyroid. SVG without script, link or style.

Everything is seen from the front, as whoever faces the woman sees it: her right is on the left. What is not known is
not drawn: a direction without a distance is a shaded sector, never a point, and a finding without either stands below.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from sonovan.contracts.lexicon import Position, Side

BREAST_MM: Final = 80.0
"""A breast's drawing reaches so far from the nipple; farther where a finding lies farther."""
RING_MM: Final = 40.0
"""Where any distance is known, a ring shows this one."""

_ACCENT: Final = "#12507b"
_FELT: Final = "#a3162a"
_LINE: Final = "#55626e"
_FAINT: Final = "#d5dce2"
_UNSEEN: Final = "#e7e0e2"
_RADIUS: Final = 78.0
_NIPPLE: Final = 4.0
_LOBE: Final = (30.0, 62.0)
_THIRDS: Final = {"upper": (-1.0, -1 / 3), "middle": (-1 / 3, 1 / 3), "lower": (1 / 3, 1.0)}
_QUADRANTS: Final = {"upper_outer": 45.0, "lower_outer": 135.0, "lower_inner": 225.0, "upper_inner": 315.0}
"""Degrees from the top, clockwise, of the middle of each quadrant of a left breast, seen from the front."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding on a map by its number on the page, and as much of its place as is known.

    hour: on the clock face, 1 to 12. region: a quadrant or named region of a breast, a third of a thyroid lobe.
    distance_mm: from the nipple. felt: a lump that she feels, drawn in another colour.
    """

    number: str
    hour: int | None = None
    region: Position | None = None
    distance_mm: float | None = None
    felt: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """A map: its SVG, whether anything is marked on it, and the numbers of which too little is known to draw them."""

    svg: str
    marked: bool
    unplaced: tuple[str, ...]


def breast_map(side: Side, marks: Sequence[Mark], *, label: str, outer: str, inner: str, unseen: bool) -> Drawn:
    """The clock face of one breast with its findings. label, outer, inner: words to write. unseen: greyed.

    A known hour and distance is a point; a known hour or region alone is a shaded part.
    """
    mirror = -1 if side == "right" else 1
    reach = max([BREAST_MM, *(mark.distance_mm + 10 for mark in marks if mark.distance_mm is not None)])
    scale = _RADIUS / reach
    drawn: dict[tuple[object, ...], list[Mark]] = {}
    unplaced = []
    for mark in marks:
        key = _breast_place(mark)
        if key is None:
            unplaced.append(mark.number)
        else:
            drawn.setdefault(key, []).append(mark)
    parts = [_circle(0, 0, _RADIUS, fill=_UNSEEN if unseen else "#ffffff", stroke=_LINE)]
    parts += _clock()
    if any(key[0] == "point" for key in drawn):
        ring = RING_MM * scale
        parts.append(_circle(0, 0, ring, stroke=_FAINT))
        parts.append(_text(2, ring + 7, f"{RING_MM:.0f} mm", size=6.5, anchor="start"))
    numbers = []
    for key, found in drawn.items():
        shape, (x, y) = _breast_shape(key, mirror, scale)
        parts += shape
        numbers.append(_number(x, y, found))
    parts.append(_circle(0, 0, _NIPPLE, fill="#ffffff", stroke=_LINE))
    parts += numbers
    parts += [_text(mirror * 84, 84, outer), _text(mirror * -84, 84, inner)]
    return Drawn(_svg(parts, (-108, -98, 216, 196), label), bool(drawn), tuple(unplaced))


def thyroid_map(
    marks: Mapping[Side, Sequence[Mark]], *, label: str, sides: Mapping[Side, str], unseen: Iterable[Side]
) -> Drawn:
    """Both lobes and the isthmus with their findings by side. sides: what to write under each lobe."""
    grey = set(unseen)
    fills = {side: _UNSEEN if side in grey else "#ffffff" for side in ("left", "right", "isthmus")}
    parts = [
        f'<rect x="-26" y="8" width="52" height="22" rx="8" fill="{fills["isthmus"]}" stroke="{_LINE}"/>',
        _ellipse(-52, 0, *_LOBE, fill=fills["right"]),
        _ellipse(52, 0, *_LOBE, fill=fills["left"]),
        _text(-52, 80, sides["right"]),
        _text(52, 80, sides["left"]),
    ]
    unplaced = []
    lobes: tuple[tuple[Side, float], ...] = (("right", -52.0), ("left", 52.0))
    for side, middle in lobes:
        placed: dict[Position, list[Mark]] = {}
        for mark in marks.get(side, ()):
            if mark.region in _THIRDS:
                placed.setdefault(mark.region, []).append(mark)
            else:
                unplaced.append(mark.number)
        for region, found in placed.items():
            low, high = _THIRDS[region]
            parts.append(_band(middle, low, high))
            parts.append(_number(middle, (low + high) / 2 * _LOBE[1], found))
    isthmus = list(marks.get("isthmus", ()))
    if isthmus:
        parts.append(f'<rect x="-20" y="10" width="40" height="18" rx="6" fill="{_ACCENT}" fill-opacity="0.22"/>')
        parts.append(_number(0, 19, isthmus))
    marked = sum(map(len, marks.values())) > len(unplaced)
    return Drawn(_svg(parts, (-108, -70, 216, 160), label), marked, tuple(unplaced))


def _breast_place(mark: Mark) -> tuple[object, ...] | None:
    """What is drawn of a mark, so that marks of the same place are drawn once; None where nothing can be."""
    if mark.hour is not None:
        return ("sector", mark.hour) if mark.distance_mm is None else ("point", mark.hour, round(mark.distance_mm))
    return None if mark.region is None else ("region", mark.region)


def _breast_shape(key: tuple[object, ...], mirror: int, scale: float) -> tuple[list[str], tuple[float, float]]:
    kind, where = key[0], key[1]
    if kind == "point":
        return [], _polar(30.0 * int(str(where)), float(str(key[2])) * scale)
    if kind == "sector":
        angle = 30.0 * int(str(where))
        return [_sector(angle - 15, angle + 15, 10, _RADIUS)], _polar(angle, 0.86 * _RADIUS)
    if where in _QUADRANTS:
        angle = mirror * _QUADRANTS[str(where)]
        return [_sector(angle - 45, angle + 45, 0, _RADIUS)], _polar(angle, 0.86 * _RADIUS)
    if where in ("axilla", "axillary_tail"):
        x, y = _polar(mirror * 45, 1.0 * _RADIUS if where == "axillary_tail" else 1.38 * _RADIUS)
        return [_circle(x, y, 15, fill=_ACCENT, opacity=0.22)], (x, y)
    return [_circle(0, 0, 20, fill=_ACCENT, opacity=0.22)], (0.0, -20.0)


def _polar(angle: float, distance: float) -> tuple[float, float]:
    """Column and row of a point. angle: degrees from the top, clockwise as on a clock."""
    radians = math.radians(angle)
    return distance * math.sin(radians), -distance * math.cos(radians)


def _clock() -> Iterator[str]:
    for hour in range(1, 13):
        (x1, y1), (x2, y2) = _polar(30 * hour, _RADIUS), _polar(30 * hour, _RADIUS - (7 if hour % 3 == 0 else 4))
        yield f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{_LINE}"/>'
        if hour % 3 == 0:
            x, y = _polar(30 * hour, _RADIUS + 10)
            yield _text(x, y + 3.5, str(hour))


def _sector(start: float, end: float, inside: float, outside: float) -> str:
    steps = [start + (end - start) * step / 12 for step in range(13)]
    points = [_polar(angle, outside) for angle in steps] + [_polar(angle, inside) for angle in reversed(steps)]
    return _polygon(points)


def _band(middle: float, low: float, high: float) -> str:
    """The part of a lobe between two heights, from -1 (top) to 1."""
    heights = [low + (high - low) * step / 12 for step in range(13)]
    right = [(middle + _LOBE[0] * math.sqrt(1 - at * at), _LOBE[1] * at) for at in heights]
    return _polygon(right + [(2 * middle - x, y) for x, y in reversed(right)])


def _polygon(points: Iterable[tuple[float, float]]) -> str:
    listed = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon points="{listed}" fill="{_ACCENT}" fill-opacity="0.22"/>'


def _circle(x: float, y: float, r: float, *, fill: str = "none", stroke: str = "none", opacity: float = 1) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{fill}" fill-opacity="{opacity:g}" stroke="{stroke}"/>'


def _ellipse(x: float, y: float, rx: float, ry: float, *, fill: str) -> str:
    return f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{rx:.1f}" ry="{ry:.1f}" fill="{fill}" stroke="{_LINE}"/>'


def _number(x: float, y: float, marks: Sequence[Mark]) -> str:
    told = ", ".join(mark.number for mark in marks)
    half = max(8.0, 3.1 * len(told) + 4)
    fill = _FELT if all(mark.felt for mark in marks) else _ACCENT
    box = f'<rect x="{x - half:.1f}" y="{y - 8:.1f}" width="{2 * half:.1f}" height="16" rx="8" fill="{fill}"/>'
    return box + _text(x, y + 3.6, told, size=10, fill="#ffffff", bold=True)


def _text(
    x: float, y: float, text: str, *, size: float = 9, fill: str = _LINE, anchor: str = "middle", bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}" text-anchor="{anchor}"{weight}>'
        f"{escape(text)}</text>"
    )


def _svg(parts: Iterable[str], box: tuple[int, int, int, int], label: str) -> str:
    view = " ".join(map(str, box))
    return f'<svg class="map" viewBox="{view}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
