"""A scanner's video output as a source: a device or an address, from start to stop, with what is known of its scale.

Everything is in the scanner's own picture: patient, date and clinic stand in it. So its frames go through what cleans
every frame; where the site says where the ultrasound lies, everything else is black.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.van import Panel
from sonovan.producers.sources.agreement import agreed_organ
from sonovan.producers.sources.bounds import check_size
from sonovan.producers.sources.calibration import Calibration, ScaleOfSweep
from sonovan.producers.sources.grabbing import Frames, Grabbed, Grabber
from sonovan.producers.sources.origin import Address, Device, Origin
from sonovan.producers.sources.reasons import refusal
from sonovan.producers.sources.source import CapturedFrame, CaptureOptions, LostFrame, Source, whole_panel

BLANK, FROZEN = "picture_blank", "picture_frozen"
DROPPED, SIGNAL_LOST, NO_SIGNAL = "frame_dropped", "signal_lost", "no_signal"
_ANSWER_MS: Final = 5_000
_EVERY: Final = 8
"""One pixel of so many is looked at, along each side, to tell what is blank or frozen."""
_ONE_COLOUR: Final = 2.0
"""Grey levels by which the pixels of a blank picture differ at most, as a standard deviation."""
_NOISE: Final = 0.3
"""Grey levels by which two pictures of a live scan differ at least, in the mean."""
_FROZEN_MS: Final = 1_000.0


def open_device(origin: Origin) -> Frames:
    """The device by OpenCV. An address reaches it as it was written. Raises InvalidRecord `no_signal`."""
    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _ANSWER_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _ANSWER_MS]
    if isinstance(origin, Device):
        device = cv2.VideoCapture(origin.path, cv2.CAP_V4L2)
    elif isinstance(origin, Address):
        device = cv2.VideoCapture(origin.url, cv2.CAP_FFMPEG, timeouts)
    else:
        device = cv2.VideoCapture(str(origin), cv2.CAP_FFMPEG)
    if not device.isOpened():
        device.release()
        raise refusal(NO_SIGNAL, origin, "it cannot be opened")
    return device


class Sweep:
    """One sweep from an open device, which is closed when the last frame was read. source: may be read once."""

    def __init__(
        self,
        origin: Origin,
        device: Frames,
        calibration: Calibration,
        options: CaptureOptions,
        tell: Callable[[str], None],
    ) -> None:
        """tell: takes a line for the operator when something is wrong with the picture; in it nobody is named.

        Raises InvalidRecord `organ_missing`, and then the device is closed.
        """
        self._origin, self._calibration, self._options = origin, calibration, options
        self._grabber = Grabber(device, waits=isinstance(origin, Path))
        self._looks, self._scale = _Looks(tell), ScaleOfSweep(calibration, tell)
        self._tell = tell
        try:
            organ = agreed_organ(origin, set(), set(), options)
        except InvalidRecord:
            device.release()
            raise
        self.source = Source(
            path=origin,
            organ=organ,
            laterality=options.side,
            view=options.view,
            position=options.position,
            nipple_distance_mm=options.nipple_distance_mm,
            frame_count=None,
            read=self._shots,
            declared=None if calibration.picture is None else (calibration.picture,),
            notes=("regions_not_declared",) if calibration.picture is None else (),
        )

    def stop(self) -> None:
        """Grab no more; what was grabbed is still read. Any thread may call this, also before the sweep began."""
        self._grabber.stop()

    @property
    def signal_lost(self) -> bool:
        """Whether it ended because no picture came any more."""
        return self._grabber.signal_lost

    def _shots(self) -> Iterator[CapturedFrame | LostFrame]:
        grabber, limit = self._grabber, self._options.max_frames
        size: tuple[int, int] | None = None
        grabber.start()
        try:
            for found in grabber.taken():
                yield from self._lost(found.index - found.lost, found.lost)
                if found.index >= limit:
                    raise refusal("too_large", self._origin, f"the sweep has more than {limit} frames")
                rows, columns = found.pixels.shape[:2]
                if size is None:
                    check_size(self._origin, rows, columns, 3)
                    self._check_picture(rows, columns)
                    size = rows, columns
                elif size != (rows, columns):  # what was typed of the picture no longer holds
                    raise refusal(SIGNAL_LOST, self._origin, "the picture has another size now")
                spacing, notes = self._scale.of(found.pixels)
                panel = self._panel(rows, columns, spacing)
                notes += self._looks.of(found)
                yield CapturedFrame(found.index, found.time_ms, found.pixels, (panel,), notes)
        finally:
            grabber.stop()
            grabber.join()
        yield from self._lost(grabber.count - grabber.lost_at_end, grabber.lost_at_end)
        if grabber.signal_lost:
            self._tell("no picture comes any more: look at the cable and at the scanner's video output")
            raise refusal(SIGNAL_LOST, self._origin, "no picture comes any more")

    def _lost(self, first: int, count: int) -> Iterator[LostFrame]:
        if count:
            self._tell(f"{count} frames were lost on the way: they are counted as missing")
        for index in range(first, min(first + count, self._options.max_frames)):
            message = refusal(DROPPED, self._origin, f"frame {index + 1} was lost on the way").message
            yield LostFrame(index, DROPPED, message)

    def _check_picture(self, rows: int, columns: int) -> None:
        if self._calibration.picture is not None:
            left, top, width, height = self._calibration.picture
            if left + width > columns or top + height > rows:
                detail = f"the ultrasound is said to end at {left + width}, {top + height} of {columns} x {rows}"
                raise refusal("option_invalid", self._origin, detail)

    def _panel(self, rows: int, columns: int, spacing: tuple[float, float] | None) -> Panel:
        if self._calibration.picture is None:
            return whole_panel(rows, columns, spacing, self._options.side)
        left, top, width, height = self._calibration.picture
        column_mm, row_mm = spacing or (None, None)
        return Panel(
            ordinal=0, left=left, top=top, width=width, height=height, column_mm=column_mm, row_mm=row_mm,
            laterality=self._options.side,
        )  # fmt: skip


class _Looks:
    """Names what is wrong with the picture: blank, or frozen for a second."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._told = tell, ""
        self._before: NDArray[np.int16] | None = None
        self._same_since = 0.0

    def of(self, found: Grabbed) -> tuple[str, ...]:
        """The notes of a picture."""
        small = found.pixels[::_EVERY, ::_EVERY].astype(np.int16)
        blank = bool((small.std(axis=(0, 1)) < _ONE_COLOUR).all())
        before, self._before = self._before, small
        if before is None or float(np.abs(small - before).mean()) > _NOISE:
            self._same_since = found.time_ms
        frozen = not blank and found.time_ms - self._same_since >= _FROZEN_MS
        note = BLANK if blank else FROZEN if frozen else ""
        if note != self._told:
            self._told = note
            if note:
                self._tell(_LINES[note])
        return (note,) if note else ()


_LINES: Final = {
    BLANK: "the picture is black or of one colour: look at the cable and at the scanner's video output",
    FROZEN: "the picture stands still: is the scanner frozen?",
}
