"""Whether the coded pixels of a JPEG stream are whole: libjpeg decodes damaged ones with a warning that nobody sees.

Every Huffman code of a sequential (T.81 F.2) or lossless (T.81 H.2) scan is walked through, without decoding a pixel.
A code that does not exist, a scan that ends early and bytes that are left over are what a cut or a hole leaves behind.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np

from sonovan.producers.sources.headers import HeaderError

_SEQUENTIAL: Final = (0xC0, 0xC1)
_PROGRESSIVE: Final = 0xC2
_LOSSLESS: Final = 0xC3
_ALONE: Final = {0x01, *range(0xD0, 0xD8)}
_MARKER: Final = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_RESTART: Final = re.compile(rb"\xff+[\xd0-\xd7]")
_SPARE_BITS: Final = 16
_PAST_END: Final = 320
"""Bytes of ones after a scan: no block is longer, so a walk past the end stays within them."""
_END: Final = 1000
_HOLE: Final = bytes(32)

Table = list[int]


@dataclass(slots=True)
class _Stream:
    kind: int = 0
    rows: int = 0
    columns: int = 0
    components: dict[int, tuple[int, int]] = field(default_factory=dict)
    tables: dict[int, bytes] = field(default_factory=dict)
    interval: int = 0
    missing: dict[int, list[int]] = field(default_factory=dict)
    """Of a progressive picture: the bits that each of the 64 coefficients of a component still lacks."""


def check_scans(data: bytes) -> None:
    """Raise HeaderError where the scans of a JPEG stream are damaged, or where its end marker is missing.

    data: the stream; what follows its end marker is not looked at. Of a progressive one it is only asked whether every
    pass is there.
    """
    try:
        _check(data)
    except (struct.error, IndexError, KeyError) as error:
        raise HeaderError("its headers are damaged") from error


def _check(data: bytes) -> None:
    stream, place, scans = _Stream(), 2, 0
    while place + 2 <= len(data):
        if data[place] != 0xFF:
            raise HeaderError("bytes lie between its segments")
        marker = data[place + 1]
        if marker == 0xFF or marker in _ALONE:
            place += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            break
        (length,) = struct.unpack_from(">H", data, place + 2)
        body = data[place + 4 : place + 2 + length]
        place += 2 + max(length, 2)
        if marker == 0xDA:
            place = _scan(data, place, body, stream)
            scans += 1
        else:
            _learn(marker, body, stream)
    else:
        raise HeaderError("it is cut off: it has no end marker")
    if not scans:
        raise HeaderError("it has no scan")
    if stream.kind == _PROGRESSIVE and any(any(bits) for bits in stream.missing.values()):
        raise HeaderError("scans of it are missing")


def _learn(marker: int, body: bytes, stream: _Stream) -> None:
    if marker == 0xC4:
        place = 0
        while place + 17 <= len(body):
            end = place + 17 + sum(body[place + 1 : place + 17])
            stream.tables[body[place]] = body[place + 1 : end]
            place = end
    elif marker == 0xDD:
        (stream.interval,) = struct.unpack_from(">H", body)
    elif 0xC0 <= marker <= 0xCF and marker not in (0xC8, 0xCC):
        stream.kind = marker
        stream.rows, stream.columns = struct.unpack_from(">HH", body, 1)
        for number in range(body[5]):
            name, sampling = body[6 + 3 * number], body[7 + 3 * number]
            stream.components[name] = (sampling >> 4 or 1, sampling & 15 or 1)
            stream.missing[name] = [16] * 64


def _scan(data: bytes, place: int, body: bytes, stream: _Stream) -> int:
    """Walk one scan whose coded data begin at `place`; the place of the marker behind it."""
    found = _MARKER.search(data, place)
    end = found.start() if found else len(data)
    if stream.kind == _PROGRESSIVE:
        first, last, bits = body[-3:]
        for number in range(body[0]):
            stream.missing[body[1 + 2 * number]][first : last + 1] = [bits & 15] * (last + 1 - first)
    if stream.kind not in (*_SEQUENTIAL, _LOSSLESS):
        return end
    parts = _RESTART.split(data[place:end])
    units, block = _units(body, stream)
    interval = stream.interval or units
    expected = -(-units // interval)
    if len(parts) != expected:
        raise HeaderError(f"{len(parts)} of {expected} parts of a scan are there")
    for number, part in enumerate(parts):
        _walk(part.replace(b"\xff\0", b"\xff"), min(interval, units - number * interval), block)
    return end


def _units(body: bytes, stream: _Stream) -> tuple[int, list[tuple[Table, Table | None]]]:
    """How many units a scan has, and the tables (of differences, of the rest) of each block in one of them."""
    lossless = stream.kind == _LOSSLESS
    edge = 1 if lossless else 8
    names = [(body[1 + 2 * number], body[2 + 2 * number]) for number in range(body[0])]
    widest = max(h for h, _ in stream.components.values())
    tallest = max(v for _, v in stream.components.values())
    blocks: list[tuple[Table, Table | None]] = []
    for name, selector in names:
        first = _table(stream.tables[selector >> 4], dc=True)
        rest = None if lossless else _table(stream.tables[0x10 | selector & 15], dc=False)
        h, v = stream.components[name]
        blocks += [(first, rest)] * (h * v if len(names) > 1 else 1)
    if len(names) > 1:
        return -(-stream.columns // (edge * widest)) * -(-stream.rows // (edge * tallest)), blocks
    h, v = stream.components[names[0][0]]
    columns, rows = -(-stream.columns * h // widest), -(-stream.rows * v // tallest)
    return -(-columns // edge) * -(-rows // edge), blocks


@lru_cache(maxsize=64)
def _table(told: bytes, *, dc: bool) -> Table:
    """By the next 16 bits: how many bits a code and its value take, and above 6 bits how far it leads; 0 for no code.

    told: the counts of codes of 1 to 16 bits, then their symbols (T.81 B.2.4.2).
    """
    table = np.zeros(65_536, np.int64)
    code, place = 0, 16
    for bits in range(1, 17):
        for _ in range(told[bits - 1]):
            symbol = told[place]
            size = symbol if dc else symbol & 15
            ahead = 0 if dc else _END if symbol == 0 else 16 if symbol == 0xF0 else (symbol >> 4) + 1
            size = 0 if dc and symbol == 16 else size
            start = code << (16 - bits)
            table[start : start + (1 << (16 - bits))] = (bits + min(size, 31)) | ahead << 6
            code, place = code + 1, place + 1
        code <<= 1
    return [int(value) for value in table.tolist()]


def _walk(coded: bytes, units: int, block: list[tuple[Table, Table | None]]) -> None:
    if _HOLE in coded and not all(_flat(*tables) for tables in block):
        raise HeaderError("a hole of zeros lies in its scan")
    bits, end, place = _windows(coded), 8 * len(coded), 0
    for _ in range(units):
        for first, rest in block:
            step = first[bits[place]]
            if not step:
                raise HeaderError("a code of its scan does not exist")
            place += step
            if rest is not None:
                reached = 1
                while reached < 64:
                    step = rest[bits[place]]
                    if not step:
                        raise HeaderError("a code of its scan does not exist")
                    place += step & 63
                    reached += step >> 6
                if 64 < reached < _END:
                    raise HeaderError("a block of its scan is too long")
            if place > end:
                raise HeaderError("its scan ends early")
    if end - place >= _SPARE_BITS:
        raise HeaderError(f"{(end - place) // 8} bytes of its scan are left over")


def _flat(_first: Table, rest: Table | None) -> bool:
    """Whether zeros are the code for the end of a block, so that a black area may be coded as many of them."""
    return rest is None or rest[0] >> 6 == _END


def _windows(coded: bytes) -> memoryview:
    """The 16 bits that begin at each bit of the data."""
    data = np.frombuffer(coded + b"\xff" * _PAST_END, np.uint8).astype(np.uint32)
    three = data[:-2] << 16 | data[1:-1] << 8 | data[2:]
    windows = np.stack([(three >> (8 - shift)) & 0xFFFF for shift in range(8)], axis=-1)
    return memoryview(windows.astype(np.uint16).tobytes()).cast("H")


def is_progressive(data: bytes) -> bool:
    """Whether a JPEG stream is coded in several passes over the whole picture (T.81 annex G)."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return marker == _PROGRESSIVE
        place += 1 if marker == 0xFF else 2 + max(2, int(struct.unpack_from(">H", data, place + 2)[0]))
    return False


def components(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(id, horizontal, vertical sampling) of each component of a JPEG stream, as its frame header states them."""
    stream_place = 2
    while stream_place + 4 <= len(data) and data[stream_place] == 0xFF:
        marker = data[stream_place + 1]
        if marker == 0xFF:
            stream_place += 1
            continue
        (length,) = struct.unpack_from(">H", data, stream_place + 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            body = data[stream_place + 4 : stream_place + 2 + length]
            for number in range(body[5]):
                yield body[6 + 3 * number], body[7 + 3 * number] >> 4, body[7 + 3 * number] & 15
            return
        stream_place += 2 + max(length, 2)
