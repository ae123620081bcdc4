"""Draw how often lesions of each band were malignant against the risk that was told, with intervals and the mix."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks.outlines import share

EDGES: Final = (0.0, 0.02, 0.1, 0.5, 0.95, 1.0001)
"""Bands of BI-RADS 3, 4A, 4B, 4C and 5."""
SIDE: Final = 520
_MARGIN: Final = 70
_COLOURS: Final = {"validation": (60, 60, 60), "test": (200, 90, 20)}
Judged = Sequence[tuple[float, bool]]


def bins(judged: Judged) -> list[dict[str, Any]]:
    """For each band with a lesion in it: the mean risk told, and how many were malignant."""
    found = []
    for low, high in pairwise(EDGES):
        own = [(risk, truth) for risk, truth in judged if low <= risk < high]
        if own:
            told = round(sum(risk for risk, _ in own) / len(own), 3)
            found.append({"told": told, "malignant": share(sum(truth for _, truth in own), len(own))})
    return found


def draw(by_split: Mapping[str, list[dict[str, Any]]], mix: str, path: Path) -> None:
    """The plot as PNG: across the risk told, up the share malignant; bars are 95 % intervals, numbers are lesions."""
    picture = np.full((SIDE + 2 * _MARGIN, SIDE + 2 * _MARGIN, 3), 255, np.uint8)
    cv2.rectangle(picture, _at(0, 0), _at(1, 1), (120, 120, 120), 1)
    cv2.line(picture, _at(0, 0), _at(1, 1), (190, 190, 190), 1, cv2.LINE_AA)
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        _text(picture, f"{tick:.2f}", (_at(tick, 0)[0] - 16, _at(tick, 0)[1] + 18))
        _text(picture, f"{tick:.2f}", (_at(0, tick)[0] - 42, _at(0, tick)[1] + 4))
    _text(picture, "risk told", (_at(0.45, 0)[0], _at(0, 0)[1] + 40))
    _text(picture, "share malignant", (_MARGIN, _MARGIN - 34))
    _text(picture, mix, (_MARGIN, _MARGIN - 14))
    for shift, (split, found) in zip((-3, 3), by_split.items(), strict=False):
        for one in found:
            counted = one["malignant"]
            x, y = _at(one["told"], counted["n"] / counted["of"])
            low, high = (_at(0, bound)[1] for bound in counted["ci95"])
            cv2.line(picture, (x + shift, low), (x + shift, high), _COLOURS[split], 1)
            cv2.circle(picture, (x + shift, y), 4, _COLOURS[split], -1, cv2.LINE_AA)
            _text(picture, str(counted["of"]), (x + shift + (6 if shift > 0 else -30), y), _COLOURS[split])
        _text(picture, split, (_MARGIN + 12, _MARGIN + 24 + 18 * (shift > 0)), _COLOURS[split])
    cv2.imwrite(str(path), picture)


def _at(x: float, y: float) -> tuple[int, int]:
    return _MARGIN + round(x * SIDE), _MARGIN + round((1 - y) * SIDE)


def _text(picture: Any, text: str, at: tuple[int, int], colour: tuple[int, int, int] = (40, 40, 40)) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
