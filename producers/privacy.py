"""The first guard of privacy: nothing that a file does not call ultrasound leaves the van.

Outside the ultrasound regions that a DICOM file declares, scanners write names, dates and hospitals; those pixels
are set to 0 before a frame is hashed, coded or signed. A file that says `BurnedInAnnotation=YES` has text inside
the picture too: its frames are held on the van, counted but not sent.

Limit: clips and pictures, and DICOM files whose regions are missing or do not fit, declare nothing, and go as
they are. Finding text by looking at pixels comes later.
"""

from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from sonovan.producers.sources import Box, Pixels, Source

BURNED_IN: Final = "burned_in_annotation"


@dataclass(frozen=True, slots=True)
class BlackedOut:
    """pixels as they may travel; blackened_px: how many pixels lie outside the declared regions."""

    pixels: Pixels
    blackened_px: int


def hold_reason(source: Source) -> str | None:
    """Why this source's frames stay on the van, None where they may go."""
    return BURNED_IN if source.burned_in else None


def black_out(pixels: Pixels, declared: tuple[Box, ...] | None) -> BlackedOut:
    """Black out everything outside the declared boxes; None declares nothing and changes nothing.

    pixels: (rows, columns) or (rows, columns, 3); returned with equal channels made one (no information is lost).
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
    """A grey picture stored as RGB becomes one channel; anything with a colour stays as it is."""
    if pixels.ndim == 2:
        return pixels
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return cast(Pixels, np.ascontiguousarray(red))
    return pixels
