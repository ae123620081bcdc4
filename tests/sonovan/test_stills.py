"""One clip that ends early ends no program: what it gave is used, and stderr names it."""

import sys
from pathlib import Path

import cv2
import pytest

from benchmarks.queued import frames_of
from sonovan import stills
from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import capture_options, open_source
from tests.producers.files import grey


def clip(path: Path, share: float) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20, (64, 48))
    for number in range(20):
        writer.write(cv2.cvtColor(grey(48, 64, seed=number), cv2.COLOR_GRAY2BGR))
    writer.release()
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


def test_stills_go_on_after_a_clip_that_ends_early(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut, whole = clip(tmp_path / "a.avi", 0.5), clip(tmp_path / "b.avi", 1)
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["stills", str(cut), str(whole), "--out", str(out), "--frames", "20"])
    assert stills.main() == 0
    assert "a.avi: the clip ends after" in capsys.readouterr().err
    written = sorted(path.name[:5] for path in out.iterdir())
    assert written.count("a.avi") >= 1
    assert written.count("b.avi") > written.count("a.avi")


def test_the_pipelines_benchmark_keeps_the_frames_of_a_clip_that_ends_early(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = open_source(clip(tmp_path / "a.avi", 0.5), capture_options(organ="breast"))
    assert 5 <= len(frames_of(cut)) <= 15
    assert "a.avi: the clip ends after" in capsys.readouterr().err


def test_a_source_that_gives_nothing_is_an_error_still(tmp_path: Path) -> None:
    source = open_source(clip(tmp_path / "a.avi", 1), capture_options(organ="breast"))
    (tmp_path / "a.avi").write_bytes(b"")
    with pytest.raises(InvalidRecord):
        frames_of(source)
