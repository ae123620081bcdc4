"""From scores of pictures to the figures of a set: one JSON object, the same keys for every set."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from sonovan.models.evaluation.intervals import auc, auc_ci95, ratio_ci95
from sonovan.models.evaluation.score import Score
from sonovan.models.evaluation.strata import strata_of
from sonovan.models.segmenter import Segmenter

WORST: Final = 20
Figures = dict[str, Any]
"""What goes to JSON: numbers, None, lists and objects of them."""


def summary(segmenter: Segmenter, scores: Sequence[Score], split: str | None = None) -> Figures:
    """The figures of one set.

    `lesion_dice`, `lesion_iou`, `sensitivity`, `hd95_px`: over pictures with a lesion (misses count 0; `hd95_px` only
    where something was found). `empty_on_normal`: share of the pictures with nothing to find that stay empty and are
    not refused. `fp_per_image`: regions that match no lesion, over all pictures whose truth is known. `auc`: malignant
    against benign by label. `refused`: pictures. `ms_per_image`: median, one picture at a time, without reading files.
    `strata`: the same figures per device, category, age, size and label, where the folder tells. `worst`: lowest Dice
    first, null where nothing is to be found. Intervals: 95 %, bootstrap over groups; null where nobody names groups.
    Whatever the folder cannot say is null.
    """
    first = scores[0].row
    return {
        "set": first.set,
        "split": split,
        "organ": "/".join(sorted({one.row.organ for one in scores})),
        **figures(scores),
        "ms_per_image": round(float(np.median([one.ms for one in scores])), 2),
        "model": segmenter.model_id,
        "weights_sha256": segmenter.weights_sha256,
        "fingerprint": segmenter.fingerprint,
        "provider": segmenter.provider,
        "strata": {
            column: {value: figures(part) for value, part in parts.items()}
            for column, parts in strata_of(scores).items()
        },
        "worst": [
            {"id": one.row.id, "dice": None if one.dice is None else round(one.dice, 4)} for one in worst(scores)
        ],
    }


def worst(scores: Sequence[Score], count: int = WORST) -> list[Score]:
    """Pictures with a lesion, lowest Dice first, then up to a quarter in which something was found where nothing is."""
    lesions = sorted((one for one in scores if one.dice is not None), key=_dice)
    false = sorted((one for one in scores if one.nothing and one.suspicion), key=lambda one: -one.suspicion)
    alarms = false[: count // 4 if lesions else count]
    return lesions[: count - len(alarms)] + alarms


def figures(scores: Sequence[Score]) -> Figures:
    """What can be said of any part of a set."""
    lesions = [one for one in scores if one.dice is not None]
    normals = [one for one in scores if one.nothing]
    known = [one for one in scores if one.matched is not None]
    groups = {one.row.group for one in scores if one.row.group}
    found: Figures = {
        "n": len(scores),
        "groups": len(groups) or None,
        "with_lesion": len(lesions),
        "with_nothing": len(normals),
        "lesion_dice": _mean(lesions, _dice),
        "lesion_iou": _mean(lesions, _iou),
        "benign": _of_label(lesions, "benign"),
        "malignant": _of_label(lesions, "malignant"),
    }
    found |= _share("empty_on_normal", normals, lambda one: float(one.empty), lambda one: 1)
    found |= _share("sensitivity", lesions, _matched_found, _matched_lesions)
    found |= _share("fp_per_image", known, _matched_extra, lambda one: 1)
    found |= _auc(scores)
    found["refused"] = sum(one.refused for one in scores)
    measured = [one for one in lesions if one.hd95_px is not None]
    return found | _share("hd95_px", measured, lambda one: one.hd95_px or 0.0, lambda one: 1)


def _dice(one: Score) -> float:
    return one.dice or 0.0


def _iou(one: Score) -> float:
    return one.iou or 0.0


def _matched_found(one: Score) -> float:
    return one.matched.found if one.matched else 0.0


def _matched_lesions(one: Score) -> float:
    return one.matched.lesions if one.matched else 0.0


def _matched_extra(one: Score) -> float:
    return one.matched.extra if one.matched else 0.0


def _mean(scores: Sequence[Score], value: Callable[[Score], float]) -> Figures | None:
    if not scores:
        return None
    values = [value(one) for one in scores]
    ci95 = ratio_ci95(values, [1.0] * len(values), _groups(scores))
    return {"mean": round(float(np.mean(values)), 4), "ci95": ci95, "median": round(float(np.median(values)), 4)}


def _of_label(lesions: Sequence[Score], label: str) -> Figures | None:
    """None where no picture has a label: then nobody can say how many there are."""
    if not any(one.row.label for one in lesions):
        return None
    part = [one for one in lesions if one.row.label == label]
    return {"n": len(part), "lesion_dice": _mean(part, _dice), "lesion_iou": _mean(part, _iou)}


def _share(
    name: str, scores: Sequence[Score], above: Callable[[Score], float], below: Callable[[Score], float]
) -> Figures:
    numerators, denominators = [above(one) for one in scores], [below(one) for one in scores]
    total = sum(denominators)
    if total == 0:
        return {name: None, f"{name}_ci95": None}
    value = round(sum(numerators) / total, 4)
    return {name: value, f"{name}_ci95": ratio_ci95(numerators, denominators, _groups(scores))}


def _auc(scores: Sequence[Score]) -> Figures:
    judged = [one for one in scores if one.row.label in ("benign", "malignant")]
    values, malignant = [one.suspicion for one in judged], [one.row.label == "malignant" for one in judged]
    area = auc(values, malignant)
    if area is None:
        return {"auc": None, "auc_ci95": None}
    return {"auc": round(area, 4), "auc_ci95": auc_ci95(values, malignant, _groups(judged))}


def _groups(scores: Sequence[Score]) -> list[str]:
    return [one.row.group for one in scores]
