"""Moving pictures inside DICOM: MPEG-2, H.264 and HEVC streams (PS3.5 8.2.5 to 8.2.13, A.4), read as clips are.

All fragments together are one stream in a container of its own, or none. Its frames are taken as they are stored, for
the file's regions and scales are places in those; a frame of another size than the file's is lost, never stretched:
what the file declares could not be found in it.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from pydicom import Dataset
from pydicom.uid import (
    HEVCM10P51,
    HEVCMP51,
    MPEG2MPHL,
    MPEG2MPHLF,
    MPEG2MPML,
    MPEG2MPMLF,
    UID,
    MPEGTransferSyntaxes,
)

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources.bounds import check_size
from sonovan.producers.sources.clip import Clip, ClipFile, open_clip
from sonovan.producers.sources.clip_times import packet_times
from sonovan.producers.sources.decode import PixelLayout
from sonovan.producers.sources.dicom_frames import FramePlaces
from sonovan.producers.sources.dicom_numbers import numbers, whole
from sonovan.producers.sources.fragments import list_fragments
from sonovan.producers.sources.reasons import Warned, refusal, warned
from sonovan.producers.sources.regions import Layout
from sonovan.producers.sources.sniff import HEAD_BYTES, sniff
from sonovan.producers.sources.source import CapturedFrame, CaptureOptions, LostFrame, Pixels
from sonovan.producers.sources.video import clip_frames, gap_warnings

MOVING: Final = frozenset(MPEGTransferSyntaxes)
_MPEG_2: Final = frozenset({MPEG2MPML, MPEG2MPMLF, MPEG2MPHL, MPEG2MPHLF})
_HEVC: Final = frozenset({HEVCMP51, HEVCM10P51})
_CONTAINERS: Final = frozenset({"mpegts", "mov", "mpeg", "mpegvideo", "h264", "hevc"})


def find_moving(path: Path, stream: BinaryIO, dataset: Dataset, layout: PixelLayout, at: int) -> FramePlaces:
    """The frames of a stream whose first item starts at `at`; its packets are counted, and nothing is decoded.

    count: as the file declares it, else that of the packets. Raises InvalidRecord `no_frames`, `unreadable`, or
    `size_contradicts_stream` where the stream's pictures have another size than the file states.
    """
    spans = list_fragments(stream, at).spans
    if not any(length for _, length in spans):
        raise refusal("no_frames", path, "its pixel data are empty")
    file = ClipFile(path, _container(path, spans, layout.transfer_syntax), spans)
    with open_clip(file) as clip:
        _check_picture(path, clip, layout)
        oblong = clip.wide != 1
        times = packet_times(clip)
        warnings: tuple[Warned, ...] = tuple(gap_warnings(path, clip, times))
    declared = whole(dataset, "NumberOfFrames")
    declared = declared if declared is not None and declared > 0 else None
    if len(times) > (declared or 1):
        told = numbers(dataset, "NumberOfFrames").told or "missing"
        detail = f"NumberOfFrames is {told}, its stream holds {len(times)} frames"
        warnings += (warned("frame_count_contradicted", path, detail),)
    return FramePlaces(declared or max(1, len(times)), (spans,), layout, False, warnings, clip=file, oblong=oblong)


def moving_frames(
    path: Path,
    places: FramePlaces,
    times_ms: tuple[float, ...] | None,
    layout: Layout,
    options: CaptureOptions,
) -> Iterator[CapturedFrame | LostFrame]:
    """The frames in their order; those that the file declares and the stream lacks are lost, behind the others.

    times_ms: as the file states them, None where it does not and the stream's own hold.
    Raises InvalidRecord `cut_short` where the stream ends before its container says.
    """
    if places.clip is None:
        raise ValueError("these frames are no moving picture")
    size = (places.layout.rows, places.layout.columns)
    given, cut = 0, None
    try:
        for shot in clip_frames(places.clip, options, _as_stored):
            given += 1
            if isinstance(shot, LostFrame):
                yield shot
            elif shot.pixels.shape[:2] != size:
                yield _lost(path, shot.frame_index, "frame_unreadable", "has another size than the file states")
            else:
                time_ms = shot.time_ms
                if times_ms is not None:
                    time_ms = times_ms[shot.frame_index] if shot.frame_index < len(times_ms) else None
                yield replace(shot, time_ms=time_ms, panels=layout.panels)
    except InvalidRecord as error:
        if error.reason != "cut_short":
            raise
        cut = error
    for index in range(given, places.count):
        yield _lost(path, index, "truncated", f"of {places.count} is not in the file")
    if cut is not None:
        raise cut


def _lost(path: Path, index: int, reason: str, detail: str) -> LostFrame:
    return LostFrame(index, reason, refusal(reason, path, f"frame {index + 1} {detail}").message)


def _as_stored(path: Path, frame: Any, _wide: float) -> Pixels:
    """A decoded frame in RGB, neither stretched nor turned."""
    check_size(path, frame.height, frame.width, 3)
    pixels: Pixels = frame.to_ndarray(format="rgb24")
    return pixels


def _check_picture(path: Path, clip: Clip, layout: PixelLayout) -> None:
    context = clip.stream.codec_context
    if context.height < 1 or context.width < 1:
        raise refusal("no_frames", path, "its stream holds no picture")
    if (context.height, context.width) != (layout.rows, layout.columns):
        detail = f"it states {layout.columns} x {layout.rows}, its stream is {context.width} x {context.height}"
        raise refusal("size_contradicts_stream", path, detail)


def _container(path: Path, spans: tuple[tuple[int, int], ...], syntax: UID) -> str:
    """FFmpeg's name of the stream's container, by its first bytes; the file's syntax names a stream without one."""
    with ClipFile(path, "", spans).open() as stream:
        head = stream.read(HEAD_BYTES) or b""
    kind = sniff(head)
    if kind.name == "video" and kind.detail in _CONTAINERS:
        return kind.detail
    if head[:3] == b"\0\0\x01" or head[:4] == b"\0\0\0\x01":
        return "mpegvideo" if syntax in _MPEG_2 else "hevc" if syntax in _HEVC else "h264"
    raise refusal("unreadable", path, "its pixel data are no MPEG stream")
