"""Clips as a player shows them, and what becomes of damaged ones."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import CapturedFrame, CaptureOptions, LostFrame, open_source, open_sources
from sonovan.producers.sources.clip_damage import ClipDamage
from sonovan.producers.sources.clip_times import time_gaps
from tests.producers.clips import number_of, packets, shades, write_clip

BREAST = CaptureOptions(organ="breast", pixel_spacing_mm=(0.1, 0.1))
H264 = {"qp": "1", "bf": "2", "g": "6", "sc_threshold": "0"}


def shots(path: Path) -> list[CapturedFrame | LostFrame]:
    return list(open_source(path, BREAST).read())


def told(path: Path) -> list[int | None]:
    """The number that each frame shows, None for a lost one."""
    return [number_of(each.pixels) if isinstance(each, CapturedFrame) else None for each in shots(path)]


def times(path: Path) -> list[float | None]:
    return [each.time_ms for each in shots(path) if isinstance(each, CapturedFrame)]


@pytest.mark.parametrize(
    ("name", "codec", "kind"),
    [
        ("a.mp4", "libx264", "mp4"), ("a.mov", "mpeg4", "mov"), ("a.mkv", "libx264", "matroska"),
        ("a.avi", "mpeg4", "avi"), ("a.mpg", "mpeg2video", "mpeg"), ("a.ts", "libx264", "mpegts"),
    ],
)  # fmt: skip
def test_oblong_pixels_are_made_square_and_said(name: str, codec: str, kind: str, tmp_path: Path) -> None:
    shape = Fraction(16, 9) if codec != "mpeg2video" else Fraction(4, 3)
    path = write_clip(tmp_path / name, shades(6, 48, 64), codec, kind=kind, shape=shape)
    inputs = open_sources([path], BREAST)
    (source,) = inputs.sources
    first = next(iter(source.read()))
    assert isinstance(first, CapturedFrame)
    assert first.pixels.shape == (48, round(64 * shape), 3)
    assert first.panels[0].spacing_mm == (0.1, 0.1)
    assert [each.reason for each in source.warnings] == ["pixels_made_square"]
    assert "oblong" in inputs.notices()[0]


@pytest.mark.parametrize(("turned", "corner"), [(90, (-1, 0)), (180, (-1, -1)), (-90, (0, -1))])
def test_a_clip_is_turned_as_a_player_turns_it(turned: int, corner: tuple[int, int], tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", shades(3), turned=turned, options=H264)
    first = shots(path)[0]
    assert isinstance(first, CapturedFrame)
    assert first.pixels.shape == ((64, 48, 3) if abs(turned) == 90 else (48, 64, 3))
    rows, columns = first.pixels.shape[:2]
    bright = first.pixels[(2 if corner[0] == 0 else rows - 3), (2 if corner[1] == 0 else columns - 3), 0]
    assert bright > 200, "the corner that was top left is where a player shows it"


def test_frames_of_a_varying_rate_keep_their_times(tmp_path: Path) -> None:
    wanted = [0, 40, 80, 300, 340, 1000]
    path = write_clip(tmp_path / "a.mkv", shades(6), kind="matroska", times=wanted, options={"bf": "0"})
    assert times(path) == wanted


def test_a_damaged_packet_is_lost_with_what_rests_on_it_and_the_clip_goes_on(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", shades(30), options=H264)
    whole = told(path)
    assert whole == list(range(30))
    data = bytearray(path.read_bytes())
    place, length = packets(path)[8]
    data[place + 4 : place + length] = bytes(np.random.default_rng(0).integers(0, 256, length - 4, np.uint8))
    path.write_bytes(data)
    given = told(path)
    assert len(given) == 30
    assert None in given[6:12]
    assert given[:6] == whole[:6]
    assert given[12:] == whole[12:]
    lost = next(each for each in shots(path) if isinstance(each, LostFrame))
    assert lost.reason == "frame_unreadable"
    assert f"frame {lost.frame_index + 1} at {lost.frame_index / 25:.2f} s" in lost.message
    assert times(path)[-1] == 29 * 40


def test_a_frame_of_an_avi_that_cannot_be_decoded_is_lost_alone(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.avi", shades(12), "mjpeg", pixels="yuvj420p")
    data = bytearray(path.read_bytes())
    place, length = packets(path)[4]
    data[place : place + length] = bytes(length)
    path.write_bytes(data)
    assert told(path) == [0, 1, 2, 3, None, *range(5, 12)]
    assert times(path) == [number * 40 for number in range(12) if number != 4]


def test_a_chunk_that_an_avi_lists_and_lacks_is_a_lost_frame_at_its_place(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.avi", shades(12), "mjpeg", pixels="yuvj420p")
    data = bytearray(path.read_bytes())
    place, _ = packets(path)[5]
    data[place - 8 : place + 40] = bytes(48)  # its head, too
    path.write_bytes(data)
    assert told(path) == [0, 1, 2, 3, 4, None, *range(6, 12)]
    assert times(path)[-1] == 11 * 40


def test_a_hole_in_a_jpeg_of_a_clip_is_a_lost_frame(tmp_path: Path) -> None:
    noise = [np.random.default_rng(number).integers(0, 256, (96, 128)).astype(np.uint8) for number in range(6)]
    path = write_clip(tmp_path / "a.avi", noise, "mjpeg", pixels="yuvj420p", options={"qscale": "2"})
    data = bytearray(path.read_bytes())
    place, length = packets(path)[2]
    data[place + length // 2 : place + length // 2 + 200] = bytes(200)
    path.write_bytes(data)
    assert [each.frame_index for each in shots(path) if isinstance(each, LostFrame)] == [2]


def test_a_clip_whose_every_packet_is_damaged_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.avi", shades(4), "mjpeg", pixels="yuvj420p")
    data = bytearray(path.read_bytes())
    for place, length in packets(path):
        data[place : place + length] = bytes(length)
    path.write_bytes(data)
    with pytest.raises(InvalidRecord) as caught:
        open_source(path, BREAST)
    assert caught.value.reason == "no_frames"


@pytest.mark.parametrize("name", [b"r\xe9gion.mp4", b"two\nlines.mp4", b"x" * 240 + b".mp4", "左侧.mp4".encode()])
def test_any_name_of_a_clip_is_read(name: bytes, tmp_path: Path) -> None:
    source = write_clip(tmp_path / "plain.mp4", shades(3), options=H264)
    path = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    source.rename(path)
    assert told(path) == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "kind"), [("clip", "mp4"), ("clip.m2ts", "mpegts"), ("clip.dat", "avi"), ("clip.png", "matroska")]
)
def test_a_clip_is_known_by_its_content(name: str, kind: str, tmp_path: Path) -> None:
    assert told(write_clip(tmp_path / name, shades(3), "mpeg4", kind=kind)) == [0, 1, 2]


def test_a_playlist_that_is_named_as_a_clip_opens_no_other_file(tmp_path: Path) -> None:
    write_clip(tmp_path / "other.mp4", shades(3))
    path = tmp_path / "list.mp4"
    path.write_text("ffconcat version 1.0\nfile other.mp4\n")
    assert [error.reason for error in open_sources([path], BREAST).refused] == ["unreadable"]


def test_frames_that_are_shown_before_the_key_frame_they_follow_rest_on_the_group_before() -> None:
    damage = ClipDamage(intra_only=False)
    damage.packet(0, key=True)
    damage.packet(1, key=False)
    damage.failed()
    damage.packet(4, key=True)
    damage.packet(3, key=False)
    damage.packet(5, key=False)
    assert damage.frame(0, corrupt=False)
    assert not damage.frame(3, corrupt=False)
    assert damage.frame(4, corrupt=False)
    assert damage.frame(5, corrupt=False)
    assert damage.missing() == [1]


@pytest.mark.parametrize(("name", "kind"), [("a.mkv", "matroska"), ("a.ts", "mpegts"), ("a.mp4", "mp4")])
def test_a_gap_in_the_times_of_a_steady_clip_is_warned_of(name: str, kind: str, tmp_path: Path) -> None:
    moments = [*range(10), *range(14, 24)]
    path = write_clip(tmp_path / name, shades(20), kind=kind, times=moments, options=H264)
    (warning,) = open_source(path, BREAST).warnings
    assert warning.reason == "time_gap"
    assert "after frame 10" in warning.message


def test_a_clip_of_varying_rate_has_no_gaps() -> None:
    assert time_gaps([0, 40, 80, 120, 160, 200, 240, 280, 320]) == []
    assert time_gaps([0, 40, 80, 120, 160, 200, 240, 360, 400]) == [(7, 240, 120)]
    assert time_gaps([0, 40, 200, 240, 500, 560, 900, 940, 1300]) == []
    assert time_gaps([0, 40, 200]) == []


def test_a_second_track_of_pictures_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        tracks = [container.add_stream("mjpeg", rate=25) for _ in range(2)]
        for track in tracks:
            track.width, track.height, track.pix_fmt = 64, 48, "yuvj420p"
        for picture in shades(3, 48, 64):
            for track in tracks:
                container.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
    assert [each.reason for each in open_source(path, BREAST).warnings] == ["tracks_left_out"]
