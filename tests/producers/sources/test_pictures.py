"""Pictures as they are shown, and those that are damaged or hold more than one."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import CapturedFrame, CaptureOptions, open_source, open_sources
from sonovan.producers.sources.picture_tags import upright
from tests.producers.clips import shades, write_clip
from tests.producers.files import colour, grey

BREAST = CaptureOptions(organ="breast")
SHOWN = (np.arange(48 * 64).reshape(48, 64) // 13).astype(np.uint8)
"""No turning or mirroring of it is itself."""
STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.T,
    6: lambda p: np.rot90(p),
    7: lambda p: p[::-1, ::-1].T,
    8: lambda p: np.rot90(p, -1),
}
"""How a picture is stored that is shown as SHOWN (EXIF 2.32, tag 274)."""


def only(path: Path) -> CapturedFrame:
    (shot,) = open_source(path, BREAST).read()
    assert isinstance(shot, CapturedFrame)
    return shot


def reason(path: Path) -> str:
    with pytest.raises(InvalidRecord) as caught:
        open_source(path, BREAST)
    return caught.value.reason


def exif(orientation: int) -> bytes:
    return b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHHI", 274, 3, 1, orientation, 0, 0)


def in_jpeg(picture: np.ndarray, orientation: int) -> bytes:
    data, body = bytes(imagecodecs.jpeg8_encode(picture, 98)), b"Exif\0\0" + exif(orientation)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def in_png(picture: np.ndarray, orientation: int) -> bytes:
    data = bytes(imagecodecs.png_encode(picture))
    return data[:33] + chunk(b"eXIf", exif(orientation)) + data[33:]


def in_webp(picture: np.ndarray, orientation: int) -> bytes:
    """A WebP with the extended header that EXIF needs."""
    body = bytes(imagecodecs.webp_encode(np.dstack([picture] * 3), lossless=True))[12:]
    rows, columns = picture.shape
    head = b"\x08\0\0\0" + (columns - 1).to_bytes(3, "little") + (rows - 1).to_bytes(3, "little")
    block = exif(orientation)
    parts = b"WEBPVP8X" + struct.pack("<I", 10) + head + body + b"EXIF" + struct.pack("<I", len(block)) + block
    return b"RIFF" + struct.pack("<I", len(parts)) + parts


def in_tiff(picture: np.ndarray, orientation: int, **more: int) -> bytes:
    rows, columns = picture.shape
    tags = {
        256: columns,
        257: rows,
        258: 8,
        259: 1,
        262: 1,
        273: 0,
        274: orientation,
        277: 1,
        278: rows,
        279: picture.size,
    }
    place = 8 + 2 + 12 * len(tags) + 4
    out = b"II*\0" + struct.pack("<IH", 8, len(tags))
    for tag, value in tags.items():
        out += struct.pack(
            "<HHII", tag, 3 if tag in (258, 259, 262, 274, 277) else 4, 1, place if tag == 273 else value
        )
    return out + b"\0\0\0\0" + picture.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "write"), [("jpg", in_jpeg), ("png", in_png), ("webp", in_webp), ("tif", in_tiff)])
def test_a_picture_is_read_as_it_is_shown(
    kind: str, write: Callable[[np.ndarray, int], bytes], orientation: int, tmp_path: Path
) -> None:
    stored = np.ascontiguousarray(STORED[orientation](SHOWN))
    assert np.array_equal(upright(stored, orientation), SHOWN)
    (tmp_path / f"a.{kind}").write_bytes(write(stored, orientation))
    pixels = only(tmp_path / f"a.{kind}").pixels
    pixels = pixels[..., 0] if pixels.ndim == 3 else pixels
    assert pixels.shape == SHOWN.shape
    assert np.abs(pixels.astype(int) - SHOWN).mean() < 4


def phys(across: int, down: int) -> bytes:
    data = bytes(imagecodecs.png_encode(grey()))
    return data[:33] + chunk(b"pHYs", struct.pack(">IIB", across, down, 1)) + data[33:]


def jfif(across: int, down: int) -> bytes:
    data = bytearray(imagecodecs.jpeg8_encode(grey(), 95))
    at = data.index(b"JFIF\0")
    data[at + 8 : at + 12] = struct.pack(">HH", across, down)
    return bytes(data)


@pytest.mark.parametrize(("name", "write"), [("a.png", phys), ("a.jpg", jfif)])
def test_a_picture_whose_pixels_may_be_oblong_is_warned_of(
    name: str, write: Callable[[int, int], bytes], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(write(300, 300))
    assert open_sources([path], BREAST).notices() == []
    path.write_bytes(write(300, 150))
    inputs = open_sources([path], BREAST)
    assert [each.reason for each in inputs.sources[0].warnings] == ["pixels_may_be_oblong"]
    assert [line.startswith(f"warning: {path}") for line in inputs.notices()] == [True]


@pytest.mark.parametrize(("name", "codec", "kind"), [("a.webp", "libwebp_anim", "webp"), ("a.png", "apng", "apng")])
def test_an_animation_is_refused_as_several_pictures(name: str, codec: str, kind: str, tmp_path: Path) -> None:
    pixels = "yuv420p" if kind == "webp" else "gray"
    assert reason(write_clip(tmp_path / name, shades(4), codec, kind=kind, pixels=pixels)) == "several_pictures"


def test_a_gif_is_refused_by_name(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.gif", shades(3), "gif", pixels="gray")
    assert reason(path) == "format_not_read"


def test_pictures_one_behind_the_other_are_several(tmp_path: Path) -> None:
    one = bytes(imagecodecs.jpeg8_encode(grey(), 95))
    (tmp_path / "a.jpg").write_bytes(one + one)
    assert reason(tmp_path / "a.jpg") == "several_pictures"


def test_a_jpeg_with_a_hole_or_without_its_end_is_refused(tmp_path: Path) -> None:
    whole = bytes(imagecodecs.jpeg8_encode(grey(240, 320), 90))
    path = tmp_path / "a.jpg"
    path.write_bytes(whole)
    assert only(path).pixels.shape == (240, 320)
    third = len(whole) // 3
    for damaged in (whole[:third] + bytes(500) + whole[third + 500 :], whole[: 2 * third], whole[:-2]):
        path.write_bytes(damaged)
        assert reason(path) == "truncated"


@pytest.mark.parametrize("kind", ["png", "webp", "bmp", "tif"])
def test_a_picture_without_its_last_tenth_is_refused(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"a.{kind}"
    cv2.imwrite(str(path), grey(96, 128))
    whole = path.read_bytes()
    assert only(path).pixels.shape[:2] == (96, 128)
    path.write_bytes(whole[: len(whole) * 9 // 10])
    assert reason(path) in ("truncated", "unreadable")
    assert capfd.readouterr().err == "", "no decoder writes lines of its own"


def test_a_png_with_a_changed_byte_is_refused(tmp_path: Path) -> None:
    data = bytearray(imagecodecs.png_encode(grey()))
    data[len(data) // 2] ^= 255
    (tmp_path / "a.png").write_bytes(data)
    assert reason(tmp_path / "a.png") == "truncated"


def test_pictures_in_four_inks_are_read_in_colour(tmp_path: Path) -> None:
    inks = np.dstack([255 - colour(), np.zeros((48, 64), np.uint8)])
    data = bytes(imagecodecs.jpeg8_encode(inks, 98, colorspace="CMYK", outcolorspace="CMYK"))
    (tmp_path / "a.jpg").write_bytes(data)
    assert only(tmp_path / "a.jpg").pixels.shape == (48, 64, 3)


def tiff(picture: np.ndarray, *, white_is_zero: bool = False, deflated: bool = False) -> bytes:
    """A TIFF of one strip."""
    data = picture.astype("<u2" if picture.dtype == np.uint16 else "u1").tobytes()
    data = zlib.compress(data) if deflated else data
    data += b"\0" * (len(data) % 2)
    rows, columns = picture.shape
    bits, coding = 8 * picture.dtype.itemsize, 8 if deflated else 1
    tags = [
        (256, 4, columns), (257, 4, rows), (258, 3, bits), (259, 3, coding), (262, 3, 0 if white_is_zero else 1),
        (273, 4, 8), (277, 3, 1), (278, 4, rows), (279, 4, len(data)),
    ]  # fmt: skip
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + body + bytes(4)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_tiff_whose_white_is_zero_is_turned_round(kind: type, tmp_path: Path) -> None:
    picture = SHOWN.astype(kind) * (257 if kind is np.uint16 else 1)
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(~picture, white_is_zero=True))
    assert np.array_equal(only(path).pixels, picture)


def test_a_deflated_tiff_with_a_hole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    data = tiff(grey(), deflated=True)
    path.write_bytes(data)
    assert np.array_equal(only(path).pixels, grey())
    path.write_bytes(data[:1000] + bytes(64) + data[1064:])
    with pytest.raises(InvalidRecord) as caught:
        open_source(path, BREAST)
    assert caught.value.reason == "truncated"


def test_a_progressive_jpeg_without_its_last_scan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    data = cv2.imencode(".jpg", grey(), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    path.write_bytes(data)
    assert only(path).pixels.shape == (48, 64)
    path.write_bytes(data[: data.rindex(b"\xff\xda")] + b"\xff\xd9")
    with pytest.raises(InvalidRecord) as caught:
        open_source(path, BREAST)
    assert caught.value.reason == "truncated"


def test_pictures_of_one_size_behind_the_other_are_several_and_previews_are_not(tmp_path: Path) -> None:
    def mpf(*pictures: np.ndarray) -> bytes:
        first, *others = (cv2.imencode(".jpg", each)[1].tobytes() for each in pictures)
        return first[:2] + b"\xff\xe2\0\x06MPF\0" + first[2:] + b"".join(others)

    path = tmp_path / "a.jpg"
    path.write_bytes(mpf(grey(), grey(24, 32)))
    assert only(path).pixels.shape == (48, 64)
    path.write_bytes(mpf(grey(), grey(seed=1)))
    with pytest.raises(InvalidRecord) as caught:
        open_source(path, BREAST)
    assert caught.value.reason == "several_pictures"
