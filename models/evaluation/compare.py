"""Two networks on the same pictures: how far their Dice differs, and where they disagree most."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sonovan.models.evaluation.index import Row
from sonovan.models.evaluation.intervals import ratio_ci95
from sonovan.models.evaluation.measures import overlap
from sonovan.models.evaluation.score import look
from sonovan.models.evaluation.summary import WORST
from sonovan.models.segmenter import Segmenter


@dataclass(frozen=True)
class Pair:
    """One picture. dice: of A and of B, None where there is nothing to find. agreement: Dice between both masks."""

    row: Row
    dice: tuple[float, float] | None
    agreement: float


def compare(a: Segmenter, b: Segmenter, rows: Sequence[Row], step: Callable[[], None] = lambda: None) -> list[Pair]:
    """Pairs in the rows' order; `step` is called after each. Raises UnusableData as `score` does."""
    pairs = []
    for row in rows:
        seen_a, truth, _ = look(a, row)
        seen_b, _, _ = look(b, row)
        mask_a, mask_b = seen_a.labels > 0, seen_b.labels > 0
        known = truth is not None and truth.any()
        dice = (overlap(mask_a, truth)[0], overlap(mask_b, truth)[0]) if truth is not None and known else None
        pairs.append(Pair(row, dice, overlap(mask_a, mask_b)[0] if mask_a.any() or mask_b.any() else 1.0))
        step()
    return pairs


def difference(a: Segmenter, b: Segmenter, pairs: Sequence[Pair], split: str | None = None) -> dict[str, Any]:
    """What goes to JSON for one set.

    `difference`: mean over pictures with a lesion of Dice of B minus Dice of A, paired, with its 95 % interval
    (bootstrap over groups), and in how many pictures B is better or worse by more than .01; null where there is no
    lesion. `disagree`: the pictures on which both masks overlap least.
    """
    lesions = [(pair.row, *pair.dice) for pair in pairs if pair.dice is not None]
    gains = [dice_b - dice_a for _, dice_a, dice_b in lesions]
    return {
        "set": pairs[0].row.set,
        "split": split,
        "n": len(pairs),
        "groups": len({pair.row.group for pair in pairs if pair.row.group}) or None,
        "a": _told(a, [dice_a for _, dice_a, _ in lesions]),
        "b": _told(b, [dice_b for _, _, dice_b in lesions]),
        "difference": {
            "mean": round(float(np.mean(gains)), 4),
            "ci95": ratio_ci95(gains, [1.0] * len(gains), [row.group for row, _, _ in lesions]),
            "better": sum(gain > 0.01 for gain in gains),
            "worse": sum(gain < -0.01 for gain in gains),
        }
        if gains
        else None,
        "agreement": round(float(np.mean([pair.agreement for pair in pairs])), 4),
        "disagree": [_disagreement(pair) for pair in sorted(pairs, key=lambda pair: pair.agreement)[:WORST]],
    }


def _told(segmenter: Segmenter, dice: list[float]) -> dict[str, Any]:
    return {
        "model": segmenter.model_id,
        "weights_sha256": segmenter.weights_sha256,
        "fingerprint": segmenter.fingerprint,
        "provider": segmenter.provider,
        "lesion_dice": round(float(np.mean(dice)), 4) if dice else None,
    }


def _disagreement(pair: Pair) -> dict[str, Any]:
    dice_a, dice_b = (None, None) if pair.dice is None else (round(value, 4) for value in pair.dice)
    return {"id": pair.row.id, "agreement": round(pair.agreement, 4), "dice_a": dice_a, "dice_b": dice_b}
