"""How many frames a DICOM file holds and where each lies: its content decides, and its header is held against it.

The pixel data's length, its fragments and the streams in them are counted. More frames than NumberOfFrames states are
read, with a warning; those that are missing are lost frames with a reason. Where the length fits another layout of the
pixels as well, nobody can tell which is right, and the file is refused with both lengths.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from pydicom import Dataset

from sonovan.producers.sources.clip import ClipFile
from sonovan.producers.sources.decode import CODED, PixelLayout
from sonovan.producers.sources.dicom_numbers import numbers, whole
from sonovan.producers.sources.fragments import Span, group, list_fragments
from sonovan.producers.sources.reasons import Warned, refusal, warned

_PADDING: Final = 3
"""Bytes after the last frame that are padding and no contradiction."""
_OTHER_LAYOUTS: Final = (2, 3, 6)
"""So many times longer pixel data may be of 16 bits, of three samples, or of both, instead of more frames."""
_SINGLE_FRAME: Final = ("1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.7")


@dataclass(frozen=True, slots=True)
class FramePlaces:
    """count: frames of the sequence, those that are missing among them. spans: the parts of each that is there.

    layout: that of the file, as the length of its pixels says. clip: a moving picture, whose frames are not apart;
    oblong: its pixels are not square by the stream itself.
    """

    count: int
    spans: tuple[tuple[Span, ...], ...]
    layout: PixelLayout
    swapped: bool
    warnings: tuple[Warned, ...]
    clip: ClipFile | None = None
    oblong: bool = False

    def read(self, stream: BinaryIO) -> Iterator[bytes]:
        """The bytes of each frame that is there, one at a time; fewer where the file ends."""
        for parts in self.spans:
            if self.swapped:
                yield _swapped(stream, parts[0])
                continue
            data = []
            for at, length in parts:
                stream.seek(at)
                data.append(stream.read(length))
            yield b"".join(data)


def _swapped(stream: BinaryIO, span: Span) -> bytes:
    """8-bit samples in big-endian words: bytes stand pairwise the other way round (PS3.5 8.1.1)."""
    at, length = span
    early, late = at % 2, (at + length) % 2
    stream.seek(at - early)
    data = stream.read(early + length + late)
    data = np.frombuffer(data[: len(data) // 2 * 2], np.uint16).byteswap().tobytes()
    return data[early : early + length]


def find_frames(
    path: Path, stream: BinaryIO, dataset: Dataset, layout: PixelLayout, at: int, length: int | None, *, swapped: bool
) -> FramePlaces:
    """The frames of pixel data whose value starts at `at` and is `length` bytes long, None where it is encapsulated.

    Raises InvalidRecord `size_contradicts_stream` where the length fits another layout of the pixels.
    """
    declared = whole(dataset, "NumberOfFrames")
    declared = declared if declared is not None and declared > 0 else None
    if length is None:
        return _encapsulated(path, stream, dataset, layout, at, declared)
    present = min(length, stream.seek(0, 2) - at)
    single = str(dataset.get("SOPClassUID") or "") in _SINGLE_FRAME
    count, layout, warnings = _count(path, layout, declared, length, cut=present < length, single=single)
    size = layout.native_bytes
    there = min(count, present // size)
    spans = tuple(((at + index * size, size),) for index in range(min(there, 1_000_000)))
    return FramePlaces(count, spans, layout, swapped, warnings)


def _encapsulated(
    path: Path, stream: BinaryIO, dataset: Dataset, layout: PixelLayout, at: int, declared: int | None
) -> FramePlaces:
    found = list_fragments(stream, at)
    extended = dataset.get("ExtendedOffsetTable")
    offsets = np.frombuffer(extended[: len(extended) // 8 * 8], "<u8").tolist() if isinstance(extended, bytes) else ()
    frames = group(stream, found, layout.transfer_syntax, declared, offsets)
    count = max(declared or 1, len(frames))
    warnings = _warn_of_count(path, dataset, len(frames), declared) if count != declared else ()
    return FramePlaces(count, tuple(tuple(parts) for parts in frames), layout, False, warnings)


def _warn_of_count(path: Path, dataset: Dataset, found: int, declared: int | None) -> tuple[Warned, ...]:
    if declared is None and found <= 1:
        return ()
    told = numbers(dataset, "NumberOfFrames").told or "missing"
    return (warned("frame_count_contradicted", path, f"NumberOfFrames is {told}, its pixel data hold {found} frames"),)


def _count(
    path: Path, layout: PixelLayout, declared: int | None, length: int, *, cut: bool, single: bool
) -> tuple[int, PixelLayout, tuple[Warned, ...]]:
    """The frames of uncompressed pixel data, and their layout. cut: the file ends before the pixel data do."""
    size = layout.native_bytes
    if declared is not None and _makes(length, size, declared):
        return declared, layout, ()
    other = _other_sampling(layout)
    if other is not None and _makes(length, other.native_bytes, declared or 1):
        detail = f"{layout.photometric} of {size} bytes a frame, its pixel data have {other.native_bytes} a frame"
        return declared or 1, other, (warned("length_contradicted", path, detail),)
    if cut:
        said = length // size if length % size <= _PADDING else 0
        if declared is not None and said > declared:
            detail = f"NumberOfFrames is {declared}, its pixel data are said to hold {said} frames"
            return said, layout, (warned("frame_count_contradicted", path, detail),)
        return declared or max(1, length // size), layout, ()
    if other is not None and length % other.native_bytes <= _PADDING:
        raise _contradiction(path, size, length, declared)
    count, rest = divmod(length, size)
    row, column = size // layout.rows, size // layout.columns
    if rest > _PADDING:
        if declared is not None and (length % (declared * row) == 0 or length % (declared * column) == 0):
            raise _contradiction(path, size, length, declared)
        if declared is not None and count < declared:
            return declared, layout, ()
        detail = f"its pixel data have {length} bytes, {count} frames of {size} and {rest} more"
        return max(count, declared or 1), layout, (warned("length_contradicted", path, detail),)
    if declared is not None and count < declared:
        if any(0 <= length * times - size * declared <= times * _PADDING for times in _shorter(layout)):
            raise _contradiction(path, size, length, declared)
        return declared, layout, ()
    if count in (times * (declared or 1) for times in _OTHER_LAYOUTS) and (declared is not None or single):
        raise _contradiction(path, size, length, declared)
    told = "missing" if declared is None else declared
    if declared is None and count <= 1:
        return 1, layout, ()
    detail = f"NumberOfFrames is {told}, its pixel data hold {count} frames"
    return count, layout, (warned("frame_count_contradicted", path, detail),)


def _shorter(layout: PixelLayout) -> tuple[int, ...]:
    """So many times shorter pixel data may be of 8 bits, of one sample, or of both, instead of fewer frames."""
    depth, samples = layout.allocated // 8, layout.samples
    return tuple({depth, samples, depth * samples} - {1})


def _makes(length: int, size: int, count: int) -> bool:
    return 0 <= length - size * count <= _PADDING


def _contradiction(path: Path, size: int, length: int, declared: int | None) -> Exception:
    frames = "one frame has" if declared is None else f"{declared} frames have"
    detail = f"{frames} {size * (declared or 1)} bytes by its header, its pixel data have {length}"
    return refusal("size_contradicts_stream", path, detail)


def _other_sampling(layout: PixelLayout) -> PixelLayout | None:
    """4:4:4 for what says 4:2:2, and the other way round; None for what is no YCbCr."""
    if layout.transfer_syntax in CODED or layout.columns % 2:
        return None
    if layout.photometric == "YBR_FULL_422":
        return replace(layout, photometric="YBR_FULL")
    return replace(layout, photometric="YBR_FULL_422") if layout.photometric == "YBR_FULL" else None
