"""What a precision costs: Dice on real validation pictures, against the same network in float32.

A precision may stand in a network's registry entry only while no set's mean Dice, nor that of all lesions together,
falls by more than BAR, and no more than EMPTY_BAR of the pictures without a lesion get one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.evaluation.index import INDEX, SETS, Row, read_rows
from models.evaluation.measures import Mask, overlap
from models.evaluation.pictures import read_pair
from models.segmenter import Segmenter

BAR: Final = 0.003
EMPTY_BAR: Final = 0.03
ALL: Final = "all"
EMPTY: Final = "empty"


@dataclass(frozen=True, eq=False)
class Case:
    """A validation picture (rows, columns) uint8 and its lesions (rows, columns) bool."""

    set: str
    organ: str
    image: NDArray[np.uint8]
    truth: Mask


def read_cases(data: Path) -> list[Case]:
    """Every real validation picture of the sets that are there: precisions are a choice, and choices are made there."""
    rows = [row for name in SETS if (data / name / INDEX).is_file() for row in read_rows(data, name, "validation")]
    return [_case(row) for row in rows]


def dice(segmenter: Segmenter, cases: Sequence[Case]) -> dict[str, float]:
    """Mean Dice of the lesions per set and of `all`, and the share of pictures without one that stay `empty`.

    The masks are those that `segment` would store: letterbox, graph, threshold, smallest area, refusal.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for case in cases:
        seen = segmenter.segment(case.image, case.organ)
        if case.truth.any():
            value = overlap(seen.labels > 0, case.truth)[0]
            found[case.set].append(value)
            found[ALL].append(value)
        else:
            found[EMPTY].append(float(not seen.regions))
    return {name: round(float(np.mean(values)), 5) for name, values in found.items()}


def loss(exact: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """How much lower each figure of `other` is, by name; negative where it is higher."""
    return {name: round(value - other[name], 5) for name, value in exact.items()}


def allowed(lost: Mapping[str, float]) -> bool:
    """Whether a precision that loses this much may run."""
    return share_of_bar(lost) <= 1


def share_of_bar(lost: Mapping[str, float]) -> float:
    """The largest loss as a share of what may be lost of its figure: 1 is just allowed."""
    return max(value / (EMPTY_BAR if name == EMPTY else BAR) for name, value in lost.items())


def _case(row: Row) -> Case:
    image, mask = read_pair(row)
    return Case(row.set, SETS[row.set], image, mask > 0)
