"""A clip's container, opened with FFmpeg through a file that Python opened: no path reaches native code.

FFmpeg is told which container it is, so that none of its formats that read other files is ever tried.
"""

import io
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from sonovan.contracts.limits import MAX_FRAME_PIXELS
from sonovan.producers.sources.reasons import refusal

_DECODER: Final = {"err_detect": "crccheck+bitstream+buffer+explode", "max_pixels": str(MAX_FRAME_PIXELS)}
"""A decoder that would paint over damage says so instead; and it takes no picture that is too large to be used."""
_ALMOST_SQUARE: Final = 0.005

Span = tuple[int, int]
"""offset in the file, length."""


@dataclass(frozen=True, slots=True)
class Clip:
    """An open clip. stream: its video track. wide: the width of its pixels over their height."""

    container: Any
    stream: Any
    wide: float

    @property
    def rate(self) -> float:
        """Frames per second by the container; 0 where it does not say."""
        return float(self.stream.average_rate or self.stream.guessed_rate or 0)

    @property
    def declared(self) -> float:
        """Frames by the container's own count, or by its length; 0 where it says neither."""
        if self.stream.frames:
            return float(self.stream.frames)
        length = self.container.duration
        return round(length / 1e6 * self.rate) if length else 0.0


class _File(io.FileIO):
    """A file in which a place that cannot be is an answer, -1, as FFmpeg expects it: damaged sizes lead there."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        try:
            return super().seek(offset, whence)
        except (OSError, OverflowError):
            return -1


class _Parts(io.RawIOBase):
    """Parts of a file, one behind the other, as one file."""

    def __init__(self, file: io.FileIO, spans: Sequence[Span]) -> None:
        self._file, self._spans = file, spans
        self._ends = list(accumulate(length for _, length in spans))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        number = bisect_right(self._ends, self._at)
        if number == len(self._spans):
            return 0
        offset, length = self._spans[number]
        here = self._at - (self._ends[number] - length)
        self._file.seek(offset + here)
        data = self._file.read(min(len(buffer), length - here))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        target = offset + {0: 0, 1: self._at, 2: self._ends[-1]}[whence]
        if target < 0:
            return -1
        self._at = target
        return target

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._file.close()
        super().close()


@dataclass(frozen=True, slots=True)
class ClipFile:
    """Where a clip lies. container: FFmpeg's name of its format.

    spans: (offset, length) of the parts of the file that it is made of, in order; None for the whole file.
    """

    path: Path
    container: str
    spans: tuple[Span, ...] | None = None

    def open(self) -> io.RawIOBase:
        """The clip's own bytes, from their start. Raises OSError."""
        file = _File(os.open(self.path, os.O_RDONLY))  # by number: a name that is no UTF-8 stops FFmpeg
        return file if self.spans is None else _Parts(file, self.spans)


@contextmanager
def open_clip(clip: ClipFile) -> Iterator[Clip]:
    """Open a clip for reading. Raises InvalidRecord `unreadable` or `no_frames`."""
    import av  # 40 MiB of libraries: loaded with the first clip

    with clip.open() as file:
        try:
            opened = av.open(file, format=clip.container, metadata_errors="replace")
        except (av.FFmpegError, OSError, ValueError, OverflowError) as error:
            raise refusal("unreadable", clip.path, "the clip cannot be opened") from error
        with opened:
            yield _clip(clip.path, opened)


def decoding_error() -> type[Exception]:
    """What a damaged packet raises."""
    import av

    return cast(type[Exception], av.FFmpegError)


def other_tracks(clip: Clip) -> int:
    """How many tracks of pictures a clip holds beside the one that is read; a cover's picture is none."""
    from av.stream import Disposition

    return sum(
        each.index != clip.stream.index and not each.disposition & Disposition.attached_pic
        for each in clip.container.streams.video
    )


def _clip(path: Path, opened: Any) -> Clip:
    stream = opened.streams.best("video")
    if stream is None:
        raise refusal("no_frames", path, "the clip holds no picture")
    context = stream.codec_context
    if context is None:
        raise refusal("unreadable", path, "its pictures are coded in a way that cannot be read here")
    context.thread_count = 1  # an error belongs to the packet that raised it
    context.options = _DECODER
    return Clip(opened, stream, pixel_width(stream))


def pixel_width(stream: Any) -> float:
    """The width of a pixel over its height, from the container or else from the coded stream; 1 where neither says."""
    for ratio in (stream.sample_aspect_ratio, stream.codec_context.sample_aspect_ratio):
        if ratio and 0.1 <= ratio <= 10:
            return 1.0 if abs(float(ratio) - 1) < _ALMOST_SQUARE else float(ratio)
    return 1.0


def turning(frame: Any) -> tuple[int, bool]:
    """(quarter turns counter-clockwise, whether it is mirrored after them) by which a frame is shown.

    Source: the matrix of ISO/IEC 14496-12 8.3.2, which FFmpeg hands on as nine numbers of 16.16 bits.
    """
    matrix = next((bytes(data) for data in frame.side_data if data.type.name == "DISPLAYMATRIX"), b"")
    if len(matrix) < 36:
        return 0, False
    a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, np.int32)[:5])
    mirrored = a * d - b * c < 0
    if mirrored:
        a, c = -a, -c
    if abs(a) >= abs(b):
        return (0 if a >= 0 else 2), mirrored
    return (3 if b > 0 else 1), mirrored
