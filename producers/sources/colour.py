"""What three samples for each pixel are, told by the picture: ultrasound is mostly grey, whatever its file states.

A header may say RGB over YCbCr, or planes over pixels, and the length is the same. So the other reading is taken where
the picture is grey by it, and coloured all over by the header's.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_COLOURED: Final = 0.1
_GREYER: Final = 0.25
_NEARLY_ALL: Final = 0.8
_FAR_MORE: Final = 0.2
_FLAT: Final = 0.9
"""A picture in which so many neighbours are equal shows no tissue by which its layout could be told."""
_MIDDLE: Final = 128
_NEAR_MIDDLE: Final = 2


def samples_as_seen(flat: Array, rows: int, columns: int, *, planar: bool) -> Array:
    """Three uncompressed samples for each pixel, as (rows, columns, 3): by pixel or by plane.

    flat: uint8, as they lie in the file. planar: what the file states; the other reading is taken where by it nearly
    every pixel is exactly grey, and by the file's far fewer are.
    """
    by_pixel = flat.reshape(rows, columns, 3)
    by_plane = flat.reshape(3, rows, columns).transpose(1, 2, 0)
    stated, other = (by_plane, by_pixel) if planar else (by_pixel, by_plane)
    grey = _grey_share(other)
    one_colour = float(np.mean(stated[:, 1:, 0] == stated[:, :-1, 0])) > _FLAT
    return other if grey >= _NEARLY_ALL and grey > _grey_share(stated) + _FAR_MORE and not one_colour else stated


def colours_as_seen(samples: Array, stated: str) -> str:
    """RGB or YBR_FULL: the one by which a picture is grey, if it is coloured by the other; else what the file states.

    samples: (rows, columns, 3), uint8. stated: the file's PhotometricInterpretation.
    """
    if stated not in ("RGB", "YBR_FULL"):
        return stated
    red, ycc = _difference(samples), _chroma(samples)
    if max(red, ycc) <= _COLOURED or min(red, ycc) >= _GREYER * max(red, ycc):
        return stated
    return "RGB" if red < ycc else "YBR_FULL"


def _grey_share(samples: Array) -> float:
    """Of the pixels that are not black, how many are grey in RGB, or in YCbCr if those are more."""
    seen = samples[samples.any(axis=-1)].astype(np.int16)
    if not len(seen):
        return 0.0
    equal = (seen[:, 0] == seen[:, 1]) & (seen[:, 1] == seen[:, 2])
    middle = (np.abs(seen[:, 1:] - _MIDDLE) <= _NEAR_MIDDLE).all(axis=-1)
    return float(max(equal.mean(), middle.mean()))


def _difference(samples: Array) -> float:
    """How far the samples of a pixel lie apart, over their mean: 0 for grey in RGB."""
    wide = samples.astype(np.int16)
    apart = np.abs(wide[..., 1] - wide[..., 0]) + np.abs(wide[..., 2] - wide[..., 1])
    return float(apart.mean() / (1 + samples.mean()))


def _chroma(samples: Array) -> float:
    """How far chroma lies from its middle, over the mean of the samples: 0 for grey in YCbCr."""
    apart = np.abs(samples[..., 1:].astype(np.int16) - _MIDDLE).sum(axis=-1)
    return float(apart.mean() / (1 + samples.mean()))
