"""What it takes to judge a frame while somebody scans; part of `make bench-van`."""

import time
from typing import Any, Final

import numpy as np

from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.live import live_quality

SEED: Final = 7
_ROUNDS: Final = 5


def live(frames: int) -> dict[str, Any]:
    """Milliseconds for one frame of 640×480, contact, gain, shadow and sharpness together; median and 95th percentile.

    frames: of the simulated sweep that is judged.
    """
    pictures = [np.asarray(each) for each in simulate_sweep("breast", frames=frames, seed=SEED).frames]
    rows, columns = pictures[0].shape[:2]
    took = []
    for picture in pictures * _ROUNDS:
        began = time.perf_counter()
        live_quality(picture, (0, 0, columns, rows))
        took.append(1000 * (time.perf_counter() - began))
    return {
        "quality_pixels": [columns, rows],
        "quality_ms_p50": round(float(np.percentile(took, 50)), 2),
        "quality_ms_p95": round(float(np.percentile(took, 95)), 2),
    }
