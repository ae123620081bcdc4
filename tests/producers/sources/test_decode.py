"""A frame's own stream decides what its pixels mean; one that cannot be trusted is lost, with a reason."""

import struct
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from benchmarks.fuzz_dicom import coded
from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import CapturedFrame, CaptureOptions, LostFrame, open_source
from sonovan.producers.sources.headers import HeaderError
from sonovan.producers.sources.jpeg_scan import check_scans
from tests.producers.files import colour, grey, write_dicom

BREAST = CaptureOptions(organ="breast")


def smooth() -> np.ndarray:
    y, x = np.mgrid[0:48, 0:64]
    return (40 + x * 2 + 20 * np.sin(y / 5)).clip(0, 255).astype(np.uint8)


def shots(path: Path) -> list[CapturedFrame | LostFrame]:
    return list(open_source(path, BREAST).read())


def one(path: Path) -> CapturedFrame:
    (shot,) = shots(path)
    assert isinstance(shot, CapturedFrame), shot
    return shot


def bare(stream: bytes) -> bytes:
    """A JPEG stream without the markers that name its colours."""
    out, place = stream[:2], 2
    while stream[place + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", stream, place + 2)
        if stream[place + 1] not in (0xE0, 0xEE):
            out += stream[place : place + 2 + length]
        place += 2 + length
    return out + stream[place:]


SYNTAXES = (JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("share", [0.4, 0.8, 0.99])
def test_a_frame_that_is_cut_off_is_lost(syntax: UID, share: float, tmp_path: Path) -> None:
    good = coded(grey(), syntax)
    path = write_dicom(tmp_path / "a.dcm", [good, good[: int(len(good) * share)], good], syntax=syntax)
    assert [getattr(shot, "reason", "read") for shot in shots(path)] == ["read", "frame_unreadable", "read"]


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless], ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("start", [0.4, 0.6, 0.8])
def test_a_frame_with_a_hole_is_lost(syntax: UID, start: float, tmp_path: Path) -> None:
    good = coded(grey(), syntax)
    at = int(len(good) * start)
    holed = good[:at] + bytes(200) + good[at + 200 :]
    path = write_dicom(tmp_path / "a.dcm", [good, holed, good], syntax=syntax)
    assert [getattr(shot, "reason", "read") for shot in shots(path)] == ["read", "frame_unreadable", "read"]


@pytest.mark.parametrize("subsampling", ["444", "422", "420"])
@pytest.mark.parametrize("rows", [48, 45])
def test_whole_scans_pass(subsampling: str, rows: int) -> None:
    check_scans(bytes(imagecodecs.jpeg8_encode(colour(rows, 61), 90, subsampling=subsampling)))
    check_scans(bytes(imagecodecs.jpeg8_encode(grey(rows, 61), 100)))
    check_scans(bytes(imagecodecs.jpeg8_encode(grey(rows, 61), lossless=True, predictor=1)))
    check_scans(bytes(imagecodecs.jpeg8_encode(grey(rows, 61, bits=12), 90, bitspersample=12)))
    check_scans(bytes(imagecodecs.jpeg8_encode(grey(rows, 61, bits=16), lossless=True, bitspersample=16)))


def test_a_scan_that_lost_a_part_is_damaged() -> None:
    good = bytes(imagecodecs.jpeg8_encode(grey(), 90))
    middle = 2 * len(good) // 3
    with pytest.raises(HeaderError):
        check_scans(good[:middle] + good[middle + 64 :])


def test_more_than_one_stream_in_a_frame_is_no_frame(tmp_path: Path) -> None:
    good = coded(grey(), JPEGBaseline8Bit)
    path = write_dicom(tmp_path / "a.dcm", [good + good], syntax=JPEGBaseline8Bit)
    assert [getattr(shot, "reason", "read") for shot in shots(path)] == ["frame_unreadable"]


def test_one_byte_of_padding_after_the_end_marker_is_no_damage(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [coded(grey(), JPEG2000Lossless) + b"\xff"], syntax=JPEG2000Lossless)
    assert np.array_equal(one(path).pixels, grey())


@pytest.mark.parametrize("told", ["RGB", "YBR_FULL_422"])
@pytest.mark.parametrize("kind", ["422", "444", "bare rgb", "rgb", "jfif"])
def test_the_stream_says_which_colours_it_holds(told: str, kind: str, tmp_path: Path) -> None:
    picture = np.dstack([smooth()] * 3)
    if kind in ("rgb", "bare rgb"):
        stream = bytes(imagecodecs.jpeg8_encode(picture, 95, colorspace="rgb", outcolorspace="rgb"))
    else:
        stream = bytes(imagecodecs.jpeg8_encode(picture, 95, subsampling="444" if kind == "jfif" else kind))
    stream = stream if kind in ("rgb", "jfif") else bare(stream)
    path = write_dicom(tmp_path / "a.dcm", [stream], syntax=JPEGBaseline8Bit, shape=(48, 64, 3), photometric=told)
    assert np.abs(one(path).pixels.astype(int) - picture).max() <= 8


def test_bare_components_without_telling_names_are_judged_by_their_pixels(tmp_path: Path) -> None:
    picture = np.dstack([smooth()] * 3)
    stream = bare(bytes(imagecodecs.jpeg8_encode(picture, 95, colorspace="rgb", outcolorspace="rgb")))
    renamed = stream.replace(b"\x03R\x11\0G\x11\0B\x11\0", b"\x03\1\x11\0\2\x11\0\3\x11\0").replace(
        b"\x03R\0G\0B\0", b"\x03\1\0\2\0\3\0"
    )
    assert renamed != stream
    for told in ("RGB", "YBR_FULL_422"):
        path = write_dicom(tmp_path / "a.dcm", [renamed], syntax=JPEGBaseline8Bit, shape=(48, 64, 3), photometric=told)
        assert np.abs(one(path).pixels.astype(int) - picture).max() <= 8, told


@pytest.mark.parametrize("told", [0, 1])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_jpeg_2000_stream_says_itself_whether_it_is_signed(told: int, bits: int, tmp_path: Path) -> None:
    picture = grey(bits=bits)
    stream = bytes(imagecodecs.jpeg2k_encode(picture, level=0, reversible=True, codecformat="j2k", bitspersample=bits))
    allocated = 8 if bits == 8 else 16
    path = write_dicom(
        tmp_path / "a.dcm",
        [stream],
        syntax=JPEG2000Lossless,
        stored=bits,
        allocated=allocated,
        PixelRepresentation=told,
    )
    assert np.array_equal(one(path).pixels, picture << (allocated - bits))


def test_a_signed_jpeg_2000_stream_is_moved_up_whatever_the_file_says(tmp_path: Path) -> None:
    picture = (grey().astype(np.int16) - 128).astype(np.int8)
    stream = bytes(imagecodecs.jpeg2k_encode(picture, level=0, reversible=True, codecformat="j2k"))
    for told in (0, 1):
        path = write_dicom(tmp_path / "a.dcm", [stream], syntax=JPEG2000Lossless, PixelRepresentation=told)
        assert np.array_equal(one(path).pixels, grey())


def test_lossy_jpeg_is_never_signed(tmp_path: Path) -> None:
    stream = coded(smooth(), JPEGBaseline8Bit)
    path = write_dicom(tmp_path / "a.dcm", [stream], syntax=JPEGBaseline8Bit, PixelRepresentation=1)
    assert np.abs(one(path).pixels.astype(int) - smooth()).max() <= 8


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless], ids=lambda syntax: syntax.name)
def test_a_stream_of_fewer_bits_than_declared_is_not_darkened(syntax: UID, tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [coded(grey(), syntax)], syntax=syntax, stored=12, allocated=16)
    assert np.array_equal(one(path).pixels, grey())


def test_a_stream_of_more_bits_than_declared_never_wraps(tmp_path: Path) -> None:
    stream = coded(grey(bits=16), JPEGLSLossless)
    path = write_dicom(tmp_path / "a.dcm", [stream], syntax=JPEGLSLossless, stored=12, allocated=16)
    (shot,) = shots(path)
    assert isinstance(shot, LostFrame)
    assert "12 bits" in shot.message


def test_signed_samples_of_a_stream_that_does_not_say_are_warned_of(tmp_path: Path) -> None:
    stream = coded(grey(), JPEGLSLossless)
    source = open_source(
        write_dicom(tmp_path / "a.dcm", [stream], syntax=JPEGLSLossless, PixelRepresentation=1), BREAST
    )
    assert [each.reason for each in source.warnings] == ["samples_signed"]


@pytest.mark.parametrize("name", ["Rows", "Columns", "BitsAllocated"])
def test_a_missing_size_is_named(name: str, tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [grey()], **{name: None})
    with pytest.raises(InvalidRecord) as caught:
        open_source(path, BREAST)
    assert caught.value.reason == "unreadable"
    assert f"its {name} is" in caught.value.message


@pytest.mark.parametrize("seed", range(10))
def test_a_hole_of_zeros_is_seen_even_if_the_scan_has_its_length(seed: int) -> None:
    y, x = np.mgrid[0:240, 0:320]
    noise = np.random.default_rng(seed).integers(0, 30, (240, 320))
    first = (90 + 60 * np.sin(x / 9) * np.cos(y / 7) + noise).clip(0, 255).astype(np.uint8)
    good = bytes(imagecodecs.jpeg8_encode(np.dstack([first, first // 2, 255 - first]), 90))
    at = len(good) * (30 + 4 * seed) // 100
    check_scans(good)
    with pytest.raises(HeaderError):
        check_scans(good[:at] + bytes(300) + good[at + 300 :])


def test_a_black_picture_is_whole() -> None:
    for picture in (np.zeros((240, 320), np.uint8), np.zeros((240, 320, 3), np.uint8)):
        check_scans(bytes(imagecodecs.jpeg8_encode(picture, 90)))
        check_scans(bytes(imagecodecs.jpeg8_encode(picture, 90, optimize=True)))
        check_scans(bytes(imagecodecs.jpeg8_encode(picture, lossless=True, predictor=1)))


def rle(picture: np.ndarray) -> bytes:
    planes = [picture] if picture.ndim == 2 else [np.ascontiguousarray(picture[..., n]) for n in range(3)]
    bodies = [bytes(imagecodecs.packbits_encode(plane)) for plane in planes]
    bodies = [body + b"\0" * (len(body) % 2) for body in bodies]
    starts = [64 + sum(map(len, bodies[:number])) for number in range(len(bodies))]
    return struct.pack("<16I", len(planes), *starts, *[0] * (15 - len(planes))) + b"".join(bodies)


def in_ycc(picture: np.ndarray) -> np.ndarray:
    """Grey as YCbCr."""
    return np.stack([picture, np.full_like(picture, 128), np.full_like(picture, 128)], axis=-1)


@pytest.mark.parametrize("stored", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("stated", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("coding", ["none", "rle", "jpeg-ls"])
def test_a_grey_picture_says_itself_which_colours_it_holds(
    stored: str, stated: str, coding: str, tmp_path: Path
) -> None:
    picture = in_ycc(smooth()) if stored == "YBR_FULL" else np.repeat(smooth()[..., None], 3, axis=-1)
    syntax = {"none": ExplicitVRLittleEndian, "rle": RLELossless, "jpeg-ls": JPEGLSLossless}[coding]
    frames = {
        "none": lambda: picture,
        "rle": lambda: rle(picture),
        "jpeg-ls": lambda: bytes(imagecodecs.jpegls_encode(picture, level=0)),
    }[coding]()
    path = write_dicom(tmp_path / "a.dcm", [frames], syntax=syntax, shape=(48, 64, 3), photometric=stated)
    pixels = one(path).pixels
    assert np.abs(pixels.astype(int) - smooth()[..., None]).max() <= 2


@pytest.mark.parametrize("stored", [0, 1])
@pytest.mark.parametrize("stated", [0, 1])
@pytest.mark.parametrize("kind", ["RGB", "YBR_FULL"])
def test_a_grey_picture_says_itself_how_its_planes_lie(stored: int, stated: int, kind: str, tmp_path: Path) -> None:
    picture = in_ycc(smooth()) if kind == "YBR_FULL" else np.repeat(smooth()[..., None], 3, axis=-1)
    data = (picture.transpose(2, 0, 1) if stored else picture).tobytes()
    path = write_dicom(tmp_path / "a.dcm", [data], shape=(48, 64, 3), photometric=kind, PlanarConfiguration=stated)
    assert np.abs(one(path).pixels.astype(int) - smooth()[..., None]).max() <= 2


@pytest.mark.parametrize("picture", [colour(), np.full((48, 64, 3), (200, 10, 10), np.uint8)], ids=["smooth", "plain"])
@pytest.mark.parametrize("planes", [0, 1])
def test_a_coloured_picture_is_read_as_its_file_states(picture: np.ndarray, planes: int, tmp_path: Path) -> None:
    data = (picture.transpose(2, 0, 1) if planes else picture).tobytes()
    path = write_dicom(tmp_path / "a.dcm", [data], shape=(48, 64, 3), photometric="RGB", PlanarConfiguration=planes)
    assert np.array_equal(one(path).pixels, picture)


def test_uncompressed_samples_beyond_the_declared_bits_never_wrap(tmp_path: Path) -> None:
    picture = smooth().astype(np.uint16) << 4
    sound = write_dicom(tmp_path / "a.dcm", [picture], allocated=16, stored=12)
    assert np.array_equal(one(sound).pixels >> 8, smooth())
    for stored, high in ((8, 7), (10, 9), (8, 15)):
        path = write_dicom(tmp_path / "b.dcm", [picture + 1], allocated=16, stored=stored, HighBit=high)
        (shot,) = shots(path)
        assert isinstance(shot, LostFrame), (stored, high)
        assert shot.reason == "frame_unreadable"


def test_an_overlay_in_unused_bits_is_masked(tmp_path: Path) -> None:
    picture = smooth().astype(np.uint16) | 0x1000
    path = write_dicom(tmp_path / "a.dcm", [picture], allocated=16, stored=8)
    dataset = dcmread(path)
    dataset.add_new(0x60000102, "US", 12)
    dataset.save_as(path)
    assert np.array_equal(one(path).pixels, smooth())


def progressive(picture: np.ndarray) -> bytes:
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_QUALITY, 95]
    return cv2.imencode(".jpg", picture, options)[1].tobytes()


@pytest.mark.parametrize("damage", ["hole", "other bytes", "scans missing"])
def test_a_damaged_progressive_frame_is_lost(damage: str, tmp_path: Path) -> None:
    whole = progressive(grey(96, 128))
    path = write_dicom(tmp_path / "a.dcm", [whole], syntax=JPEGBaseline8Bit, shape=(96, 128))
    assert one(path).pixels.shape == (96, 128)
    middle, last = len(whole) // 2, whole.rindex(b"\xff\xda")
    broken = {
        "hole": whole[:middle] + bytes(64) + whole[middle + 64 :],
        "other bytes": whole[:middle] + b"\x5a" * 64 + whole[middle + 64 :],
        "scans missing": whole[:last] + b"\xff\xd9",
    }[damage]
    path = write_dicom(tmp_path / "b.dcm", [broken], syntax=JPEGBaseline8Bit, shape=(96, 128))
    (shot,) = shots(path)
    assert isinstance(shot, LostFrame)
    assert shot.reason == "frame_unreadable"
