"""The despeckled picture: a reader gets it by asking, and it says what it is."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan.models.despeckle import despeckle, despeckled
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.reports.words import Words
from sonovan.storage.folder_store import FolderStore
from sonovan.stored import stored_frame
from sonovan.stream_apps.assess.report import key_pictures, store_report
from tests.command import sonovan
from tests.storage.test_frames import kept
from tests.stream_apps.assess.test_report import Pictured
from tests.stream_apps.segment.frames import bright_disc


def test_a_stored_frame_comes_as_it_was_unless_somebody_asks(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    record = kept(store)
    assert np.array_equal(stored_frame(store, record).pixels(), bright_disc(3))
    smooth = stored_frame(store, record, despeckled=True)
    assert np.array_equal(smooth.pixels(), despeckle(bright_disc(3)))
    assert np.array_equal(smooth.labels(), stored_frame(store, record).labels())


def test_coloured_and_deep_frames_come_out_grey_in_eight_bits() -> None:
    grey = simulate_sweep("breast", 3, seed=5, size=(96, 128)).frames[1]
    for pixels in (np.repeat(grey[..., None], 3, axis=2), grey.astype(np.uint16) * 257):
        smooth = despeckled(pixels)
        assert (smooth.shape, smooth.dtype) == (grey.shape, np.uint8)
        assert np.abs(smooth.astype(int) - despeckle(grey)).max() <= 2


def test_key_frames_of_a_report_are_despeckled_on_request_only(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    revision = Pictured(store).revision()
    plain, asked = (
        key_pictures(revision.assessed, revision.results, store, despeckled=wanted) for wanted in (False, True)
    )
    assert plain == key_pictures(revision.assessed, revision.results, store)
    (one,), (other,) = plain.values(), asked.values()
    rough, smooth = (cv2.imdecode(np.frombuffer(each.plain, np.uint8), cv2.IMREAD_GRAYSCALE) for each in (one, other))
    middle = (slice(rough.shape[0] // 4, -rough.shape[0] // 4), slice(rough.shape[1] // 4, -rough.shape[1] // 4))
    assert smooth[middle].std() < 0.7 * rough[middle].std()
    reports = [store_report(revision, store, "research", despeckled=wanted) for wanted in (False, True)]
    assert reports[0].report_json_sha256 == reports[1].report_json_sha256  # what is said stays the same
    assert reports[0].report_html_sha256 != reports[1].report_html_sha256


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_despeckled_picture_says_so_in_its_own_pixels(language: str) -> None:
    words = Words(language)  # type: ignore[arg-type]  # one of the languages
    told = words.burned_in("breast", "left", 3, despeckled=True)
    assert told.startswith(words.burned_in("breast", "left", 3))
    assert {"en": "despeckled", "zh": "已去斑"}[language] in told


def test_screen_writes_despeckled_pictures_and_the_same_findings(tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    sweep.mkdir()
    for number, frame in enumerate(simulate_sweep("breast", frames=6, seed=7, size=(240, 320), lesions=1).frames):
        cv2.imwrite(str(sweep / f"{number:03d}.png"), frame)
    files = {}
    for name, words in (("plain", ()), ("smooth", ("--despeckled",))):
        told = sonovan("screen", str(sweep), "--organ", "breast", "--out", str(tmp_path / name), "--json", *words)
        assert told.returncode == 0, told.stderr
        files[name] = json.loads(told.stdout)["files"]
    assert [Path(each).name for each in files["plain"]["overlays"]] == [
        Path(each).name for each in files["smooth"]["overlays"]
    ] != []  # fmt: skip
    for one, other in zip(files["plain"]["overlays"], files["smooth"]["overlays"], strict=True):
        assert Path(one).read_bytes() != Path(other).read_bytes()
    for one, other in zip(files["plain"]["masks"], files["smooth"]["masks"], strict=True):
        assert Path(one).read_bytes() == Path(other).read_bytes()
