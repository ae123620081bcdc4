"""DICOM files of every transfer syntax and colour model, to exact pixels."""

import warnings
from datetime import date
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import CapturedFrame, CaptureOptions, LostFrame, open_source
from tests.producers.files import colour, grey, region, write_dicom

BREAST = CaptureOptions(organ="breast")


def read(path: Path, options: CaptureOptions = BREAST) -> list[CapturedFrame]:
    shots = list(open_source(path, options).read())
    assert all(isinstance(shot, CapturedFrame) for shot in shots), shots
    return [shot for shot in shots if isinstance(shot, CapturedFrame)]


def lossless(picture: np.ndarray, syntax: UID) -> bytes:
    if syntax in (JPEGLossless, JPEGLosslessSV1):
        bits = 8 * picture.dtype.itemsize
        predictor = 1 if syntax == JPEGLosslessSV1 else 5
        return bytes(imagecodecs.jpeg8_encode(picture, lossless=True, predictor=predictor, bitspersample=bits))
    if syntax in (JPEGLSLossless, JPEGLSNearLossless):
        return bytes(imagecodecs.jpegls_encode(picture, level=0))
    return bytes(imagecodecs.jpeg2k_encode(picture, level=0, reversible=True, codecformat="j2k"))


LOSSLESS = (JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless, JPEG2000Lossless, JPEG2000)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.name)
def test_coded_grey_frames_come_back_exactly(syntax: UID, tmp_path: Path) -> None:
    pictures = [grey(seed=seed) for seed in range(3)]
    path = write_dicom(tmp_path / "a.dcm", [lossless(each, syntax) for each in pictures], syntax=syntax)
    for shot, picture in zip(read(path), pictures, strict=True):
        assert np.array_equal(shot.pixels, picture)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.name)
def test_coded_colour_frames_come_back_exactly(syntax: UID, tmp_path: Path) -> None:
    picture = colour()
    photometric = "YBR_RCT" if syntax in (JPEG2000Lossless, JPEG2000) else "RGB"
    coded = lossless(picture, syntax)
    path = write_dicom(tmp_path / "a.dcm", [coded], syntax=syntax, shape=(48, 64, 3), photometric=photometric)
    assert np.array_equal(read(path)[0].pixels, picture)


@pytest.mark.parametrize("syntax", [JPEGLossless, JPEGLSLossless, JPEG2000Lossless], ids=lambda syntax: syntax.name)
def test_coded_sixteen_bit_frames_come_back_exactly(syntax: UID, tmp_path: Path) -> None:
    picture = grey(bits=16)
    path = write_dicom(tmp_path / "a.dcm", [lossless(picture, syntax)], syntax=syntax, stored=16, allocated=16)
    assert np.array_equal(read(path)[0].pixels, picture)


@pytest.mark.parametrize("syntax", [RLELossless, DeflatedExplicitVRLittleEndian], ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("rgb", [False, True])
def test_rle_and_deflated_frames_come_back_exactly(syntax: UID, deep: bool, rgb: bool, tmp_path: Path) -> None:
    picture = grey(bits=16 if deep else 8)
    picture = np.stack([picture, picture // 2, picture // 3], axis=-1) if rgb else picture
    bits = 16 if deep else 8
    plain = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    path = write_dicom(
        tmp_path / "a.dcm", [picture], syntax=plain, shape=picture.shape, stored=bits, allocated=bits,
        photometric="RGB" if rgb else "MONOCHROME2",
    )  # fmt: skip
    if syntax == RLELossless:
        dataset = dcmread(path)
        dataset.compress(RLELossless)
        dataset.save_as(path)
    assert np.array_equal(read(path)[0].pixels, picture)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian], ids=str)
def test_native_sixteen_bits_in_either_byte_order(syntax: UID, tmp_path: Path) -> None:
    picture = grey(bits=16)
    path = write_dicom(tmp_path / "a.dcm", [picture], syntax=syntax, stored=16, allocated=16)
    assert np.array_equal(read(path)[0].pixels, picture)


def test_twelve_bits_fill_the_range_without_loss(tmp_path: Path) -> None:
    picture = grey(bits=12)
    path = write_dicom(tmp_path / "a.dcm", [picture], stored=12, allocated=16)
    pixels = read(path)[0].pixels
    assert pixels.dtype == np.uint16
    assert np.array_equal(pixels >> 4, picture)
    assert int(pixels.max()) > 60_000


def test_twelve_bit_jpeg(tmp_path: Path) -> None:
    picture = np.broadcast_to(np.arange(64, dtype=np.uint16) * 64, (48, 64)).copy()
    coded = bytes(imagecodecs.jpeg8_encode(picture, 95, bitspersample=12))
    path = write_dicom(tmp_path / "a.dcm", [coded], syntax=JPEGExtended12Bit, stored=12, allocated=16)
    assert np.abs((read(path)[0].pixels >> 4).astype(int) - picture).max() < 64


def test_eight_stored_bits_in_sixteen_become_bytes(tmp_path: Path) -> None:
    picture = grey()
    path = write_dicom(tmp_path / "a.dcm", [picture.astype(np.uint16)], stored=8, allocated=16)
    assert read(path)[0].pixels.dtype == np.uint8
    assert np.array_equal(read(path)[0].pixels, picture)


def test_monochrome1_is_inverted(tmp_path: Path) -> None:
    picture = grey()
    path = write_dicom(tmp_path / "a.dcm", [picture], photometric="MONOCHROME1")
    assert np.array_equal(read(path)[0].pixels, 255 - picture)


def test_signed_samples_keep_their_order(tmp_path: Path) -> None:
    picture = np.linspace(-128, 127, 48 * 64).astype(np.int8).reshape(48, 64)
    path = write_dicom(tmp_path / "a.dcm", [picture.tobytes()], PixelRepresentation=1)
    assert np.array_equal(read(path)[0].pixels, (picture.astype(int) + 128).astype(np.uint8))


def test_planes_after_each_other_make_the_same_picture(tmp_path: Path) -> None:
    picture = colour()
    path = write_dicom(
        tmp_path / "a.dcm", [np.ascontiguousarray(picture.transpose(2, 0, 1)).tobytes()], shape=(48, 64, 3),
        photometric="RGB", PlanarConfiguration=1,
    )  # fmt: skip
    assert np.array_equal(read(path)[0].pixels, picture)


def ybr(picture: np.ndarray) -> np.ndarray:
    """By the formula of PS3.3 C.7.6.3.1.2."""
    red, green, blue = (picture[..., channel].astype(float) for channel in range(3))
    y = 0.2990 * red + 0.5870 * green + 0.1140 * blue
    cb = -0.1687 * red - 0.3313 * green + 0.5 * blue + 128
    cr = 0.5 * red - 0.4187 * green - 0.0813 * blue + 128
    return np.stack([y, cb, cr], axis=-1).round().clip(0, 255).astype(np.uint8)


def test_ybr_full_becomes_rgb(tmp_path: Path) -> None:
    picture = colour()
    path = write_dicom(tmp_path / "a.dcm", [ybr(picture)], shape=(48, 64, 3), photometric="YBR_FULL")
    assert np.abs(read(path)[0].pixels.astype(int) - picture).max() <= 2


def test_ybr_full_422_becomes_rgb(tmp_path: Path) -> None:
    picture = np.repeat(colour(48, 32), 2, axis=1)  # neighbours share their colour: nothing is lost
    full = ybr(picture)
    packed = np.stack([full[:, 0::2, 0], full[:, 1::2, 0], full[:, 0::2, 1], full[:, 0::2, 2]], axis=-1)
    path = write_dicom(tmp_path / "a.dcm", [packed.tobytes()], shape=(48, 64, 3), photometric="YBR_FULL_422")
    assert np.abs(read(path)[0].pixels.astype(int) - picture).max() <= 2


def test_lossy_jpeg_is_rgb_whatever_it_was_stored_as(tmp_path: Path) -> None:
    picture = colour()
    as_ybr = bytes(imagecodecs.jpeg8_encode(picture, 97, subsampling="444"))
    as_rgb = bytes(imagecodecs.jpeg8_encode(picture, 97, colorspace="rgb", outcolorspace="rgb"))
    for name, coded, told in (("y", as_ybr, "YBR_FULL_422"), ("j", as_ybr, "RGB"), ("r", as_rgb, "RGB")):
        path = write_dicom(
            tmp_path / f"{name}.dcm", [coded], syntax=JPEGBaseline8Bit, shape=(48, 64, 3), photometric=told
        )
        assert np.abs(read(path)[0].pixels.astype(int) - picture).mean() < 3, name


def palette(bits: int) -> dict[str, object]:
    ramp = np.arange(256)
    channels = {"Red": ramp, "Green": 255 - ramp, "Blue": ramp // 2}
    tags: dict[str, object] = {}
    for name, values in channels.items():
        table = (values * (257 if bits == 16 else 1)).astype(np.uint16 if bits == 16 else np.uint8)
        tags[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        tags[f"{name}PaletteColorLookupTableData"] = table.tobytes()
    return tags


@pytest.mark.parametrize("bits", [8, 16])
def test_palette_is_applied(bits: int, tmp_path: Path) -> None:
    picture = grey()
    path = write_dicom(tmp_path / "a.dcm", [picture], photometric="PALETTE COLOR", **palette(bits))
    pixels = read(path)[0].pixels
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, np.stack([picture, 255 - picture, picture // 2], axis=-1))


def test_regions_become_panels_with_their_scale(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "a.dcm", [grey(100, 200)], shape=(100, 200),
        SequenceOfUltrasoundRegions=[
            region(100, 10, 189, 89, PhysicalDeltaX=-0.01), region(10, 10, 99, 89), region(20, 20, 40, 40),
            region(0, 0, 199, 99, RegionSpatialFormat=0),
        ],
    )  # fmt: skip
    source = open_source(path, BREAST)
    panels = next(iter(read(path))).panels
    assert [(p.left, p.top, p.width, p.height) for p in panels] == [(10, 10, 90, 80), (100, 10, 90, 80)]
    assert panels[0].spacing_mm == pytest.approx((0.2, 0.3))
    assert panels[1].spacing_mm == pytest.approx((0.1, 0.3))
    assert source.declared == ((100, 10, 90, 80), (10, 10, 90, 80), (20, 20, 21, 21))


def test_regions_that_do_not_fit_are_not_believed(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [grey()], SequenceOfUltrasoundRegions=[region(0, 0, 300, 300)])
    source = open_source(path, BREAST)
    panel = read(path)[0].panels[0]
    assert source.declared is None
    assert source.uncertain
    assert source.notes == ("regions_uncertain",)
    assert (panel.width, panel.height, panel.spacing_mm) == (64, 48, None)


@pytest.mark.parametrize(
    ("tags", "times"),
    [
        ({"FrameTime": 40}, [0, 40, 80]),
        ({"FrameTimeVector": [0, 30, 50]}, [0, 30, 80]),
        ({"FrameTimeVector": [33, 30, 50]}, [0, 30, 80]),
        ({"CineRate": 20}, [0, 50, 100]),
        ({}, [None, None, None]),
        ({"FrameTimeVector": [0, -30, 50]}, [None, None, None]),
        ({"FrameTime": "1e308"}, [None, None, None]),
    ],
)
def test_frame_times(tags: dict[str, object], times: list[float | None], tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [grey(seed=seed) for seed in range(3)], **tags)
    assert [shot.time_ms for shot in read(path)] == times


@pytest.mark.parametrize(
    ("tags", "day"),
    [
        ({"StudyDate": "20240301"}, date(2024, 3, 1)),
        ({"StudyDate": "20240301", "AcquisitionDateTime": "20240302101500.25+0800"}, date(2024, 3, 2)),
        ({"ContentDate": "2024.03.03"}, date(2024, 3, 3)),
        ({"AcquisitionDate": "19000101", "StudyDate": "20240301"}, date(2024, 3, 1)),
        ({"StudyDate": "202403"}, None),
        ({}, None),
    ],
)
def test_the_day_of_examination_is_the_nearest_that_the_file_names(
    tags: dict[str, object], day: date | None, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's, of dates that no standard allows
        path = write_dicom(tmp_path / "a.dcm", [grey()], **tags)
    assert open_source(path, BREAST).acquired_on == day


def test_side_and_organ_come_from_the_file(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [grey()], Laterality="R", BodyPartExamined="BREAST")
    source = open_source(path, CaptureOptions())
    assert (source.organ, source.laterality) == ("breast", "right")
    assert read(path, CaptureOptions(side="right"))[0].panels[0].laterality == "right"


@pytest.mark.parametrize(
    ("tags", "options", "reason"),
    [
        ({"ImageLaterality": "L"}, {"organ": "breast", "side": "right"}, "side_contradicts_file"),
        ({"ImageLaterality": "L", "Laterality": "R"}, {"organ": "breast"}, "side_contradicts_file"),
        ({"Laterality": "R"}, {"organ": "thyroid", "side": "isthmus"}, "side_contradicts_file"),
        ({"BodyPartExamined": "THYROID"}, {"organ": "breast"}, "organ_contradicts_file"),
        ({"BodyPartExamined": "LIVER"}, {"organ": "breast"}, "organ_contradicts_file"),
        ({}, {}, "organ_missing"),
        (
            {"SequenceOfUltrasoundRegions": [region(0, 0, 63, 47)]},
            {"organ": "breast", "pixel_spacing_mm": (0.5, 0.5)},
            "spacing_contradicts_file",
        ),
    ],
)
def test_contradictions_have_names(
    tags: dict[str, object], options: dict[str, object], reason: str, tmp_path: Path
) -> None:
    path = write_dicom(tmp_path / "a.dcm", [grey()], **tags)
    with pytest.raises(InvalidRecord) as caught:
        open_source(path, CaptureOptions.model_validate(options))
    assert caught.value.reason == reason
    assert str(path) in caught.value.message


def test_a_broken_frame_is_lost_and_the_others_are_not(tmp_path: Path) -> None:
    good = lossless(grey(), JPEGLSLossless)
    path = write_dicom(tmp_path / "a.dcm", [good, good[:40], good], syntax=JPEGLSLossless)
    shots = list(open_source(path, BREAST).read())
    assert [type(shot) for shot in shots] == [CapturedFrame, LostFrame, CapturedFrame]
    assert [shot.frame_index for shot in shots] == [0, 1, 2]


def test_a_file_cut_short_keeps_the_frames_it_has(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [grey(seed=seed) for seed in range(4)])
    data = path.read_bytes()
    path.write_bytes(data[: -48 * 64 - 100])
    shots = list(open_source(path, BREAST).read())
    assert [getattr(shot, "reason", "read") for shot in shots] == ["read", "read", "truncated", "truncated"]


def test_a_file_cut_within_its_offset_table_keeps_its_name(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [lossless(grey(), JPEGLSLossless)] * 2, syntax=JPEGLSLossless)
    data = path.read_bytes()
    table = data.index(b"\xfe\xff\x00\xe0")
    for length in (table + 2, table + 6, table + 9):
        path.write_bytes(data[:length])
        shots = list(open_source(path, BREAST).read())
        assert [getattr(shot, "reason", "read") for shot in shots] == ["truncated", "truncated"], length


def test_a_scale_next_to_zero_is_left_out_and_said(tmp_path: Path) -> None:
    """Nothing can be measured with it: it would divide by zero at the centre, again and again."""
    tiny = region(0, 0, 63, 47, PhysicalDeltaX=1e-170, PhysicalDeltaY=1e-170)
    path = write_dicom(tmp_path / "a.dcm", [grey()], SequenceOfUltrasoundRegions=[tiny])
    source = open_source(path, BREAST)
    (shot,) = source.read()
    assert isinstance(shot, CapturedFrame)
    assert [panel.spacing_mm for panel in shot.panels] == [None]
    assert {each.reason for each in source.warnings} == {"region_scale_unreadable"}


def test_a_stream_larger_than_its_file_says_is_not_decoded(tmp_path: Path) -> None:
    coded = lossless(grey(1000, 1000) // 16, JPEGLSLossless)
    path = write_dicom(tmp_path / "a.dcm", [coded], syntax=JPEGLSLossless)
    (shot,) = open_source(path, BREAST).read()
    assert isinstance(shot, LostFrame)
    assert "1000 x 1000" in shot.message


@pytest.mark.data
def test_files_of_many_devices_show_what_another_reader_shows(shared_data: Path) -> None:
    """pydicom decodes the uncompressed and RLE files on its own; the colours must agree."""
    from pydicom.pixels import pixel_array

    compared = 0
    for path in sorted((shared_data / "dicom" / "ultrasound").glob("*.dcm")):
        dataset = dcmread(path)
        if dataset.file_meta.TransferSyntaxUID.is_encapsulated and "rle" not in path.name:
            continue
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            continue
        other = pixel_array(dataset, index=0)
        mine = read(path)[0].pixels
        assert np.abs(mine.astype(int) - other).max() <= 2, path.name
        compared += 1
    assert compared >= 6


@pytest.mark.data
def test_one_picture_in_five_transfer_syntaxes_is_one_picture(shared_data: Path) -> None:
    folder = shared_data / "dicom" / "ultrasound"
    names = ("OBXXXX1A.dcm", "OBXXXX1A_rle.dcm", "OBXXXX1A_2frame.dcm", "OBXXXX1A_expb_2frame.dcm")
    pictures = [read(folder / f"pydicom-data__{name}")[0].pixels for name in names]
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)
    assert np.array_equal(
        read(folder / "pydicom-data__color-pl.dcm")[0].pixels, read(folder / "pydicom-data__color-px.dcm")[0].pixels
    )
    plain = read(folder / "pydicom-data__US1_UNCI.dcm")[0].pixels
    coded = read(folder / "pydicom-data__US1_J2KI.dcm")[0].pixels
    assert cv2.PSNR(plain, coded) > 30


@pytest.mark.data
def test_every_ultrasound_file_is_read_whole(shared_data: Path) -> None:
    for path in sorted((shared_data / "dicom" / "ultrasound").glob("*.dcm")):
        assert read(path), path.name


@pytest.mark.timeout(20)
def test_a_jpeg_ls_frame_without_its_end_marker_is_refused_and_never_decoded(tmp_path):
    good = lossless(grey(), JPEGLSLossless)
    path = write_dicom(tmp_path / "a.dcm", [good, good[:-2]], syntax=JPEGLSLossless)
    first, second = open_source(path, BREAST).read()
    assert isinstance(first, CapturedFrame)
    assert isinstance(second, LostFrame)
    assert "no end marker" in second.message
