"""What a DICOM file declares about its own picture, and what follows from it, whatever is found in the pixels.

Where a DICOM file declares its ultrasound regions, every pixel outside them is set to 0 before the frame is hashed,
coded and signed. Where it declares `BurnedInAnnotation=YES`, there may be text inside the ultrasound as well: its
frames are held in the van's spool. The closing counts them, and they are not sent.

Each declared region is judged alone: one that has no area, lacks a corner or lies outside the picture opens nothing,
and outside those that are certain the picture stays black. Where none is certain, the frames are held as well.

Clips and pictures declare nothing, nor does a DICOM file without regions: `clean.py` looks at their pixels.
"""

from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from sonovan.producers.sources import Box, Pixels, Source

BURNED_IN: Final = "burned_in_annotation"
UNCERTAIN: Final = "regions_uncertain"
TEXT_UNCERTAIN: Final = "text_uncertain"
HELD_REASONS: Final = frozenset({BURNED_IN, UNCERTAIN, TEXT_UNCERTAIN})


@dataclass(frozen=True, slots=True)
class BlackedOut:
    """A frame's pixels as they may travel, and how many of them were blacked out.

    blackened_px: the number of pixels outside the declared regions; 0 where nothing is declared.
    """

    pixels: Pixels
    blackened_px: int


def hold_reason(source: Source) -> str | None:
    """The reason for which this source's frames stay on the van, or None where they may go.

    `burned_in_annotation`: the file declares it. `regions_uncertain`: the file declares ultrasound regions, so text may
    stand outside them, and where they lie cannot be told.
    """
    if source.burned_in:
        return BURNED_IN
    return UNCERTAIN if source.uncertain else None


def black_out(pixels: Pixels, declared: tuple[Box, ...] | None) -> BlackedOut:
    """Set every pixel outside the declared boxes to 0.

    pixels: (rows, columns) or (rows, columns, 3), uint8 or uint16; not changed itself.
    declared: the ultrasound regions that the file declares, as (left, top, width, height); None where it declares
    none, and then no pixel is changed.
    Returns a grey picture that was stored with three equal channels as one channel, for no information is lost.
    """
    if declared is None:
        return BlackedOut(as_grey(pixels), 0)
    inside = np.zeros(pixels.shape[:2], np.bool_)
    for left, top, width, height in declared:
        inside[top : top + height, left : left + width] = True
    kept = pixels.copy()
    kept[~inside] = 0
    return BlackedOut(as_grey(kept), int(inside.size - np.count_nonzero(inside)))


def as_grey(pixels: Pixels) -> Pixels:
    """One channel of a picture whose three channels are equal everywhere; any other picture as it is."""
    if pixels.ndim == 2:
        return pixels
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return cast(Pixels, np.ascontiguousarray(red))
    return pixels
