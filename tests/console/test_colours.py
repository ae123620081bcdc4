"""Text stands out from its ground by WCAG AA (4.5:1), and controls from theirs (3:1), in light and dark."""

import re
from pathlib import Path

import pytest

from sonovan.reports.plots import Interval, Point, interval_plot, trend_plot, window_plot

CSS = (Path(__file__).parents[2] / "console/static/console.css").read_text(encoding="utf-8")
TEXT = [("ink", "ground"), ("ink", "sheet"), ("ink", "raised"), ("faint", "ground"), ("faint", "sheet"),
        ("link", "ground"), ("link", "sheet"), ("on-accent", "accent"), ("bad", "bad-ground"), ("bad", "sheet"),
        ("good", "good-ground"), ("warn", "warn-ground")]  # fmt: skip
TURNED = re.compile(r"\.plots, \.map\) svg { filter: invert\(\.9\) hue-rotate\(180deg\); }")
CONTROLS = [("line", "sheet"), ("line", "ground"), ("focus", "ground"), ("focus", "sheet")]


def colours(theme: str) -> dict[str, str]:
    """The colours of a theme, as the style sheet names them."""
    block = re.search(rf"color-scheme: {theme};(.*?)}}", CSS, re.DOTALL)
    assert block
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block[1]))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_its_ground(theme: str) -> None:
    found = colours(theme)
    weak = {pair: contrast(found[pair[0]], found[pair[1]]) for pair in TEXT}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}
    weak = {pair: contrast(found[pair[0]], found[pair[1]]) for pair in CONTROLS}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 3} == {}


def test_a_dark_theme_of_the_system_is_the_dark_theme() -> None:
    blocks = re.findall(r"color-scheme: dark;(.*?)}", CSS, re.DOTALL)
    assert len(blocks) == 2
    assert blocks[0].split() == blocks[1].split()


def turned_over(colour: str) -> str:
    """What `invert(.9) hue-rotate(180deg)` makes of a colour. Source: W3C, Filter Effects Module Level 1."""
    red, green, blue = (0.9 - 0.8 * int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    turned = (
        -0.574 * red + 1.430 * green + 0.144 * blue,
        0.426 * red + 0.430 * green + 0.144 * blue,
        0.426 * red + 1.430 * green - 0.856 * blue,
    )
    return "#" + "".join(f"{round(255 * min(1, max(0, part))):02x}" for part in turned)


def test_plots_can_be_read_in_light_and_turned_over_in_the_dark() -> None:
    assert len(TURNED.findall(CSS)) == 2, "where somebody chose the dark, and where the system is dark"
    drawn = (
        interval_plot([Interval("a", 0.8, 0.7, 0.9, "#a", True, True)], 0.8, title="a", bound_label="b")
        + window_plot([Point(1, 5.0, "#b", "b", True)], 1.0, 9.0, title="b", windows=3)
        + trend_plot([("08:00", 3), ("08:01", 5)], title="c", href="#c")
    )
    texts = set(re.findall(r'<text [^>]*fill="(#[0-9a-f]{6})"', drawn))
    marks = set(re.findall(r'<circle [^>]*stroke="(#[0-9a-f]{6})"', drawn))
    assert len(texts) == len(marks) == 2
    for theme, seen in (("light", str), ("dark", turned_over)):
        ground = colours(theme)["sheet"]
        assert {each for each in texts if contrast(seen(each), ground) < 4.5} == set()
        assert {each for each in marks if contrast(seen(each), ground) < 3} == set()
