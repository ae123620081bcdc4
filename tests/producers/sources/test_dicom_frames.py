"""The pixel data say how many frames there are and where they lie; the header is held against them."""

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate_extended
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import CapturedFrame, CaptureOptions, Source, open_source
from tests.producers.files import grey, write_dicom

BREAST = CaptureOptions(organ="breast")
PICTURES = [grey(seed=seed) for seed in range(6)]


def outcome(source: Source) -> list[int | str]:
    """The number of the picture that each frame shows, or the reason for which it is lost."""
    known = {picture.tobytes(): number for number, picture in enumerate(PICTURES)}
    return [known[shot.pixels.tobytes()] if isinstance(shot, CapturedFrame) else shot.reason for shot in source.read()]


def jls(picture: np.ndarray) -> bytes:
    return bytes(imagecodecs.jpegls_encode(picture, level=0))


def j2k(picture: np.ndarray) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(picture, level=0, reversible=True, codecformat="j2k"))


def rle(picture: np.ndarray) -> bytes:
    body = bytes(imagecodecs.packbits_encode(picture))
    return struct.pack("<16I", 1, 64, *[0] * 14) + body


def items(pieces: list[bytes], table: bytes = b"") -> bytes:
    """Encapsulated pixel data of these fragments; each is made even."""
    body = b""
    for piece in [table, *(piece + b"\0" * (len(piece) % 2) for piece in pieces)]:
        body += b"\xfe\xff\x00\xe0" + struct.pack("<I", len(piece)) + piece
    return body + b"\xfe\xff\xdd\xe0\0\0\0\0"


def with_items(path: Path, data: bytes, syntax: str = JPEGLSLossless, **tags: object) -> Path:
    write_dicom(path, [jls(PICTURES[0])] * 6, syntax=syntax, **tags)
    dataset = dcmread(path)
    dataset.PixelData = data
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    return path


CODED = [jls(picture) for picture in PICTURES]
EVEN = [each + b"\0" * (len(each) % 2) for each in CODED]
OFFSETS = [sum(8 + len(each) for each in EVEN[:number]) for number in range(6)]
WHOLE = [0, 1, 2, 3, 4, 5]


def halves(coded: list[bytes]) -> list[bytes]:
    return [half for each in coded for half in (each[: len(each) // 4 * 2], each[len(each) // 4 * 2 :])]


@pytest.mark.parametrize("declared", [None, 0, 1, 4])
@pytest.mark.parametrize("coded", [False, True])
def test_frames_beyond_the_declared_count_are_read_and_warned_of(
    declared: int | None, coded: bool, tmp_path: Path
) -> None:
    frames = CODED[:5] if coded else PICTURES[:5]
    path = write_dicom(
        tmp_path / "a.dcm", frames, NumberOfFrames=declared, **({"syntax": JPEGLSLossless} if coded else {})
    )
    source = open_source(path, BREAST)
    assert outcome(source) == WHOLE[:5]
    assert [each.reason for each in source.warnings] == ["frame_count_contradicted"]
    assert "5 frames" in source.warnings[0].message


@pytest.mark.parametrize("coded", [False, True])
def test_frames_that_are_missing_are_lost(coded: bool, tmp_path: Path) -> None:
    frames = CODED[:4] if coded else PICTURES[:4]
    path = write_dicom(tmp_path / "a.dcm", frames, NumberOfFrames=6, **({"syntax": JPEGLSLossless} if coded else {}))
    assert outcome(open_source(path, BREAST)) == [0, 1, 2, 3, "truncated", "truncated"]


def test_pixel_data_that_end_within_a_frame_lose_that_frame(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [*PICTURES[:5], PICTURES[5].tobytes()[:-1001]])
    assert outcome(open_source(path, BREAST)) == [0, 1, 2, 3, 4, "truncated"]


@pytest.mark.parametrize("tags", [{"Rows": 47}, {"Rows": 49}, {"Columns": 65}, {"Columns": 63}])
def test_a_size_that_the_length_contradicts_is_refused_with_both(tags: dict[str, int], tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", PICTURES, **tags)
    with pytest.raises(InvalidRecord) as caught:
        open_source(path, BREAST)
    assert caught.value.reason == "size_contradicts_stream"
    assert str(6 * 48 * 64) in caught.value.message


@pytest.mark.parametrize("times", [2, 3])
def test_pixels_of_another_depth_or_of_three_samples_are_not_taken_for_more_frames(times: int, tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [picture.tobytes() * times for picture in PICTURES])
    with pytest.raises(InvalidRecord) as caught:
        open_source(path, BREAST)
    assert caught.value.reason == "size_contradicts_stream"


@pytest.mark.parametrize(("told", "packed"), [("YBR_FULL_422", False), ("YBR_FULL", True)])
def test_the_length_says_how_colour_is_sampled(told: str, packed: bool, tmp_path: Path) -> None:
    full = np.dstack([grey(), np.full((48, 64), 128, np.uint8), np.full((48, 64), 128, np.uint8)])
    pairs = np.stack([full[:, 0::2, 0], full[:, 1::2, 0], full[:, 0::2, 1], full[:, 0::2, 2]], axis=-1)
    data = (pairs if packed else full).tobytes()
    path = write_dicom(tmp_path / "a.dcm", [data] * 3, shape=(48, 64, 3), photometric=told)
    source = open_source(path, BREAST)
    assert [each.reason for each in source.warnings] == ["length_contradicted"]
    for shot in source.read():
        assert isinstance(shot, CapturedFrame)
        assert np.array_equal(shot.pixels[..., 0], grey())


TABLES = {
    "none": [], "right": OFFSETS, "to the data instead of the item": [at + 8 for at in OFFSETS], "first only": [0],
    "never filled in": [0] * 6, "of four": OFFSETS[:4], "beyond the end": [at + 10**6 for at in OFFSETS],
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_one_fragment_a_frame_needs_no_offset_table(table: str, tmp_path: Path) -> None:
    offsets = TABLES[table]
    data = items(EVEN, struct.pack(f"<{len(offsets)}I", *offsets))
    assert outcome(open_source(with_items(tmp_path / "a.dcm", data), BREAST)) == WHOLE


@pytest.mark.parametrize("declared", [6, None, 4])
@pytest.mark.parametrize(
    "pieces",
    [
        halves(CODED),
        halves([each + b"\0" * (64 + len(each) % 2) for each in CODED]),
        [part for each in EVEN for part in (each, b"\0" * 32)],
        [part for each in CODED for part in ((each[:-1], each[-1:]) if len(each) % 2 else (each,))],
        [*halves(CODED[:3]), *CODED[3:]],
        [part for each in EVEN for part in (each, b"")],
    ],
    ids=["halves", "padded", "padding alone", "end marker split", "mixed", "empty between"],
)
def test_frames_of_several_fragments_are_put_together(
    pieces: list[bytes], declared: int | None, tmp_path: Path
) -> None:
    path = with_items(tmp_path / "a.dcm", items(pieces), NumberOfFrames=declared)
    assert outcome(open_source(path, BREAST)) == WHOLE


@pytest.mark.parametrize(("syntax", "code"), [(JPEG2000Lossless, j2k), (RLELossless, rle)])
def test_jpeg_2000_and_rle_frames_may_lie_in_halves(syntax: str, code: object, tmp_path: Path) -> None:
    coded = [code(picture) for picture in PICTURES]  # type: ignore[operator]
    for pieces in (coded, halves(coded)):
        path = with_items(tmp_path / "a.dcm", items(pieces), syntax, NumberOfFrames=6)
        assert outcome(open_source(path, BREAST)) == WHOLE


def test_a_frame_whose_beginning_is_damaged_does_not_shift_the_others(tmp_path: Path) -> None:
    broken = b"\0\1" + CODED[2][2:]
    for pieces in ([*CODED[:2], broken, *CODED[3:]], [*halves(CODED[:2]), *halves([broken]), *halves(CODED[3:])]):
        found = outcome(open_source(with_items(tmp_path / "a.dcm", items(pieces)), BREAST))
        assert found[:2] == [0, 1]
        assert found[-3:] == [3, 4, 5]
        assert "frame_unreadable" in found


def test_an_empty_fragment_is_a_lost_frame(tmp_path: Path) -> None:
    path = with_items(tmp_path / "a.dcm", items([*CODED[:2], b"", *CODED[3:]]))
    assert outcome(open_source(path, BREAST)) == [0, 1, "truncated", 3, 4, 5]


def test_an_extended_offset_table_changes_nothing(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", CODED, syntax=JPEGLSLossless)
    dataset = dcmread(path)
    out = encapsulate_extended(CODED)
    dataset.PixelData, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = out
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    assert outcome(open_source(path, BREAST)) == WHOLE
    dataset.ExtendedOffsetTable = b"\x08" * len(out[1])
    dataset.save_as(path)
    assert outcome(open_source(path, BREAST)) == WHOLE


def test_a_file_cut_within_a_fragment_loses_the_rest(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", CODED, syntax=JPEGLSLossless)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(CODED[4]) + 100])
    found = outcome(open_source(path, BREAST))
    assert found[:4] == [0, 1, 2, 3]
    assert all(isinstance(each, str) for each in found[4:])
    assert len(found) == 6


def test_frames_beyond_the_declared_count_of_a_file_that_is_cut_are_counted(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", PICTURES, NumberOfFrames=3)
    path.write_bytes(path.read_bytes()[: -PICTURES[0].nbytes - 10])
    source = open_source(path, BREAST)
    assert outcome(source) == [0, 1, 2, 3, "truncated", "truncated"]
    assert [each.reason for each in source.warnings] == ["frame_count_contradicted"]


def test_pixels_of_half_the_declared_depth_are_refused_with_both_lengths(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", PICTURES, allocated=16, stored=16)
    with pytest.raises(InvalidRecord) as caught:
        open_source(path, BREAST)
    assert caught.value.reason == "size_contradicts_stream"
    assert f"{12 * PICTURES[0].size} bytes" in caught.value.message
    assert caught.value.message.count(str(6 * PICTURES[0].size)) == 1
