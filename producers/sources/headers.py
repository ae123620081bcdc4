"""What a coded picture's own header declares, read without decoding a pixel.

Sources: ITU-T T.81 B.2.2 (JPEG), T.87 C.1 (JPEG-LS), T.800 A.5.1 (JPEG 2000), RFC 2083 (PNG), RFC 9649 (WebP),
TIFF 6.0 section 2, BITMAPINFOHEADER.
"""

import struct
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CodedSize:
    """rows, columns, components and bits per sample; pages for TIFF."""

    rows: int
    columns: int
    components: int
    bits: int
    pages: int = 1


class HeaderError(ValueError):
    """The bytes are no such picture, or are cut before the size is told."""


_NO_FRAME_HEADER: Final = {0xC4, 0xC8, 0xCC}  # DHT, JPG, DAC lie in the range of the SOF markers
_MAX_PAGES: Final = 4096


def coded_size(data: bytes) -> CodedSize:
    """The declared size of a PNG, JPEG, JPEG-LS, JPEG 2000, WebP, BMP or TIFF. Raises HeaderError."""
    try:
        return _probe(data)
    except (struct.error, IndexError) as error:
        raise HeaderError("the header is cut short") from error


def jpeg_colour(data: bytes) -> tuple[bool, int | None]:
    """Whether a JFIF marker stands in a JPEG stream, and the transform of its Adobe marker if there is one."""
    jfif, adobe = False, None
    for marker, start, _ in _segments(data):
        if marker == 0xE0 and data[start : start + 5] == b"JFIF\0":
            jfif = True
        if marker == 0xEE and data[start : start + 5] == b"Adobe" and start + 11 < len(data):
            adobe = data[start + 11]
    return jfif, adobe


def jpeg2000_transformed(data: bytes) -> bool:
    """Whether the codestream's COD says that its components were transformed (RCT or ICT)."""
    place = data.find(b"\xff\x52")
    return place >= 0 and place + 8 < len(data) and data[place + 8] == 1


def has_end(data: bytes) -> bool:
    """Whether a JPEG, JPEG-LS or JPEG 2000 stream has its end marker; zeros and one byte of padding may follow it."""
    end = data.rstrip(b"\0")[-3:]
    return end[-2:] == b"\xff\xd9" or end[:2] == b"\xff\xd9"


def jpeg2000_signed(data: bytes) -> bool:
    """Whether the samples of a JPEG 2000 codestream's first component are signed (Ssiz of its SIZ, T.800 A.5.1)."""
    start = data.find(b"\xff\x4f\xff\x51")
    return start >= 0 and start + 42 < len(data) and bool(data[start + 42] & 0x80)


def _probe(data: bytes) -> CodedSize:
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png(data)
    if data[:2] == b"\xff\xd8":
        return _jpeg(data)
    if data[:4] == b"\xff\x4f\xff\x51" or data[4:12] == b"jP  \r\n\x87\n":
        return _jpeg2000(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    if data[:2] == b"BM":
        return _bmp(data)
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _tiff(data)
    raise HeaderError("no picture format that is known here")


def _png(data: bytes) -> CodedSize:
    columns, rows, bits, kind = struct.unpack_from(">IIBB", data, 16)
    return CodedSize(rows, columns, {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(kind, 4), max(8, bits))


def _jpeg(data: bytes) -> CodedSize:
    for marker, start, _ in _segments(data):
        if (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADER) or marker == 0xF7:
            bits, rows, columns, components = struct.unpack_from(">BHHB", data, start)
            return CodedSize(rows, columns, components, bits)
    raise HeaderError("the JPEG stream has no frame header")


def _segments(data: bytes) -> list[tuple[int, int, int]]:
    """(marker, start, end) of the segments before the first scan."""
    found, place = [], 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # fill bytes may stand before a marker
            place += 1
            continue
        length = struct.unpack_from(">H", data, place + 2)[0]
        found.append((marker, place + 4, place + 2 + length))
        if marker == 0xDA:
            break
        place += 2 + max(length, 2)
    return found


def _jpeg2000(data: bytes) -> CodedSize:
    start = data.find(b"\xff\x4f\xff\x51")
    if start < 0:
        raise HeaderError("the JPEG 2000 file holds no codestream")
    right, bottom, left, top = struct.unpack_from(">IIII", data, start + 8)
    components = struct.unpack_from(">H", data, start + 40)[0]
    bits = (data[start + 42] & 0x7F) + 1
    return CodedSize(bottom - top, right - left, components, bits)


def _webp(data: bytes) -> CodedSize:
    kind = data[12:16]
    if kind == b"VP8X":
        columns = int.from_bytes(data[24:27], "little") + 1
        rows = int.from_bytes(data[27:30], "little") + 1
        return CodedSize(rows, columns, 4, 8)
    if kind == b"VP8L":
        packed = struct.unpack_from("<I", data, 21)[0]
        return CodedSize((packed >> 14 & 0x3FFF) + 1, (packed & 0x3FFF) + 1, 4, 8)
    if kind == b"VP8 ":
        columns, rows = struct.unpack_from("<HH", data, 26)
        return CodedSize(rows & 0x3FFF, columns & 0x3FFF, 3, 8)
    raise HeaderError("the WebP file has no picture chunk")


def _bmp(data: bytes) -> CodedSize:
    columns, rows = struct.unpack_from("<ii", data, 18)
    return CodedSize(abs(rows), abs(columns), 4, 8)


def _tiff(data: bytes) -> CodedSize:
    order = "<" if data[:2] == b"II" else ">"
    place, pages = struct.unpack_from(order + "I", data, 4)[0], 0
    first: dict[int, int] | None = None
    while place and pages < _MAX_PAGES:
        tags = struct.unpack_from(order + "H", data, place)[0]
        if first is None:  # of the others only the number matters
            entries = [struct.unpack_from(order + "HHI4s", data, place + 2 + 12 * number) for number in range(tags)]
            first = {tag: _tiff_value(order, kind, count, raw, data) for tag, kind, count, raw in entries}
        place, pages = struct.unpack_from(order + "I", data, place + 2 + 12 * tags)[0], pages + 1
    if first is None or 256 not in first or 257 not in first:
        raise HeaderError("the TIFF file has no picture")
    return CodedSize(first[257], first[256], first.get(277, 1), max(8, first.get(258, 8)), pages)


def _tiff_value(order: str, kind: int, count: int, raw: bytes, data: bytes) -> int:
    """The first number of a TIFF entry; 0 for kinds that no size uses."""
    letter, size = {3: ("H", 2), 4: ("I", 4)}.get(kind, ("", 0))
    if not letter:
        return 0
    if size * count > 4:
        at = struct.unpack(order + "I", raw)[0]
        raw = data[at : at + size]
    return int(struct.unpack_from(order + letter, raw)[0])
