"""Where the tissue of one frame of a sweep lies in another one, along the frames between them."""

from collections.abc import Sequence
from typing import Final

from sonovan.clinical.registration import CERTAIN, Moved, moved
from sonovan.contracts.frames import FrameSegmented, TissueProfile

Offset = tuple[float, float]
"""Pixels of the frame, towards right and deeper."""

STILL: Final[Offset] = (0.0, 0.0)


class TissuePath:
    """The way of the tissue over the frames of one panel of one sweep. Nothing is registered before it is asked for."""

    def __init__(self, frames: Sequence[FrameSegmented], panel: int) -> None:
        """frames: of one sequence, in order of their index."""
        self._profiles = [profile_of(frame, panel) for frame in frames]
        self._sizes = [panel_size(frame, panel) for frame in frames]

    def offset(self, one: int, other: int) -> Offset:
        """How far what lies in frame `one` has moved in frame `other`, by their places; `STILL` where nobody knows.

        It is the sum over the frames between them. A step that cannot be told counts as no movement.
        """
        across, down = STILL
        for place in range(one, other):
            seen = self._seen(place, place + 1)
            if seen is not None and seen.alike >= CERTAIN:
                width, height = self._sizes[place]
                across, down = across + seen.across * width, down + seen.down * height
        return across, down

    def direct(self, one: int, other: int) -> tuple[Offset, float] | None:
        """The same off these two frames alone, and how alike their tissue is; None where one has no profile."""
        seen = self._seen(one, other)
        if seen is None:
            return None
        width, height = self._sizes[one]
        return (seen.across * width, seen.down * height), seen.alike

    def _seen(self, one: int, other: int) -> Moved | None:
        first, second = self._profiles[one], self._profiles[other]
        if first is None or second is None or self._sizes[one] != self._sizes[other]:
            return None
        return moved(first, second)


def profile_of(frame: FrameSegmented, panel: int) -> TissueProfile | None:
    """The profile of one panel of a frame, None where it has none."""
    return next((each for each in frame.tissue if each.panel == panel), None)


def panel_size(frame: FrameSegmented, panel: int) -> tuple[int, int]:
    """Width and height of a panel in pixels of the frame."""
    if panel < len(frame.panels):
        return frame.panels[panel].width, frame.panels[panel].height
    return frame.columns, frame.rows
