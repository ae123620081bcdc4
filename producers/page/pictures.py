"""Pictures for the page: PNG of what is on this van, small ones, and with what is doubtful outlined."""

from collections.abc import Sequence
from typing import Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.frame_codec import decode_verified
from sonovan.contracts.van import FrameCaptured
from sonovan.models.text import Line, drawn
from sonovan.producers.sources import Pixels

SMALL_PX: Final = 320
PARTS: Final = 3
"""A picture has so many parts along each side that the operator can hide, numbered from 1 as one reads."""
_OUTLINE: Final = (255, 140, 0)
Mask = NDArray[np.bool_]


def pixels_of(value: bytes) -> Pixels:
    """The pixels of a frame's message. Raises InvalidRecord where it is damaged."""
    envelope = open_envelope(value)
    header = FrameCaptured.decode(envelope.header)
    return decode_verified(
        envelope.payload, codec=header.codec, rows=header.rows, columns=header.columns, channels=header.channels,
        bits=header.bits, sha256=header.pixels_sha256,
    )  # fmt: skip


def png(pixels: Pixels, doubtful: Sequence[Line] = (), *, small: bool = False) -> bytes:
    """A picture as PNG of 8 bits. doubtful: lines to be outlined. small: no side longer than SMALL_PX."""
    shown: NDArray[np.generic] = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    if doubtful:
        inside = drawn(doubtful, shown.shape)
        shown = np.repeat(shown[..., None], 3, axis=2) if shown.ndim == 2 else shown.copy()
        shown[_grown(inside) & ~inside] = _OUTLINE
    if small:
        step = max(1, -(-max(shown.shape[:2]) // SMALL_PX))
        shown = shown[::step, ::step]
    return bytes(imagecodecs.png_encode(np.ascontiguousarray(shown)))


def parts_mask(shape: tuple[int, ...], parts: Sequence[int]) -> Mask:
    """The pixels of some of the PARTS × PARTS parts, numbered from 1 row by row; others are passed over."""
    mask = np.zeros(shape[:2], np.bool_)
    rows, columns = shape[:2]
    for number in parts:
        if 1 <= number <= PARTS * PARTS:
            down, across = divmod(number - 1, PARTS)
            mask[rows * down // PARTS : rows * (down + 1) // PARTS,
                 columns * across // PARTS : columns * (across + 1) // PARTS] = True  # fmt: skip
    return mask


def hidden(pixels: Pixels, lines: Sequence[Line], parts: Sequence[int]) -> tuple[Pixels, int]:
    """The picture without these lines and parts, and how many pixels that took in addition to what was black."""
    black = drawn(lines, pixels.shape) | parts_mask(pixels.shape, parts)
    lit = pixels if pixels.ndim == 2 else pixels.max(axis=2)
    kept = pixels.copy()
    kept[black] = 0
    return kept, int(np.count_nonzero(black & (lit > 0)))


def _grown(mask: Mask, by: int = 2) -> Mask:
    wide = mask.copy()
    for _ in range(by):
        wide[1:] |= wide[:-1].copy()
        wide[:-1] |= wide[1:].copy()
        wide[:, 1:] |= wide[:, :-1].copy()
        wide[:, :-1] |= wide[:, 1:].copy()
    return wide
