"""One picture through the segmenter, as `segment` runs it, and what its truth says of the answer."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sonovan.models.errors import UnusablePicture
from sonovan.models.evaluation.index import Row, UnusableData
from sonovan.models.evaluation.measures import Mask, Matched, hd95, match, overlap
from sonovan.models.evaluation.pictures import read_picture, read_truth
from sonovan.models.regions import FoundRegion
from sonovan.models.segmenter import Segmentation, Segmenter


@dataclass(frozen=True)
class Score:
    """What is known of one picture; None where its truth cannot say.

    dice, iou: over all pixels, None where there is nothing to find; a miss is 0. matched: regions against lesions.
    hd95_px: None where either mask is empty. empty: assessed, and no region. refused: it was not assessable.
    suspicion: the highest region score, 0 without a region. lesion_px, picture_px: pixels of the truth, of the picture.
    ms: time for `segment`, without reading the file.
    """

    row: Row
    dice: float | None
    iou: float | None
    matched: Matched | None
    hd95_px: float | None
    empty: bool
    refused: bool
    suspicion: float
    lesion_px: int | None
    picture_px: int
    ms: float

    @property
    def nothing(self) -> bool:
        """There is known to be nothing to find."""
        return self.lesion_px == 0


def evaluate(segmenter: Segmenter, rows: Sequence[Row], step: Callable[[], None] = lambda: None) -> list[Score]:
    """Scores in the rows' order; `step` is called after each. Raises UnusableData as `score` does."""
    return [_stepped(score(segmenter, row), step) for row in rows]


def score(segmenter: Segmenter, row: Row) -> Score:
    """Raises UnusableData that names the row: no organ, one that the network does not know, a file that is no use."""
    seen, truth, took_ms = look(segmenter, row)
    found = seen.labels > 0
    dice, iou = overlap(found, truth) if truth is not None and truth.any() else (None, None)
    return Score(
        row=row,
        dice=dice,
        iou=iou,
        matched=None if truth is None else match(seen.labels, truth),
        hd95_px=None if truth is None else hd95(found, truth),
        empty=seen.assessable and not seen.regions,
        refused=not seen.assessable,
        suspicion=max((region_score(region) for region in seen.regions), default=0.0),
        lesion_px=None if truth is None else int(np.count_nonzero(truth)),
        picture_px=found.size,
        ms=took_ms,
    )


def look(segmenter: Segmenter, row: Row) -> tuple[Segmentation, Mask | None, float]:
    """What was seen in a row's picture, what is true of it, and the milliseconds that seeing took."""
    if not row.organ:
        raise UnusableData(
            f"row {row.id} of {row.set} has no organ; say --organ breast or thyroid, or add a column organ"
        )
    pixels = read_picture(row.image)
    started = time.perf_counter()
    try:
        seen = segmenter.segment(pixels, row.organ)
    except UnusablePicture as error:
        raise UnusableData(f"row {row.id} of {row.set} ({row.image}): {error}") from None
    took_ms = 1e3 * (time.perf_counter() - started)
    return seen, read_truth(row, (seen.labels.shape[0], seen.labels.shape[1])), took_ms


def region_score(region: FoundRegion) -> float:
    """How suspicious a region is: its malignant score where a lesion head gave one, else its mean probability."""
    return region.score_mean if region.malignant is None else region.malignant


def _stepped(one: Score, step: Callable[[], None]) -> Score:
    step()
    return one
