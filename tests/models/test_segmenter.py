"""Whole frames through a real runtime: panels, odd pictures, concurrency."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan import models
from sonovan.models.errors import UnusablePicture
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.models.picture.quality import sharpness
from sonovan.models.registry import read_registry
from sonovan.models.segmenter import Refusal
from tests.models.tiny_onnx import MODEL_ID

DIM, LIT = 30, 225


def frame(rows: int, columns: int, *boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Dim tissue with lit rectangles (left, top, width, height)."""
    picture = np.full((rows, columns), DIM, np.uint8)
    for left, top, width, height in boxes:
        picture[top : top + height, left : left + width] = LIT
    return picture


def test_a_frame_gives_its_regions_labels_and_provenance(tiny: models.Segmenter, tiny_weights: Path) -> None:
    picture = frame(480, 640, (100, 60, 200, 150), (400, 300, 60, 80))
    seen = tiny.segment(picture, "breast", [])
    assert (seen.assessable, seen.reason, seen.refusals) == (True, None, ())
    assert 0 < seen.quality <= 1
    assert [region.panel for region in seen.regions] == [0, 0]
    for region, truth in zip(seen.regions, [(100, 60, 200, 150), (400, 300, 60, 80)], strict=True):
        assert np.abs(np.subtract(region.box, truth)).max() <= 1
        assert region.score_max == pytest.approx(LIT / 255, abs=0.01)
    assert (seen.labels[70, 110], seen.labels[310, 410], seen.labels[0, 0]) == (1, 2, 0)
    assert (seen.grey == picture).all()
    assert set(seen.timings_ms) == {"prepare", "network", "regions"}
    assert tiny.model_id == MODEL_ID
    assert len(tiny.weights_sha256) == 64
    assert tiny.provider == "openvino/fp32"


def test_the_organ_chooses_the_output(tiny: models.Segmenter) -> None:
    picture = frame(300, 300, (100, 100, 100, 100))
    (breast,) = tiny.segment(picture, "breast").regions
    (thyroid,) = tiny.segment(picture, "thyroid").regions
    assert breast.area_px == pytest.approx(10_000, rel=0.05)
    assert thyroid.area_px == pytest.approx(80_000, rel=0.05)
    with pytest.raises(UnusablePicture, match="liver"):
        tiny.segment(picture, "liver")


def test_panels_are_pictures_of_their_own(tiny: models.Segmenter) -> None:
    picture = frame(400, 900, (10, 10, 60, 380), (600, 150, 120, 90))
    panels = [(100, 20, 380, 360), (500, 20, 380, 360)]
    seen = tiny.segment(picture, "breast", panels)
    (region,) = seen.regions
    assert region.panel == 1
    assert np.abs(np.subtract(region.box, (600, 150, 120, 90))).max() <= 1
    assert not seen.labels[:, :500].any()
    alone = tiny.segment(np.ascontiguousarray(picture[20:380, 500:880]), "breast")
    assert (alone.regions[0].mask == region.mask).all()
    assert alone.regions[0].score_mean == region.score_mean


def test_a_capture_without_declared_panels_is_cut_to_its_ultrasound(tiny: models.Segmenter) -> None:
    field = simulate_sweep("breast", 3, 4).frames[1]
    screen = np.zeros((900, 1200), np.uint8)
    screen[200:680, 300:940] = field
    screen[20:140, 20:700] = 255
    seen = tiny.segment(screen, "breast")
    assert seen.regions
    assert {region.panel for region in seen.regions} == {0}
    outside = seen.labels.copy()
    outside[170:710, 260:980] = 0
    assert not outside.any()
    assert (tiny.segment(screen, "breast", [(0, 0, 1200, 900)]).labels == seen.labels).all()
    declared = tiny.segment(screen, "breast", [(0, 0, 1200, 899)])
    assert declared.labels[40:130].any()  # a declared box is shown as it is, banner and all


def test_what_is_found_in_one_view_does_not_reach_into_the_other(tiny: models.Segmenter) -> None:
    left, right = (cv2.resize(simulate_sweep(organ, 3, 4).frames[1], (300, 400)) for organ in ("breast", "thyroid"))
    pair = np.hstack([left, right])
    pair[150:250, 220:380] = np.random.default_rng(0).integers(235, 256, (100, 160))
    seen = tiny.segment(pair, "breast")
    boxes = [region.box for region in seen.regions]
    assert any(box[0] + box[2] == 300 for box in boxes)
    assert any(box[0] == 300 for box in boxes)
    assert all(box[0] >= 300 or box[0] + box[2] <= 300 for box in boxes)
    assert {region.panel for region in seen.regions} == {0}


def test_oblong_pixels_are_straightened_and_masks_brought_back(tiny: models.Segmenter) -> None:
    picture = frame(400, 300, (60, 100, 90, 150))
    square = cv2.resize(picture, (600, 400), interpolation=cv2.INTER_NEAREST)
    oblong = tiny.segment(picture, "breast", [(0, 0, 300, 400)], [(0.2, 0.1)])
    (region,) = oblong.regions
    assert np.abs(np.subtract(region.box, (60, 100, 90, 150))).max() <= 1
    assert oblong.labels.shape == (400, 300)
    (same,) = tiny.segment(square, "breast").regions
    assert same.score_mean == pytest.approx(region.score_mean, abs=2e-3)


def test_a_dark_panel_beside_a_good_one_is_left_out(tiny: models.Segmenter) -> None:
    picture = frame(300, 600, (400, 100, 100, 100))
    picture[:, :300] = 0
    seen = tiny.segment(picture, "thyroid", [(0, 0, 300, 300), (300, 0, 300, 300)])
    assert seen.assessable
    assert {region.panel for region in seen.regions} == {1}
    assert seen.refusals == (Refusal(0, "no_contact"),)


def test_sharpness_is_that_of_the_largest_panel_that_is_assessable(tiny: models.Segmenter) -> None:
    picture = frame(300, 600, (400, 100, 100, 100))
    picture[:, :320] = 0
    seen = tiny.segment(picture, "thyroid", [(0, 0, 320, 300), (320, 0, 280, 300)])
    assert seen.refusals == (Refusal(0, "no_contact"),)
    assert seen.sharpness == sharpness(picture[:, 320:])
    assert seen.sharpness != (0.0, 0.0)


def test_a_dark_panel_takes_no_pixels_from_one_that_it_overlaps(tiny: models.Segmenter) -> None:
    picture = frame(300, 600, (236, 100, 80, 100))
    picture[:, :230] = 0
    dark, good = (0, 0, 260, 300), (230, 0, 370, 300)
    assert not tiny.segment(picture, "thyroid", [dark]).assessable
    seen, alone = tiny.segment(picture, "thyroid", [dark, good]), tiny.segment(picture, "thyroid", [good])
    assert [region.area_px for region in seen.regions] == [region.area_px for region in alone.regions] != []


def test_a_network_that_gives_no_number_judges_nothing(tiny_weights: Path) -> None:
    class Broken:
        name = "broken/fp32"

        def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
            return {"masks": np.full((1, 2, *batch.shape[2:]), np.nan, np.float32)}

    segmenter = models.Segmenter(read_registry(tiny_weights).entry(), Broken())
    with pytest.raises(UnusablePicture, match="no number"):
        segmenter.segment(frame(300, 300, (100, 100, 80, 80)), "breast")


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.zeros((480, 640), np.uint8), "no_contact"),
        (np.full((480, 640), 255, np.uint8), "saturated"),
        (np.full((480, 640), 128, np.uint8), "blank"),
        (np.full((480, 640), 9000, np.uint16), "blank"),
        (np.full((8, 8), 200, np.uint8), "too_small"),
        (np.full((1, 1), 200, np.uint8), "too_small"),
        (np.random.default_rng(0).integers(0, 256, (480, 640), dtype=np.uint8), "noise"),
        (np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8), "noise"),
    ],
)
def test_what_shows_nothing_is_not_assessable_and_holds_no_region(
    tiny: models.Segmenter, pixels: np.ndarray, reason: str
) -> None:
    seen = tiny.segment(pixels, "breast")
    assert (seen.assessable, seen.reason, seen.regions) == (False, reason, ())
    assert seen.refusals == (Refusal(0, reason),)
    assert not seen.labels.any()


def test_colour_and_sixteen_bits_say_the_same_as_grey(tiny: models.Segmenter) -> None:
    picture = frame(300, 400, (80, 90, 150, 100))
    grey = tiny.segment(picture, "breast")
    colour = tiny.segment(np.dstack([picture] * 3), "breast")
    deep = tiny.segment(picture.astype(np.uint16) * 257, "breast")
    for other in (colour, deep):
        assert (other.labels == grey.labels).all()
        assert other.regions[0].score_mean == grey.regions[0].score_mean
    narrow = tiny.segment(picture.astype(np.uint16) + 700, "breast")
    assert np.abs(np.subtract(narrow.regions[0].box, grey.regions[0].box)).max() <= 2


def test_the_same_frame_gives_the_same_bits_whatever_runs_beside_it(tiny: models.Segmenter) -> None:
    rng = np.random.default_rng(0)
    frames = [cv2.GaussianBlur(rng.integers(0, 256, (240, 320), dtype=np.uint8), (0, 0), 6) * 3 for _ in range(6)]
    alone = [tiny.segment(picture, "breast") for picture in frames]
    with ThreadPoolExecutor(5) as pool:
        beside = list(pool.map(lambda number: tiny.segment(frames[number % 6], "breast"), range(60)))
    assert sum(len(seen.regions) for seen in alone) > 6
    for number, seen in enumerate(beside):
        same = alone[number % 6]
        assert (seen.labels == same.labels).all()
        assert [r.score_mean for r in seen.regions] == [r.score_mean for r in same.regions]
        assert [r.polygon for r in seen.regions] == [r.polygon for r in same.regions]


HUGE = """
import resource, sys, time
import numpy as np
from sonovan import models
from pathlib import Path
segmenter = models.load(provider="openvino", precision="fp32", weights_dir=Path(sys.argv[1]))
picture = np.full((12_000, 12_000), 30, np.uint8)
picture[3000:9000, 2000:11000] = 225
segmenter.segment(picture[:600, :600].copy(), "breast")
started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
seen = segmenter.segment(picture, "breast")
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
(region,) = seen.regions
print(*region.box, round(time.process_time() - started), round(grown))
"""


def test_a_huge_picture_stays_within_memory_and_time(tiny_weights: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HUGE, str(tiny_weights)], capture_output=True, text=True, check=True, timeout=300
    )
    *box, seconds, mebibytes = map(int, done.stdout.split())
    assert np.abs(np.subtract(box, (2000, 3000, 9000, 6000))).max() <= 6
    assert seconds < 30
    assert mebibytes < 1200


def test_importing_the_room_is_cheap() -> None:
    code = "import sys, models; print([m for m in ('cv2', 'openvino', 'onnxruntime', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="segmenter_of_tomorrow"):
        _ = models.segmenter_of_tomorrow
