"""What cannot be read is refused by name, in one line that says which input and what to do."""

import os
import resource
import subprocess
import sys
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.screening import compose
from sonovan.producers.sources import SOURCE_REASONS, CaptureOptions, open_source, open_sources
from sonovan.producers.sources import dicom_header as header_module
from tests.folders import open_to_others
from tests.producers.files import grey, png_header, write_dicom, write_png
from tests.producers.visits import SIGNER, VISIT

BREAST = CaptureOptions(organ="breast")
ROOT = Path(__file__).resolve().parents[3]


def refused(path: Path) -> InvalidRecord:
    """The refusal of an input, whether it shows when it is opened or when it is read."""
    inputs = open_sources([path], BREAST)
    troubles = list(inputs.refused)
    if inputs.sources:
        sent: list[object] = []
        troubles += compose(inputs.sources, VISIT, SIGNER, sent.append).refused
        assert sent == [], "nothing may be sent of an input that cannot be read"
    assert len(troubles) == 1
    return troubles[0]


def named(trouble: InvalidRecord, path: Path, reason: str) -> None:
    assert trouble.reason == reason
    assert trouble.message.startswith(str(path))
    assert "\n" not in trouble.message
    assert SOURCE_REASONS[reason] in trouble.message


@pytest.mark.data
def test_every_odd_dicom_file_is_read_or_refused_by_name(shared_data: Path) -> None:
    paths = sorted((shared_data / "dicom" / "odd").iterdir())
    assert len(paths) >= 35
    for path in paths:
        trouble = refused(path)
        assert trouble.reason in ("not_ultrasound", "unreadable"), path.name
        named(trouble, path, trouble.reason)


@pytest.mark.data
def test_another_modality_is_named(shared_data: Path) -> None:
    for name, modality in (("CT_small", "CT"), ("test-SR", "SR"), ("waveform_ecg", "ECG"), ("rtplan", "RTPLAN")):
        assert f"modality {modality}" in refused(shared_data / "dicom" / "odd" / f"pydicom__{name}.dcm").message


def test_a_secondary_capture_of_unknown_modality_is_not_believed(tmp_path: Path) -> None:
    sop = "1.2.840.10008.5.1.4.1.1.7"
    path = write_dicom(tmp_path / "a.dcm", [grey()], Modality="", SOPClassUID=sop)
    named(refused(path), path, "not_ultrasound")
    assert open_source(write_dicom(tmp_path / "b.dcm", [grey()], Modality="US", SOPClassUID=sop), BREAST)


def test_text_named_dcm(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_text("dear colleague, " * 40)
    named(refused(path), path, "unreadable")


def test_an_empty_file_an_empty_folder_and_none(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").touch()
    (tmp_path / "folder").mkdir()
    named(refused(tmp_path / "a.dcm"), tmp_path / "a.dcm", "empty")
    named(refused(tmp_path / "folder"), tmp_path / "folder", "empty_folder")
    named(refused(tmp_path / "none"), tmp_path / "none", "not_found")


def test_a_file_of_no_known_kind(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7\n\0")
    named(refused(tmp_path / "a.pdf"), tmp_path / "a.pdf", "not_a_picture")


def test_one_pixel_is_too_small(tmp_path: Path) -> None:
    path = write_png(tmp_path / "a.png", np.zeros((1, 1), np.uint8))
    named(refused(path), path, "too_small")


def test_a_huge_picture_is_refused_before_it_is_allocated(tmp_path: Path) -> None:
    """Under a memory limit that its pixels would break."""
    path = tmp_path / "a.png"
    path.write_bytes(png_header(20_000, 20_000))
    named(refused(path), path, "too_large")
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from sonovan.producers.sources import CaptureOptions, open_sources\n"
        "used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))\n"
        "print([error.reason for error in open_sources([Path(sys.argv[1])], CaptureOptions(organ='breast')).refused])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.stdout.strip() == "['too_large']", done.stderr


@pytest.mark.parametrize("size", [(20_000, 64), (64, 20_000)])
def test_a_picture_with_one_long_side_is_refused(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_header(*size))
    named(refused(path), path, "too_large")


def test_a_dicom_file_that_declares_too_much(tmp_path: Path) -> None:
    wide = write_dicom(tmp_path / "a.dcm", [grey()], Rows=46_341, Columns=46_341)
    named(refused(wide), wide, "too_large")
    long = write_dicom(tmp_path / "b.dcm", [grey()], NumberOfFrames=999_999)
    named(refused(long), long, "too_large")


def test_a_count_of_frames_beyond_reason_costs_no_memory(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [grey()], FrameTime=40)
    path.write_bytes(path.read_bytes().replace(b"IS\x02\x001 ", b"IS\x0a\x002000000000"))
    tracemalloc.start()
    try:
        named(refused(path), path, "too_large")
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_a_deflated_bomb_is_not_inflated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_dicom(
        tmp_path / "a.dcm",
        [np.zeros((2000, 2000), np.uint8)],
        shape=(2000, 2000),
        syntax=DeflatedExplicitVRLittleEndian,
    )
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(header_module, "MAX_INFLATED_BYTES", 1 << 20)
    named(refused(path), path, "too_large")


def test_truncated_files(tmp_path: Path) -> None:
    dicom = write_dicom(tmp_path / "a.dcm", [grey()])
    dicom.write_bytes(dicom.read_bytes()[:-500])
    named(refused(dicom), dicom, "truncated")
    early = write_dicom(tmp_path / "b.dcm", [grey()])
    early.write_bytes(early.read_bytes()[:400])
    assert refused(early).reason in ("unreadable", "no_frames", "not_ultrasound")
    png = write_png(tmp_path / "c.png", grey())
    png.write_bytes(png.read_bytes()[:20])
    named(refused(png), png, "unreadable")


def test_a_clip_without_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20, (64, 48)).release()
    assert refused(path).reason in ("no_frames", "unreadable")
    (tmp_path / "b.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 300)
    assert refused(tmp_path / "b.mp4").reason in ("no_frames", "unreadable")


@pytest.mark.data
def test_a_clip_cut_short_is_read_to_where_it_ends(shared_data: Path, tmp_path: Path) -> None:
    whole = (shared_data / "video" / "convex__Reg_pat1Image_133410.mpeg").read_bytes()
    path = tmp_path / "a.mpeg"
    path.write_bytes(whole[: len(whole) // 3])
    assert 0 < sum(1 for _ in open_source(path, BREAST).read()) < 183


def test_no_permission_is_said(tmp_path: Path) -> None:
    """As another user where the tests run as root, who may read everything."""
    place = tmp_path / "van"
    place.mkdir()
    files = [write_png(place / "a.png", grey()), write_dicom(place / "b.dcm", [grey()]), place / "closed"]
    files[2].mkdir()
    for path in files:
        path.chmod(0)
    open_to_others(tmp_path)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from sonovan.producers.sources import CaptureOptions, open_sources\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "found = open_sources([Path(name) for name in sys.argv[1:]], CaptureOptions(organ='breast'))\n"
        "print([error.reason for error in found.refused])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, files)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    for path in files:
        path.chmod(0o700)
    assert done.stdout.strip() == "['no_permission', 'no_permission', 'no_permission']", done.stderr


def test_reading_many_files_leaves_none_open(tmp_path: Path) -> None:
    for number in range(30):
        write_dicom(tmp_path / f"{number}.dcm", [grey()])
    before = len(os.listdir("/proc/self/fd"))
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    sources = open_sources([tmp_path], BREAST).sources
    assert len(os.listdir("/proc/self/fd")) <= before, limit
    for source in sources:
        list(source.read())
    assert len(os.listdir("/proc/self/fd")) <= before
