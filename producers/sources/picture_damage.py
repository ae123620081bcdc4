"""Is a picture whole? Decoders fill what is missing with grey and go on, so it is asked before they are.

Sources: RFC 2083 (PNG: a check value for each chunk, zlib's own for the pixels), RFC 9649 (WebP's length), TIFF 6.0
section 3 (places of strips and tiles), BITMAPINFOHEADER. A JPEG has no check values: libjpeg warns where its code words
do not come out, which finds 97 of 100 holes.
"""

import struct
import zlib
from typing import Final

from sonovan.producers.sources.headers import CodedSize, HeaderError
from sonovan.producers.sources.jpeg_scan import check_scans, is_progressive
from sonovan.producers.sources.picture_tags import png_chunks

_PLACES: Final = {273: 279, 324: 325}
"""TIFF: the tag with the places of strips or tiles, and the tag with their lengths."""
_CODING: Final = 259
_DEFLATED: Final = ([8], [32946])
_SIZES: Final = {1: 1, 3: 2, 4: 4}


def picture_damage(data: bytes, told: CodedSize) -> str | None:
    """What is missing or broken in a picture's bytes; None where nothing is.

    told: what its header declares.
    """
    if data[:4] == b"\x89PNG":
        return _png(data, told)
    if data[:2] == b"\xff\xd8":
        return jpeg_damage(data)
    if data[:4] == b"RIFF":
        declared = 8 + int.from_bytes(data[4:8], "little")
        return f"it has {len(data)} of {declared} bytes" if len(data) < declared else None
    if data[:2] == b"BM":
        return _bmp(data, told)
    return _tiff(data, told)


def jpeg_damage(data: bytes) -> str | None:
    """What libjpeg warns of when it decodes a baseline or progressive JPEG; None where it is whole.

    A JPEG that libjpeg cannot read at all is not judged here: its reader says so.
    """
    import simplejpeg  # loaded with the first JPEG

    trouble = ""
    try:
        simplejpeg.decode_jpeg_header(data, strict=False)
    except ValueError:
        return None
    except KeyError:
        return "its colours are of no known kind"
    try:
        if is_progressive(data):
            check_scans(data)
    except HeaderError as error:
        return str(error)
    for colours in ("GRAY", "CMYK"):
        try:
            simplejpeg.decode_jpeg(data, colours, strict=True)
            return None
        except (ValueError, KeyError) as error:
            trouble = str(error)
        if "olor" not in trouble and "onversion" not in trouble:
            return trouble
    return trouble


def _png(data: bytes, told: CodedSize) -> str | None:
    inflate, pixels, ended = zlib.decompressobj(), 0, False
    limit = 8 * told.rows * (told.columns + 16) * 4 + 65_536  # 4 channels of 16 bits, interlaced passes among them
    for kind, start, end in png_chunks(data):
        if zlib.crc32(data[start - 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return f"its part {kind.decode('ascii', 'replace')!r} is damaged"
        ended = ended or kind == b"IEND"
        if kind == b"IDAT" and not inflate.eof:
            try:
                rest = data[start:end]
                while rest and not inflate.eof and pixels <= limit:
                    pixels += len(inflate.decompress(rest, 1 << 20))
                    rest = inflate.unconsumed_tail
            except zlib.error:
                return "its pixels are damaged"
    if not ended:
        return "its end is missing"
    return None if inflate.eof or pixels > limit else "its pixels end early"


def _inflates(coded: bytes, told: CodedSize) -> bool:
    """Whether zlib's own check value fits; True as well beyond the length of a whole picture."""
    inflate, pixels = zlib.decompressobj(), 0
    try:
        while coded and not inflate.eof and pixels <= 8 * (told.rows + 1024) * (told.columns + 1024):
            pixels += len(inflate.decompress(coded, 1 << 20))
            coded = inflate.unconsumed_tail
    except zlib.error:
        return False
    return inflate.eof or bool(coded)


def _bmp(data: bytes, told: CodedSize) -> str | None:
    start, header = struct.unpack_from("<I", data, 10)[0], struct.unpack_from("<I", data, 14)[0]
    if header < 40:
        return None
    if len(data) < 54:
        return "its header is cut off"
    depth, packed = struct.unpack_from("<HI", data, 28)
    if packed not in (0, 3):
        return None
    needed = start + told.rows * ((told.columns * depth + 31) // 32 * 4)
    return f"it has {len(data)} of {needed} bytes" if len(data) < needed else None


def _tiff(data: bytes, told: CodedSize) -> str | None:
    """Whether every strip or tile of the first picture lies within the file, and is whole where its coding tells."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        place = struct.unpack_from(order + "I", data, 4)[0]
        numbers: dict[int, list[int]] = {}
        for number in range(struct.unpack_from(order + "H", data, place)[0]):
            tag, kind, count, raw = struct.unpack_from(order + "HHI4s", data, place + 2 + 12 * number)
            if tag in (_CODING, *_PLACES, *_PLACES.values()) and kind in _SIZES and count <= len(data):
                size = _SIZES[kind] * count
                at = struct.unpack(order + "I", raw)[0]
                raw = raw[:size] if size <= 4 else data[at : at + size]
                numbers[tag] = list(struct.unpack(f"{order}{count}{'BBHHI'[kind]}", raw))
    except struct.error:
        return "its directory is cut off"
    for places, lengths in _PLACES.items():
        for at, length in zip(numbers.get(places, []), numbers.get(lengths, []), strict=False):
            if at + length > len(data):
                return f"its pixels reach to byte {at + length} of {len(data)}"
            if numbers.get(_CODING, [1])[:1] in _DEFLATED and not _inflates(data[at : at + length], told):
                return "its pixels are damaged"
    return None
