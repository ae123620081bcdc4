"""One panel on its way into the network: whoever shows a network a picture does it through here."""

from dataclasses import dataclass

import numpy as np

from sonovan.models.engine.runner import Outputs, Runner
from sonovan.models.errors import UnusablePicture
from sonovan.models.heads.companion import finite
from sonovan.models.picture.letterbox import Box, Gray, Letterbox, letterbox
from sonovan.models.picture.scale import isotropic
from sonovan.models.registry import Entry


@dataclass(frozen=True, eq=False)
class Panel:
    """What the network is shown of one box of a frame.

    box: (left, top, width, height) in the frame. square: (side, side) uint8, the network's input. fit: where the box
    lies in it. picture: (rows, columns) uint8, the box with square pixels, not yet shrunk.
    """

    box: Box
    square: Gray
    fit: Letterbox
    picture: Gray

    @property
    def content(self) -> Gray:
        """What quality is judged on: the picture as the network sees it, or as it is where it is smaller."""
        fit = self.fit
        if fit.scale >= 1:
            return self.picture
        return self.square[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width]


def organ_channel(entry: Entry, organ: str) -> int:
    """The network's output for an organ. Raises UnusablePicture `organ_unknown`."""
    channel = entry.organs.get(organ)
    if channel is None:
        known = ", ".join(entry.organs)
        raise UnusablePicture("organ_unknown", f"{entry.id} knows {known}, not {organ!r}")
    return channel


def panel_of(grey: Gray, box: Box, spacing_mm: tuple[float, float] | None, entry: Entry) -> Panel:
    """A box of a frame, its pixels made square and letterboxed as `entry` wants it.

    grey: (rows, columns) uint8. spacing_mm: (column, row) of a pixel; None: not known.
    """
    left, top, width, height = box
    picture = isotropic(grey[top : top + height, left : left + width], spacing_mm)
    square, fit = letterbox(picture, entry.side, entry.input.corner)
    return Panel(box, square, fit, picture)


def run_network(entry: Entry, runner: Runner, panel: Panel, channel: int) -> Outputs:
    """The network's outputs for one panel. Raises UnusablePicture where it gives no number.

    channel: the organ's output. Where its probability reaches `entry.mirror_from` anywhere, the mirror image is run as
    well, and the masks are the mean of both; features are always those of the picture itself. Most frames of a sweep
    show nothing, and cost one run (docs/decisions/0142-the-mirror-image-is-looked-at-where-it-may-matter.md).
    """
    frames = panel.square.astype(np.float32)[None, None]
    seen = finite(entry.id, runner.run(frames))
    masks = seen[entry.output.name]
    if entry.mirror_from is None or masks[0, channel].max() < entry.mirror_from:
        return seen
    mirrored = finite(entry.id, runner.run(np.ascontiguousarray(frames[..., ::-1])))[entry.output.name]
    return seen | {entry.output.name: np.asarray((masks + mirrored[..., ::-1]) / 2, np.float32)}
