"""Text stands out from its ground by WCAG AA (4.5:1), and controls from theirs (3:1), in light and dark."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "console/static/console.css").read_text(encoding="utf-8")
TEXT = [("ink", "ground"), ("ink", "sheet"), ("ink", "raised"), ("faint", "ground"), ("faint", "sheet"),
        ("link", "ground"), ("link", "sheet"), ("on-accent", "accent"), ("bad", "bad-ground"), ("bad", "sheet"),
        ("good", "good-ground"), ("warn", "warn-ground")]  # fmt: skip
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
