"""Plots of figures as SVG, without script or style: intervals against a bound, a figure over windows, counts by day,
a count over time.

Every mark is a link to the row of the page's tables from which it is drawn.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

_ACCENT: Final = "#12507b"
_ALARM: Final = "#a3162a"
_LINE: Final = "#55626e"
_FAINT: Final = "#d5dce2"
_BAND: Final = "#e6eef4"


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % interval. href: of its row. solid: whether a verdict rests on it. bad: it misses its bound.

    mean, low and high are None where nothing was measured.
    """

    label: str
    mean: float | None
    low: float | None
    high: float | None
    href: str
    solid: bool
    bad: bool


@dataclass(frozen=True, slots=True)
class Point:
    """The median of one window. number: of the window. bad: it drifted."""

    number: int
    value: float
    href: str
    title: str
    bad: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """How many there were of something."""

    label: str
    count: int
    href: str


def interval_plot(intervals: Sequence[Interval], bound: float, *, title: str, bound_label: str) -> str:
    """Each interval a line in a row of its own, from 0 to 1, with the bound as a dashed line."""
    left, right, row, top = 330.0, 730.0, 26.0, 34.0
    height = top + row * len(intervals) + 26

    def x(value: float) -> float:
        return left + (right - left) * value

    bottom = top + row * len(intervals)
    parts = [_text(left - 8, 14, title, anchor="end", bold=True)]
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        parts += [_path((x(tick), top), (x(tick), bottom), _FAINT), _text(x(tick), bottom + 14, f"{tick:.1f}")]
    parts.append(_path((x(bound), top - 8), (x(bound), bottom), _ALARM, dash=True))
    parts.append(_text(x(bound), top - 12, bound_label, fill=_ALARM))
    for number, each in enumerate(intervals):
        y = top + row * (number + 0.5)
        colour = _ALARM if each.bad else _ACCENT
        marks = [_text(left - 8, y + 4, each.label, anchor="end")]
        if each.low is not None and each.high is not None:
            marks.append(_path((x(each.low), y), (x(each.high), y), colour, width=3))
        if each.mean is not None:
            marks.append(_circle(x(each.mean), y, 4.5, colour if each.solid else "#ffffff", colour))
        parts.append(_link(each.href, each.label, marks))
    return _svg(parts, 760, height, title)


def window_plot(points: Sequence[Point], low: float, high: float, *, title: str, windows: int) -> str:
    """One figure over windows, each point a window, the reference's middle half as a band. windows: how many."""
    left, right, top, bottom = 46.0, 212.0, 24.0, 92.0
    shown = points[-windows:]
    values = [low, high, *(point.value for point in shown)]
    floor, ceiling = min(values), max(values)
    rim = (ceiling - floor) * 0.12 or abs(ceiling) * 0.05 or 1.0
    floor, ceiling = floor - rim, ceiling + rim

    def y(value: float) -> float:
        return bottom - (bottom - top) * (value - floor) / (ceiling - floor)

    step = (right - left) / max(1, len(shown))
    places = [(left + step * (at + 0.5), y(point.value)) for at, point in enumerate(shown)]
    parts = [
        _text(left, 14, title, anchor="start", bold=True),
        f'<rect x="{left:.1f}" y="{y(high):.1f}" width="{right - left:.1f}" '
        f'height="{max(1.0, y(low) - y(high)):.1f}" fill="{_BAND}"/>',
        _text(left - 5, y(high) + 3, _short(high), anchor="end", size=9),
        *([] if y(low) - y(high) < 11 else [_text(left - 5, y(low) + 3, _short(low), anchor="end", size=9)]),
        *(_path(one, other, _LINE) for one, other in pairwise(places)),
    ]
    for (across, down), point in zip(places, shown, strict=True):
        colour = _ALARM if point.bad else _ACCENT
        parts.append(_link(point.href, point.title, [_circle(across, down, 4, colour, colour)]))
    if shown:
        parts.append(_text(places[0][0], bottom + 16, str(shown[0].number), size=9))
    if len(shown) > 1:
        parts.append(_text(places[-1][0], bottom + 16, str(shown[-1].number), size=9))
    return _svg(parts, 220, 112, title)


def bar_plot(bars: Sequence[Bar], *, title: str) -> str:
    """Counts side by side, in the order in which they are given."""
    left, width, top, bottom = 40.0, 46.0, 40.0, 124.0
    most = max([1, *(bar.count for bar in bars)])
    parts = [_text(4, 14, title, anchor="start", bold=True), _path((left, bottom), (740, bottom), _LINE)]
    for number, bar in enumerate(bars):
        x, tall = left + width * number + 6, (bottom - top) * bar.count / most
        marks = [
            f'<rect x="{x:.1f}" y="{bottom - tall:.1f}" width="{width - 12:.1f}" height="{tall:.1f}" '
            f'fill="{_ACCENT}"/>',
            _text(x + width / 2 - 6, bottom - tall - 4, str(bar.count), size=10),
            _text(x + width / 2 - 6, bottom + 14, bar.label, size=10),
        ]
        parts.append(_link(bar.href, f"{bar.label}: {bar.count}", marks))
    return _svg(parts, 760, bottom + 22, title)


def trend_plot(values: Sequence[tuple[str, int]], *, title: str, href: str) -> str:
    """A count over time, the newest at the right. values: what the clock showed, and the count. href: of its row."""
    left, right, top, bottom = 46.0, 212.0, 24.0, 92.0
    most = max([1, *(count for _, count in values)])
    step = (right - left) / max(1, len(values) - 1)
    places = [(left + step * at, bottom - (bottom - top) * count / most) for at, (_, count) in enumerate(values)]
    last = f"{values[-1][0]}: {values[-1][1]}" if values else title
    marks = [_text(8, 14, title, anchor="start", bold=True, size=9), _path((left, bottom), (right, bottom), _LINE)]
    marks += [
        _text(left - 5, top + 4, str(most), anchor="end", size=9),
        _text(left - 5, bottom, "0", anchor="end", size=9),
    ]
    marks += [_path(one, other, _ACCENT, width=2) for one, other in pairwise(places)]
    if places:
        marks.append(_circle(*places[-1], 3, _ACCENT, _ACCENT))
        marks += [
            _text(left, bottom + 16, values[0][0], size=9),
            _text(right, bottom + 16, values[-1][0], size=9, anchor="end"),
        ]
    return _svg([_link(href, f"{title}, {last}", marks)], 260, 112, title)


def _link(href: str, title: str, marks: Iterable[str]) -> str:
    return f'<a href="{escape(href)}"><title>{escape(title)}</title>{"".join(marks)}</a>'


def _path(
    start: tuple[float, float], end: tuple[float, float], stroke: str, *, width: float = 1, dash: bool = False
) -> str:
    dashed = ' stroke-dasharray="4 3"' if dash else ""
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" stroke="{stroke}" '
        f'stroke-width="{width:g}"{dashed}/>'
    )


def _circle(x: float, y: float, r: float, fill: str, stroke: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}" fill="{fill}" stroke="{stroke}" stroke-width="2"/>'


def _text(
    x: float, y: float, text: str, *, size: float = 11, fill: str = _LINE, anchor: str = "middle", bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}" text-anchor="{anchor}"{weight}>'
        f"{escape(text)}</text>"
    )


def _svg(parts: Iterable[str], width: float, height: float, label: str) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="group" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _short(value: float) -> str:
    return f"{value:.3g}"
