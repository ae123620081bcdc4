"""Each region and each number of a header is judged alone; the black-out fails closed."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.van import Panel
from sonovan.producers.privacy import black_out, hold_reason
from sonovan.producers.sources import CapturedFrame, CaptureOptions, Source, open_source
from tests.producers.files import grey, region, write_dicom

BREAST = CaptureOptions(organ="breast")
PICTURE = region(0, 12, 63, 47)


def without(item: Dataset, name: str) -> Dataset:
    del item[name]
    return item


def opened(tmp_path: Path, **tags: object) -> Source:
    return open_source(write_dicom(tmp_path / "a.dcm", [grey(seed=n) for n in range(3)], **tags), BREAST)


def panels(source: Source) -> tuple[Panel, ...]:
    shot = next(iter(source.read()))
    assert isinstance(shot, CapturedFrame)
    return shot.panels


def reasons(source: Source) -> list[str]:
    return [each.reason for each in source.warnings]


DOUBTFUL = {
    "no area": region(0, 0, 0, 0),
    "turned round": region(63, 47, 0, 0),
    "outside": region(0, 0, 900, 900),
    "far outside": region(0, 0, 63, 4_000_000_000),
    "empty": Dataset(),
    "lacks a corner": without(region(0, 0, 63, 47), "RegionLocationMaxX1"),
}


@pytest.mark.parametrize("kind", DOUBTFUL)
@pytest.mark.parametrize("first", [False, True])
def test_a_doubtful_region_opens_nothing_and_condemns_nothing(kind: str, first: bool, tmp_path: Path) -> None:
    items = [DOUBTFUL[kind], PICTURE] if first else [PICTURE, DOUBTFUL[kind]]
    source = opened(tmp_path, SequenceOfUltrasoundRegions=items)
    assert source.declared == ((0, 12, 64, 36),)
    assert reasons(source) == ["region_left_out"]
    assert hold_reason(source) is None
    assert panels(source)[0].spacing_mm == pytest.approx((0.2, 0.3))
    assert not black_out(np.maximum(grey(), 1), source.declared).pixels[:12].any()


@pytest.mark.parametrize("kind", DOUBTFUL)
def test_frames_whose_regions_are_all_doubtful_stay_on_the_van(kind: str, tmp_path: Path) -> None:
    source = opened(tmp_path, SequenceOfUltrasoundRegions=[DOUBTFUL[kind]], PixelSpacing=[0.1, 0.1])
    assert hold_reason(source) == "regions_uncertain"
    assert panels(source)[0].spacing_mm is None


@pytest.mark.parametrize("delta", [float("nan"), float("inf"), 0.0])
def test_a_region_without_a_readable_scale_keeps_its_place(delta: float, tmp_path: Path) -> None:
    source = opened(tmp_path, SequenceOfUltrasoundRegions=[region(0, 12, 63, 47, PhysicalDeltaX=delta)])
    assert source.declared == ((0, 12, 64, 36),)
    assert panels(source)[0].spacing_mm is None
    assert reasons(source) == ["region_scale_unreadable"]


def test_a_scale_in_other_units_is_none(tmp_path: Path) -> None:
    source = opened(tmp_path, SequenceOfUltrasoundRegions=[region(0, 12, 63, 47, PhysicalUnitsXDirection=4)])
    assert panels(source)[0].spacing_mm is None


def test_an_inset_with_a_scale_of_its_own_is_a_panel_of_its_own(tmp_path: Path) -> None:
    outer = region(0, 0, 63, 47, PhysicalDeltaX=0.04, PhysicalDeltaY=0.04, RegionFlags=1)
    inset = region(32, 24, 63, 47, PhysicalDeltaX=0.02, PhysicalDeltaY=0.02)
    source = opened(tmp_path, SequenceOfUltrasoundRegions=[outer, inset])
    found = {(p.left, p.top, p.width, p.height): p.column_mm for p in panels(source)}
    assert found[(32, 24, 32, 24)] == pytest.approx(0.2)
    assert found[(0, 0, 32, 48)] == pytest.approx(0.4)
    assert reasons(source) == ["region_covered"]


def test_a_nested_region_that_is_covered_itself_has_no_panel(tmp_path: Path) -> None:
    inset = region(32, 24, 63, 47, PhysicalDeltaX=0.01, PhysicalDeltaY=0.01, RegionFlags=1)
    source = opened(tmp_path, SequenceOfUltrasoundRegions=[region(0, 0, 63, 47), inset])
    assert [panel.width for panel in panels(source)] == [64]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("keyword", ["PixelSpacing", "FrameTime", "FrameTimeVector"])
def test_a_decimal_comma_is_a_point(keyword: str, syntax: str, tmp_path: Path) -> None:
    values = {"PixelSpacing": ["0.25", "0.25"], "FrameTime": "0.25", "FrameTimeVector": ["0", "0.25", "0.25"]}
    path = write_dicom(tmp_path / "a.dcm", [grey()] * 3, syntax=syntax, **{keyword: values[keyword]})
    data = path.read_bytes()
    assert data.count(b"0.25") >= 1
    path.write_bytes(data.replace(b"0.25", b"0,25"))
    source = open_source(path, BREAST)
    assert reasons(source) == ["decimal_comma"]
    assert "0,25" in source.warnings[0].message
    shots = [shot for shot in source.read() if isinstance(shot, CapturedFrame)]
    if keyword == "PixelSpacing":
        assert panels(source)[0].spacing_mm == pytest.approx((0.25, 0.25))
    else:
        assert [shot.time_ms for shot in shots] == [0, 0.25, 0.5]


@pytest.mark.parametrize("tags", [{"PixelSpacing": "0.14"}, {"FrameTimeVector": "33"}, {"FrameTime": "-40"}])
def test_a_number_that_cannot_be_used_is_left_out_and_named(tags: dict[str, str], tmp_path: Path) -> None:
    source = opened(tmp_path, **tags)
    assert reasons(source) == ["number_unreadable"]
    assert next(iter(tags.values())) in source.warnings[0].message
    assert sum(1 for _ in source.read()) == 3


def test_a_spacing_beside_regions_that_say_otherwise_is_warned_of(tmp_path: Path) -> None:
    source = opened(tmp_path, SequenceOfUltrasoundRegions=[PICTURE], PixelSpacing=[0.9, 0.9])
    assert reasons(source) == ["spacing_contradicts_regions"]
    assert panels(source)[0].spacing_mm == pytest.approx((0.2, 0.3))


def test_two_spacings_in_one_file_are_refused(tmp_path: Path) -> None:
    shared, measures = Dataset(), Dataset()
    measures.PixelSpacing = [0.2, 0.2]
    shared.PixelMeasuresSequence = [measures]
    with pytest.raises(InvalidRecord) as caught:
        opened(tmp_path, PixelSpacing=[0.1, 0.1], SharedFunctionalGroupsSequence=[shared])
    assert caught.value.reason == "spacing_contradicts_itself"
    assert panels(opened(tmp_path, SharedFunctionalGroupsSequence=[shared]))[0].spacing_mm == pytest.approx((0.2, 0.2))


@pytest.mark.parametrize(
    ("pointer", "times"), [(0x00181063, [0, 10, 20]), (0x00181065, [0, 40, 80]), (None, [0, 40, 80])]
)
def test_the_pointer_chooses_between_frame_time_and_vector(
    pointer: int | None, times: list[float], tmp_path: Path
) -> None:
    tags: dict[str, object] = {} if pointer is None else {"FrameIncrementPointer": pointer}
    source = opened(tmp_path, FrameTime="10", FrameTimeVector=["0", "40", "40"], **tags)
    assert [shot.time_ms for shot in source.read() if isinstance(shot, CapturedFrame)] == times


def test_frames_may_state_their_own_moments(tmp_path: Path) -> None:
    groups = []
    for number in range(3):
        content, outer = Dataset(), Dataset()
        content.FrameReferenceDateTime = f"2026010110101{number}.5"
        outer.FrameContentSequence = [content]
        groups.append(outer)
    source = opened(tmp_path, PerFrameFunctionalGroupsSequence=groups)
    assert [shot.time_ms for shot in source.read() if isinstance(shot, CapturedFrame)] == [0, 1000, 2000]


@pytest.mark.parametrize("declared", ["YES", "Y", "TRUE"])
def test_anything_but_a_no_to_burned_in_text_holds_the_frames(declared: str, tmp_path: Path) -> None:
    assert hold_reason(opened(tmp_path, BurnedInAnnotation=declared)) == "burned_in_annotation"
    assert hold_reason(opened(tmp_path, BurnedInAnnotation="NO")) is None


def test_a_region_of_graphics_alone_opens_nothing(tmp_path: Path) -> None:
    """Graphics are text and scales: a name may stand there, and the picture does not."""
    source = opened(tmp_path, SequenceOfUltrasoundRegions=[region(0, 0, 63, 11, RegionSpatialFormat=5)])
    assert hold_reason(source) == "regions_uncertain"
    both = [region(0, 0, 63, 11, RegionSpatialFormat=5), region(0, 12, 63, 47, RegionSpatialFormat=0)]
    assert opened(tmp_path, SequenceOfUltrasoundRegions=both).declared == ((0, 12, 64, 36),)


@pytest.mark.parametrize("tag", ["regions", "spacing"])
def test_a_scale_that_no_picture_can_have_is_left_out(tag: str, tmp_path: Path) -> None:
    """It would condemn the whole file where its panels are made."""
    if tag == "regions":
        item = region(0, 0, 63, 47, PhysicalDeltaX=1e-9, PhysicalDeltaY=1e-9)
        source = opened(tmp_path, SequenceOfUltrasoundRegions=[item])
    else:
        source = opened(tmp_path, PixelSpacing=["1e-9", "1e-9"])
    assert panels(source)[0].spacing_mm is None
    assert set(reasons(source)) == {"region_scale_unreadable" if tag == "regions" else "number_unreadable"}


def test_pictures_of_two_scales_that_overlap_are_warned_of(tmp_path: Path) -> None:
    wide = region(0, 0, 45, 47)
    other = region(20, 0, 63, 47, PhysicalDeltaX=0.01, PhysicalDeltaY=0.015)
    assert "region_covered" in reasons(opened(tmp_path, SequenceOfUltrasoundRegions=[wide, other]))
    beside = region(44, 0, 63, 47, PhysicalDeltaX=0.01, PhysicalDeltaY=0.015)
    assert reasons(opened(tmp_path, SequenceOfUltrasoundRegions=[wide, beside])) == []


def test_an_aspect_of_pixels_without_a_scale_is_warned_of(tmp_path: Path) -> None:
    assert reasons(opened(tmp_path, PixelAspectRatio=[2, 1])) == ["pixels_may_be_oblong"]
    assert reasons(opened(tmp_path, PixelAspectRatio=[1, 1])) == []
    assert reasons(opened(tmp_path, PixelAspectRatio=[2, 1], SequenceOfUltrasoundRegions=[PICTURE])) == []
