"""The files of a row as arrays: the picture as `segment` would get it, and what is true of it."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.errors import UnusablePicture
from sonovan.models.evaluation.index import Row, UnusableData
from sonovan.models.picture.prepare import to_grey

Gray = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SAME_ASPECT: Final = 0.01
"""A mask whose aspect ratio differs from its picture's by no more than this share was only scaled."""


def read_picture(path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """(rows, columns) or (rows, columns, 3) red, green, blue; uint8 or uint16. An alpha channel is dropped.

    Raises UnusableData where the file is absent, no picture, or has other samples (32-bit TIFF).
    """
    picture = _decoded(path)
    pixels = picture if picture.ndim == 2 else picture[..., 2::-1]
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels, np.uint8)
    return np.ascontiguousarray(pixels, np.uint16)


def _decoded(path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """As the file has it: (rows, columns) or (rows, columns, 3 or 4) blue, green, red, alpha."""
    try:
        data = np.fromfile(path, np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except OSError as error:
        raise UnusableData(f"{path} cannot be read: {error.strerror}") from None
    except cv2.error:  # more pixels than its decoder takes
        picture = None
    if picture is None:
        raise UnusableData(f"{path} is no picture that can be decoded")
    if picture.dtype not in (np.uint8, np.uint16) or (picture.ndim == 3 and picture.shape[2] not in (3, 4)):
        raise UnusableData(f"{path}: its samples are {picture.dtype}; 8 or 16 bits, grey or colour, can be read")
    return np.asarray(picture)


def read_gray(path: Path) -> Gray:
    """(rows, columns) uint8. Raises UnusableData when the file is absent or cannot be segmented."""
    return _grey(path, read_picture(path))


def read_mask(path: Path, size: tuple[int, int]) -> Mask:
    """(rows, columns) bool at `size`, that of the picture.

    A pixel is lesion above half of its range, so that lossy outlines keep their place, or where it is 1 in a mask of
    0 and 1. A mask of another size is enlarged or shrunk (nearest neighbour) where its aspect ratio is the picture's
    within 1 %: whoever scaled pictures and masks separately moved nothing.
    Raises UnusableData for another shape, for a mask that is no picture, for one whose values are neither: it would
    pass for empty; and for one with a drawing in its alpha channel: which of the two is meant nobody can say.
    """
    coded = _decoded(path)
    if coded.ndim == 3 and coded.shape[2] == 4 and int(coded[..., 3].min()) != int(coded[..., 3].max()):
        raise UnusableData(f"{path}: the mask is transparent in part; save it without an alpha channel")
    values = coded if coded.ndim == 2 else coded[..., :3].max(2)
    half, highest = int(np.iinfo(values.dtype).max) // 2, int(values.max())
    if 1 < highest <= half:
        raise UnusableData(
            f"{path}: the mask's highest value is {highest}; 0 and 1, or 0 and {2 * half + 1}, are masks"
        )
    mask = values >= 1 if highest == 1 else values > half
    if mask.shape == size:
        return mask
    rows, columns = size
    found = f"the mask {path} has {mask.shape[1]}×{mask.shape[0]} pixels, its picture {columns}×{rows}"
    if abs(mask.shape[1] * rows / (mask.shape[0] * columns) - 1) > SAME_ASPECT:
        raise UnusableData(f"{found}: another shape, so it cannot be laid over the picture")
    scaled = cv2.resize(mask.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST)
    return np.asarray(scaled, np.bool_)


def read_truth(row: Row, size: tuple[int, int]) -> Mask | None:
    """Where the lesions are, (rows, columns) bool: all False where there is nothing to find, None where nobody says.

    Nothing is to be found where the label is `normal` or `foreign` (another part of the body), whatever the mask
    shows.
    """
    if row.label in ("normal", "foreign"):
        return np.zeros(size, np.bool_)
    return None if row.mask is None else read_mask(row.mask, size)


def read_pair(row: Row) -> tuple[Gray, Gray]:
    """Picture and mask (0 or 255) at the picture's size. Raises UnusableData, also where nobody drew the truth."""
    image = read_gray(row.image)
    truth = read_truth(row, (image.shape[0], image.shape[1]))
    if truth is None:
        raise UnusableData(
            f"row {row.id} of {row.set} has neither a mask nor the label normal: what is true is unknown"
        )
    return image, np.where(truth, np.uint8(255), np.uint8(0))


def _grey(path: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> Gray:
    try:
        return to_grey(pixels)
    except UnusablePicture as error:
        raise UnusableData(f"{path}: {error}") from None
