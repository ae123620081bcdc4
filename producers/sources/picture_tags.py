"""What a picture file says beside its pixels: which way up it is shown, how wide its pixels are, how many it holds.

Sources: EXIF 2.32 (orientation, tag 274), TIFF 6.0 (tags 274, 282, 283), PNG 3rd edition (pHYs, eXIf, acTL), JFIF
1.02 (density), RFC 9649 (WebP's EXIF and animation), CIPA DC-007 (several pictures in one JPEG).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np

from sonovan.producers.sources.source import Pixels

ORIENTATION: Final = 274
_PHOTOMETRIC: Final = 262
_X_RESOLUTION, _Y_RESOLUTION = 282, 283
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class PictureTags:
    """orientation: 1 to 8 as EXIF counts them, 1 where nothing is said. pictures: how many the file holds.

    across and down: the pixel's size as the file tells it, in any unit; None where it is not told. white_is_zero: of a
    TIFF whose samples are the darker the larger they are.
    """

    orientation: int = 1
    across: float | None = None
    down: float | None = None
    pictures: int = 1
    white_is_zero: bool = False

    @property
    def oblong(self) -> bool:
        """Whether the pixel's two sides differ by more than 1 %."""
        return self.across is not None and self.down is not None and abs(self.across / self.down - 1) > 0.01


def picture_tags(data: bytes) -> PictureTags:
    """The tags of a PNG, JPEG, WebP, BMP or TIFF. What is broken in them counts as not said."""
    try:
        if data[:4] == b"\x89PNG":
            return _png(data)
        if data[:2] == _JPEG_START:
            return _jpeg(data)
        if data[:4] == b"RIFF":
            return _webp(data)
        if data[:2] == b"BM":
            header = struct.unpack_from("<I", data, 14)[0]
            return PictureTags(1, *_sides(*struct.unpack_from("<ii", data, 38))) if header >= 40 else PictureTags()
        return _tiff(data)
    except (struct.error, IndexError):
        return PictureTags()


def upright(picture: Pixels, orientation: int) -> Pixels:
    """The picture as it is shown.

    picture: (rows, columns, …) as stored. orientation: of EXIF; 5 to 8 exchange rows and columns.
    """
    turned: Any = np.swapaxes(picture, 0, 1) if orientation >= 5 else picture
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    return cast(Pixels, np.ascontiguousarray(turned))


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start, end) of the bodies of a PNG's chunks that lie within the file."""
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            return
        yield data[at + 4 : at + 8], at + 8, at + 8 + length
        at += 12 + length


def riff_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start, end) of the bodies of a WebP's chunks."""
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], at + 8, at + 8 + length
        at += 8 + length + length % 2


def _sides(per_unit_across: float, per_unit_down: float) -> tuple[float | None, float | None]:
    """A pixel's sides from its densities; nothing where one is 0 or below."""
    if per_unit_across <= 0 or per_unit_down <= 0:
        return None, None
    return 1 / per_unit_across, 1 / per_unit_down


def _png(data: bytes) -> PictureTags:
    orientation, pictures = 1, 1
    sides: tuple[float | None, float | None] = (None, None)
    for kind, start, end in png_chunks(data):
        if kind == b"pHYs":
            sides = _sides(*struct.unpack_from(">II", data, start))
        elif kind == b"eXIf":
            orientation = _exif(data[start:end])
        elif kind == b"acTL":
            pictures = max(1, struct.unpack_from(">I", data, start)[0])
    return PictureTags(orientation, *sides, pictures)


def _jpeg(data: bytes) -> PictureTags:
    orientation, place, parts, size = 1, 2, False, b""
    sides: tuple[float | None, float | None] = (None, None)
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker == 0xDA:
            break
        length = max(2, struct.unpack_from(">H", data, place + 2)[0])
        body = data[place + 4 : place + 2 + length]
        if marker == 0xE0 and body[:5] == b"JFIF\0":
            sides = _sides(*struct.unpack_from(">HH", body, 8))
        elif marker == 0xE1 and body[:6] == b"Exif\0\0":
            orientation = _exif(body[6:])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = body[1:5]
        parts = parts or (marker == 0xE2 and body[:4] == b"MPF\0")  # previews of this picture follow it
        place += 2 + length
    following = data[place:].split(_JPEG_END)[1:]
    begun = [each.lstrip(b"\0") for each in following if each.lstrip(b"\0").startswith(_JPEG_START)]
    more = sum(_frame_size(each) == size for each in begun) if parts else len(begun)  # a preview is smaller
    return PictureTags(orientation, *sides, 1 + more)


def _frame_size(data: bytes) -> bytes:
    """The four bytes of height and width in the frame header of a JPEG; none where it has no such header."""
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return data[place + 5 : place + 9]
        place += 2 + max(2, int(struct.unpack_from(">H", data, place + 2)[0]))
    return b""


def _webp(data: bytes) -> PictureTags:
    chunks = list(riff_chunks(data))
    exif = next((data[start:end].removeprefix(b"Exif\0\0") for kind, start, end in chunks if kind == b"EXIF"), b"")
    moving = data[12:16] == b"VP8X" and data[20] & 2
    frames = sum(kind == b"ANMF" for kind, _, _ in chunks)
    return PictureTags(_exif(exif), pictures=max(frames, 2) if moving else 1)


def _exif(block: bytes) -> int:
    """The orientation that a TIFF block of EXIF says; 1 where it says none, or nonsense."""
    try:
        return _tiff(block).orientation
    except (struct.error, IndexError):
        return 1


def _tiff(data: bytes) -> PictureTags:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return PictureTags()
    place = struct.unpack_from(order + "I", data, 4)[0]
    white_is_zero = False
    orientation, densities = 1, {_X_RESOLUTION: 0.0, _Y_RESOLUTION: 0.0}
    for number in range(struct.unpack_from(order + "H", data, place)[0]):
        at = place + 2 + 12 * number
        tag, kind = struct.unpack_from(order + "HH", data, at)
        if tag == ORIENTATION and kind == 3:
            orientation = struct.unpack_from(order + "H", data, at + 8)[0]
        elif tag == _PHOTOMETRIC and kind == 3:
            white_is_zero = struct.unpack_from(order + "H", data, at + 8)[0] == 0
        elif tag in densities and kind == 5:
            above, below = struct.unpack_from(order + "II", data, struct.unpack_from(order + "I", data, at + 8)[0])
            densities[tag] = above / below if below else 0.0
    sides = _sides(densities[_X_RESOLUTION], densities[_Y_RESOLUTION])
    return PictureTags(orientation if 1 <= orientation <= 8 else 1, *sides, white_is_zero=white_is_zero)


def tiff_as_stored(data: bytes) -> bytes:
    """A TIFF's bytes with its orientation tag set to 1, so that no decoder turns it on its own."""
    order = "<" if data[:2] == b"II" else ">"
    changed = bytearray(data)
    try:
        place = struct.unpack_from(order + "I", data, 4)[0]
        for number in range(struct.unpack_from(order + "H", data, place)[0]):
            at = place + 2 + 12 * number
            if struct.unpack_from(order + "HH", data, at) == (ORIENTATION, 3):
                struct.pack_into(order + "H", changed, at + 8, 1)
    except struct.error:
        return data
    return bytes(changed)
