"""Frozen and doubled frames: the network runs for one of them, and no result depends on which."""

from itertools import permutations

import pytest

from sonovan.contracts.digests import result_digest
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.van import Panel
from sonovan.models.segmenter import Segmentation
from sonovan.stream_apps.segment.same_pixels import SamePixels
from sonovan.stream_apps.segment.step import segment_envelope
from tests.stream_apps.segment.frames import NOW, TestVan, bright_disc
from tests.stream_apps.segment.threshold import ThresholdSegmenter

VAN = TestVan()


class Counting(ThresholdSegmenter):
    def __init__(self) -> None:
        self.runs = 0

    def segment(self, *arguments: object, **options: object) -> Segmentation:
        self.runs += 1
        return super().segment(*arguments, **options)


def results(values: list[bytes], segmenter: ThresholdSegmenter, same: SamePixels | None = None) -> list[FrameSegmented]:
    kept = SamePixels() if same is None else same
    registry = VAN.registry()
    return [
        segment_envelope(value, append_time=NOW, registry=registry, segmenter=segmenter, same=kept).record
        for value in values
    ]


def test_a_frame_with_the_pixels_of_another_takes_its_result_and_says_so() -> None:
    network = Counting()
    first, frozen, other = results([VAN.frame(3, bright_disc(3)), VAN.frame(4, bright_disc(3)), VAN.frame(5)], network)
    assert network.runs == 2
    assert (first.repeats, frozen.repeats, other.repeats) == (None, 3, None)
    assert frozen.regions == first.regions != other.regions
    assert frozen.mask_sha256 == first.mask_sha256
    assert (frozen.image_key, frozen.mask_key) != (first.image_key, first.mask_key)  # it has objects of its own
    assert "network" in first.timings_ms
    assert "network" not in frozen.timings_ms


def test_in_any_order_and_sent_again_frames_have_the_results_that_each_has_alone() -> None:
    values = [VAN.frame(index, bright_disc(shown)) for index, shown in ((0, 7), (1, 7), (2, 9), (3, 7))]
    alone = [result_digest(results([value], ThresholdSegmenter())[0]) for value in values]
    for order in permutations(range(4)):
        twice = [*order, *order]
        found = results([values[place] for place in twice], ThresholdSegmenter())
        assert [result_digest(each) for each in found] == [alone[place] for place in twice]


def test_a_frame_that_is_sent_again_is_no_repetition_of_itself() -> None:
    network = Counting()
    assert [each.repeats for each in results([VAN.frame(3), VAN.frame(3)], network)] == [None, None]
    assert network.runs == 1


def test_no_result_goes_from_one_sweep_to_another() -> None:
    network, other = Counting(), TestVan(van_id=VAN.van_id, private_key=VAN.private_key)
    found = results([VAN.frame(3, bright_disc(3)), other.frame(4, bright_disc(3))], network)
    assert (network.runs, found[1].repeats) == (2, None)


@pytest.mark.parametrize("changed", ["organ", "panels", "network"])
def test_what_else_decides_a_result_must_be_the_same_as_well(changed: str) -> None:
    panel = Panel(ordinal=0, left=0, top=0, width=100, height=100, column_mm=0.1, row_mm=0.2)
    headers = {"organ": {"organ": "thyroid", "laterality": "left"}, "panels": {"panels": (panel,)}}
    same, network = SamePixels(), Counting()
    results([VAN.frame(3, bright_disc(3))], network, same)
    if changed == "network":
        network.fingerprint = "ef" * 32
    results([VAN.frame(4, bright_disc(3), **headers.get(changed, {}))], network, same)
    assert network.runs == 2


def test_what_is_kept_is_bounded_in_bytes() -> None:
    one = ThresholdSegmenter().segment(bright_disc(0), "breast", [])
    room = one.grey.nbytes + one.labels.nbytes + one.regions[0].mask.nbytes
    network, same = Counting(), SamePixels(2 * room)
    results([VAN.frame(index, bright_disc(index)) for index in (0, 1, 2)], network, same)
    results([VAN.frame(5, bright_disc(2)), VAN.frame(6, bright_disc(1))], network, same)
    assert network.runs == 3
    results([VAN.frame(7, bright_disc(0))], network, same)
    assert network.runs == 4  # the oldest had gone
