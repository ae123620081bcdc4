"""What kind of file it is, by its first bytes. A file's name is not asked: it may have no suffix, or a wrong one.

Sources: the magic numbers of PS3.10 7.1 (DICOM), ISO/IEC 14496-12 (mp4, mov, heic, avif), RFC 2083 (PNG), RFC 9649
(WebP), TIFF 6.0, RFC 8794 (mkv, webm), ISO/IEC 13818-1 (mpeg programme and transport streams), ASF 1.20.3 (wmv).
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from sonovan.producers.sources.reasons import refusal

HEAD_BYTES: Final = 4096
DIRECTORY_CLASS: Final = b"1.2.840.10008.1.3.10"
"""The class of a DICOMDIR, which lists the files of a medium and holds no picture."""
PICTURE_SUFFIXES: Final = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif", ".avif"}
    | {".heic", ".heif", ".jp2", ".j2k", ".jxl"}
)
CLIP_SUFFIXES: Final = frozenset(
    {".mp4", ".m4v", ".mov", ".qt", ".3gp", ".mpeg", ".mpg", ".m1v", ".m2v", ".vob", ".avi", ".mkv", ".webm", ".wmv"}
    | {".asf", ".flv", ".ogv", ".ts", ".mts", ".m2ts", ".mjpeg", ".mjpg", ".h264", ".264", ".h265", ".hevc"}
)
DICOM_SUFFIXES: Final = frozenset({".dcm", ".dicom", ".ima"})

KindName = Literal["dicom", "directory", "image", "video", "foreign", ""]


@dataclass(frozen=True, slots=True)
class Kind:
    """name: which reader takes it; `foreign` for a picture or clip that no reader here takes, "" for anything else.

    detail: FFmpeg's name of a clip's container; for `foreign` what the file is, in words.
    """

    name: KindName
    detail: str = ""


NOTHING: Final = Kind("")
_STARTS: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"\x89PNG\r\n\x1a\n", Kind("image")),
    (b"\xff\xd8\xff", Kind("image")),
    (b"II*\0", Kind("image")),
    (b"MM\0*", Kind("image")),
    (b"\x1a\x45\xdf\xa3", Kind("video", "matroska")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind("video", "asf")),
    (b"FLV\x01", Kind("video", "flv")),
    (b"\0\0\x01\xba", Kind("video", "mpeg")),
    (b"\0\0\x01\xb3", Kind("video", "mpegvideo")),
    (b"\0\0\x01\xb0", Kind("video", "m4v")),
    (b"\0\0\0\x01\x67", Kind("video", "h264")),
    (b"\0\0\0\x01\x09", Kind("video", "h264")),
    (b"\0\0\0\x01\x40", Kind("video", "hevc")),
    (b"GIF8", Kind("foreign", "a GIF picture")),
    (b"II+\0", Kind("foreign", "a BigTIFF picture")),
    (b"MM\0+", Kind("foreign", "a BigTIFF picture")),
    (b"\0\0\0\x0cjP  ", Kind("foreign", "a JPEG 2000 picture")),
    (b"\xff\x4f\xff\x51", Kind("foreign", "a JPEG 2000 picture")),
    (b"\0\0\0\x0cJXL ", Kind("foreign", "a JPEG XL picture")),
    (b"\xff\x0a", Kind("foreign", "a JPEG XL picture")),
    (b"8BPS", Kind("foreign", "a Photoshop picture")),
    (b"OggS", Kind("foreign", "an Ogg clip")),
    (b"YUV4MPEG2", Kind("foreign", "a clip of raw pictures")),
)
_BITMAP_HEADERS: Final = {size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124)}
_ISO_PARTS: Final = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_STILL_BRANDS: Final = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC",
                        b"mif1": "HEIF", b"msf1": "HEIF"}  # fmt: skip


def head_of(file: Path) -> bytes:
    """The first 4096 bytes of a regular file.

    Nothing else is opened: a pipe would wait for a writer. Raises InvalidRecord `not_found`, `no_permission`,
    `not_a_file` or `unreadable`.
    """
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise refusal("not_a_file", file, "it is a pipe, a socket or a device")
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            return stream.read(HEAD_BYTES)
    except FileNotFoundError as error:
        raise refusal("not_found", file, "there is no such file or folder") from error
    except PermissionError as error:
        raise refusal("no_permission", file, "this account may not read it") from error
    except OSError as error:
        raise refusal("unreadable", file, f"it cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise refusal("not_found", file, "no file can have such a name") from error


def sniff(head: bytes) -> Kind:
    """The kind of a file that begins with these bytes."""
    if head[128:132] == b"DICM":
        return Kind("directory") if DIRECTORY_CLASS in head[132:] else Kind("dicom")
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:2] == b"BM" and head[6:10] == bytes(4) and head[14:18] in _BITMAP_HEADERS:
        return Kind("image")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind("image")
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return Kind("video", "avi")
    if head[4:8] in _ISO_PARTS:
        still = _STILL_BRANDS.get(head[8:12]) if head[4:8] == b"ftyp" else None
        return Kind("video", "mov") if still is None else Kind("foreign", f"a picture in {still}")
    if _transport_stream(head):
        return Kind("video", "mpegts")
    return Kind("dicom") if _dicom_without_preamble(head) else NOTHING


def looks_like_one(file: Path) -> bool:
    """Whether a file's name says that it is a picture, a clip or DICOM."""
    return file.suffix.casefold() in PICTURE_SUFFIXES | CLIP_SUFFIXES | DICOM_SUFFIXES


def _transport_stream(head: bytes) -> bool:
    """Packets of 188 bytes that begin with 0x47; in an .m2ts or .mts each has a time of 4 bytes before it."""
    return any(
        len(head) > start + 4 * size and all(head[start + n * size] == 0x47 for n in range(5))
        for start, size in ((0, 188), (4, 192), (0, 204))
    )


def _dicom_without_preamble(head: bytes) -> bool:
    """Whether a data set begins here at once: an element of group 2 or 8 whose value is short (PS3.5 7.1)."""
    if len(head) < 16 or head[:2] not in (b"\x02\0", b"\x08\0", b"\0\x08") or not (head[3] == 0 or head[2] == 0):
        return False
    order: Literal["big", "little"] = "big" if head[:2] == b"\0\x08" else "little"
    if head[4:6].isalpha() and head[4:6].isupper():
        return int.from_bytes(head[6:8], order) <= HEAD_BYTES
    return int.from_bytes(head[4:8], order) <= HEAD_BYTES
