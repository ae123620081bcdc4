"""What a precision costs on real validation pictures, against the same network with its companions in float32.

A precision may stand in a network's registry entry only while no figure falls by more than its bar: the mean Dice of
each set and of all lesions, the share of pictures without a lesion that stay empty, the share that trust lets pass, the
AUC of the malignant score. Companions read the network's features, which may suffer where its masks do not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.index import INDEX, SETS, Row, read_rows
from sonovan.models.evaluation.intervals import auc
from sonovan.models.evaluation.measures import Mask, overlap
from sonovan.models.evaluation.pictures import read_pair
from sonovan.models.evaluation.score import region_score
from sonovan.models.segmenter import Segmenter

ALL: Final = "all"
EMPTY: Final = "empty"
ASSESSED: Final = "assessed"
AUC: Final = "auc"
BAR: Final = 0.003
"""What may be lost of a mean Dice."""
BARS: Final[Mapping[str, float]] = {EMPTY: 0.03, ASSESSED: 0.005, AUC: 0.01}
"""What may be lost of the other figures."""


@dataclass(frozen=True, eq=False)
class Case:
    """A validation picture (rows, columns) uint8 and its lesions (rows, columns) bool.

    malignant: None where nobody says.
    """

    set: str
    organ: str
    image: NDArray[np.uint8]
    truth: Mask
    malignant: bool | None


def read_cases(data: Path) -> list[Case]:
    """Every real validation picture of the sets that are there: precisions are a choice, and choices are made there."""
    rows = [row for name in SETS if (data / name / INDEX).is_file() for row in read_rows(data, name, "validation")]
    return [_case(row) for row in rows]


def figures(segmenter: Segmenter, cases: Sequence[Case]) -> dict[str, float]:
    """Mean Dice of the lesions per set and of `all`; the shares that stay `empty` and are `assessed`; `auc`.

    segmenter: with its companions (`sonovan.models.segmenter.assembled`): the masks are those that
    `segment` would store.
    empty: of the pictures without a lesion, assessed and no region. auc: malignant against benign by the highest
    region score; absent where nobody says what the lesions are.
    """
    found: dict[str, list[float]] = defaultdict(list)
    suspicions: list[tuple[float, bool]] = []
    for case in cases:
        seen = segmenter.segment(case.image, case.organ)
        found[ASSESSED].append(float(seen.assessable))
        if case.malignant is not None:
            suspicions.append((max((region_score(each) for each in seen.regions), default=0.0), case.malignant))
        if case.truth.any():
            value = overlap(seen.labels > 0, case.truth)[0]
            found[case.set].append(value)
            found[ALL].append(value)
        else:
            found[EMPTY].append(float(seen.assessable and not seen.regions))
    area = auc([score for score, _ in suspicions], [malignant for _, malignant in suspicions])
    means = {name: round(float(np.mean(values)), 5) for name, values in found.items()}
    return means if area is None else means | {AUC: round(area, 5)}


def loss(exact: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """How much lower each figure of `other` is, by name; negative where it is higher."""
    return {name: round(value - other[name], 5) for name, value in exact.items()}


def allowed(lost: Mapping[str, float]) -> bool:
    """Whether a precision that loses this much may run."""
    return share_of_bar(lost) <= 1


def share_of_bar(lost: Mapping[str, float]) -> float:
    """The largest loss as a share of what may be lost of its figure: 1 is just allowed."""
    return max(value / BARS.get(name, BAR) for name, value in lost.items())


def _case(row: Row) -> Case:
    image, mask = read_pair(row)
    malignant = {"malignant": True, "benign": False}.get(row.label)
    return Case(row.set, SETS[row.set], image, mask > 0, malignant)
