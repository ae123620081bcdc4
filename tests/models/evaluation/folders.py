"""Folders with an index.csv whose pictures the tiny network outlines exactly: what is lit is breast lesion."""

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

Box = tuple[int, int, int, int]
SIDE = 224  # the tiny network's own, so that nothing is resampled


def picture(*boxes: Box) -> np.ndarray:
    """Dim tissue (of some contrast, or it would be refused as blank) with lit rectangles: left, top, width, height."""
    grey = np.tile(np.linspace(30, 70, SIDE).astype(np.uint8), (SIDE, 1))
    for left, top, width, height in boxes:
        grey[top : top + height, left : left + width] = 225
    return grey


def mask(*boxes: Box, lit: int = 255) -> np.ndarray:
    """The rectangles alone."""
    truth = np.zeros((SIDE, SIDE), np.uint8)
    for left, top, width, height in boxes:
        truth[top : top + height, left : left + width] = lit
    return truth


class Folder:
    """A set under construction: `add` rows, then `write`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, str]] = []
        path.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, found: Sequence[Box] = (), truth: Sequence[Box] | None = None, **cells: str) -> "Folder":
        """A picture with lit rectangles; its mask has those of `truth` (None: no mask is named)."""
        cv2.imwrite(str(self.path / f"{name}.png"), picture(*found))
        row = {"id": name, "image": f"{name}.png"}
        if truth is not None:
            cv2.imwrite(str(self.path / f"{name}_mask.png"), mask(*truth))
            row["mask"] = f"{name}_mask.png"
        self.rows.append(row | cells)
        return self

    def write(self) -> Path:
        """Writes index.csv with every column that a row has, and returns the folder."""
        columns = list(dict.fromkeys(column for row in self.rows for column in row))
        with (self.path / "index.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)
        return self.path
