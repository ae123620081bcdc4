"""Speckle taken out of frames: by diffusion, by a small network, by the classic filters.

    smooth = despeckle(grey)                        # for the eye: diffusion, log-compressed speckle
    smooth = despeckle(grey, method="learned")
    smooth = despeckled(pixels)                     # of any frame that `segment` takes

Off for the segmentation networks: no method made their masks better (docs/despeckle.md, with all figures).
"""

from collections.abc import Callable
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sonovan.models.despeckle import filters
from sonovan.models.despeckle.diffusion import Diffusion, diffuse
from sonovan.models.despeckle.learned import learned
from sonovan.models.despeckle.noise import Noise
from sonovan.models.errors import UnusablePicture
from sonovan.models.picture.prepare import to_grey

Gray = NDArray[np.uint8]
Plane = NDArray[np.float32]
Method = Literal["none", "diffusion", "learned", "median", "lee", "srad", "bilateral", "nlm"]

METHODS: Final[tuple[Method, ...]] = get_args(Method)
FOR_THE_EYE: Final[Method] = "diffusion"
FOR_THE_NETWORK: Final[Method] = "none"

_FILTERS: Final[dict[Method, Callable[[Plane, Noise], Plane]]] = {
    "none": lambda image, noise: image,
    "diffusion": lambda image, noise: diffuse(image, Diffusion(noise)).image,
    "learned": lambda image, noise: learned(image),
    "median": filters.median,
    "lee": filters.lee,
    "srad": filters.srad,
    "bilateral": filters.bilateral,
    "nlm": filters.non_local_means,
}


def despeckle(grey: Gray, method: Method = FOR_THE_EYE, noise: Noise = "bmode") -> Gray:
    """A frame with less speckle; the same frame gives the same picture on the same machine.

    grey: (rows, columns) uint8, as `sonovan.models.picture.prepare.to_grey` gives it.
    method: one of METHODS; `none` gives a copy.
    noise: `bmode` for what scanners show (log-compressed), `gamma` for intensities. `median` and `learned` do the same
    for both; `learned` is good for `bmode` alone.
    Returns (rows, columns) uint8.
    Raises UnusablePicture for another dtype or shape or no pixels, ValueError for an unknown method or noise,
    WrongWeights when the file of `learned` is damaged.
    """
    if grey.dtype != np.uint8:
        raise UnusablePicture("dtype", f"pixels are {grey.dtype}, expected uint8")
    if grey.ndim != 2 or grey.size == 0:
        raise UnusablePicture("shape", f"pixels of shape {grey.shape} are not (rows, columns)")
    if method not in METHODS or noise not in get_args(Noise):
        raise ValueError(f"no despeckling {method!r} for noise {noise!r}; methods are {', '.join(METHODS)}")
    smooth = _FILTERS[method](grey.astype(np.float32) / np.float32(255), noise)
    return np.asarray(np.rint(np.clip(smooth, 0, 1) * 255), np.uint8)


def despeckled(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> Gray:
    """Any frame that can be segmented, grey and with less speckle: (rows, columns) uint8.

    It is for looking, never for measuring. pixels: as `sonovan.models.picture.prepare.to_grey` takes them. Raises
    UnusablePicture as that does.
    """
    return despeckle(to_grey(pixels))
