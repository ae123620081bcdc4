"""A side and an organ are read from every place where a file may state them."""

from pathlib import Path

import pytest
from pydicom import Dataset

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import CaptureOptions, Source, open_source
from tests.producers.files import grey, write_dicom

LEFT = CaptureOptions(organ="breast", side="left")


def code(value: str, scheme: str, meaning: str = "", **more: object) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    for name, what in more.items():
        setattr(item, name, what)
    return item


def group(**tags: object) -> Dataset:
    anatomy, outer = Dataset(), Dataset()
    for name, what in tags.items():
        setattr(anatomy, name, what)
    outer.FrameAnatomySequence = [anatomy]
    return outer


def breast(*modifiers: Dataset) -> Dataset:
    return code("76752008", "SCT", "Breast", AnatomicRegionModifierSequence=list(modifiers))


def opened(tmp_path: Path, options: CaptureOptions = LEFT, **tags: object) -> Source:
    return open_source(write_dicom(tmp_path / "a.dcm", [grey()], **tags), options)


def refused(tmp_path: Path, options: CaptureOptions = LEFT, **tags: object) -> str:
    with pytest.raises(InvalidRecord) as caught:
        opened(tmp_path, options, **tags)
    return caught.value.reason


RIGHT = code("24028007", "SCT", "Right")


@pytest.mark.parametrize(
    "tags",
    [
        {"Laterality": "R"},
        {"ImageLaterality": "RIGHT"},
        {"ImageLaterality": ["R", "R"]},
        {"ImageLaterality": ["L", "R"]},
        {"AnatomicRegionSequence": [breast(RIGHT)]},
        {"AnatomicRegionSequence": [breast(code("G-A100", "SRT", "Right"))]},
        {"AnatomicRegionSequence": [breast(), breast(RIGHT)]},
        {"AnatomicRegionSequence": [breast(code("1", "99X", "Right"))]},
        {"AnatomicRegionSequence": [code("T-04020", "SNM3", "Right breast")]},
        {
            "PrimaryAnatomicStructureSequence": [
                code("T-04000", "SRT", PrimaryAnatomicStructureModifierSequence=[RIGHT])
            ]
        },
        {"SharedFunctionalGroupsSequence": [group(FrameLaterality="R")]},
        {"PerFrameFunctionalGroupsSequence": [group(FrameLaterality="L"), group(FrameLaterality="R")]},
        {"SharedFunctionalGroupsSequence": [group(AnatomicRegionSequence=[breast(RIGHT)])]},
        {"BodyPartExamined": "RIGHT BREAST"},
        {"BodyPartExamined": "RBREAST"},
    ],
)
def test_a_right_breast_contradicts_left_wherever_it_is_stated(tags: dict[str, object], tmp_path: Path) -> None:
    assert refused(tmp_path, **tags) == "side_contradicts_file"


def test_a_side_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, ImageLaterality="X") == "side_unreadable"
    assert refused(tmp_path, SharedFunctionalGroupsSequence=[group(FrameLaterality="Q")]) == "side_unreadable"


@pytest.mark.parametrize(
    "tags", [{"ImageLaterality": "B"}, {"AnatomicRegionSequence": [code("63762007", "SCT", "Both breasts")]}]
)
def test_both_sides_are_warned_of(tags: dict[str, object], tmp_path: Path) -> None:
    source = opened(tmp_path, **tags)
    assert source.laterality == "left"
    assert [each.reason for each in source.warnings] == ["side_both"]


def test_an_unpaired_side_and_descriptions_say_nothing(tmp_path: Path) -> None:
    source = opened(tmp_path, ImageLaterality="U", SeriesDescription="RIGHT BREAST", StudyDescription="Thyroid")
    assert (source.organ, source.laterality, source.warnings) == ("breast", "left", ())


@pytest.mark.parametrize(
    "tags",
    [
        {"AnatomicRegionSequence": [code("10200004", "SCT", "Liver")]},
        {"AnatomicRegionSequence": [breast(), code("T-71000", "SRT", "Kidney")]},
        {"AnatomicRegionSequence": [code("80891009", "SCT")]},
        {"AnatomicRegionSequence": [code("LIV", "99LOCAL", "Liver")]},
        {"PrimaryAnatomicStructureSequence": [code("69748006", "SCT", "Thyroid")]},
        {"SharedFunctionalGroupsSequence": [group(AnatomicRegionSequence=[code("10200004", "SCT", "Liver")])]},
        {"BodyPartExamined": "THYROID GLAND"},
        {"BodyPartExamined": ["BREAST", "LIVER"]},
    ],
)
def test_another_organ_contradicts_wherever_it_is_stated(tags: dict[str, object], tmp_path: Path) -> None:
    assert refused(tmp_path, **tags) == "organ_contradicts_file"


@pytest.mark.parametrize("item", [code("45048000", "SCT", "Neck"), code("91470000", "SCT", "Axilla")])
def test_a_neck_or_an_armpit_decides_nothing(item: Dataset, tmp_path: Path) -> None:
    assert opened(tmp_path, AnatomicRegionSequence=[item]).warnings == ()


def test_a_place_that_nobody_knows_is_warned_of(tmp_path: Path) -> None:
    source = opened(tmp_path, AnatomicRegionSequence=[code("A1", "99LOCAL", "Preset 7")])
    assert [each.reason for each in source.warnings] == ["place_unknown"]
    assert "Preset 7" in source.warnings[0].message


def test_organ_and_side_may_come_from_codes_alone(tmp_path: Path) -> None:
    source = opened(tmp_path, CaptureOptions(), AnatomicRegionSequence=[breast(RIGHT)])
    assert (source.organ, source.laterality) == ("breast", "right")


@pytest.mark.parametrize("modifier", [code("RT", "99X", "RT"), code("R", "99X"), code("1", "99X", "Rt. side")])
def test_a_modifier_of_two_letters_names_a_side(modifier: Dataset, tmp_path: Path) -> None:
    assert refused(tmp_path, AnatomicRegionSequence=[breast(modifier)]) == "side_contradicts_file"


@pytest.mark.parametrize("word", ["TESTICLE", "LOWER EXTREMITY", "CARDIAC"])
def test_a_body_part_of_another_organ_is_refused(word: str, tmp_path: Path) -> None:
    assert refused(tmp_path, BodyPartExamined=word) == "organ_contradicts_file"


def test_a_body_part_that_nobody_knows_is_warned_of(tmp_path: Path) -> None:
    source = opened(tmp_path, BodyPartExamined="SEIN DROIT")
    assert [each.reason for each in source.warnings] == ["place_unknown"]
    assert "SEIN DROIT" in source.warnings[0].message
    assert opened(tmp_path, BodyPartExamined="SMALL PARTS").warnings == ()


def test_what_stands_in_a_file_is_never_printed_raw(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", [grey()], Laterality="RX")
    path.write_bytes(path.read_bytes().replace(b"CS\x02\0RX", b"CS\x02\0\x1b["))
    with pytest.raises(InvalidRecord) as caught:
        open_source(path, LEFT)
    assert caught.value.reason == "side_unreadable"
    assert "\x1b" not in caught.value.message


def test_a_distance_to_the_nipple_is_refused_where_the_file_shows_a_thyroid(tmp_path: Path) -> None:
    typed = CaptureOptions(nipple_distance_mm=30.0)
    assert refused(tmp_path, typed, BodyPartExamined="THYROID") == "option_invalid"
    assert opened(tmp_path, typed, BodyPartExamined="BREAST").nipple_distance_mm == 30.0
