"""What it takes to judge a frame while somebody scans, and how often the preview looks; part of `make bench-van`."""

import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, Final

import numpy as np

from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.live import live_quality
from sonovan.models.segmenter import load
from sonovan.producers.gateway.preview import Preview
from sonovan.producers.sources import CapturedFrame, Pixels, Source
from sonovan.producers.sources.source import whole_panel

SEED: Final = 7
_ROUNDS: Final = 5
PREVIEWED_S: Final = 20.0
_FRAME_S: Final = 1 / 30


def live(frames: int, preview_s: float = PREVIEWED_S) -> dict[str, Any]:
    """Milliseconds for one frame of 640×480, contact, gain, shadow and sharpness together; median and 95th percentile.

    frames: of the simulated sweep that is judged. Then frames a second that the preview looks at, offered 30 each
    second for `preview_s`, with the network of the registry on one thread of the lowest priority, beside whatever runs.
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
        "preview_fps": round(_previewed(pictures, preview_s), 2),
    }


def _previewed(pictures: Sequence[Pixels], seconds: float) -> float:
    preview = Preview(lambda: load(provider="cpu", precision="fp32"))
    source = Source(Path("x"), "breast", "left", None, None, None, lambda: iter(()))
    rows, columns = pictures[0].shape[:2]
    panel = whole_panel(rows, columns, None, "left")
    thread = Thread(target=preview.run)
    thread.start()
    began: float | None = None
    try:
        for index in count():
            preview.offer("one", source, CapturedFrame(index, None, pictures[index % len(pictures)], (panel,)))
            began = began or (time.perf_counter() if preview.looks else None)  # the first look ends the loading
            if preview.of("one").state == "no_weights":
                return 0.0
            if began is not None and preview.looks > 1 and time.perf_counter() - began >= seconds:
                return (preview.looks - 1) / (time.perf_counter() - began)
            time.sleep(_FRAME_S)
    finally:
        preview.stop()
        thread.join()
    return 0.0
