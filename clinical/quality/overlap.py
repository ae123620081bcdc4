"""How far two label masks of one frame overlap, as the programme measures it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Overlap:
    """dice, iou: over all pixels of all outlines together; None where the reader outlined nothing. outlined: the
    machine outlined something.
    """

    dice: float | None
    iou: float | None
    outlined: bool


def overlap_of(reader: Labels | None, machine: Labels | None) -> Overlap:
    """A reader's label mask against a machine's. Both (rows, columns) uint8 of one shape, 0 is no lesion; None where
    nothing is outlined. Raises ValueError for another shape.

    Source: Dice, Ecology 26:297 (1945); Jaccard, New Phytologist 11:37 (1912).
    """
    outlined = machine is not None and bool(machine.any())
    if reader is None or not reader.any():
        return Overlap(None, None, outlined)
    if machine is None or not outlined:
        return Overlap(0.0, 0.0, False)
    if reader.shape != machine.shape:
        raise ValueError(f"masks of {reader.shape} and {machine.shape} rows and columns")
    both = int(np.count_nonzero((reader > 0) & (machine > 0)))
    either = int(np.count_nonzero((reader > 0) | (machine > 0)))
    return Overlap(round(2 * both / (both + either), 4), round(both / either, 4), True)
