"""Clips as sources: whatever opencv's FFmpeg reads, one frame at a time, with the frames' own times."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from sonovan.producers.sources.agreement import agreed_organ
from sonovan.producers.sources.bounds import check_frames, check_size
from sonovan.producers.sources.containers import avi_count, torn
from sonovan.producers.sources.reasons import refusal
from sonovan.producers.sources.source import CapturedFrame, CaptureOptions, LostFrame, Source, whole_panel

SPARE: Final = 0.01
"""A container's count may be estimated from its duration: a clip that lacks this share, or one frame, is whole."""
VIDEO_SUFFIXES: Final = frozenset({".mp4", ".m4v", ".mov", ".mpeg", ".mpg", ".avi", ".mkv", ".webm", ".wmv"})


def open_video(path: Path, options: CaptureOptions) -> Source:
    """The sequence in a clip; its frame count is known once it is read. Raises InvalidRecord of SOURCE_REASONS."""
    with _capture(path) as capture:
        rows, columns = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)), int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        declared = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if rows < 1 or columns < 1:
            raise refusal("no_frames", path, "the clip holds no picture")
        check_size(path, rows, columns, 3)
        if declared > 0:
            check_frames(path, declared, options.max_frames)
        if not capture.grab():
            raise refusal("no_frames", path, "the clip holds no frame that can be decoded")
    return Source(
        path=path,
        organ=agreed_organ(path, set(), set(), options),
        laterality=options.side,
        view=options.view,
        position=options.position,
        frame_count=None,
        read=lambda: _frames(path, options),
        notes=("regions_not_declared",),
    )


@contextmanager
def _capture(path: Path) -> Iterator[cv2.VideoCapture]:
    # FFmpeg would write its own lines beside the one that names the input; opencv reads this when it opens a clip.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise refusal("unreadable", path, "the clip cannot be opened")
        yield capture
    finally:
        capture.release()


def _frames(path: Path, options: CaptureOptions) -> Iterator[CapturedFrame | LostFrame]:
    with _capture(path) as capture:
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        declared = float(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        first, before, stamp, index = 0.0, -1.0, 0.0, 0
        while True:
            found, picture = capture.read()
            if not found:
                break
            if index >= options.max_frames:
                raise refusal("too_large", path, f"the clip has more than {options.max_frames} frames")
            stamp = float(capture.get(cv2.CAP_PROP_POS_MSEC))
            first = stamp if index == 0 else first
            time_ms: float | None = round(stamp - first, 3)
            if time_ms is not None and time_ms <= before:  # a container without stamps: count frames
                time_ms = round(index * 1000 / rate, 3) if rate > 0 else None
            before = before if time_ms is None else max(before, time_ms)
            rows, columns = picture.shape[:2]
            panel = whole_panel(rows, columns, options.pixel_spacing_mm, options.side)
            yield CapturedFrame(index, time_ms, np.ascontiguousarray(picture[..., ::-1]), (panel,))
            index += 1
    covered = max(index, 1 + round(stamp * rate / 1000))
    trouble = _cut_short(path, index, covered, declared)
    if trouble is not None:
        raise refusal("cut_short", path, trouble)


def _cut_short(path: Path, count: int, covered: int, declared: float) -> str | None:
    """Why a clip that gave `count` frames, up to the place of the `covered`th, has lost its end; None if it has not.

    Fewer frames than declared are no reason alone: an edit list leaves some out, a count may come from the length of
    another track, and that of a programme stream is what is there, however much was cut off. So the file must be
    shorter than its container says, or the declared count that of an AVI's own video track.
    """
    if declared <= 0:
        return f"the clip ends after {count} frames, for its file is not all here" if torn(path) else None
    if declared - covered <= max(1, SPARE * declared) or not (torn(path) or avi_count(path) == declared):
        return None
    return f"the clip ends after {count} of the {declared:.0f} frames that it announces"
