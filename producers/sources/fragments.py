"""Which fragments of encapsulated pixel data make up which frame (PS3.5 A.4).

A frame's stream has a beginning that can be seen, so the fragments themselves tell where frames begin; the offset
tables, which many exporters fill in wrongly or not at all, are asked only where the fragments do not tell.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, Final

from pydicom.uid import UID, RLELossless

from sonovan.producers.sources.decode import JPEG_2000
from sonovan.producers.sources.headers import has_end

Span = tuple[int, int]
"""offset in the stream, length."""

_ITEM: Final = b"\xfe\xff\x00\xe0"
_MOST: Final = 1_000_000
_TAIL: Final = 4096


@dataclass(frozen=True, slots=True)
class Fragments:
    """spans: where the value of each fragment lies, without the first item. starts: offset of each item from the first.

    table: the Basic Offset Table. cut: the file ends inside a fragment, or before the last one's end marker.
    """

    spans: tuple[Span, ...]
    starts: tuple[int, ...]
    table: tuple[int, ...]
    cut: bool


def list_fragments(stream: BinaryIO, at: int) -> Fragments:
    """The items from offset `at` to the end marker, the end of the stream, or what is no item; nothing is decoded."""
    size = stream.seek(0, 2)
    spans: list[Span] = []
    starts: list[int] = []
    table: tuple[int, ...] | None = None
    place, first, cut = at, 0, True
    while len(spans) < _MOST:
        stream.seek(place)
        head = stream.read(8)
        if len(head) < 8 or head[:4] != _ITEM:
            cut = head[:4] != b"\xfe\xff\xdd\xe0"
            break
        length = int.from_bytes(head[4:], "little")
        here = min(length, size - place - 8)
        if table is None:
            data = stream.read(min(here, 4 * _MOST))
            table = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
            first = place + 8 + length
        else:
            spans.append((place + 8, here))
            starts.append(place - first)
        if here < length:
            break
        place += 8 + length
    return Fragments(tuple(spans), tuple(starts), table or (), cut)


def group(
    stream: BinaryIO, found: Fragments, syntax: UID, declared: int | None, table: Sequence[int]
) -> list[list[Span]]:
    """The fragments of each frame, in order; a frame whose fragment is empty has a span of length 0.

    declared: the count of frames that the header states; None where it states none. table: the Extended Offset Table,
    () where there is none.
    """
    spans = list(found.spans)
    filled = [span for span in spans if span[1]]
    begins = [_begins(stream, span, syntax) for span in filled]
    if all(begins) and (len(filled) == declared or len(filled) == len(spans) or declared is None):
        return [[span] for span in filled]
    by_stream = _by_stream(stream, filled, begins)
    if len(by_stream) == declared:
        return by_stream
    for each in (spans, filled):
        if declared is not None and len(each) == declared:
            return [[span] for span in each]
    for offsets in (table, found.table):
        if declared is not None and len(offsets) == declared and _fits(offsets, found.starts):
            bounds = [found.starts.index(offset) for offset in offsets] + [len(spans)]
            return [spans[a:b] for a, b in pairwise(bounds)]
    return by_stream


def _fits(offsets: Sequence[int], starts: Sequence[int]) -> bool:
    """Whether offsets rise from 0 and each is the place of an item."""
    known = set(starts)
    rising = all(a < b for a, b in pairwise(offsets))
    return rising and offsets[0] == 0 and all(offset in known for offset in offsets)


def _by_stream(stream: BinaryIO, spans: list[Span], begins: list[bool]) -> list[list[Span]]:
    """A frame begins with its stream's first marker, or after a fragment in which a stream has ended."""
    frames: list[list[Span]] = []
    tail, ended = b"", True
    for span, begin in zip(spans, begins, strict=True):
        stream.seek(span[0] + max(0, span[1] - _TAIL))
        last = stream.read(min(span[1], _TAIL))
        padding = not last.strip(b"\0")
        if frames and (padding or not (begin or ended)):
            frames[-1].append(span)
        else:
            frames.append([span])
            tail = b""
        if not padding:
            joined = tail + last
            ended = has_end(joined)
            tail = joined[-2:]
    return frames


def _begins(stream: BinaryIO, span: Span, syntax: UID) -> bool:
    """Whether a fragment begins as a frame's stream does."""
    stream.seek(span[0])
    head = stream.read(min(span[1], 64))
    if syntax == RLELossless:
        return _rle_header(head)
    if syntax in JPEG_2000:
        return head[:4] == b"\xff\x4f\xff\x51" or head[4:12] == b"jP  \r\n\x87\n"
    return head[:2] == b"\xff\xd8"


def _rle_header(head: bytes) -> bool:
    """PS3.5 G.5: the number of segments, and fifteen offsets of which the first is 64."""
    if len(head) < 64:
        return False
    count, *offsets = struct.unpack("<16I", head)
    used = offsets[:count]
    rising = all(a < b for a, b in pairwise(used))
    return 1 <= count <= 15 and offsets[0] == 64 and rising and not any(offsets[count:])
