"""Outlines as COCO has them: polygons and run lengths, to masks and back.

COCO counts from the upper left corner of a picture, so the middle of its first pixel is (.5, .5); run lengths go down
the columns. Source: Lin et al., "Microsoft COCO" (2014), and the format of its published interface, version 2.0.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
MAX_POINTS: Final = 100_000


def mask_of(segmentation: object, size: tuple[int, int]) -> Mask:
    """(rows, columns) bool of the `segmentation` of an annotation: a list of polygons, or run lengths of either kind.

    Raises ValueError for anything else, for run lengths of another size, and for a polygon of fewer than three points.
    """
    if isinstance(segmentation, Mapping):
        counts, told = segmentation.get("counts"), segmentation.get("size")
        if not isinstance(told, Sequence) or list(told) != list(size):
            raise ValueError(f"its run lengths are of a picture of {told}, not of {list(size)} rows and columns")
        return _of_counts(_decoded(counts) if isinstance(counts, str) else _whole(counts), size)
    if not isinstance(segmentation, Sequence) or isinstance(segmentation, str) or not segmentation:
        raise ValueError("its segmentation is neither polygons nor run lengths")
    mask = np.zeros(size, np.bool_)
    for polygon in segmentation:
        mask |= _filled(polygon, size)
    return mask


def run_lengths(mask: Mask) -> dict[str, Any]:
    """The `segmentation` of a mask: compressed run lengths, as pycocotools writes and reads them."""
    flat = np.concatenate(([False], mask.ravel(order="F"), [False]))
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    edges = edges[edges < mask.size]  # a last run that is lit ends with the picture
    counts = np.diff(np.concatenate(([0], edges, [mask.size])))
    return {"size": [int(side) for side in mask.shape], "counts": _encoded([int(count) for count in counts])}


def _filled(polygon: object, size: tuple[int, int]) -> Mask:
    """Every pixel whose middle lies inside, by the even-odd rule."""
    if not isinstance(polygon, Sequence) or len(polygon) < 6 or len(polygon) % 2 or len(polygon) > 2 * MAX_POINTS:
        raise ValueError("a polygon is a list of x, y, x, y, … of at least three points")
    corners = np.asarray([float(value) for value in polygon], np.float64).reshape(-1, 2)
    if not np.isfinite(corners).all():
        raise ValueError("a polygon has a corner that is nowhere")
    rows, columns = size
    mask = np.zeros(size, np.bool_)
    x, y = corners[:, 0], corners[:, 1]
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    first, last = max(0, int(np.floor(y.min()))), min(rows, int(np.ceil(y.max())) + 1)
    for row in range(first, last):
        middle = row + 0.5
        crossed = (y <= middle) != (next_y <= middle)
        if crossed.any():
            share = (middle - y[crossed]) / (next_y[crossed] - y[crossed])
            edges = np.sort(x[crossed] + share * (next_x[crossed] - x[crossed]))
            for left, right in zip(edges[::2], edges[1::2], strict=True):
                start, end = max(0, int(np.ceil(left - 0.5))), min(columns, int(np.ceil(right - 0.5)))
                mask[row, start:end] ^= True
    return mask


def _whole(counts: object) -> list[int]:
    if not isinstance(counts, Sequence) or not all(isinstance(each, int) for each in counts):
        raise ValueError("its run lengths are neither a text nor whole numbers")
    return list(counts)


def _of_counts(counts: list[int], size: tuple[int, int]) -> Mask:
    if any(count < 0 for count in counts) or sum(counts) != size[0] * size[1]:
        raise ValueError("its run lengths do not add up to the picture")
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return flat.reshape(size, order="F")


def _encoded(counts: list[int]) -> str:
    """Each count in groups of five bits, the lowest first; from the fourth on the difference to the one two before."""
    text = []
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            group = value & 0x1F
            value >>= 5
            more = value != (-1 if group & 0x10 else 0)
            text.append(chr((group | 0x20 if more else group) + 48))
    return "".join(text)


def _decoded(text: str) -> list[int]:
    counts: list[int] = []
    place = 0
    while place < len(text):
        value, shift, more = 0, 0, True
        while more:
            if place >= len(text) or not 0 <= ord(text[place]) - 48 < 64 or shift > 60:
                raise ValueError("its run lengths are damaged")
            group = ord(text[place]) - 48
            value |= (group & 0x1F) << shift
            more = bool(group & 0x20)
            shift += 5
            place += 1
            if not more and group & 0x10:
                value |= -1 << shift
        if len(counts) > 2:
            value += counts[-2]
        counts.append(value)
    return counts
