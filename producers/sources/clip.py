"""A clip's container, opened with FFmpeg through a file that Python opened: no path reaches native code.

FFmpeg is told which container it is, so that none of its formats that read other files is ever tried.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from sonovan.contracts.limits import MAX_FRAME_PIXELS
from sonovan.producers.sources.reasons import refusal

_DECODER: Final = {"err_detect": "crccheck+bitstream+buffer+explode", "max_pixels": str(MAX_FRAME_PIXELS)}
"""A decoder that would paint over damage says so instead; and it takes no picture that is too large to be used."""
_ALMOST_SQUARE: Final = 0.005


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


@contextmanager
def open_clip(path: Path, container: str) -> Iterator[Clip]:
    """container: FFmpeg's name of the format. Raises InvalidRecord `unreadable` or `no_frames`."""
    import av  # 40 MiB of libraries: loaded with the first clip

    with _File(os.open(path, os.O_RDONLY)) as file:  # by number: a name that is no UTF-8 stops FFmpeg
        try:
            opened = av.open(file, format=container, metadata_errors="replace")
        except (av.FFmpegError, OSError, ValueError, OverflowError) as error:
            raise refusal("unreadable", path, "the clip cannot be opened") from error
        with opened:
            yield _clip(path, opened)


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
