"""Is a clip's file as long as its container says? By the sizes that stand in the file, whatever its frames are.

Counts of frames do not answer that: an edit list leaves frames out on purpose, and many containers know only how long
their longest track is. Sizes: RIFF and AVI (OpenDML 1.02), ISO/IEC 14496-12 (mp4, mov), RFC 8794 (mkv, webm) and the
ASF specification 1.20.3 (wmv).
"""

from io import RawIOBase
from typing import IO, Final

_RIFF: Final = b"RIFF"
_EBML: Final = bytes.fromhex("1a45dfa3")
_SEGMENT: Final = bytes.fromhex("18538067")
_ASF: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_HEADER: Final = 24
_HEADERS: Final = 65_536
"""The headers of an AVI's tracks lie within so many bytes."""


def torn(file: IO[bytes] | RawIOBase) -> bool:
    """Whether the file ends inside one of its outermost parts; False where its container does not say how long it is.

    A programme stream (mpeg) never says so. Raises OSError.
    """
    length = file.seek(0, 2)
    file.seek(0)
    kind = file.read(_HEADER) or b""
    at = 0
    while at < length:
        file.seek(at)
        size = _size(kind, file.read(_HEADER) or b"")
        if size is None:
            return False
        at += size
    return at > length


def avi_count(file: IO[bytes] | RawIOBase) -> int | None:
    """The frames of an AVI's first video track by that track's own header; None for all else. Raises OSError."""
    file.seek(0)
    head = file.read(_HEADERS) or b""
    at = head.find(b"strh")
    while at >= 0 and head[at + 8 : at + 12] != b"vids":
        at = head.find(b"strh", at + 4)
    length = head[at + 40 : at + 44]
    return int.from_bytes(length, "little") if head[:4] == _RIFF and at >= 0 and len(length) == 4 else None


def _size(kind: bytes, header: bytes) -> int | None:
    """Bytes of the part that begins with this header, the header among them; None where that is not said.

    kind: the file's first bytes.
    """
    if len(header) < 8:
        return None
    if kind[:4] == _RIFF:
        size = int.from_bytes(header[4:8], "little")
        return 8 + size + size % 2 if header[:4] == _RIFF and size else None
    if kind[:4] == _EBML:
        return _ebml_size(header) if header[:4] in (_EBML, _SEGMENT) else None
    if kind[:16] == _ASF:
        size = int.from_bytes(header[16:24], "little")
        return size if size >= _HEADER else None
    if kind[4:8] in (b"ftyp", b"wide", b"moov", b"mdat", b"free", b"skip"):
        size = int.from_bytes(header[:4], "big")
        size = int.from_bytes(header[8:16], "big") if size == 1 else size
        return size if size >= 8 and header[4:8].isalnum() else None
    return None


def _ebml_size(header: bytes) -> int | None:
    """Of an element with an id of four bytes; a size whose bits are all 1 is unknown."""
    width = 9 - header[4].bit_length()
    size = int.from_bytes(header[4 : 4 + width], "big") & ((1 << 7 * width) - 1)
    return None if width > 8 or size == (1 << 7 * width) - 1 else 4 + width + size
