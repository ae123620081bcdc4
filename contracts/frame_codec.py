"""Frames to bytes and back without loss; measured in docs/decisions/0001-frame-codec.md.

`jpegls` is JPEG-LS (ISO/IEC 14495-1) written by CharLS. A grey frame is a plain JPEG-LS image. A colour
frame is one grey JPEG-LS image of three planes below each other: green, red - green, blue - green (modulo
2^bits). Most colour ultrasound is grey with a little paint, so the two differences are nearly all zero and
cost next to nothing.

All functions are thread safe, and coding, decoding and hashing release the GIL. JPEG-LS has no checksum:
bytes that crossed a wire are decoded with `decode_verified`.
"""

import hashlib
import hmac
from typing import Final, TypeAlias

import imagecodecs
import numpy as np
import numpy.typing as npt

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import MAX_FRAME_BYTES, MAX_FRAME_PIXELS

Pixels: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

DEFAULT_CODEC: Final = "jpegls"
CODECS: Final[frozenset[str]] = frozenset({DEFAULT_CODEC})  # a name never leaves: stored frames keep it
MAX_SIDE: Final = 2**16 - 1  # 16-bit fields of the JPEG-LS frame header; a colour frame has 3 × rows there

_END_OF_IMAGE: Final = b"\xff\xd9"


def encode_pixels(pixels: npt.NDArray[np.generic], codec: str = DEFAULT_CODEC) -> bytes:
    """Code a frame without loss; equal pixels give equal bytes under one build of the codec.

    pixels: (rows, columns) or (rows, columns, 3), uint8 or uint16 of any byte order and strides.
    Raises ValueError for any other shape or dtype, InvalidRecord `codec_unknown` or `pixels_too_large`.
    """
    _check_codec(codec)
    rows, columns, channels, bits = _layout(pixels)
    _check_size(rows, columns, channels, bits)
    frame = _native(pixels, bits)
    # A copy, as numpy calls a side of length 1 contiguous whatever its stride, and CharLS looks at the stride.
    return _coded(frame.copy(order="C") if channels == 1 else _stacked(frame))


def _coded(stack: npt.NDArray[np.generic]) -> bytes:
    try:
        return bytes(imagecodecs.jpegls_encode(stack, level=0))
    except imagecodecs.JpeglsError:
        # The buffer that imagecodecs (2026.3.6) makes holds the picture's own size; noise codes to more. A sample
        # takes at most LIMIT = 32 or 64 bits (T.87 A.2.1), four times its own.
        return bytes(imagecodecs.jpegls_encode(stack, level=0, out=4 * stack.nbytes + 4096))


def decode_pixels(data: bytes, *, codec: str, rows: int, columns: int, channels: int, bits: int) -> Pixels:
    """The frame that `encode_pixels` was given.

    Returns a C-contiguous array, (rows, columns) for one channel and (rows, columns, 3) for three, uint8 or
    uint16. The claimed size is bounded before anything is allocated, and what the stream's own header declares
    must agree with it before a pixel is decompressed. Altered bytes may decode to other pixels: see
    `decode_verified`.
    Raises InvalidRecord `codec_unknown`, `pixels_too_large` or `pixels_corrupt`.
    """
    _check_codec(codec)
    if rows < 1 or columns < 1 or channels not in (1, 3) or bits not in (8, 16):
        raise InvalidRecord(
            "pixels_corrupt",
            f"no frame has {rows} rows, {columns} columns, {channels} channels of {bits} bits",
        )
    _check_size(rows, columns, channels, bits)
    # CharLS 2.4.3 can loop for ever on a scan that stops without a marker, so one must stand at the end.
    if not data.endswith(_END_OF_IMAGE):
        raise InvalidRecord("pixels_corrupt", "the coded frame does not end with an end-of-image marker")
    stack: Pixels = np.empty((channels * rows, columns), dtype=_dtype(bits))
    try:
        # Given `out`, imagecodecs compares it with the header's shape and sample size before it decompresses.
        imagecodecs.jpegls_decode(data, out=stack)
    except (imagecodecs.JpeglsError, ValueError) as error:
        raise InvalidRecord("pixels_corrupt", f"the coded frame is broken: {error}") from error
    return stack if channels == 1 else _unstacked(stack, rows)


def decode_verified(
    data: bytes, *, codec: str, rows: int, columns: int, channels: int, bits: int, sha256: str
) -> Pixels:
    """`decode_pixels`, then hold the frame against its identity.

    sha256: what `pixels_sha256` gave for the frame that was coded.
    Raises InvalidRecord as `decode_pixels` does, and `pixels_corrupt` when the identity differs.
    """
    pixels = decode_pixels(data, codec=codec, rows=rows, columns=columns, channels=channels, bits=bits)
    if not hmac.compare_digest(pixels_sha256(pixels).encode(), sha256.encode()):
        raise InvalidRecord("pixels_corrupt", "the decoded frame is not the frame that was coded")
    return pixels


def pixels_sha256(pixels: npt.NDArray[np.generic]) -> str:
    """Identity of a frame whatever its codec, strides or byte order, as 64 hex digits.

    pixels: as for `encode_pixels`. Hashed: b"{rows}x{columns}x{channels}/{bits}\\n", then the samples row by
    row, little-endian.
    Raises ValueError for any other shape or dtype.
    """
    rows, columns, channels, bits = _layout(pixels)
    digest = hashlib.sha256(f"{rows}x{columns}x{channels}/{bits}\n".encode())
    digest.update(np.ascontiguousarray(pixels, dtype=_dtype(bits).newbyteorder("<")).data)
    return digest.hexdigest()


def _layout(pixels: npt.NDArray[np.generic]) -> tuple[int, int, int, int]:
    """Rows, columns, channels and bits of a frame that this module can code."""
    grey, colour = pixels.ndim == 2, pixels.ndim == 3 and pixels.shape[2] == 3
    if not (grey or colour) or pixels.size == 0 or pixels.dtype.kind != "u" or pixels.dtype.itemsize > 2:
        raise ValueError(
            "a frame is (rows, columns) or (rows, columns, 3), uint8 or uint16, and not empty; "
            f"this is {pixels.shape} {pixels.dtype}"
        )
    return pixels.shape[0], pixels.shape[1], 1 if grey else 3, 8 * pixels.dtype.itemsize


def _dtype(bits: int) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
    return np.dtype(np.uint8) if bits == 8 else np.dtype(np.uint16)


def _native(pixels: npt.NDArray[np.generic], bits: int) -> Pixels:
    return pixels.astype(np.uint8, copy=False) if bits == 8 else pixels.astype(np.uint16, copy=False)


def _check_codec(codec: str) -> None:
    if codec not in CODECS:
        known = ", ".join(sorted(CODECS))
        raise InvalidRecord("codec_unknown", f"frame codec {codec!r} is not one of {known}")


def _check_size(rows: int, columns: int, channels: int, bits: int) -> None:
    size = rows * columns * channels * (bits // 8)
    if rows * columns > MAX_FRAME_PIXELS or size > MAX_FRAME_BYTES or channels * rows > MAX_SIDE or columns > MAX_SIDE:
        raise InvalidRecord(
            "pixels_too_large",
            f"a frame of {rows}x{columns}x{channels} samples of {bits} bits exceeds "
            f"{MAX_FRAME_PIXELS >> 20} megapixels, {MAX_FRAME_BYTES >> 20} MiB "
            f"or {MAX_SIDE} on a side (rows count once per channel)",
        )


def _stacked(frame: Pixels) -> Pixels:
    """(rows, columns, 3) to (3 × rows, columns): green, red - green, blue - green."""
    rows, columns, _ = frame.shape
    stack: Pixels = np.empty((3 * rows, columns), dtype=frame.dtype)
    stack[:rows] = green = frame[..., 1]
    np.subtract(frame[..., 0], green, out=stack[rows : 2 * rows])
    np.subtract(frame[..., 2], green, out=stack[2 * rows :])
    return stack


def _unstacked(stack: Pixels, rows: int) -> Pixels:
    """The inverse of `_stacked`."""
    frame: Pixels = np.empty((rows, stack.shape[1], 3), dtype=stack.dtype)
    frame[..., 1] = green = stack[:rows]
    np.add(stack[rows : 2 * rows], green, out=frame[..., 0])
    np.add(stack[2 * rows :], green, out=frame[..., 2])
    return frame
