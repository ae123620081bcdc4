"""A network that remembers on disk what it saw, so that linking can be measured again without running it again."""

import hashlib
import pickle
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonovan.models.picture.letterbox import Box
from sonovan.models.segmenter import Segmentation, Segmenter

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


class Remembered:
    """A `Segmenter` of which each picture's answer is kept in a folder, under the network's and the picture's names.

    The folder is this benchmark's own: its files are pickles, which nobody else may have written.
    """

    def __init__(self, segmenter: Segmenter, folder: Path) -> None:
        self._segmenter, self._folder = segmenter, folder / segmenter.fingerprint[:16]
        self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def model_id(self) -> str:
        """See `Segmenter.model_id`."""
        return self._segmenter.model_id

    @property
    def weights_sha256(self) -> str:
        """See `Segmenter.weights_sha256`."""
        return self._segmenter.weights_sha256

    @property
    def fingerprint(self) -> str:
        """See `Segmenter.fingerprint`."""
        return self._segmenter.fingerprint

    @property
    def provider(self) -> str:
        """See `Segmenter.provider`."""
        return self._segmenter.provider

    def segment(
        self,
        pixels: Pixels,
        organ: str,
        panels: Sequence[Box] = (),
        spacing_mm: Sequence[tuple[float, float] | None] = (),
    ) -> Segmentation:
        """See `Segmenter.segment`; `grey` is left out of what is kept, for a grey picture of 8 bits is its own."""
        asked = f"{organ} {list(panels)} {list(spacing_mm)} {pixels.shape} {pixels.dtype}".encode()
        path = self._folder / hashlib.sha256(asked + np.ascontiguousarray(pixels).tobytes()).hexdigest()
        if path.is_file():
            kept: Segmentation = pickle.loads(zlib.decompress(path.read_bytes()))  # noqa: S301  # written here
            return replace(kept, grey=np.asarray(pixels, np.uint8))
        found = self._segmenter.segment(pixels, organ, panels, spacing_mm)
        if pixels.ndim == 2 and pixels.dtype == np.uint8:
            part = path.with_suffix(".part")
            part.write_bytes(zlib.compress(pickle.dumps(replace(found, grey=np.zeros((0, 0), np.uint8))), 1))
            part.rename(path)
        return found
