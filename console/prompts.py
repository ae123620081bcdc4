"""Masks on request for readers: the compact SAM, with the pictures that are being looked at kept ready.

A click is answered within 300 ms because the network has seen the picture before it is clicked on: the page asks for
that as soon as the reader takes up the tool.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonovan.contracts.frame_codec import Pixels
from sonovan.contracts.van import Panel
from sonovan.models.errors import ModelError
from sonovan.models.heads.prompting import Embedding, Point, Prompter, agreement, load_prompter
from sonovan.storage.catalogue.cine import StoredPicture

KEPT: Final = 64
"""Embeddings kept ready, about 1.5 MB each."""
MOST_POINTS: Final = 64
STEPS: Final = 6
"""A mask is carried over to so many neighbouring frames on each side at most."""
LEAST_IOU: Final = 0.7
"""It is carried no further where the network expects less of it than this IoU,"""
LEAST_ALIKE: Final = 0.5
"""or where it has less than this Dice with the mask that it was carried from: tissue moves little between frames."""

_LOADING: Final = threading.Lock()

Mask = NDArray[np.bool_]
Fetch = Callable[[StoredPicture], Pixels]


@dataclass(frozen=True, eq=False)
class Carried:
    """A mask that was carried over to a neighbouring frame, to be looked at by the reader before it counts."""

    picture: StoredPicture
    mask: Mask
    predicted_iou: float


class Prompts:
    """A network with its decoder, and the embeddings of the pictures that were asked for last. Any thread may ask."""

    def __init__(self, prompter: Prompter) -> None:
        self._prompter = prompter
        self._kept: OrderedDict[tuple[str, int], Embedding] = OrderedDict()
        self._lock, self._busy = threading.Lock(), threading.Lock()

    def ready(self, picture: StoredPicture, panel: int, fetch: Fetch) -> Embedding:
        """The embedding of one panel of a frame: one that is kept, or a new one.

        panel: ordinal; a frame without panels is searched for its ultrasound. fetch: the pixels of a frame, verified.
        Raises as `fetch` and `Prompter.embed`.
        """
        key = (picture.pixels_sha256, panel)
        with self._busy:  # one picture at a time: two would each take twice as long, and most often are the same
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
            box = panel_of(picture.panels, panel)
            made = self._prompter.embed(
                fetch(picture),
                picture.organ,
                None if box is None else (box.left, box.top, box.width, box.height),
                None if box is None else box.spacing_mm,
            )
            with self._lock:
                self._kept[key] = made
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return made

    def clicked(
        self, picture: StoredPicture, panel: int, points: Sequence[Point], before: Mask | None, fetch: Fetch
    ) -> Mask:
        """The mask that the clicks ask for. before: the mask that is corrected by them, at the frame's size."""
        start = before if before is not None and before.any() else None
        return self._prompter.segment(self.ready(picture, panel, fetch), points[-MOST_POINTS:], mask=start).mask

    def carried(self, pictures: Sequence[StoredPicture], panel: int, mask: Mask, fetch: Fetch) -> list[Carried]:
        """A mask carried over from frame to frame, each time from the one before.

        pictures: the neighbours in their order away from the frame that was drawn on; STEPS at most are looked at. It
        ends where a frame has another size, the decoder expects too little, or the mask changes too much.
        """
        found: list[Carried] = []
        for picture in pictures[:STEPS]:
            if (picture.rows, picture.columns) != mask.shape or not mask.any():
                break
            answer = self._prompter.segment(self.ready(picture, panel, fetch), [_middle(mask)], mask=mask)
            if answer.predicted_iou < LEAST_IOU or agreement(answer.mask, mask) < LEAST_ALIKE:
                break
            mask = answer.mask
            found.append(Carried(picture, mask, answer.predicted_iou))
        return found


def prompts() -> Prompts:
    """Those of this process, loaded once; who asks while they are being loaded waits. Raises as `load_prompter`."""
    with _LOADING:
        return _loaded()


@cache
def _loaded() -> Prompts:
    return Prompts(load_prompter())


def load_ahead(tell: Callable[[str], None]) -> threading.Thread:
    """Load the network in a thread of its own, so that nobody's first click waits for it (half a minute on two busy
    cores). tell: takes a line for the log where it cannot be loaded; clicks say so then."""

    def load() -> None:
        try:
            prompts()
        except ModelError as error:
            tell(f"clicks on pictures are not answered: {error}")

    thread = threading.Thread(target=load, name="load the compact SAM", daemon=True)
    thread.start()
    return thread


def panel_of(panels: Sequence[Panel], ordinal: int) -> Panel | None:
    """The panel of an ordinal; None where the frame has none such."""
    return next((panel for panel in panels if panel.ordinal == ordinal), None)


def panel_at(panels: Sequence[Panel], column: float, row: float) -> int:
    """The ordinal of the panel in which a place lies; 0 where it lies in none."""
    for panel in panels:
        if panel.left <= column < panel.left + panel.width and panel.top <= row < panel.top + panel.height:
            return panel.ordinal
    return 0


def _middle(mask: Mask) -> Point:
    """A place well inside the mask: the pixel of it that lies next to its centre of gravity."""
    rows, columns = np.nonzero(mask)
    at = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    return Point(float(columns[at]), float(rows[at]), True)
