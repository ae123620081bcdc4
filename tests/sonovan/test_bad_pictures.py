"""Pictures that nobody should send: each a named error or a defined result, as an array and as a file."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan import analyse, models
from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.contracts.errors import InvalidRecord
from sonovan.models.errors import UnusablePicture
from sonovan.models.phantom.sweep import simulate_sweep


@pytest.fixture(scope="module")
def tissue() -> np.ndarray:
    return simulate_sweep("breast", frames=1, seed=3, size=(240, 320)).frames[0]


def test_not_a_number_is_refused_by_name_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nan = np.full((240, 320), np.nan, np.float32)
    with pytest.raises(InvalidRecord, match="float32 pixels; give uint8 or uint16"):
        analyse(nan, organ="breast")  # type: ignore[arg-type]  # a caller's mistake
    with pytest.raises(UnusablePicture, match="float32") as caught:
        models.load().segment(nan, "breast")  # type: ignore[arg-type]
    assert caught.value.reason == "dtype"
    path = tmp_path / "nan.tif"
    cv2.imwrite(str(path), nan)
    assert run(build(), ["screen", str(path), "--organ", "breast"]) == 2
    assert "nan.tif: samples are float32" in capsys.readouterr().err


def test_alpha_is_named_in_an_array_and_dropped_from_a_file(
    tissue: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alpha = np.dstack([tissue] * 3 + [np.full_like(tissue, 128)])
    with pytest.raises(InvalidRecord, match="alpha"):
        analyse(alpha, organ="breast")
    with pytest.raises(UnusablePicture, match=r"\(240, 320, 4\)"):
        models.load().segment(alpha, "breast")
    for name, picture in (("alpha.png", alpha), ("plain.png", alpha[..., :3])):
        cv2.imwrite(str(tmp_path / name), picture)
        out = str(tmp_path / f"out-{name}")
        assert run(build(), ["screen", str(tmp_path / name), "--organ", "breast", "--out", out, "--json"]) == 0
    with_alpha, without = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    areas = [[each["sightings"][0]["area_px"] for each in one["report"]["findings"]] for one in (with_alpha, without)]
    assert areas[0] == areas[1]


def test_eight_by_eight_is_too_small(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = np.full((8, 8), 90, np.uint8)
    with pytest.raises(InvalidRecord, match="8 x 8"):
        analyse(tiny, organ="breast")
    seen = models.load().segment(tiny, "breast")
    assert (seen.assessable, seen.reason) == (False, "too_small")
    path = tmp_path / "eight.png"
    cv2.imwrite(str(path), tiny)
    assert run(build(), ["screen", str(path), "--organ", "breast"]) == 2
    assert "8 x 8" in capsys.readouterr().err


@pytest.mark.parametrize("value", [0, 90, 255])
def test_one_value_is_not_assessable_and_no_error(value: int) -> None:
    (frame,) = analyse(np.full((240, 320), value, np.uint8), organ="breast", side="left").frames
    assert not frame.assessable
    assert frame.not_assessable_reason in ("no_contact", "blank", "saturated")
    assert frame.regions == ()


def test_a_narrow_range_of_sixteen_bits_says_the_same_as_eight(tissue: np.ndarray) -> None:
    segmenter = models.load()
    eight, narrow = (segmenter.segment(one, "breast") for one in (tissue, tissue.astype(np.uint16) + 700))
    assert narrow.assessable
    union = np.count_nonzero((eight.labels > 0) | (narrow.labels > 0))
    assert np.count_nonzero((eight.labels > 0) & (narrow.labels > 0)) >= 0.9 * union
    (frame,) = analyse(tissue.astype(np.uint16) + 700, organ="breast", side="left").frames
    assert (frame.bits, frame.assessable) == (16, True)


def test_a_doppler_frame_is_kept_named_and_not_segmented_as_grey(tissue: np.ndarray) -> None:
    doppler = np.dstack([tissue] * 3)
    doppler[80:160, 100:200] = (220, 30, 20)
    (frame,) = analyse(doppler, organ="breast", side="left").frames
    assert (frame.channels, frame.mode, frame.regions) == (3, "doppler", ())
    assert frame.not_assessable_reason == "doppler_frame"


HUGE = """
import resource, sys, time
import numpy as np
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan import analyse
tissue = simulate_sweep("breast", frames=1, seed=3, size=(480, 480)).frames[0]
picture = np.kron(tissue, np.ones((8, 8), np.uint8))
analyse(tissue, organ="breast", side="left")
started = time.process_time()
(frame,) = analyse(picture, organ="breast", side="left").frames
print(frame.rows, int(frame.assessable), round(time.process_time() - started),
      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_nearly_sixteen_megapixels_take_less_than_ten_seconds_and_two_gigabytes() -> None:
    done = subprocess.run([sys.executable, "-c", HUGE], capture_output=True, text=True, check=True, timeout=300)
    rows, assessable, seconds, mebibytes = map(int, done.stdout.split())
    assert (rows, assessable) == (3_840, 1)
    assert seconds < 10
    assert mebibytes < 2_000
