"""Label masks as PNG: 8-bit grey, 0 for nothing, ordinal + 1 for a region."""

import struct
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.errors import UnusablePicture
from sonovan.models.picture.prepare import MAX_PIXELS, MAX_SIDE

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER: Final = struct.Struct(">8s8xII5B")  # signature, chunk length and name, width, height, depth, colour …


def encode_mask(labels: NDArray[np.uint8]) -> bytes:
    """The PNG of a label mask (rows, columns) uint8; the same mask gives the same bytes.

    Raises ValueError for another dtype or shape.
    """
    if labels.dtype != np.uint8 or labels.ndim != 2 or labels.size == 0:
        raise ValueError(f"a label mask is (rows, columns) uint8, not {labels.shape} {labels.dtype}")
    done, data = cv2.imencode(".png", labels, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise ValueError(f"no PNG could be made of a mask of {labels.shape}")
    return bytes(data)


def decode_mask(data: bytes) -> NDArray[np.uint8]:
    """The label mask in a PNG. Raises UnusablePicture `mask_corrupt` for anything but an intact 8-bit grey PNG."""
    if len(data) < _HEADER.size:
        raise UnusablePicture("mask_corrupt", "the mask is no PNG")
    signature, width, height, depth, colour, *_ = _HEADER.unpack_from(data)
    if signature != _SIGNATURE or (depth, colour) != (8, 0):
        raise UnusablePicture("mask_corrupt", "the mask is no 8-bit grey PNG")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise UnusablePicture("mask_corrupt", f"a mask of {width}×{height} is larger than any picture")
    if not data.endswith(b"IEND\xaeB`\x82"):  # the decoder fills what a cut file lacks with zeros
        raise UnusablePicture("mask_corrupt", "the mask is cut short")
    labels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if labels is None or labels.dtype != np.uint8 or labels.shape != (height, width):
        raise UnusablePicture("mask_corrupt", "the mask cannot be decoded")
    return np.asarray(labels, np.uint8)
