"""MPEG-2, H.264 and HEVC inside DICOM: read as clips are, in the file's own pixels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import HEVCMP51, MPEG2MPML, MPEG4HP41, UID

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.privacy import black_out
from sonovan.producers.sources import CapturedFrame, CaptureOptions, LostFrame
from sonovan.producers.sources.dicom import open_dicom
from tests.producers.clips import number_of, packets, shades, write_clip
from tests.producers.files import region, write_dicom

LEFT = CaptureOptions(organ="breast", side="left")
KINDS = [
    ("libx264", "mp4", MPEG4HP41), ("libx264", "mpegts", MPEG4HP41), ("libx264", "h264", MPEG4HP41),
    ("mpeg2video", "mpeg2video", MPEG2MPML), ("mpeg2video", "mpegts", MPEG2MPML), ("mpeg2video", "vob", MPEG2MPML),
    ("libx265", "mp4", HEVCMP51),
]  # fmt: skip


def moving(path: Path, stream: bytes, syntax: UID = MPEG4HP41, frames: int = 12, **tags: Any) -> Path:
    """A DICOM file of 48 rows and 64 columns with this stream in it."""
    chosen = {"NumberOfFrames": frames, "photometric": "YBR_PARTIAL_420", "shape": (48, 64, 3), **tags}
    return write_dicom(path, [stream], syntax=syntax, **chosen)


def stream_of(folder: Path, codec: str = "libx264", kind: str = "mp4", count: int = 12, **more: Any) -> bytes:
    if codec == "libx265":
        more["options"] = {"x265-params": "log-level=none"}
    return write_clip(folder / "stream", shades(count), codec, kind=kind, **more).read_bytes()


def read(file: Path, options: CaptureOptions = LEFT) -> list[CapturedFrame | LostFrame]:
    return list(open_dicom(file, options).read())


def numbers_of(shots: Sequence[CapturedFrame | LostFrame]) -> list[int | str]:
    return [shot.reason if isinstance(shot, LostFrame) else number_of(shot.pixels) for shot in shots]


@pytest.mark.parametrize(("codec", "kind", "syntax"), KINDS)
def test_every_frame_of_a_stream_is_read_in_order(tmp_path: Path, codec: str, kind: str, syntax: UID) -> None:
    file = moving(tmp_path / "a.dcm", stream_of(tmp_path, codec, kind), syntax, FrameTime="50")
    source = open_dicom(file, LEFT)
    shots = list(source.read())
    assert numbers_of(shots) == list(range(12))
    assert source.frame_count == 12
    assert source.warnings == ()
    assert [shot.time_ms for shot in shots if isinstance(shot, CapturedFrame)] == [50.0 * n for n in range(12)]


def test_a_stream_in_several_fragments_is_put_together(tmp_path: Path) -> None:
    file, stream = moving(tmp_path / "a.dcm", b"\0" * 4), stream_of(tmp_path)
    dataset = dcmread(file)
    dataset.PixelData = encapsulate([stream], fragments_per_frame=5)
    dataset.save_as(file)
    assert numbers_of(read(file)) == list(range(12))


def test_without_times_of_the_file_those_of_the_stream_hold(tmp_path: Path) -> None:
    shots = read(moving(tmp_path / "a.dcm", stream_of(tmp_path, rate=20)))
    assert [shot.time_ms for shot in shots if isinstance(shot, CapturedFrame)] == [50.0 * n for n in range(12)]


def test_outside_its_declared_regions_every_frame_is_black_whatever_shape_the_stream_gives_its_pixels(
    tmp_path: Path,
) -> None:
    from fractions import Fraction

    stream = stream_of(tmp_path, shape=Fraction(4, 3))
    source = open_dicom(moving(tmp_path / "a.dcm", stream, SequenceOfUltrasoundRegions=[region(20, 14, 63, 47)]), LEFT)
    shots = [shot for shot in source.read() if isinstance(shot, CapturedFrame)]
    assert len(shots) == 12
    for shot in shots:
        kept = black_out(shot.pixels, source.declared).pixels
        assert kept.shape[:2] == (48, 64)
        assert not np.any(kept[:14])
        assert not np.any(kept[:, :20])
        assert kept[14:, 20:].any()
        assert shot.panels[0].column_mm == pytest.approx(0.2)


def test_a_stream_of_another_size_than_the_file_states_is_refused(tmp_path: Path) -> None:
    file = moving(tmp_path / "a.dcm", stream_of(tmp_path), shape=(48, 80, 3))
    with pytest.raises(InvalidRecord, match="80 x 48, its stream is 64 x 48") as raised:
        open_dicom(file, LEFT)
    assert raised.value.reason == "size_contradicts_stream"


def test_a_frame_of_another_size_within_a_stream_is_lost(tmp_path: Path) -> None:
    first = stream_of(tmp_path, kind="h264")
    wide = write_clip(tmp_path / "wide", shades(3, 64, 80), kind="h264").read_bytes()
    shots = read(moving(tmp_path / "a.dcm", first + wide, frames=15))
    assert numbers_of(shots) == [*range(12), *["frame_unreadable"] * 3]


def test_frames_that_the_file_declares_and_the_stream_lacks_are_lost(tmp_path: Path) -> None:
    file = moving(tmp_path / "a.dcm", stream_of(tmp_path), frames=15)
    assert numbers_of(read(file)) == [*range(12), *["truncated"] * 3]


def test_frames_beyond_the_declared_count_are_read_and_warned_of(tmp_path: Path) -> None:
    source = open_dicom(moving(tmp_path / "a.dcm", stream_of(tmp_path), frames=8), LEFT)
    assert [each.reason for each in source.warnings] == ["frame_count_contradicted"]
    assert numbers_of(list(source.read())) == list(range(12))


@pytest.mark.parametrize("kind", ["mp4", "mpegts"])
def test_a_file_that_is_cut_off_loses_what_is_not_there_and_says_so(tmp_path: Path, kind: str) -> None:
    file = moving(tmp_path / "a.dcm", stream_of(tmp_path, kind=kind, count=40, options={"g": "5"}), frames=40)
    whole = file.read_bytes()
    if kind == "mp4":  # what says where the frames lie stands at the end of this kind
        file.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InvalidRecord):
            open_dicom(file, LEFT)
        return
    file.write_bytes(whole[: len(whole) * 2 // 3])
    told = numbers_of(read(file))
    assert len(told) == 40
    assert told[-1] == "truncated"
    kept = [each for each in told if isinstance(each, int)]
    assert kept == list(range(len(kept)))
    assert len(kept) > 10


def test_a_damaged_packet_is_lost_with_what_rests_on_it_and_the_stream_goes_on(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", shades(24), options={"g": "8", "bf": "0", "sc_threshold": "0"})
    place, length = packets(clip)[10]
    stream = bytearray(clip.read_bytes())
    stream[place + 4 : place + length] = b"\xff" * (length - 4)
    told = numbers_of(read(moving(tmp_path / "a.dcm", bytes(stream), frames=24)))
    assert told == [*range(10), *["frame_unreadable"] * 6, *range(16, 24)]


@pytest.mark.parametrize("stream", [b"\0" * 64, b"#EXTM3U\nfile:///etc/passwd\n", b"RIFF" + b"\0" * 60])
def test_what_is_no_such_stream_is_refused(tmp_path: Path, stream: bytes) -> None:
    with pytest.raises(InvalidRecord) as raised:
        open_dicom(moving(tmp_path / "a.dcm", stream), LEFT)
    assert raised.value.reason in ("unreadable", "no_frames")


def test_more_frames_than_may_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecord) as raised:
        open_dicom(moving(tmp_path / "a.dcm", stream_of(tmp_path)), LEFT.model_copy(update={"max_frames": 11}))
    assert raised.value.reason == "too_large"
