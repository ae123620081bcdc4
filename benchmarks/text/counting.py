"""Clean drawn screens as a van does, and count what is hidden of the strings on them, and what else."""

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks.text.screens import CONDITIONS, Layout, Screen, draw
from benchmarks.text.strings import CHINESE, KINDS
from sonovan.models.evaluation.index import Row
from sonovan.models.text import open_finder
from sonovan.producers.privacy import Cleaned, clean
from sonovan.producers.sources import Source

HIDDEN: Final = 0.95
BARS: Final = {"latin": 0.98, "chinese": 0.95, "lesion_area_masked": 0.01}
NEAR: Final = 25
"""Black pixels within so many of a string's ink are its own; others over tissue are false."""


def bar_of(kind: str) -> float:
    """The share of strings of this kind that must be hidden."""
    return BARS["chinese" if kind in CHINESE else "latin"]


def count(numbers: Sequence[int], layouts: Sequence[Layout], rows: Sequence[Row]) -> "Tally":
    """The counts over the screens of these numbers."""
    tally, finder = Tally(), open_finder()
    for done, number in enumerate(numbers, 1):
        screen = screen_of(number, layouts, rows)
        tally.add(screen, clean(screen.picture, undeclared(), finder))
        if done % 100 == 0:
            print(f"{done} of {len(numbers)} screens", flush=True)
    return tally


def screen_of(number: int, layouts: Sequence[Layout], rows: Sequence[Row]) -> Screen:
    """The screen of a number: the same for the same layouts and rows."""
    picture, lesion = _read(rows[number % len(rows)])
    return draw(layouts[number % len(layouts)], picture, lesion, KINDS, random.Random(f"text/{number}"))


def undeclared() -> Source:
    """A source that declares nothing about its pictures."""
    return Source(
        path=Path("planted"),
        organ="breast",
        laterality=None,
        view=None,
        position=None,
        frame_count=1,
        read=lambda: iter(()),
    )


class Tally:
    """Counts over all screens."""

    def __init__(self) -> None:
        self._strings: dict[tuple[str, str, str], list[tuple[bool, bool]]] = defaultdict(list)
        self._false: list[float] = []
        self._lesion = [0, 0]
        self._callipers = [0, 0]
        self._held: list[bool] = []

    def add(self, screen: Screen, cleaned: Cleaned) -> None:
        """Count one screen."""
        black = (cleaned.pixels == 0) & (screen.picture != 0)
        held = cleaned.held is not None
        near = np.zeros(black.shape, np.bool_)
        for string in screen.planted:
            ink = string.ink
            hidden = float((cleaned.pixels[ink] == 0).mean()) >= HIDDEN
            self._strings[string.kind, string.condition, screen.layout].append((hidden, held))
            near |= cv2.dilate(ink.astype(np.uint8), np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)) > 0
        self._false.append(float(black[screen.tissue & ~near].mean()))
        for sums, where in ((self._lesion, screen.lesion), (self._callipers, screen.callipers)):
            sums[0] += int(np.count_nonzero(black & where))
            sums[1] += int(np.count_nonzero(where))
        self._held.append(held)

    def take(self, other: "Tally") -> None:
        """Add the counts of another part of the screens."""
        for key, strings in other._strings.items():
            self._strings[key] += strings
        self._false += other._false
        self._held += other._held
        for mine, theirs in ((self._lesion, other._lesion), (self._callipers, other._callipers)):
            mine[0], mine[1] = mine[0] + theirs[0], mine[1] + theirs[1]

    def result(self, layouts: Sequence[str]) -> dict[str, Any]:
        """What benchmarks/results/text.json holds."""
        lesion = self._lesion[0] / max(self._lesion[1], 1)
        recall = {kind: self._share(kind=kind) for kind in KINDS}
        bars = {kind: (share or 0.0) >= bar_of(kind) for kind, share in recall.items()}
        return {
            "command": "make bench-text",
            "screens": len(self._held),
            "layouts": list(layouts),
            "strings": sum(len(each) for each in self._strings.values()),
            "text_recall": recall,
            "text_recall_by_condition": {
                condition: {kind: self._share(kind=kind, condition=condition) for kind in KINDS}
                for condition in CONDITIONS
            },
            "text_recall_by_layout": {layout: self._share(layout=layout) for layout in layouts},
            "leaked": sum(not (hidden or held) for each in self._strings.values() for hidden, held in each),
            "held_frames": round(float(np.mean(self._held)), 4),
            "false_masked": round(float(np.mean(self._false)), 5),
            "lesion_area_masked": round(lesion, 5),
            "callipers_masked": round(self._callipers[0] / max(self._callipers[1], 1), 4),
            "bars": bars | {"lesion_area_masked": lesion < BARS["lesion_area_masked"]},
        }

    def _share(self, **wanted: str) -> float | None:
        """The share of strings that are hidden; those of frames that are held count as what the black shows alone."""
        names = ("kind", "condition", "layout")
        kept = [
            hidden
            for key, each in self._strings.items()
            if all(key[names.index(name)] == value for name, value in wanted.items())
            for hidden, _held in each
        ]
        return round(float(np.mean(kept)), 4) if kept else None


def _read(row: Row) -> tuple[Any, Any]:
    """A picture and its lesion, both (rows, columns)."""
    picture, mask = _grey(row.image), _grey(row.mask or row.image)
    if mask.shape != picture.shape:
        mask = cv2.resize(mask, picture.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return picture, mask > 127


def _grey(path: Path) -> Any:
    return cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
