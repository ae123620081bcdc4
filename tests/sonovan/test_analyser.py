"""`Analyser`: each pushed frame is answered at once; what it comes to at the end is what `analyse` gives."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.live import Stub
from sonovan import Analyser, FrameResult, analyse, models
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.models.errors import UnusablePicture
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.segmenter import Segmentation
from sonovan.producers.items import Ids, mint_ids
from sonovan.scratch import Scratch
from sonovan.storage.keys import Bucket

SIZE = (240, 320)
TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def sweep() -> np.ndarray:
    return np.stack(simulate_sweep("breast", frames=6, seed=11, size=SIZE).frames)


def stubbed() -> Analyser:
    return Analyser(organ="breast", side="left", network=Stub())  # type: ignore[arg-type]  # stands for a network


def test_pushed_frames_give_the_revision_that_analyse_gives(sweep: np.ndarray) -> None:
    ids, network = mint_ids(1), models.load()
    with Analyser(organ="breast", side="left", pixel_spacing_mm=0.2, ids=ids, network=network) as analyser:
        results = [analyser.push(frame) for frame in sweep]
    live, whole = analyser.close(), analyse(sweep, organ="breast", side="left", pixel_spacing_mm=0.2, ids=ids)
    assert live.revision_id == whole.revision_id
    assert live.screening.status == "complete"
    assert [each.record for each in results] == list(live.frames)
    for each in results:
        kept = live.masks.get(each.record.frame_id, np.zeros(SIZE, np.uint8))
        assert np.array_equal(each.mask, kept)


def test_a_frame_is_answered_before_the_next_one_is_pushed() -> None:
    analyser = stubbed()
    for number in range(3):
        result = analyser.push(np.full(SIZE, 90, np.uint8))
        assert isinstance(result, FrameResult)
        assert (result.frame_index, result.assessable, len(result.regions)) == (number, True, 1)
        assert np.count_nonzero(result.mask) == 400


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros(SIZE, np.float32), "float32 pixels; give uint8 or uint16"),
        (np.zeros((*SIZE, 4), np.uint8), r"shape \(240, 320, 4\); give grey or RGB"),
        (np.zeros((2, 3, *SIZE), np.uint8), "give grey or RGB"),
        (np.zeros((8, 8), np.uint8), "8"),
        ([[1, 2]], "a list; give numpy arrays"),
    ],
)
def test_a_wrong_frame_is_refused_by_name_and_is_no_part_of_the_sweep(wrong: object, message: str) -> None:
    analyser = stubbed()
    analyser.push(np.full(SIZE, 90, np.uint8))
    with pytest.raises(InvalidRecord, match=message):
        analyser.push(wrong)  # type: ignore[arg-type]  # a caller's mistake
    assert analyser.push(np.full(SIZE, 91, np.uint8)).frame_index == 1
    analysis = analyser.close()
    assert (len(analysis.frames), analysis.screening.status, analysis.refused) == (2, "complete", ())


def test_the_pixels_of_a_rejected_frame_are_let_go_too() -> None:
    class Refusing(Stub):
        def segment(self, *_: object) -> Segmentation:
            raise UnusablePicture("too_large", "more than a test takes")

    analyser = Analyser(organ="breast", side="left", network=Refusing())  # type: ignore[arg-type]  # stands for one
    noise = np.random.default_rng(0).integers(0, 255, (480, 640), np.uint8)
    with pytest.raises(InvalidRecord, match="frame 0 could not be used"):
        analyser.push(noise)
    assert analyser.kept_bytes < noise.nbytes / 10
    assert [each.reason for each in analyser.close().rejected] == ["pixels_too_large"]


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf"), "0"])
def test_a_wrong_time_is_refused_by_name_and_its_frame_is_no_part_of_the_sweep(wrong: float) -> None:
    analyser = stubbed()
    analyser.push(np.full(SIZE, 90, np.uint8), 0)
    with pytest.raises(InvalidRecord, match="time_ms"):
        analyser.push(np.full(SIZE, 91, np.uint8), wrong)
    assert analyser.push(np.full(SIZE, 92, np.uint8), np.float32(40.5)).frame_index == 1
    assert analyser.close().screening.status == "complete"


def test_a_closed_analyser_takes_no_frame_and_gives_the_same_analysis_again() -> None:
    with stubbed() as analyser:
        analyser.push(np.full(SIZE, 90, np.uint8))
    assert analyser.close() is analyser.close()
    with pytest.raises(ValueError, match="closed"):
        analyser.push(np.full(SIZE, 90, np.uint8))


def test_an_error_in_the_block_ends_the_analyser_without_a_reading() -> None:
    def push_and_fail(analyser: Analyser) -> None:
        with analyser:
            analyser.push(np.full(SIZE, 90, np.uint8))
            raise ZeroDivisionError

    analyser = stubbed()
    with pytest.raises(ZeroDivisionError):
        push_and_fail(analyser)
    with pytest.raises(ValueError, match="error ended"):
        analyser.close()


def test_no_frame_is_no_analysis() -> None:
    with stubbed() as left_empty:
        pass
    for analyser in (stubbed(), left_empty):
        for _ in range(2):
            with pytest.raises(InvalidRecord) as caught:
                analyser.close()
            assert caught.value.reason == "no_frames"


@pytest.mark.parametrize("wrong", [{"organ": "liver"}, {"organ": "breast", "side": "up"}])
def test_a_wrong_option_is_named_before_weights_are_loaded(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidRecord, match=r"liver|up"):
        Analyser(**wrong, model_id="none-such")  # type: ignore[arg-type]  # a caller's mistake


def test_ids_are_those_of_one_sweep() -> None:
    two = mint_ids(2)
    with pytest.raises(ValueError, match="2 sequence ids"):
        Analyser(organ="breast", ids=Ids(two.screening_id, two.sequence_ids), network=Stub())  # type: ignore[arg-type]


def test_memory_does_not_grow_with_the_frames() -> None:
    measured = "import json; from benchmarks.live import Stub, live; print(json.dumps(live(3000, Stub(), (64, 80))))"
    own_process = subprocess.run([sys.executable, "-c", measured], cwd=TOP, capture_output=True, text=True, check=True)
    figures = json.loads(own_process.stdout)
    memory = figures["resident_mib"]
    assert figures["frames"] == 3000
    assert memory["end"] - memory["start"] < 12, memory
    assert 500 < figures["kept_bytes_per_frame"] < 5000


def test_the_scratch_file_keeps_masks_and_rows_and_lets_pixels_go() -> None:
    scratch = Scratch()
    scratch.put(Bucket.FRAMES, "a", b"pixels", "x")
    scratch.put(Bucket.MASKS, "a", b"mask", "image/png")
    scratch.put(Bucket.MASKS, "a", b"mask", "image/png")
    assert (scratch.exists(Bucket.FRAMES, "a"), scratch.get(Bucket.MASKS, "a")) == (False, b"mask")
    with pytest.raises(InvalidRecord, match="stored with other bytes"):
        scratch.put(Bucket.MASKS, "a", b"another", "image/png")
    with pytest.raises(KeyError):
        scratch.get(Bucket.FRAMES, "a")
    scratch.write("results", "b", b"2")
    scratch.write("results", "a", b"1")
    scratch.write("screenings", "a", b"3")
    assert scratch.keys("results") == ("a", "b")
    scratch.write("results", "a", None)
    assert (scratch.row("results", "a"), scratch.row("screenings", "a")) == (None, b"3")


def test_a_full_disk_is_told_and_not_a_defect() -> None:
    scratch = Scratch()
    scratch._run("PRAGMA max_page_count = 8")
    with pytest.raises(Transient, match="full"):
        scratch.write("results", "a", bytes(1 << 20))
