"""What `make demo` promises of the women that it sends."""

from sonovan import models
from sonovan.demo import HEALTHY_FRAMES, HEALTHY_SEED
from sonovan.models.phantom.sweep import simulate_sweep


def test_in_the_woman_of_the_demo_in_whom_nothing_is_found_nothing_is_found() -> None:
    segmenter = models.load(None)
    for seed in (HEALTHY_SEED, HEALTHY_SEED + 1):
        sweep = simulate_sweep("breast", frames=HEALTHY_FRAMES, seed=seed, lesions=0)
        assert sweep.lesions == []
        assert [len(segmenter.segment(each, "breast").regions) for each in sweep.frames] == [0] * HEALTHY_FRAMES
