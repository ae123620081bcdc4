"""The stub is a network like any other, repeated frames differ, and a missed bar is named."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pipeline import misses
from benchmarks.shared import numbered
from benchmarks.stub import MODEL_ID, write_stub
from sonovan import models
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.sources import CapturedFrame


def frame() -> CapturedFrame:
    return next(each for each in simulated_sources("breast", 1, 4, 7)[0].read() if isinstance(each, CapturedFrame))


def test_the_stub_outlines_one_oval_in_any_picture(tmp_path: Path) -> None:
    network = models.load(provider="cpu", precision="fp32", weights_dir=write_stub(tmp_path))
    for organ in ("breast", "thyroid"):
        assert len(network.segment(frame().pixels, organ).regions) == 1
    assert network.model_id == MODEL_ID


def test_no_two_frames_that_a_benchmark_repeats_have_the_same_pixels() -> None:
    shown = frame()
    seen = {numbered(shown, index).pixels.tobytes() for index in range(600)}
    assert len(seen) == 600
    assert np.array_equal(numbered(shown, 5).pixels[1:], shown.pixels[1:])
    assert numbered(shown, 5).frame_index == 5


def document(network: float, stub: float, mib: float) -> dict[str, Any]:
    rows = {"network": {"2_sweeps": {"ratio": network}}, "stub": {"2_sweeps": {"ratio": stub}}}
    return {"against_the_floor": rows, "peak_rss_mib": mib}


def test_a_bar_that_is_missed_is_named() -> None:
    assert misses(document(0.95, 0.75, 500.0)) == []
    assert misses(document(0.94, 0.75, 500.0)) == ["network, 2_sweeps: ratio 0.94 < 0.95"]
    assert misses(document(0.95, 0.74, 1600.0)) == ["stub, 2_sweeps: ratio 0.74 < 0.75", "1600.0 MiB"]
