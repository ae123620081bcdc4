"""What lies in a folder: every file is read, or refused, or named."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread, dcmwrite

from sonovan.producers.sources import CaptureOptions, open_sources
from sonovan.producers.sources.reasons import shown
from tests.folders import open_to_others
from tests.producers.clips import shades, write_clip
from tests.producers.files import grey, write_dicom, write_png

BREAST = CaptureOptions(organ="breast")


def bare_dicom(path: Path) -> Path:
    """A DICOM file as old scanners write it: without preamble and without a suffix."""
    dataset = Dataset(dcmread(write_dicom(path, [grey()])))
    dcmwrite(path, dataset, implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert path.read_bytes()[128:132] != b"DICM"
    return path


def test_every_file_is_known_by_its_content(tmp_path: Path) -> None:
    write_dicom(tmp_path / "IM_0001.dcm", [grey()])
    bare_dicom(tmp_path / "IM_0002")
    write_png(tmp_path / "still.jfif", grey())
    write_clip(tmp_path / "clip.m2ts", shades(3), "mpeg2video", kind="mpegts")
    write_clip(tmp_path / "capture", shades(3), "mjpeg", kind="avi", pixels="yuvj420p")
    inputs = open_sources([tmp_path], BREAST)
    assert not inputs.refused
    names = ["still.jfif", "IM_0001.dcm", "IM_0002", "capture", "clip.m2ts"]
    assert sorted(source.path.name for source in inputs.sources) == sorted([tmp_path.name, *names[1:]])


def test_every_file_that_is_left_out_is_named_up_to_a_bound(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", grey())
    for number in range(25):
        (tmp_path / f"letter{number}.txt").write_text("dear colleague")
    inputs = open_sources([tmp_path], BREAST)
    assert not inputs.refused
    assert len(inputs.skipped) == 25
    lines = inputs.notices()
    assert lines[0].startswith(f"{tmp_path}/letter0.txt: left out")
    assert (len(lines), lines[-1]) == (21, "5 more files were left out")


def test_what_looks_like_a_picture_and_is_none_that_can_be_read_is_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "a" / "1.png", grey())
    (tmp_path / "b.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(60))
    (tmp_path / "c").write_bytes(b"GIF89a" + bytes(60))
    (tmp_path / "d.mp4").write_text("this is no clip")
    (tmp_path / "e.png").touch()
    inputs = open_sources([tmp_path], BREAST)
    assert len(inputs.sources) == 1
    assert [error.reason for error in inputs.refused] == ["format_not_read", "format_not_read", "unreadable", "empty"]


def test_what_every_medium_has_is_no_matter(tmp_path: Path) -> None:
    write_dicom(tmp_path / "IM1", [grey()])
    preamble = bytes(128) + b"DICM\x02\0\x02\0UI\x14\x001.2.840.10008.1.3.10\0"
    (tmp_path / "DICOMDIR").write_bytes(preamble)
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", ".hidden.png"):
        (tmp_path / name).write_bytes(b"x")
    inputs = open_sources([tmp_path], BREAST)
    assert (len(inputs.sources), inputs.refused, inputs.notices()) == (1, (), [])
    (refused,) = open_sources([tmp_path / "DICOMDIR"], BREAST).refused
    assert refused.reason == "dicomdir"


def test_pipes_sockets_and_devices_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", grey())
    os.mkfifo(tmp_path / "b.mp4")
    os.mkfifo(tmp_path / "c")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "d.dcm"))
        inputs = open_sources([tmp_path, tmp_path / "b.mp4", Path("/dev/zero")], BREAST)
    assert len(inputs.sources) == 1
    assert [error.reason for error in inputs.refused] == ["not_a_file"] * 4
    assert len(inputs.skipped) == 1


def test_a_link_that_leads_nowhere_and_a_link_to_a_folder_are_named(tmp_path: Path) -> None:
    write_png(tmp_path / "in" / "a.png", grey())
    (tmp_path / "in" / "gone.png").symlink_to(tmp_path / "none")
    (tmp_path / "in" / "round").symlink_to(tmp_path)
    inputs = open_sources([tmp_path / "in"], BREAST)
    assert (len(inputs.sources), [error.reason for error in inputs.refused]) == (1, ["not_found"])
    assert "link to a folder" in inputs.notices()[0]


def test_a_copy_is_read_once_and_said(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a.dcm", [grey()])
    (tmp_path / "b.dcm").write_bytes((tmp_path / "a.dcm").read_bytes())
    inputs = open_sources([tmp_path, tmp_path / "a.dcm"], BREAST)
    assert len(inputs.sources) == 1
    assert [f"the same file as {tmp_path}/a.dcm" in line for line in inputs.notices()] == [True, True]


def test_the_same_picture_twice_in_a_sweep_is_said_and_kept(tmp_path: Path) -> None:
    for number in range(3):
        write_png(tmp_path / f"{number}.png", np.full((48, 64), 90, np.uint8))
    inputs = open_sources([tmp_path], BREAST)
    assert inputs.sources[0].frame_count == 3
    assert len(inputs.notices()) == 2


@pytest.mark.parametrize(
    ("name", "escaped"),
    [(b"r\xe9gion", r"r\xe9gion"), (b"two\nlines", r"two\nlines"), (b"\x1b[2J", r"\x1b[2J"), ("左侧".encode(), "左侧")],
)
def test_a_name_is_never_printed_raw(name: bytes, escaped: str, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name + b".png")))
    path.write_text("no picture")
    (refused,) = open_sources([path], BREAST).refused
    assert refused.message.startswith(f"{tmp_path}/{escaped}.png: ")
    assert shown(path).isprintable()


def test_a_folder_that_cannot_be_listed_does_not_hide_the_others(tmp_path: Path) -> None:
    """As another user where the tests run as root, who may list everything."""
    write_png(tmp_path / "open" / "a.png", grey())
    (tmp_path / "closed").mkdir(mode=0)
    open_to_others(tmp_path)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from sonovan.producers.sources import CaptureOptions, open_sources\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "found = open_sources([Path(sys.argv[1])], CaptureOptions(organ='breast'))\n"
        "print(len(found.sources), [error.reason for error in found.refused])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    (tmp_path / "closed").chmod(0o700)
    assert done.stdout.strip() == "1 ['no_permission']", done.stderr
