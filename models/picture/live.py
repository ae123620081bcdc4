"""What a frame is worth while somebody still scans: contact, gain, shadow and sharpness, within a few milliseconds.

The same rules as for every frame that is assessed (`sonovan.models.picture.quality`), on the one panel that matters.
"""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.picture.prepare import to_grey
from sonovan.models.picture.quality import TISSUE_GREY, panel_quality, sharpness

Gain = Literal["low", "good", "high"]
SHOWN_PX: Final = 256
"""Longest side of what is judged, as a network sees it."""


@dataclass(frozen=True, slots=True)
class LiveQuality:
    """One frame. score: 0..1, higher is better. reason: None where it can be assessed, else as of `panel_quality`.

    gain: low where a picture with contact is darker in the mean than tissue usually is, high where most of it is
    saturated. sharpness: across and down, comparable within one sweep; None for a picture that is too small.
    """

    score: float
    reason: str | None
    gain: Gain
    sharpness: tuple[float, float] | None

    @property
    def contact(self) -> bool:
        """Whether the probe touches her."""
        return self.reason not in ("no_contact", "blank", "noise", "too_small")

    @property
    def shadow(self) -> bool:
        """Whether most of the picture lies in shadow."""
        return self.reason == "shadowed"


def live_quality(pixels: NDArray[np.uint8] | NDArray[np.uint16], box: tuple[int, int, int, int]) -> LiveQuality:
    """The quality of one panel of a frame.

    pixels: (rows, columns) or (rows, columns, 3), uint8 or uint16. box: left, top, width, height of the panel.
    Raises UnusablePicture as `to_grey` does.
    """
    left, top, width, height = box
    panel = to_grey(pixels[top : top + height, left : left + width])
    scale = SHOWN_PX / max(panel.shape)
    size = (max(1, round(panel.shape[1] * scale)), max(1, round(panel.shape[0] * scale)))
    content = panel if scale >= 1 else np.asarray(cv2.resize(panel, size, interpolation=cv2.INTER_AREA), np.uint8)
    found = panel_quality(content, (panel.shape[0], panel.shape[1]))
    gain: Gain = "good"
    if found.reason == "saturated":
        gain = "high"
    elif found.reason is None and float(content.mean()) < TISSUE_GREY:
        gain = "low"
    return LiveQuality(found.score, found.reason, gain, sharpness(panel))
