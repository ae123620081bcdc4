"""Pictures of one page on one sheet, as few bytes as text that can be read allows."""

import io
from collections.abc import Sequence
from typing import Final

from PIL import Image

SCALE: Final = 0.625
"""Of a browser's 16 pixels for text ten are left."""
GAP: Final = 8
_GREY: Final = (128, 136, 144)


COLOURS: Final = (48, 32, 24, 16)
"""How many colours a sheet has: as many as its size allows."""


def sheet(pictures: Sequence[bytes], *, columns: int = 2, scale: float = SCALE, most_bytes: int = 150_000) -> bytes:
    """PNG files of equal width side by side, row by row, each made smaller; a PNG of few colours.

    A sheet that no number of colours brings below most_bytes has the fewest. Raises ValueError for pictures of several
    widths.
    """
    whole = _joined([Image.open(io.BytesIO(each)).convert("RGB") for each in pictures], columns, scale)
    data = b""
    for colours in COLOURS:
        made = io.BytesIO()
        few = whole.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
        few.save(made, "PNG", optimize=True)
        data = made.getvalue()
        if len(data) <= most_bytes:
            break
    return data


def _joined(pictures: Sequence[Image.Image], columns: int, scale: float) -> Image.Image:
    if len({each.width for each in pictures}) != 1:
        raise ValueError("pictures of one sheet have one width")
    small = [
        each.resize((round(scale * each.width), round(scale * each.height)), Image.Resampling.LANCZOS)
        for each in pictures
    ]
    rows = [small[at : at + columns] for at in range(0, len(small), columns)]
    heights = [max(each.height for each in row) for row in rows]
    across = min(columns, len(small))
    size = (across * small[0].width + (across - 1) * GAP, sum(heights) + (len(rows) - 1) * GAP)
    whole = Image.new("RGB", size, _GREY)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for at, each in enumerate(row):
            whole.paste(each, (at * (small[0].width + GAP), top))
        top += height + GAP
    return whole
