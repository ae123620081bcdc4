"""Clips as sources: whatever FFmpeg reads, one frame at a time, with the frames' own times, as a player shows them."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from sonovan.producers.sources.agreement import agreed_organ
from sonovan.producers.sources.bounds import check_frames, check_size
from sonovan.producers.sources.clip import Clip, ClipFile, decoding_error, open_clip, other_tracks, turning
from sonovan.producers.sources.clip_damage import ClipDamage
from sonovan.producers.sources.clip_times import packet_times, time_gaps
from sonovan.producers.sources.containers import avi_count, torn
from sonovan.producers.sources.picture_damage import jpeg_damage
from sonovan.producers.sources.reasons import Warned, refusal, warned
from sonovan.producers.sources.source import CapturedFrame, CaptureOptions, LostFrame, Pixels, Source, whole_panel

_CHUNK_HEAD: Final = 8
SPARE: Final = 0.01
"""A container's count may be estimated from its duration: a clip that lacks this share, or one frame, is whole."""


def open_video(path: Path, container: str, options: CaptureOptions) -> Source:
    """The sequence in a clip; its frame count is known once it is read. container: FFmpeg's name of its format.

    Raises InvalidRecord of SOURCE_REASONS.
    """
    file = ClipFile(path, container)
    with open_clip(file) as clip:
        context, wide = clip.stream.codec_context, clip.wide
        if context.height < 1 or context.width < 1:
            raise refusal("no_frames", path, "the clip holds no picture")
        check_size(path, context.height, round(context.width * wide), 3)
        if clip.declared > 0:
            check_frames(path, int(clip.declared), options.max_frames)
        warnings = tuple(_warnings(path, clip))
    if not any(isinstance(shot, CapturedFrame) for shot in clip_frames(file, options)):
        raise refusal("no_frames", path, "the clip holds no frame that can be decoded")
    return Source(
        path=path,
        organ=agreed_organ(path, set(), set(), options),
        laterality=options.side,
        view=options.view,
        position=options.position,
        nipple_distance_mm=options.nipple_distance_mm,
        frame_count=None,
        read=lambda: clip_frames(file, options),
        notes=("regions_not_declared",),
        warnings=warnings,
    )


def _warnings(path: Path, clip: Clip) -> Iterator[Warned]:
    """What should be looked at in a clip that is read; its packets are read through, and none is decoded."""
    if clip.wide != 1:
        yield warned("pixels_made_square", path, f"its pixels are {clip.wide:.3g} times as wide as high")
    if more := other_tracks(clip):
        yield warned("tracks_left_out", path, f"it holds {more} more tracks of pictures")
    yield from gap_warnings(path, clip, packet_times(clip))


def gap_warnings(path: Path, clip: Clip, times: Sequence[int]) -> Iterator[Warned]:
    """Where a clip of constant rate seems to lack frames. times: of its packets, as `packet_times` gives them."""
    if gaps := time_gaps(times):
        ticks, (number, start, length) = float(clip.stream.time_base or 0), gaps[0]
        places = f"at {len(gaps)} places, first " if len(gaps) > 1 else ""
        detail = f"{places}after frame {number} at {start * ticks:.2f} s, no frame comes for {length * ticks:.2f} s"
        yield warned("time_gap", path, detail)


@dataclass(slots=True)
class _Shots:
    """Gives frames and lost frames their index, in the order of time."""

    path: Path
    options: CaptureOptions
    ticks: float
    index: int = 0
    last: int | None = None
    first: int | None = None
    lost: list[int] = field(default_factory=list)

    def due(self, until: int | None) -> Iterator[LostFrame]:
        """The lost frames before a time; None: all that are left."""
        while self.lost and (until is None or self.lost[0] < until):
            time = heapq.heappop(self.lost)
            self.first = time if self.first is None else self.first
            at = f"{(time - self.first) * self.ticks:.2f} s"
            detail = f"frame {self.index + 1} at {at} cannot be decoded, or rests on one that cannot"
            yield LostFrame(
                self._next(time), "frame_unreadable", refusal("frame_unreadable", self.path, detail).message
            )

    def frame(self, time: int | None, pixels: Pixels, rate: float) -> CapturedFrame:
        """time: in ticks. Where the clip has none, or one that does not rise, frames are counted by their rate."""
        rows, columns = pixels.shape[:2]
        panel = whole_panel(rows, columns, self.options.pixel_spacing_mm, self.options.side)
        time_ms = round(self.index * 1000 / rate, 3) if rate > 0 else None
        if time is not None and (self.last is None or time > self.last):
            self.first = time if self.first is None else self.first
            time_ms = round((time - self.first) * self.ticks * 1000, 3)
        return CapturedFrame(self._next(time), time_ms, pixels, (panel,))

    def _next(self, time: int | None) -> int:
        if self.index >= self.options.max_frames:
            raise refusal("too_large", self.path, f"the clip has more than {self.options.max_frames} frames")
        if time is not None:
            self.last = time if self.last is None else max(self.last, time)
        self.index += 1
        return self.index - 1


def shown(path: Path, frame: Any, wide: float) -> Pixels:
    """A decoded frame as a player shows it: RGB, with square pixels, the right way up."""
    check_size(path, frame.height, round(frame.width * wide), 3)
    pixels = frame.to_ndarray(format="rgb24")
    if wide != 1:
        method = cv2.INTER_AREA if wide < 1 else cv2.INTER_LINEAR
        pixels = cv2.resize(pixels, (max(1, round(frame.width * wide)), frame.height), interpolation=method)
    turns, mirrored = turning(frame)
    pixels = np.rot90(pixels, turns)
    return np.ascontiguousarray(pixels[:, ::-1] if mirrored else pixels)


def clip_frames(
    file: ClipFile, options: CaptureOptions, picture: Callable[[Path, Any, float], Pixels] = shown
) -> Iterator[CapturedFrame | LostFrame]:
    """Every frame of a clip at its own time, and a lost one for each that cannot be believed.

    picture: gives the pixels of a decoded frame. Raises InvalidRecord `cut_short`, `too_large`, `too_small`.
    """
    path = file.path
    with open_clip(file) as clip:
        shots = _Shots(path, options, float(clip.stream.time_base or 0))
        damage = ClipDamage(bool(clip.stream.codec_context.codec.intra_only))
        for each in _decoded(clip, damage, shots.lost):
            whole = damage.frame(each.key, each.corrupt)
            for gone in damage.missing(each.key):
                heapq.heappush(shots.lost, gone)
            if not whole:
                heapq.heappush(shots.lost, each.key)
                continue
            yield from shots.due(each.key)
            yield shots.frame(each.time, picture(path, each.frame, clip.wide), clip.rate)
        for gone in damage.missing():
            heapq.heappush(shots.lost, gone)
        yield from shots.due(None)
        length = 0 if shots.first is None or shots.last is None else (shots.last - shots.first) * shots.ticks
        trouble = _cut_short(file, shots.index, max(shots.index, 1 + round(length * clip.rate)), clip.declared)
    if trouble is not None:
        raise refusal("cut_short", path, trouble)


@dataclass(frozen=True, slots=True)
class _Decoded:
    """time: in ticks, None where the clip has none. key: the time, or else the frame's number."""

    key: int
    time: int | None
    frame: Any
    corrupt: bool


def _decoded(clip: Clip, damage: ClipDamage, lost: list[int]) -> Iterator[_Decoded]:
    """Every frame that comes out, whole or not; times of packets that an AVI lists and lacks go into `lost`."""
    failure = decoding_error()
    places = _avi_places(clip)
    expected = taken = given = 0
    packets = clip.container.demux(clip.stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, failure, OSError):
            break  # whether the end came early is asked of the container
        if packet.size and packet.pos in places:
            number, time = places[packet.pos]
            for each in sorted(places.values())[expected:number]:
                heapq.heappush(lost, each[1])
            expected, packet.dts = number + 1, time
            packet.pts = None if packet.pts is None else time
        bad = False
        if packet.size and not packet.is_discard:
            time = packet.pts if packet.pts is not None else packet.dts
            damage.packet(taken if time is None else time, bool(packet.is_keyframe))
            bad = packet.is_corrupt or (
                clip.stream.codec_context.name == "mjpeg" and jpeg_damage(bytes(packet)) is not None
            )
            taken += 1
        try:
            frames = packet.decode()
        except failure:
            bad, frames = bool(packet.size), []
        if bad:
            damage.failed()
        for frame in frames:
            time = frame.pts if frame.pts is not None else frame.dts
            yield _Decoded(given if time is None else time, time, frame, bool(frame.is_corrupt))
            given += 1


def _avi_places(clip: Clip) -> dict[int, tuple[int, int]]:
    """Where the packets of an AVI lie by its index: (number, time) for each; empty for every other container.

    FFmpeg counts the packets that it finds, so that those behind a lost one would come too early. Chunks of 0 bytes say
    that the picture stays as it is, and hold none (OpenDML 1.02).
    """
    if clip.container.format.name != "avi":
        return {}
    held = [entry for entry in clip.stream.index_entries if entry.size]
    return {entry.pos + _CHUNK_HEAD: (number, entry.timestamp) for number, entry in enumerate(held)}


def _cut_short(file: ClipFile, count: int, covered: int, declared: float) -> str | None:
    """Why a clip that gave `count` frames, up to the place of the `covered`th, has lost its end; None if it has not.

    Fewer frames than declared are no reason alone: an edit list leaves some out, a count may come from the length of
    another track, and that of a programme stream is what is there, however much was cut off. So the file must be
    shorter than its container says, or the declared count that of an AVI's own video track.
    """
    with file.open() as stream:
        if declared <= 0:
            return f"the clip ends after {count} frames, for its file is not all here" if torn(stream) else None
        if declared - covered <= max(1, SPARE * declared) or not (torn(stream) or avi_count(stream) == declared):
            return None
    return f"the clip ends after {count} of the {declared:.0f} frames that it announces"
