"""One DICOM frame's bytes to pixels.

pydicom brings no decoder for JPEG, JPEG-LS and JPEG 2000, so every coded frame goes through imagecodecs; the
stream's own header must agree with the file's before anything is decompressed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from sonovan.producers.sources.colour import colours_as_seen, samples_as_seen
from sonovan.producers.sources.headers import (
    HeaderError,
    coded_size,
    has_end,
    jpeg2000_signed,
    jpeg2000_transformed,
    jpeg_colour,
)
from sonovan.producers.sources.jpeg_scan import check_scans, components, is_progressive
from sonovan.producers.sources.picture_damage import jpeg_damage
from sonovan.producers.sources.source import Pixels

Array = npt.NDArray[Any]

JPEG: Final = frozenset({JPEGBaseline8Bit, JPEGExtended12Bit})
JPEG_LOSSLESS: Final = frozenset({JPEGLossless, JPEGLosslessSV1})
JPEG_LS: Final = frozenset({JPEGLSLossless, JPEGLSNearLossless})
JPEG_2000: Final = frozenset({JPEG2000Lossless, JPEG2000, HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K})
CODED: Final = JPEG | JPEG_LOSSLESS | JPEG_LS | JPEG_2000 | {RLELossless}
PHOTOMETRICS: Final = frozenset(
    {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
)


_ANOTHER_STREAM: Final = re.compile(rb"\xff\xd9\0{0,64}\xff[\xd8\x4f]\xff")
_GREY: Final = 4.0
"""Grey levels by which the components of a grey pixel may differ once coded with loss."""


class DecodeError(ValueError):
    """This frame's bytes are not the picture that the file declares."""


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """The Image Pixel module of a file (PS3.3 C.7.6.3), and its palette as (entries, 3) uint8 or uint16.

    overlays: bits that hold no sample may be those of an overlay.
    """

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    planar: bool
    photometric: str
    transfer_syntax: UID
    little_endian: bool
    palette: Array | None = None
    palette_first: int = 0
    overlays: bool = False

    @property
    def native_bytes(self) -> int:
        """Length of one uncompressed frame."""
        if self.photometric == "YBR_FULL_422":
            return self.rows * self.columns * 2 * (self.allocated // 8)
        return self.rows * self.columns * self.samples * (self.allocated // 8)

    @property
    def decoded_bytes_per_pixel(self) -> int:
        """Bytes per pixel of the finished picture, at most."""
        palette = self.palette
        if palette is not None:
            return 3 * palette.dtype.itemsize
        return self.samples * (1 if self.stored <= 8 else 2)


def decode_frame(data: bytes, layout: PixelLayout) -> Pixels:
    """The picture in one frame's bytes.

    Returns (rows, columns) or (rows, columns, 3) RGB, C-contiguous. Up to 8 stored bits become uint8 as they are;
    9 to 16 become uint16, shifted up so that white is 65535 or just below (the shift loses nothing).
    MONOCHROME1 is inverted, signed samples are moved up by half their range.
    Raises DecodeError.
    """
    coded = layout.transfer_syntax in CODED
    if coded and layout.transfer_syntax != RLELossless:
        layout = _by_stream(data, layout)
    samples, photometric = _coded(data, layout) if coded else (_native(data, layout), layout.photometric)
    expected = (layout.rows, layout.columns) if layout.samples == 1 else (layout.rows, layout.columns, layout.samples)
    if samples.shape != expected or samples.dtype.kind not in "ui" or samples.dtype.itemsize > 2:
        raise DecodeError(f"decoded to {samples.shape} {samples.dtype}, declared {expected}")
    if layout.samples == 3 and samples.dtype == np.uint8 and layout.transfer_syntax not in JPEG:
        coded_422 = coded and photometric == "YBR_FULL_422"
        photometric = colours_as_seen(samples, "YBR_FULL" if coded_422 else photometric)
    if photometric == "PALETTE COLOR":
        return _through_palette(samples, layout)
    picture = _full_range(samples, layout)
    if photometric in ("YBR_FULL", "YBR_FULL_422"):
        picture = _ybr_to_rgb(picture)
    return ~picture if photometric == "MONOCHROME1" else picture


def _native(data: bytes, layout: PixelLayout) -> Array:
    if len(data) < layout.native_bytes:
        raise DecodeError(f"{len(data)} bytes where a frame has {layout.native_bytes}")
    kind = f"{'i' if layout.signed else 'u'}{layout.allocated // 8}"
    flat = np.frombuffer(data[: layout.native_bytes], dtype=("<" if layout.little_endian else ">") + kind)
    flat = flat.astype(flat.dtype.newbyteorder("="))
    rows, columns = layout.rows, layout.columns
    if layout.photometric == "YBR_FULL_422":
        return _expand_422(flat, rows, columns)
    if layout.samples == 1:
        return flat.reshape(rows, columns)
    if layout.samples == 3 and flat.dtype == np.uint8:
        return samples_as_seen(flat, rows, columns, planar=layout.planar)
    if layout.planar:
        return flat.reshape(layout.samples, rows, columns).transpose(1, 2, 0)
    return flat.reshape(rows, columns, layout.samples)


def _expand_422(flat: Array, rows: int, columns: int) -> Array:
    """Y1 Y2 Cb Cr for two neighbours (PS3.3 C.7.6.3.1.2) to Y Cb Cr for each."""
    if columns % 2:
        raise DecodeError("YBR_FULL_422 with an odd number of columns")
    pairs = flat.reshape(rows, columns // 2, 4)
    picture: Array = np.empty((rows, columns, 3), flat.dtype)
    picture[:, 0::2, 0], picture[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    picture[..., 1], picture[..., 2] = np.repeat(pairs[..., 2], 2, axis=1), np.repeat(pairs[..., 3], 2, axis=1)
    return picture


def _by_stream(data: bytes, layout: PixelLayout) -> PixelLayout:
    """The layout with the depth and the sign that the stream's own header states; the file may state others.

    JPEG-LS and lossless JPEG do not say whether samples are signed; lossy JPEG never is.
    Raises DecodeError where the stream has another size than the file declares.
    """
    try:
        told = coded_size(data)
    except HeaderError as error:
        raise DecodeError(str(error)) from error
    declared = (layout.rows, layout.columns, layout.samples)
    if (told.rows, told.columns, told.components) != declared or told.bits > layout.allocated:
        size = f"{told.columns} x {told.rows} x {told.components}, {told.bits} bits"
        raise DecodeError(f"the coded frame says {size}, the file {layout.columns} x {layout.rows} x {layout.samples}")
    signed = layout.signed
    if layout.transfer_syntax in JPEG_2000:
        signed = jpeg2000_signed(data)
    elif layout.transfer_syntax in JPEG:
        signed = False
    return replace(layout, stored=min(layout.stored, told.bits), signed=signed)


def _coded(data: bytes, layout: PixelLayout) -> tuple[Array, str]:
    """The samples of a coded frame, and the photometric interpretation that they have once decoded."""
    if layout.transfer_syntax == RLELossless:
        return _decoding(_rle, data, layout), layout.photometric
    if layout.transfer_syntax in JPEG_LS:
        return _decoding(_jpegls, data, layout), layout.photometric
    if layout.transfer_syntax in JPEG_2000:
        transformed = jpeg2000_transformed(data) or layout.photometric in ("YBR_ICT", "YBR_RCT")
        photometric = "RGB" if transformed and layout.samples == 3 else layout.photometric
        return _decoding(_jpeg2000, data, layout), photometric
    return _decoding(_jpeg, data, layout), _jpeg_photometric(data, layout)


def _decoding(decode: Callable[[bytes, PixelLayout], Array], data: bytes, layout: PixelLayout) -> Array:
    try:
        return decode(data, layout)
    except DecodeError:
        raise
    except (RuntimeError, ValueError, TypeError) as error:  # every codec's own error is a RuntimeError
        raise DecodeError(str(error)) from error


def _rle(data: bytes, layout: PixelLayout) -> Array:
    """Planes in order of sample, each most significant byte first (PS3.5 annex G)."""
    width = layout.allocated // 8
    size = layout.rows * layout.columns * layout.samples * width
    planes = imagecodecs.dicomrle_decode(data, f"<u{width}", out=size)
    flat = np.frombuffer(planes, dtype=f"<u{width}")
    picture = flat.reshape(layout.samples, layout.rows, layout.columns).transpose(1, 2, 0)
    return picture[..., 0] if layout.samples == 1 else picture


def _jpegls(data: bytes, _layout: PixelLayout) -> Array:
    # CharLS 2.4.3 can loop for ever, uninterruptibly, on a scan that is cut off without its end marker.
    _one_stream(data, "JPEG-LS")
    return np.asarray(imagecodecs.jpegls_decode(data))


def _jpeg2000(data: bytes, _layout: PixelLayout) -> Array:
    _one_stream(data, "JPEG 2000")
    return np.asarray(imagecodecs.jpeg2k_decode(data))


def _one_stream(data: bytes, kind: str) -> None:
    """Raise DecodeError unless one stream is here, to its end marker; padding may follow it."""
    if kind != "JPEG" and not has_end(data):  # that of a JPEG is looked for behind its scans
        raise DecodeError(f"the {kind} frame is cut off: it has no end marker")
    if _ANOTHER_STREAM.search(data):
        raise DecodeError(f"more than one {kind} stream lies in this frame")


def _jpeg(data: bytes, layout: PixelLayout) -> Array:
    _one_stream(data, "JPEG")
    try:
        check_scans(data)
    except HeaderError as error:
        raise DecodeError(f"the JPEG frame is damaged: {error}") from error
    if is_progressive(data) and (damage := jpeg_damage(data)) is not None:
        raise DecodeError(f"the JPEG frame is damaged: {damage}")
    if layout.samples == 1:
        return np.asarray(imagecodecs.jpeg8_decode(data))
    stored = np.asarray(imagecodecs.jpeg8_decode(data, colorspace="rgb", outcolorspace="rgb"))
    if layout.transfer_syntax in JPEG_LOSSLESS or _stored_as_rgb(data, layout, stored):
        return stored
    return np.asarray(imagecodecs.jpeg8_decode(data, colorspace="ycbcr", outcolorspace="rgb"))


def _jpeg_photometric(_data: bytes, layout: PixelLayout) -> str:
    """Lossy YCbCr comes out of the codec as RGB; lossless samples come out as they are."""
    if layout.samples == 1 or layout.transfer_syntax in JPEG_LOSSLESS:
        return layout.photometric
    return "RGB"


def _stored_as_rgb(data: bytes, layout: PixelLayout, stored: Array) -> bool:
    """Whether a lossy stream holds red, green, blue.

    Its markers say so, or the names of its components; a subsampled one holds YCbCr. Where nothing of that decides, a
    picture that is mostly grey has equal components if it holds RGB, and two near 128 if it holds YCbCr; else the file
    is believed.
    stored: (rows, columns, 3), the components as they lie in the stream.
    """
    jfif, adobe = jpeg_colour(data)
    if adobe is not None:
        return adobe == 0
    parts = list(components(data))
    if jfif or len({part[1:] for part in parts}) > 1:
        return False
    if bytes(part[0] for part in parts) == b"RGB":
        return True
    wide = stored.astype(np.int16)
    middle = 1 << (8 * stored.dtype.itemsize - 1) if stored.dtype == np.uint8 else 2048
    grey_rgb = float(np.median(np.abs(wide[..., 1:] - wide[..., :1])))
    grey_ybr = float(np.median(np.abs(wide[..., 1:].astype(np.int32) - middle)))
    if min(grey_rgb, grey_ybr) <= _GREY < max(grey_rgb, grey_ybr):
        return grey_rgb < grey_ybr
    return layout.photometric == "RGB"


def _full_range(samples: Array, layout: PixelLayout) -> Pixels:
    """Unsigned samples over the full range of 8 or 16 bits."""
    stored = layout.stored
    wide = samples.astype(np.int32)
    coded = layout.transfer_syntax in CODED and layout.transfer_syntax != RLELossless
    if not coded:
        shift = layout.high_bit + 1 - stored
        beyond = 0 if layout.signed or layout.overlays else ~(((1 << stored) - 1) << shift)
        if wide.size and int(np.bitwise_or.reduce(wide, axis=None)) & beyond:
            raise DecodeError(f"its samples have bits beyond the {stored} below bit {layout.high_bit + 1} of the file")
        wide >>= shift
    if coded and not layout.signed and wide.size and int(wide.max()) >> stored:
        raise DecodeError(f"samples up to {int(wide.max())}, the file declares {stored} bits")
    wide &= (1 << stored) - 1  # bits above the stored ones once held overlays
    if layout.signed:
        wide ^= 1 << (stored - 1)
    if stored <= 8:
        return np.ascontiguousarray(wide, np.uint8)
    return np.ascontiguousarray(wide << (16 - stored), np.uint16)


def _through_palette(samples: Array, layout: PixelLayout) -> Pixels:
    if layout.palette is None:
        raise DecodeError("PALETTE COLOR without a palette")
    index = np.clip(samples.astype(np.int32) - layout.palette_first, 0, len(layout.palette) - 1)
    return np.ascontiguousarray(layout.palette[index])


def _ybr_to_rgb(picture: Pixels) -> Pixels:
    """Full-range YCbCr of BT.601 to RGB (PS3.3 C.7.6.3.1.2)."""
    if picture.dtype != np.uint8:
        raise DecodeError("YBR of more than 8 bits")
    swapped = np.ascontiguousarray(picture[..., (0, 2, 1)])  # opencv's order is Y Cr Cb
    return np.asarray(cv2.cvtColor(swapped, cv2.COLOR_YCrCb2RGB), np.uint8)
