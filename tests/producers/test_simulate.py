"""Synthetic sweeps and their truth."""

import json
from pathlib import Path

import cv2
import numpy as np

from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.producers.simulate import simulated_sources, write_sweeps
from sonovan.producers.sources import CapturedFrame, CaptureOptions, open_source


def test_sources_show_the_sweep_and_write_its_truth(tmp_path: Path) -> None:
    (source,) = simulated_sources("breast", 1, 6, 3, tmp_path)
    sweep = simulate_sweep("breast", frames=6, seed=3)
    shots = [shot for shot in source.read() if isinstance(shot, CapturedFrame)]
    assert len(shots) == source.frame_count == 6
    for index, shot in enumerate(shots):
        assert np.array_equal(shot.pixels, sweep.frames[index])
        assert shot.panels[0].spacing_mm == sweep.pixel_spacing_mm
    truth = json.loads((tmp_path / "sweep_0" / "truth.json").read_text())
    assert {int(index): lesions for index, lesions in truth["visible"].items()} == {
        index: [lesion.lesion for lesion in lesions] for index, lesions in enumerate(sweep.truth) if lesions
    }


def test_masks_are_the_lesions(tmp_path: Path) -> None:
    written = write_sweeps(tmp_path, "thyroid", 1, 5, 1)
    sweep = simulate_sweep("thyroid", frames=5, seed=1)
    assert any(sweep.truth)
    for index, lesions in enumerate(sweep.truth):
        path = tmp_path / "truth" / "sweep_0" / f"mask_{index:06d}.png"
        assert path.exists() == bool(lesions)
        for lesion in lesions:
            assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED) == lesion.lesion + 1, lesion.mask)
    again = open_source(written[0], CaptureOptions(organ="thyroid"))
    for shot, pixels in zip(again.read(), sweep.frames, strict=True):
        assert isinstance(shot, CapturedFrame)
        assert np.array_equal(shot.pixels, pixels)


def test_sweeps_differ_and_sides_alternate() -> None:
    sources = simulated_sources("breast", 2, 1, 0)
    first, second = (next(iter(source.read())) for source in sources)
    assert isinstance(first, CapturedFrame)
    assert isinstance(second, CapturedFrame)
    assert not np.array_equal(first.pixels, second.pixels)
    assert [source.laterality for source in sources] == ["left", "right"]
