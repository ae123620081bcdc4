"""From paths to sequences: files, folders, pictures, clips."""

import itertools
import struct
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import (
    CapturedFrame,
    CaptureOptions,
    LostFrame,
    capture_options,
    open_source,
    open_sources,
)
from tests.producers.files import colour, grey, write_dicom, write_png

BREAST = CaptureOptions(organ="breast")


def frames(path: Path, options: CaptureOptions = BREAST) -> list[CapturedFrame]:
    return [shot for shot in open_source(path, options).read() if isinstance(shot, CapturedFrame)]


def test_a_folder_of_pictures_is_one_sweep_in_natural_order(tmp_path: Path) -> None:
    pictures = {number: grey(seed=number) for number in (1, 2, 10)}
    for number, picture in pictures.items():
        write_png(tmp_path / f"Frame{number}.png", picture)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".DS_Store").write_text("x")
    inputs = open_sources([tmp_path], BREAST)
    assert (len(inputs.sources), len(inputs.refused), len(inputs.skipped)) == (1, 0, 1)
    for shot, number in zip(frames(tmp_path), (1, 2, 10), strict=True):
        assert np.array_equal(shot.pixels, pictures[number])


def test_a_folder_of_dicom_files_and_folders_is_many_sequences(tmp_path: Path) -> None:
    write_dicom(tmp_path / "b.dcm", [grey(), grey(seed=1)])
    write_dicom(tmp_path / "a_without_suffix", [grey()])
    write_png(tmp_path / "left" / "1.png", grey())
    write_png(tmp_path / "left" / "2.png", grey())
    inputs = open_sources([tmp_path], BREAST)
    assert [source.frame_count for source in inputs.sources] == [1, 2, 2]


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp", "tiff"])
def test_every_kind_of_picture(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    cv2.imwrite(str(path), colour()[..., ::-1])
    (shot,) = frames(path)
    assert shot.pixels.shape == (48, 64, 3)
    assert np.abs(shot.pixels.astype(int) - colour()).mean() < 4


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bit_pictures(kind: str, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / f"a.{kind}"), grey(bits=16))
    assert np.array_equal(frames(tmp_path / f"a.{kind}")[0].pixels, grey(bits=16))


def test_alpha_is_dropped_with_a_note(tmp_path: Path) -> None:
    picture = np.dstack([colour(), np.full((48, 64), 200, np.uint8)])
    (shot,) = frames(write_png(tmp_path / "a.png", picture))
    assert np.array_equal(shot.pixels, colour())
    assert shot.notes == ("alpha_dropped",)


def test_typed_spacing_and_side_reach_the_panel(tmp_path: Path) -> None:
    options = capture_options(organ="breast", side="left", view="radial", position="10h", pixel_spacing_mm=0.1)
    source = open_source(write_png(tmp_path / "a.png", grey()), options)
    (shot,) = source.read()
    assert isinstance(shot, CapturedFrame)
    assert shot.panels[0].spacing_mm == (0.1, 0.1)
    assert (source.laterality, source.view, source.position, shot.panels[0].laterality) == (
        "left", "radial", "10h", "left",
    )  # fmt: skip


def test_a_broken_picture_in_a_sweep_is_lost_alone(tmp_path: Path) -> None:
    for number in range(3):
        write_png(tmp_path / f"{number}.png", grey(seed=number))
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:200])
    shots = list(open_source(tmp_path, BREAST).read())
    assert [type(shot) for shot in shots] == [CapturedFrame, LostFrame, CapturedFrame]
    assert str(tmp_path / "1.png") in getattr(shots[1], "message", "")


def test_a_clip_keeps_order_times_and_colours(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20, (64, 48))
    for number in range(5):
        writer.write(np.full((48, 64, 3), (0, 0, 40 * number + 20), np.uint8))  # ever redder
    writer.release()
    shots = frames(path)
    assert [shot.frame_index for shot in shots] == [0, 1, 2, 3, 4]
    assert [shot.time_ms for shot in shots] == [0, 50, 100, 150, 200]
    reds = [float(shot.pixels[..., 0].mean()) for shot in shots]
    assert reds == sorted(reds)
    assert reds[-1] > 150
    assert shots[-1].pixels[..., 2].mean() < 30


def test_a_clip_that_ends_before_its_announced_count_gives_its_frames_and_says_so(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.avi", tmp_path / "cut.avi"
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter_fourcc(*"MJPG"), 20, (64, 48))
    for number in range(20):
        writer.write(cv2.cvtColor(grey(48, 64, seed=number), cv2.COLOR_GRAY2BGR))
    writer.release()
    assert len(frames(whole)) == 20
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    given = []
    with pytest.raises(InvalidRecord, match=r"cut\.avi: the clip ends after \d+ of the 20 frames") as caught:
        given.extend(open_source(cut, BREAST).read())
    assert caught.value.reason == "cut_short"
    assert 5 <= len(given) <= 15


def clip(path: Path, kind: str, count: int = 60) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*kind), 20, (64, 48))
    for number in range(count):
        writer.write(cv2.cvtColor(grey(48, 64, seed=number), cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def announced(path: Path) -> int:
    return int(cv2.VideoCapture(str(path), cv2.CAP_FFMPEG).get(cv2.CAP_PROP_FRAME_COUNT))


@pytest.mark.parametrize(
    ("name", "kind"), [("a.avi", "MJPG"), ("a.mkv", "MJPG"), ("a.webm", "VP80"), ("a.wmv", "WMV2"), ("a.mp4", "mp4v")]
)
def test_a_whole_clip_is_whole_and_a_tenth_of_it_says_so(name: str, kind: str, tmp_path: Path) -> None:
    whole = clip(tmp_path / name, kind)
    assert len(frames(whole)) == 60
    data = whole.read_bytes()
    if name == "a.mp4":  # opencv writes the index last, where a cut leaves nothing: put it first, as for the web
        data = index_first(data)
        whole.write_bytes(data)
        assert len(frames(whole)) == 60
    whole.write_bytes(data[: len(data) // 10])
    given: list[CapturedFrame | LostFrame] = []
    with pytest.raises(InvalidRecord) as caught:
        given.extend(open_source(whole, BREAST).read())
    assert caught.value.reason == "cut_short"
    assert 0 < len(given) < 12


def index_first(data: bytes) -> bytes:
    """An mp4 with its `moov` before its `mdat`, the places of its samples moved along."""
    at, start = 0, 0
    while data[at + 4 : at + 8] != b"moov":
        start = start or (at if data[at + 4 : at + 8] in (b"free", b"mdat") else 0)
        at += int.from_bytes(data[at : at + 4], "big")
    moov = bytearray(data[at : at + int.from_bytes(data[at : at + 4], "big")])
    table = moov.index(b"stco") + 8
    for number in range(int.from_bytes(moov[table : table + 4], "big")):
        place = slice(table + 4 + 4 * number, table + 8 + 4 * number)
        moov[place] = (int.from_bytes(moov[place], "big") + len(moov)).to_bytes(4, "big")
    return data[:start] + bytes(moov) + data[start:at]


def test_a_clip_whose_edit_list_leaves_frames_out_is_whole(tmp_path: Path) -> None:
    path = clip(tmp_path / "trimmed.mp4", "mp4v")
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 12
    duration, track = (int.from_bytes(data[at : at + 4], "big"), data.index(b"mdhd") + 20)
    ticks = int.from_bytes(data[track : track + 4], "big")
    data[at : at + 8] = (duration * 2 // 3).to_bytes(4, "big") + (ticks // 3).to_bytes(4, "big")
    path.write_bytes(data)
    assert announced(path) == 60
    assert len(frames(path)) == 40


@pytest.mark.parametrize(("name", "kind"), [("long.mkv", "MJPG"), ("long.webm", "VP80")])
def test_a_clip_whose_container_lasts_longer_than_its_pictures_is_whole(name: str, kind: str, tmp_path: Path) -> None:
    path = clip(tmp_path / name, kind)
    data = bytearray(path.read_bytes())
    at = data.index(bytes.fromhex("448988")) + 3
    data[at : at + 8] = struct.pack(">d", 2 * struct.unpack(">d", data[at : at + 8])[0])
    path.write_bytes(data)
    assert announced(path) > 100
    assert len(frames(path)) == 60


def test_an_avi_of_full_length_whose_second_half_is_zeros_is_not_whole(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.avi", "MJPG")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    with pytest.raises(InvalidRecord, match="of the 60 frames"):
        list(open_source(path, BREAST).read())


def test_a_tiff_of_several_pages_is_refused(tmp_path: Path) -> None:
    cv2.imwritemulti(str(tmp_path / "a.tiff"), [grey(), grey(seed=1)])
    with pytest.raises(InvalidRecord) as caught:
        open_source(tmp_path / "a.tiff", BREAST)
    assert caught.value.reason == "several_pictures"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ({"organ": "liver"}, "organ_unknown"),
        ({"organ": "breast", "side": "up"}, "option_invalid"),
        ({"organ": "breast", "side": "isthmus"}, "option_invalid"),
        ({"organ": "breast", "view": "two words"}, "option_invalid"),
        ({"organ": "thyroid", "nipple_distance_mm": 30.0}, "option_invalid"),
        ({"organ": "breast", "pixel_spacing_mm": -1.0}, "option_invalid"),
        ({"organ": "breast", "pixel_spacing_mm": float("nan")}, "option_invalid"),
    ],
)
def test_wrong_options_are_named(typed: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        capture_options(**typed)  # type: ignore[arg-type]
    assert caught.value.reason == reason
    assert "--" in caught.value.message


@pytest.mark.data
def test_real_clips_and_sweeps_are_read(shared_data: Path) -> None:
    for path in sorted((shared_data / "video").iterdir()):
        shots = open_source(path, BREAST).read()
        times = [shot.time_ms for shot, _ in zip(shots, range(12), strict=False) if isinstance(shot, CapturedFrame)]
        assert len(times) == 12, path.name
        assert all(a is not None and b is not None and a < b for a, b in itertools.pairwise(times)), path.name
        assert sum(1 for _ in shots) > 30  # and none is taken for one that was cut short
    assert len(frames(shared_data / "cine" / "breast_sweep_1")) == 56


def test_a_jpeg_picture_of_one_channel_stays_grey(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(imagecodecs.jpeg8_encode(grey(), 95))
    assert frames(tmp_path / "a.jpg")[0].pixels.ndim == 2
