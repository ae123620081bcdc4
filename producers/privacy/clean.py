"""Take text out of a sequence's pictures: outside the ultrasound all is black, inside it the lines that are found.

A look (find the ultrasound, find text) takes a tenth of a second and more, so not every frame is looked at. A block of
at most BLOCK frames is looked at in its first and in its last frame, and each of its frames loses what either look
found. Where a frame differs from those before it in its layout, as `sonovan.models.text.change` tells, a new block
begins with it. So a line that appears within a block and stays is hidden in the whole of it. What appears and vanishes
again within one block, and changes too little to begin a new one, is not seen.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.models.errors import UnusablePicture
from sonovan.models.picture.view import find_view
from sonovan.models.text import FoundText, Line, Seen, drawn
from sonovan.producers.privacy.declared import TEXT_UNCERTAIN, as_grey, hold_reason
from sonovan.producers.privacy.layouts import ScreenLayout, layout_of
from sonovan.producers.sources import Box, CapturedFrame, LostFrame, Pixels, Source

BLOCK: Final = 32
"""Frames between two looks at most: about a second of a sweep, or half of one."""
MOST_HIDDEN: Final = 0.25
"""Where lines would hide a larger share of the ultrasound, a person looks: it may be tissue, or no ultrasound."""

Doubt: TypeAlias = Literal["hold", "fine", "hide"]
"""What becomes of doubtful lines: the frame is held for the operator's eye, or what the operator said."""
Mask: TypeAlias = NDArray[np.bool_]


class Finder(Protocol):
    """Whatever finds text; `sonovan.models.text.TextFinder` is the one that runs on vans."""

    def find(self, picture: Pixels) -> FoundText:
        """The text in one picture. Raises UnusablePicture where it cannot be judged."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A frame's pixels as they may travel.

    blackened_px: how many pixels were set to 0. held: the reason for which the frame stays on the van, None where it
    may go. doubtful: the lines for which it is held, to be shown to the operator.
    """

    pixels: Pixels
    blackened_px: int
    held: str | None = None
    doubtful: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of every frame of a block, by the looks at it.

    black: pixels to be set to 0, None where none is. blackened_px: how many. held, doubtful: as in `Cleaned`.
    """

    black: Mask | None
    blackened_px: int
    held: str | None
    doubtful: tuple[Line, ...]

    def applied(self, pixels: Pixels) -> Cleaned:
        """One of the frames, cleaned; the pixels that are given are not changed."""
        kept = pixels
        if self.black is not None:
            kept = pixels.copy()
            kept[self.black] = 0
        return Cleaned(as_grey(kept), self.blackened_px, self.held, self.doubtful)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found.

    black: pixels to be set to 0. ultrasound: how many pixels may show tissue. judged: whether it could be looked at.
    """

    black: Mask
    ultrasound: int
    lines: tuple[Line, ...]
    doubtful: tuple[Line, ...]
    judged: bool = True


def clean(
    pixels: Pixels, source: Source, finder: Finder, *, layouts: Sequence[ScreenLayout] = (), doubt: Doubt = "hold"
) -> Cleaned:
    """One picture, cleaned by a look of its own.

    pixels: (rows, columns) or (rows, columns, 3), uint8 or uint16; not changed itself. source: what its file declares.
    """
    return _verdict(pixels.shape[:2], source, [look_at(pixels, source, finder, layouts)], doubt).applied(pixels)


def look_at(pixels: Pixels, source: Source, finder: Finder, layouts: Sequence[ScreenLayout] = ()) -> Look:
    """Find the ultrasound and the text in one picture. See `clean`."""
    shape = pixels.shape[:2]
    black = ~_ultrasound(pixels, source, layouts)
    try:
        found = finder.find(as_grey(pixels))
    except UnusablePicture:
        return Look(np.ones(shape, np.bool_), 0, (), (), judged=False)
    ultrasound = int(np.count_nonzero(~black))
    doubtful = tuple(line for line in found.doubtful if (drawn([line], shape) & ~black).any())
    return Look(black | drawn(found.lines, shape), ultrasound, found.lines, doubtful)


class Cleaner:
    """Cleans the frames of one sequence, in their order."""

    def __init__(
        self, source: Source, finder: Finder, *, layouts: Sequence[ScreenLayout] = (), doubt: Doubt = "hold"
    ) -> None:
        """source: what the sequence's file declares. doubt: what the operator said of its doubtful lines."""
        self._source, self._finder, self._layouts, self._doubt = source, finder, layouts, doubt
        self.looks = 0

    def shots(
        self, shots: Iterable[CapturedFrame | LostFrame]
    ) -> Iterator[tuple[CapturedFrame, Cleaned] | tuple[LostFrame, None]]:
        """Each shot with its cleaned picture, None for a lost one. At most BLOCK frames are held in memory.

        Raises whatever reading raises, after the frames before it were given.
        """
        block: list[CapturedFrame | LostFrame] = []
        start: Look | None = None
        seen: Seen | None = None
        own = False  # whether `start` looked at the block's own first frame, not at the last one of the block before
        try:
            for shot in shots:
                if isinstance(shot, LostFrame):
                    block.append(shot)
                    continue
                grey = _grey(shot.pixels)
                if seen is None or seen.differs(grey):
                    yield from self._finished(block, start, own)
                    block, start, own = [], self._look(shot.pixels), True
                    seen = _seen(seen, grey, start)
                block.append(shot)
                seen.add(grey)
                if len(block) >= BLOCK:
                    end = self._look(shot.pixels)
                    yield from self._given(block, start, end)
                    block, start, seen, own = [], end, _seen(seen, grey, end), False
        except (InvalidRecord, Transient):
            yield from self._finished(block, start, own)
            raise
        yield from self._finished(block, start, own)

    def _finished(
        self, block: list[CapturedFrame | LostFrame], start: Look | None, own: bool
    ) -> Iterator[tuple[CapturedFrame, Cleaned] | tuple[LostFrame, None]]:
        """The frames of a block that ends early, after a look at its last one."""
        captured = [shot for shot in block if isinstance(shot, CapturedFrame)]
        end = self._look(captured[-1].pixels) if len(captured) > own else start
        yield from self._given(block, start, end)

    def _given(
        self, block: list[CapturedFrame | LostFrame], start: Look | None, end: Look | None
    ) -> Iterator[tuple[CapturedFrame, Cleaned] | tuple[LostFrame, None]]:
        looks = [look for look in (start, end) if look is not None]
        captured = [shot for shot in block if isinstance(shot, CapturedFrame)]
        verdict = _verdict(captured[0].pixels.shape[:2], self._source, looks, self._doubt) if captured else None
        for shot in block:
            if isinstance(shot, LostFrame):
                yield shot, None
            elif verdict is not None:
                yield shot, verdict.applied(shot.pixels)

    def _look(self, pixels: Pixels) -> Look:
        self.looks += 1
        return look_at(pixels, self._source, self._finder, self._layouts)


def _seen(seen: Seen | None, grey: NDArray[np.uint8], look: Look) -> Seen:
    if seen is None:
        return Seen(grey, ~look.black)
    seen.look_again(grey, ~look.black)
    return seen


def _verdict(shape: tuple[int, ...], source: Source, looks: Sequence[Look], doubt: Doubt) -> Verdict:
    """What any of the looks found is black in all frames. shape: their rows and columns."""
    black = np.zeros(shape, np.bool_)
    doubtful = tuple(line for look in looks for line in look.doubtful)
    for look in looks:
        black |= look.black
    if doubt == "hide":
        black |= drawn(doubtful, shape)
    held = hold_reason(source)
    if held is None and any(not look.judged for look in looks):
        held = TEXT_UNCERTAIN
    if held is None and doubt == "hold" and (doubtful or any(_hides_much(look) for look in looks)):
        held = TEXT_UNCERTAIN
    count = int(np.count_nonzero(black))
    return Verdict(black if count else None, count, held, doubtful if doubt == "hold" else ())


def _hides_much(look: Look) -> bool:
    hidden = np.count_nonzero(look.black) - (look.black.size - look.ultrasound)
    return bool(hidden > MOST_HIDDEN * max(look.ultrasound, 1))


def _ultrasound(pixels: Pixels, source: Source, layouts: Sequence[ScreenLayout]) -> Mask:
    """Where ultrasound may be: as the file declares, else as the site knows its scanner, else as the picture shows."""
    rows, columns = pixels.shape[:2]
    known = layout_of(layouts, rows, columns, source.manufacturer, source.model)
    boxes: Sequence[Box]
    if source.declared is not None:
        boxes = source.declared
    elif known is not None:
        boxes = known.keep
    else:
        boxes = (find_view(_grey(pixels)).box,)
    inside = _drawn_boxes(boxes, (rows, columns))
    return inside if known is None else inside & ~_drawn_boxes(known.hide, (rows, columns))


def _drawn_boxes(boxes: Sequence[Box], shape: tuple[int, int]) -> Mask:
    inside = np.zeros(shape, np.bool_)
    for left, top, width, height in boxes:
        inside[max(top, 0) : top + height, max(left, 0) : left + width] = True
    return inside


def _grey(pixels: Pixels) -> NDArray[np.uint8]:
    """(rows, columns) uint8: the brightest channel, so that coloured text stands out as white does."""
    grey = pixels if pixels.ndim == 2 else pixels.max(axis=2)
    if grey.dtype == np.uint8:
        return cast(NDArray[np.uint8], grey)
    return (grey.astype(np.float32) * (255 / max(int(grey.max()), 1))).astype(np.uint8)
