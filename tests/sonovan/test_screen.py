"""`sonovan screen` as its user meets it: files in a folder, one line for what is wrong, the documented exit codes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom import examples

from sonovan.analysis import analysis_of, anonymous_visit, load_segmenter
from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.embedded import screen
from sonovan.models.overlay import outlined_frame
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.outputs import write_outputs
from sonovan.producers.items import mint_ids
from sonovan.producers.sources import capture_options, open_sources
from sonovan.storage.folder_store import FolderStore
from tests.folders import open_to_others
from tests.producers.files import write_dicom

YBR = str(examples.get_path("ybr_color"))
LEFT = ("--organ", "breast", "--side", "left")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "one.png"
    cv2.imwrite(str(path), simulate_sweep("breast", frames=1, seed=3, size=(240, 320)).frames[0])
    return path


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, list[str]]:
    code = run(build(), ["screen", *map(str, words)])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, [line for line in err.splitlines() if line.strip()]


def test_a_real_file_leaves_report_masks_and_overlays(tmp_path, capsys):
    out = tmp_path / "out"
    code, text, _ = said(capsys, YBR, *LEFT, "--out", out)
    assert code == 0
    assert "UNSIGNED" in text
    assert (out / "report.html").read_text().count("UNSIGNED") >= 1
    report = json.loads((out / "report.json").read_text())
    assert report["status"] == "complete"
    assert len(list((out / "masks").glob("*.png"))) == len(list((out / "overlays").glob("*.png")))


def test_the_operator_reads_in_the_summary_what_to_scan_again_and_what_was_not_examined(picture, tmp_path, capsys):
    _, text, _ = said(capsys, picture, *LEFT, "--out", tmp_path / "out")
    assert "Left breast: not fully assessed" in text
    assert "Right breast: not examined (planned, and no frame of it was sent). Scan it while the woman is here" in text


def test_json_is_one_document_on_stdout_and_nothing_else(picture, tmp_path, capsys):
    code, text, _ = said(capsys, picture, *LEFT, "--out", tmp_path / "out", "--json")
    document = json.loads(text)
    assert code == 0
    assert document["report"]["intended_use"] == "research"
    assert Path(document["files"]["html"]).is_file()


def test_what_cannot_be_read_is_named_and_the_rest_is_done(picture, tmp_path, capsys):
    text_file = tmp_path / "note.dcm"
    text_file.write_text("this is no DICOM")
    code, _, errors = said(capsys, picture, text_file, *LEFT, "--out", tmp_path / "out")
    assert code == 3
    assert [line for line in errors if "note.dcm" in line and "text, not DICOM" in line]
    assert (tmp_path / "out/report.html").is_file()


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def truncated(path: Path) -> Path:
    path.write_bytes(Path(YBR).read_bytes()[:3000])
    return path


def tiny(path: Path) -> Path:
    cv2.imwrite(str(path), np.zeros((1, 1), np.uint8))
    return path


def huge(path: Path) -> Path:
    """20,000 × 20,000 in a header that promises it; the data behind it does not matter."""
    header = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + (20_000).to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    path.write_bytes(header + b"\x00" * 4096)
    return path


def film(path: Path) -> Path:
    path.write_bytes(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00" * 100)
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("make", "name"),
    [(empty, "zero.dcm"), (truncated, "cut.dcm"), (tiny, "tiny.png"), (huge, "huge.png"), (film, "film.mp4"),
     (folder, "nothing"), (lambda path: path, "absent.dcm")],
)  # fmt: skip
def test_what_nothing_can_be_read_of_ends_with_2_and_one_line_that_names_it(make, name, tmp_path, capsys):
    path = make(tmp_path / name)
    code, text, errors = said(capsys, path, *LEFT, "--out", tmp_path / "out")
    assert code == 2
    assert text == ""
    assert len(errors) == 1
    assert name in errors[0]


def test_burned_in_text_is_warned_of_and_screened_here(tmp_path, capsys):
    sweep = simulate_sweep("breast", frames=6, seed=3, size=(240, 320)).frames
    path = write_dicom(tmp_path / "a.dcm", list(sweep), shape=(240, 320), BurnedInAnnotation="YES")
    code, _, errors = said(capsys, path, *LEFT, "--out", tmp_path / "out")
    assert code == 0
    assert [line for line in errors if "a van would hold it" in line and "a.dcm" in line]
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert "frames_held" not in json.dumps(report)


def test_what_a_folder_holds_besides_is_named_on_stderr_and_in_the_document(picture, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    shutil.copy(picture, tmp_path / "in")
    (tmp_path / "in" / "letter.txt").write_text("dear colleague")
    code, text, errors = said(capsys, tmp_path / "in", *LEFT, "--out", tmp_path / "out", "--json")
    assert code == 0
    assert [line for line in errors if "letter.txt: left out" in line]
    assert len(json.loads(text)["left_out"]) == 1


def test_a_clip_that_ends_early_is_screened_and_warned_of(tmp_path, capsys):
    whole, cut = tmp_path / "whole.avi", tmp_path / "cut.avi"
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter_fourcc(*"MJPG"), 20, (320, 240))
    for frame in simulate_sweep("breast", frames=20, seed=3, size=(240, 320)).frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    code, text, errors = said(capsys, cut, *LEFT, "--out", tmp_path / "out")
    assert code == 3
    assert any("cut.avi" in line and "of the 20 frames" in line for line in errors)
    assert "a file ended before its sweep did" in text
    assert "a file ended before its sweep did" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    "words", [("--organ", "liver"), ("--organ", "breast", "--side", "isthmus"), ("--organ", "breast", "--side", "up"),
              ("--organ", "breast", "--pixel-spacing-mm", "-1"), ("--organ", "breast", "--view", "from above"),
              ("--organ", "breast", "--model", "nope")],
)  # fmt: skip
def test_a_wrong_word_ends_with_2_and_names_the_option(words, picture, capsys):
    code, _, errors = said(capsys, picture, *words)
    assert code == 2
    assert words[-2] in " ".join(errors)


@pytest.mark.data
def test_a_side_that_contradicts_the_file_is_refused(shared_data, tmp_path, capsys):
    path = shared_data / "dicom/ultrasound/pydicom-data__gdcm-US-ALOKA-16_big.dcm"
    code, _, errors = said(capsys, path, *LEFT, "--out", tmp_path / "out")
    assert code == 2
    assert "right" in errors[0]
    assert said(capsys, path, "--organ", "breast", "--side", "right", "--out", tmp_path / "out")[0] == 0


@pytest.mark.data
def test_each_odd_file_is_refused_by_name_or_screened(shared_data, tmp_path, capsys):
    odd = sorted((shared_data / "dicom/odd").iterdir())
    assert len(odd) > 30
    for path in odd:
        code, _, errors = said(capsys, path, *LEFT, "--out", tmp_path / path.name)
        assert code == 0 or (code in (2, 3) and path.name in " ".join(errors)), path.name


@pytest.mark.data
def test_each_real_ultrasound_file_gives_a_report(shared_data, tmp_path, capsys):
    paths = sorted((shared_data / "dicom/ultrasound").iterdir())
    assert len(paths) > 15
    for path in paths:
        side = "right" if "ALOKA" in path.name else "left"
        out = tmp_path / path.name
        code, _, errors = said(capsys, path, "--organ", "breast", "--side", side, "--out", out)
        assert code == 0, errors
        assert (out / "report.html").is_file()


def test_no_permission_is_one_line_that_names_the_input(picture, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another account")
    picture.chmod(0o600)
    open_to_others(tmp_path)
    ran = as_nobody("screen", str(picture), *LEFT)
    assert ran.returncode == 2, ran.stderr
    assert "one.png" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_full_disk_ends_with_4_and_says_so(picture, tmp_path):
    """A limit on the size of files stands for a full disk: both refuse the write itself."""
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from sonovan.analysis import load_segmenter; load_segmenter(None);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000));"
        "from sonovan.cli import main; main()"
    )
    words = ["screen", str(picture), *LEFT, "--out", str(tmp_path / "out")]
    ran = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)
    assert ran.returncode == 4, ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stderr.strip().count("\n") == 0
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []


def as_nobody(*words: str) -> subprocess.CompletedProcess[str]:
    """The command as an account without rights; the interpreter may lie in root's home, so it is opened first."""
    script = (
        "import os, sys; from sonovan.cli import main; import sonovan.producers.sources, sonovan.analysis;"
        "import cv2, pydicom;os.setgid(65534); os.setuid(65534); main()"
    )
    bare = {name: value for name, value in os.environ.items() if not name.startswith("SONOVAN_")}
    return subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=False, cwd="/", env=bare
    )


def test_overlays_number_outlines_as_the_report_does(tmp_path):
    frames = simulate_sweep("breast", frames=24, seed=7, size=(240, 320), lesions=2).frames
    for number, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"{number:03d}.png"), frame)
    store, inputs = FolderStore(tmp_path / "store"), open_sources([tmp_path], capture_options(organ="breast"))
    screened = screen(
        inputs.sources, anonymous_visit(None), segmenter=load_segmenter(None), store=store, intended_use="research",
        ids=mint_ids(1), progress=lambda frames: None,
    )  # fmt: skip
    analysis = analysis_of(screened, inputs.refused, store, "research")
    for folder, name in (("masks", "000099.png"), ("overlays", "000099.png"), ("overlays", "mine.png")):
        (tmp_path / "out" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / folder / name).write_bytes(b"of another screening")
    written = write_outputs(screened.last, analysis.frames, store, tmp_path / "out")
    assert set((tmp_path / "out/masks").iterdir()) == set(written.masks)
    assert {path.name for path in (tmp_path / "out/overlays").iterdir()} - {p.name for p in written.overlays} == {
        "mine.png"
    }
    findings = json.loads(written.report_json.read_text())["findings"]
    assert len(findings) > 1
    numbers = {
        (member["frame_id"], member["ordinal"]): str(number)
        for number, finding in enumerate(findings, start=1)
        for sighting in finding["sightings"]
        for member in sighting["members"]
    }
    outlined = [frame for frame in sorted(analysis.frames, key=lambda each: each.frame_id) if frame.regions]
    shown = set()
    for frame, path in zip(outlined, written.overlays, strict=True):
        labels = [numbers.get((frame.frame_id, region.ordinal), "") for region in frame.regions]
        polygons = [region.polygon for region in frame.regions]
        title = f"Breast, side not recorded · UNSIGNED – NOT A RESULT · frame {frame.frame_index + 1}"
        scale = frame.panels[0].spacing_mm
        drawn = outlined_frame(frames[frame.frame_index], polygons, labels=labels, title=title, spacing_mm=scale)
        assert path.read_bytes() == drawn
        shown |= set(labels)
    assert {"1", "2"} <= shown


def test_a_file_refused_alone_still_gives_its_reason_in_json(tmp_path, capsys):
    path = write_dicom(tmp_path / "right.dcm", [np.full((48, 64), 90, np.uint8)], ImageLaterality="R")
    code, text, _ = said(capsys, path, *LEFT, "--json", "--out", tmp_path / "out")
    assert code == 2
    document = json.loads(text)
    assert document["report"] is None
    assert [each["reason"] for each in document["not_read"]] == ["side_contradicts_file"]
