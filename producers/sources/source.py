"""The seam: whatever the van can read becomes a `Source`, one sequence of frames, read one by one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from pydantic import Field

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.lexicon import Organ, Position, Side, View
from sonovan.contracts.limits import MAX_FRAMES
from sonovan.contracts.record import Part
from sonovan.contracts.van import FINEST_MM, LONGEST_SIDE, Panel
from sonovan.producers.sources.origin import Origin
from sonovan.producers.sources.reasons import Warned

Pixels: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Box: TypeAlias = tuple[int, int, int, int]
"""left, top, width, height in pixels of the frame."""

MIN_SIDE: Final = 32
MAX_SIDE: Final = LONGEST_SIDE
MAX_INFLATED_BYTES: Final = 512 * 2**20


class CaptureOptions(Part):
    """What the operator says about the inputs; None where nothing was said.

    pixel_spacing_mm: (column, row). max_frames: a file that declares more is refused.
    """

    organ: Organ | None = None
    side: Side | None = None
    view: View | None = None
    position: Position | None = None
    nipple_distance_mm: float | None = Field(default=None, ge=0, le=250)
    pixel_spacing_mm: tuple[float, float] | None = Field(default=None)
    max_frames: int = Field(default=20_000, ge=1, le=MAX_FRAMES)


def capture_options(
    *,
    organ: str | None = None,
    side: str | None = None,
    view: str | None = None,
    position: str | None = None,
    nipple_distance_mm: float | None = None,
    pixel_spacing_mm: float | None = None,
) -> CaptureOptions:
    """Options from typed words. Raises InvalidRecord `organ_unknown` or `option_invalid`."""
    if organ is not None and organ not in get_args(Organ):
        raise InvalidRecord("organ_unknown", f"--organ {organ}: not an organ known here; say {_one_of(Organ)}")
    for name, word, kind in (("side", side, Side), ("view", view, View), ("position", position, Position)):
        if word is not None and word not in get_args(kind):
            raise InvalidRecord("option_invalid", f"--{name} {word}: say {_one_of(kind)}")
    if side == "isthmus" and organ == "breast":
        raise InvalidRecord("option_invalid", "--side isthmus: a breast has none; say left or right")
    if nipple_distance_mm is not None and organ == "thyroid":
        raise InvalidRecord("option_invalid", "--nipple-distance-mm: a thyroid has none; leave it out")
    if nipple_distance_mm is not None and not 0 <= nipple_distance_mm <= 250:
        raise InvalidRecord("option_invalid", f"--nipple-distance-mm {nipple_distance_mm}: say at most 250")
    if pixel_spacing_mm is not None and not FINEST_MM <= pixel_spacing_mm <= 100:
        message = f"--pixel-spacing-mm {pixel_spacing_mm}: say at least {FINEST_MM}, at most 100"
        raise InvalidRecord("option_invalid", message)
    spacing = None if pixel_spacing_mm is None else (pixel_spacing_mm, pixel_spacing_mm)
    words = {"organ": organ, "side": side, "view": view, "position": position, "pixel_spacing_mm": spacing}
    return CaptureOptions.model_validate({**words, "nipple_distance_mm": nipple_distance_mm})


def _one_of(kind: Any) -> str:
    """`left, right or isthmus`, for a Literal."""
    *others, last = get_args(kind)
    return f"{', '.join(others)} or {last}"


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """One picture. pixels: (rows, columns) or (rows, columns, 3) RGB, uint8 or uint16, C-contiguous.

    time_ms counts from the sequence's first frame, None where nobody said. notes: what reading changed.
    blackened_px: pixels that the guard of privacy set to 0 before this frame was handed on. held: why it found that the
    frame must stay on the van until somebody looked at it, None where it may go.
    """

    frame_index: int
    time_ms: float | None
    pixels: Pixels
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()
    blackened_px: int = 0
    held: str | None = None


@dataclass(frozen=True, slots=True)
class LostFrame:
    """A frame that stands in the sequence and cannot be read. message: for the person at the keyboard."""

    frame_index: int
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Source:
    """One sequence, described; `read()` decodes its frames one at a time, in order, without gaps in the index.

    path: for messages only, it never leaves the van; a device or an address where frames are captured. declared: the
    boxes that the file calls ultrasound, None where it declares nothing. burned_in: the file says that annotation is
    burned in. notes: codes for the closing's quality warnings. warnings: what the person at the keyboard should know.
    instance: the file's SOPInstanceUID.
    uncertain: the file declares ultrasound regions, and the place of none is known.
    acquired_on: the day of examination that the file names. nipple_distance_mm: as the operator entered it.
    `read()` raises InvalidRecord for what ends the sequence early and Transient
    where the disk does not answer.
    """

    path: Origin
    organ: Organ
    laterality: Side | None
    view: str | None
    position: str | None
    frame_count: int | None
    read: Callable[[], Iterator[CapturedFrame | LostFrame]]
    declared: tuple[Box, ...] | None = None
    burned_in: bool = False
    manufacturer: str | None = None
    model: str | None = None
    acquired_on: date | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    instance: str | None = None
    uncertain: bool = False
    nipple_distance_mm: float | None = None


def whole_panel(rows: int, columns: int, spacing_mm: tuple[float, float] | None, side: Side | None) -> Panel:
    """The one panel of a frame that declares none. spacing_mm: (column, row)."""
    column_mm, row_mm = spacing_mm or (None, None)
    return Panel(
        ordinal=0, left=0, top=0, width=columns, height=rows, column_mm=column_mm, row_mm=row_mm, laterality=side
    )
