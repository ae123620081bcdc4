"""What `make bench-scale` reckons without a cluster: pauses, the luck of partitions, and the stub of its workers."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from kafka.partitioner.default import murmur2

from benchmarks.scale.__main__ import merged, sound
from benchmarks.scale.happenings import _longest_gap
from benchmarks.scale.law import sweeps
from benchmarks.scale.partitions import busiest
from benchmarks.scale.stubbed import Waiting
from sonovan.contracts.topics import FRAME_PARTITIONS


def test_the_longest_pause_is_the_longest_time_between_neighbours_whatever_their_order() -> None:
    noon = datetime(2026, 11, 28, 12, tzinfo=UTC)
    moments = [noon + timedelta(seconds=each) for each in (7.0, 0.0, 1.5, 1.75)]
    assert _longest_gap(moments) == 5.25
    assert _longest_gap(moments[:1]) == 0.0


def test_a_happening_that_is_measured_again_takes_the_place_of_its_figures_and_leaves_the_others() -> None:
    found = {"happenings": {"nothing": {"lost": 0, "doubled": 0}, "a loss": {"lost": 1, "doubled": 0}}, "law": {"a": 1}}
    assert not sound(found)
    again = merged(found, "happenings", "a loss", {"lost": 0, "doubled": 0}, {"load_average": 2.0})
    assert again["happenings"] == {
        "nothing": {"lost": 0, "doubled": 0},
        "a loss": {"lost": 0, "doubled": 0, "load_average": 2.0},
    }
    assert sound(again)
    assert merged(again, "law", "b", 2, {"load_average": 3.0})["law"] == {"a": 1, "b": 2, "load_average": 3.0}


def test_one_worker_has_the_mean_to_do_and_more_workers_are_less_even() -> None:
    assert busiest(190, 96, 1) == 1.0
    assert 1.0 < busiest(1000, 96, 12, draws=50) < busiest(1000, 96, 96, draws=50)
    with pytest.raises(ValueError, match="cannot be shared"):
        busiest(190, 12, 13)


def test_sweeps_of_the_law_fall_evenly_on_workers_however_partitions_are_dealt_out() -> None:
    found = [(murmur2(name.encode()) & 0x7FFFFFFF) % FRAME_PARTITIONS for name in sweeps()]
    assert len(set(found)) == FRAME_PARTITIONS // 2
    for workers in (1, 2, 4):
        in_turn = Counter(number % workers for number in found)
        in_blocks = Counter(number * workers // FRAME_PARTITIONS for number in found)
        assert set(in_turn.values()) == set(in_blocks.values()) == {len(found) // workers}


def test_the_stub_outlines_a_square_and_takes_its_time() -> None:
    found = Waiting(0.0).segment(np.zeros((64, 80), np.uint8), "breast")
    assert [region.area_px for region in found.regions] == [400]
