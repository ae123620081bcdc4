"""One mask out of several readers' masks, weighing each reader by how well the others bear them out.

Source: Warfield, Zou & Wells, IEEE Transactions on Medical Imaging 23:903 (2004), as SimpleITK does it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import SimpleITK
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

MARGIN: Final = 0.5
"""The box around all outlines is grown by this share of its sides before readers are judged.

The more empty picture around a lesion counts as agreement, the less specificity tells readers apart: without a box the
consensus of one lesion would depend on how much else the picture shows.
"""
MAX_ITERATIONS: Final = 200


def consensus(masks: Sequence[Mask]) -> Mask:
    """Where a lesion is more likely than not, given what all readers drew: (rows, columns) bool.

    masks: at least one, all of one shape. What a single reader drew is the consensus of one. Where nobody drew anything
    it is empty. Two readers of whom neither can be trusted more have in common what both outline.
    Raises ValueError for no masks, or masks of several shapes.
    """
    if not masks or len({mask.shape for mask in masks}) != 1:
        raise ValueError("a consensus needs masks, all of one shape")
    drawn = np.logical_or.reduce(masks)
    if len(masks) == 1 or not drawn.any():
        return np.array(masks[0], np.bool_)
    box = _box(drawn)
    judge = SimpleITK.STAPLEImageFilter()
    judge.SetForegroundValue(1.0)
    judge.SetMaximumIterations(MAX_ITERATIONS)
    likely = judge.Execute([SimpleITK.GetImageFromArray(mask[box].astype(np.uint8)) for mask in masks])
    found = np.zeros(drawn.shape, np.bool_)
    found[box] = (
        np.asarray(SimpleITK.GetArrayFromImage(likely)) > 0.5 + 1e-9
    )  # exactly even is not more likely than not
    return found


def _box(drawn: Mask) -> tuple[slice, slice]:
    """The box of all outlines, grown by MARGIN on every side as far as the picture goes."""
    slices = []
    for axis in (1, 0):
        places = np.flatnonzero(drawn.any(axis))
        first, last = int(places[0]), int(places[-1]) + 1
        more = max(2, round((last - first) * MARGIN))
        slices.append(slice(max(0, first - more), min(drawn.shape[1 - axis], last + more)))
    return slices[0], slices[1]
