"""A stand-in for the network where the step alone is tested: bright is a lesion. Deterministic, no runtime."""

from collections.abc import Sequence

import numpy as np

from sonovan.contracts.frame_codec import Pixels
from sonovan.models.picture.letterbox import Box
from sonovan.models.regions import FoundRegion
from sonovan.models.segmenter import Segmentation


class ThresholdSegmenter:
    """One region, what is brighter than 200; nothing is assessable in a frame of one value."""

    model_id = "threshold-1"
    weights_sha256 = "ab" * 32
    fingerprint = "cd" * 32
    provider = "none/fp32"

    def segment(
        self, pixels: Pixels, organ: str, panels: Sequence[Box], spacing_mm: Sequence[tuple[float, float] | None] = ()
    ) -> Segmentation:
        grey = np.asarray(pixels if pixels.ndim == 2 else pixels[..., 0], np.uint8)
        bright = grey > 200
        timings = {"network": 1.23456}
        if grey.min() == grey.max():
            return Segmentation((), np.zeros_like(grey), 0.0, False, "blank", grey, timings)
        if not bright.any():
            return Segmentation((), np.zeros_like(grey), 0.5, True, None, grey, timings)
        rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
        left, top = int(columns[0]), int(rows[0])
        right, bottom = int(columns[-1]) + 1, int(rows[-1]) + 1
        region = FoundRegion(
            panel=0,
            polygon=((left + 0.123, top), (right - 1, top), (right - 1, bottom - 1), (left, bottom - 1)),
            box=(left, top, right - left, bottom - top),
            centroid=((left + right - 1) / 2, (top + bottom - 1) / 2),
            area_px=int(bright.sum()),
            score_mean=0.912345,
            score_max=0.987654,
            mask=bright[top:bottom, left:right],
        )
        return Segmentation((region,), bright.astype(np.uint8), 0.54321, True, None, grey, timings)
