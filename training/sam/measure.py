"""What the compact SAM does on pictures with a known truth, through the files and the code that run in use.

The simulated reader is deterministic: she clicks the middle of the largest part that is wrong (Sofiiuk et al., ICIP
2022).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonovan.models.evaluation.index import Row
from sonovan.models.evaluation.pictures import read_pair
from sonovan.models.heads.prompting import EVEN, LEAST_QUALITY, Embedding, MaskDecoder, Point, Prompter, agreement
from sonovan.models.regions import find_regions, in_order, paint
from sonovan.models.registry import Entry
from training.sam.prompts import centre_of

Mask = NDArray[np.bool_]
CLICKS = 3
WORTHWHILE = 0.003


@dataclass(frozen=True)
class Seen:
    """One picture. Dice is 1 where nothing is to be found and nothing is shown, 0 where only one of both holds.

    trunk, automatic: Dice of the two masks that nobody asked for. shown: whether either shows anything.
    expected: Dice that the decoder predicts of its automatic mask. agreement: Dice of the two masks with each other.
    clicked: Dice after each click on `first`, the mask that the stream would show. ms: each click's milliseconds.
    """

    set: str
    organ: str
    id: str
    group: str
    label: str
    lesion: bool
    trunk: float
    automatic: float
    trunk_shown: bool
    automatic_shown: bool
    expected: float
    agreement: float
    first: float
    clicked: tuple[float, ...]
    ms: tuple[float, ...]


def look(prompter: Prompter, decoder: MaskDecoder, entry: Entry, row: Row) -> Seen:
    """Embeds one picture and clicks on it until CLICKS clicks are spent."""
    image, truth8 = read_pair(row)
    truth, organ = truth8 > 0, str(row.organ)
    embedding = prompter.embed(image, organ)
    own = embedding.seen[entry.output.name][0, embedding.channel]
    soft, iou = decoder.automatic(embedding.seen, embedding.channel)
    trunk = on_frame(entry, embedding, own, entry.threshold)
    automatic = on_frame(entry, embedding, soft, EVEN)
    answer = prompter.first(embedding)
    points: list[Point] = []
    clicked: list[float] = []
    spent: list[float] = []
    mask = first = automatic if decoder.draws(organ) else trunk
    for _ in range(CLICKS):
        wrong = mask ^ truth
        if not wrong.any():
            clicked.append(1.0)
            continue
        column, line = centre_of(wrong)
        points.append(Point(column, line, bool(truth[line, column])))
        started = time.perf_counter()
        answer = prompter.segment(embedding, points, mask=answer)
        spent.append(1e3 * (time.perf_counter() - started))
        mask = answer.mask
        clicked.append(agreement(mask, truth))
    agreed = agreement(own >= entry.threshold, soft >= EVEN)
    return Seen(
        row.set, organ, row.id, row.group, row.label, bool(truth.any()), agreement(trunk, truth),
        agreement(automatic, truth), bool(trunk.any()), bool(automatic.any()), 2 * iou / (1 + iou), agreed,
        agreement(first, truth), tuple(clicked), tuple(spent),
    )  # fmt: skip


def on_frame(entry: Entry, embedding: Embedding, square: NDArray[np.float32], threshold: float) -> Mask:
    """A soft mask of the square as the stream would show it: (rows, columns) bool without the smallest specks."""
    regions = find_regions(square, embedding.fit, 0, [embedding.box], threshold, entry.min_area_px)
    return np.asarray(paint(in_order(regions), embedding.size) > 0, np.bool_)


def settle(seen: list[Seen]) -> dict[str, float]:
    """Settings of the companion, from validation pictures: who draws each organ, and the line to the expected Dice.

    An organ is drawn by the decoder where its automatic mask has the higher mean Dice over all pictures, by WORTHWHILE:
    the trunk's own costs nothing. The line is a least-squares fit over the pictures in which something is shown: nobody
    asks what an absent mask is worth.
    """
    settings: dict[str, float] = {}
    rows: list[tuple[float, float, float]] = []
    true: list[float] = []
    for organ in sorted({one.organ for one in seen}):
        own = [one for one in seen if one.organ == organ]
        draws = float(np.mean([one.automatic - one.trunk for one in own])) >= WORTHWHILE
        settings[f"automatic_{organ}"] = float(draws)
        for one in own:
            if one.automatic_shown if draws else one.trunk_shown:
                rows.append((1.0, one.expected, one.agreement))
                true.append(one.automatic if draws else one.trunk)
    line = np.linalg.lstsq(np.array(rows), np.array(true), rcond=None)[0] if rows else np.array((0.0, 1.0, 0.0))
    for name, value in zip(("offset", "dice", "agreement"), line, strict=True):
        settings[f"quality_{name}"] = round(float(value), 4)
    settings["quality_least"] = LEAST_QUALITY
    return settings


def expected_dice(decoder: MaskDecoder, one: Seen) -> float:
    """What the stream would say of the mask that it shows."""
    return decoder.quality(one.expected / (2 - one.expected), one.agreement)
