"""What is left of a DICOM object: each rule of PS3.15 Table E.1-1 and of the options, and nothing that names her."""

import io
from datetime import date, datetime

import numpy as np
import pytest
from pydicom import DataElement, Dataset, dcmread
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from sonovan.producers.deidentify import Keyed, deidentify
from sonovan.producers.deidentify.table import (
    BASIC,
    CLEANED,
    NEVER_DATED,
    PLACES_OF_DEVICES,
    RETAINED_DEVICE,
)

KEYED = Keyed(bytes(range(32)), "subject-1")
HER = "WANG^XIUYING"
PERSON = "110101195203041234"
VALUES = {
    "DA": "19520304", "DT": "19520304101112.5", "TM": "101112.5", "PN": HER, "UI": "1.2.3.4.5", "DS": "1.5", "IS": "7",
    "AS": "070Y", "US": 7, "AT": 0x00100010, "CS": "WANG", "UR": "http://wang.example", "OB": b"WANG", "OW": b"WANG",
    "UN": b"WANG", "FD": 1.5,
}  # fmt: skip
"""A value of each kind that names her, or could."""


def with_value(tag: int) -> Dataset:
    """A data set with one attribute that names her."""
    vr = dictionary_VR(tag) if keyword_for_tag(tag) else "LO"
    dataset = Dataset()
    if vr == "SQ":
        inside = Dataset()
        inside.PatientName, inside.ReferencedSOPInstanceUID = HER, "1.2.3.4.5"
        dataset.add(DataElement(tag, "SQ", Sequence([inside])))
    else:
        dataset.add(DataElement(tag, vr.split(" ")[0], VALUES.get(vr, f"{HER} {PERSON}")))
    return dataset


def text_of(dataset: Dataset) -> str:
    """Everything that a data set holds, as it is written to a file."""
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=False, implicit_vr=False, little_endian=True)
    return out.getvalue().decode("latin-1")


@pytest.mark.parametrize(
    ("vr", "value"),
    [("ZZ", HER.encode()), ("US", b"\1"), ("DS", HER.encode())],
    ids=["no VR", "too short", "no number"],
)
def test_a_value_that_cannot_be_decoded_does_not_leave_and_the_rest_does(vr: str, value: bytes) -> None:
    dataset, tag = Dataset(), Tag(0x0018, 0x5020)
    dataset.Modality = "US"
    dataset[tag] = RawDataElement(tag, vr, len(value), value, 0, is_implicit_VR=False, is_little_endian=True)
    result = deidentify(dataset, KEYED)
    assert tag not in result
    assert result.Modality == "US"
    assert HER not in text_of(result)


@pytest.mark.parametrize("tag", sorted(BASIC), ids=lambda tag: f"{tag:08X}")
def test_every_attribute_of_the_table_loses_what_names_her(tag: int) -> None:
    result = deidentify(with_value(tag), KEYED)
    kept = result.get(tag)
    if tag in RETAINED_DEVICE:
        assert kept is not None  # what the option keeps is a machine's, and here only the test calls it hers
        return
    written = text_of(result)
    assert "WANG" not in written
    assert PERSON not in written
    assert "19520304" not in written
    assert "1.2.3.4.5" not in written
    dated = dictionary_VR(tag) in ("DA", "DT", "TM") if keyword_for_tag(tag) else False
    if BASIC[tag] == "X" and tag not in (CLEANED | PLACES_OF_DEVICES) and (not dated or tag in NEVER_DATED):
        assert kept is None


def test_the_table_has_the_actions_that_the_standard_gives() -> None:
    listed = {
        "PatientName": "Z", "PatientID": "Z/D", "PatientBirthDate": "Z", "PatientSex": "Z", "AccessionNumber": "Z",
        "StudyInstanceUID": "U", "SOPInstanceUID": "U", "InstitutionName": "X/Z/D", "InstitutionAddress": "X",
        "OperatorsName": "X/Z/D", "SourceImageSequence": "X/Z/U*", "StudyID": "Z", "ContentSequence": "D",
        "DeviceSerialNumber": "X/Z/D", "PatientAge": "X", "EncapsulatedDocument": "D", "IconImageSequence": "X",
    }  # fmt: skip
    found = {name: BASIC[int(Tag(name))] for name in listed}
    assert found == listed
    assert len(BASIC) == 652


def test_each_kind_of_action_leaves_what_it_should() -> None:
    dataset = Dataset()
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = HER, PERSON, "19520304"  # Z, Z/D, Z
    dataset.InstitutionName, dataset.InstitutionAddress = "Peoples Hospital", "1 Renmin Rd"  # X/Z/D, X
    dataset.SOPInstanceUID, dataset.SOPClassUID = "1.2.3.4.5", "1.2.840.10008.5.1.4.1.1.6.1"  # U, not listed
    result = deidentify(dataset, KEYED)
    assert result.PatientName == ""
    assert result.PatientID == KEYED.patient()
    assert result.PatientBirthDate == ""
    assert result.InstitutionName == "REMOVED"
    assert "InstitutionAddress" not in result
    assert result.SOPInstanceUID == KEYED.uid("1.2.3.4.5")
    assert result.SOPClassUID == dataset.SOPClassUID
    assert result.file_meta.MediaStorageSOPInstanceUID == result.SOPInstanceUID


def test_references_between_objects_still_hold() -> None:
    first, second = Dataset(), Dataset()
    first.SOPInstanceUID = "1.2.3.4.5"
    item = Dataset()
    item.ReferencedSOPInstanceUID, item.ReferencedSOPClassUID = "1.2.3.4.5", "1.2.840.10008.5.1.4.1.1.6.1"
    item.PatientName = HER
    second.SourceImageSequence = Sequence([item])
    kept = deidentify(second, KEYED).SourceImageSequence[0]
    assert kept.ReferencedSOPInstanceUID == deidentify(first, KEYED).SOPInstanceUID
    assert kept.PatientName == ""


def test_another_secret_gives_other_uids_and_nothing_but_the_secret_does() -> None:
    other = Keyed(bytes(32), "subject-1")
    assert other.uid("1.2.3") != KEYED.uid("1.2.3")
    assert KEYED.uid("1.2.3") == Keyed(KEYED.secret, "subject-2").uid("1.2.3")
    assert KEYED.uid("1.2.3").startswith("2.25.")
    assert len(KEYED.uid("1.2.3")) <= 64
    assert repr(KEYED.secret) not in repr(KEYED)
    with pytest.raises(ValueError, match="32"):
        Keyed(b"short", "subject-1")
    with pytest.raises(ValueError, match="subject"):
        Keyed(bytes(32), "")


def test_dates_of_one_woman_move_alike_and_intervals_stay() -> None:
    dataset = Dataset()
    dataset.StudyDate, dataset.SeriesDate, dataset.AcquisitionDateTime = (
        "20260310",
        "20260317",
        "20260310101112.123+0800",
    )
    dataset.StudyTime = "101112.5"
    result = deidentify(dataset, KEYED)
    moved = [date.fromisoformat(str(each)) for each in (result.StudyDate, result.SeriesDate)]
    assert (moved[1] - moved[0]).days == 7
    assert (date(2026, 3, 10) - moved[0]) == KEYED.shift
    assert 30 <= KEYED.shift.days <= 730
    assert datetime.strptime(str(result.AcquisitionDateTime), "%Y%m%d%H%M").date() == moved[0]
    assert str(result.StudyTime) == "1011"  # to the minute
    assert result.LongitudinalTemporalInformationModified == "MODIFIED"
    assert {Keyed(KEYED.secret, f"subject-{n}").shift for n in range(8)} != {KEYED.shift}


@pytest.mark.parametrize("written", ["", "19XX0101", "2026-03", "born 1952", "20261399"])
def test_a_date_that_is_none_is_emptied(written: str) -> None:
    dataset = Dataset()
    dataset.add(DataElement(0x00080020, "DA", "20260310"))
    dataset[0x00080020]._value = written
    assert str(deidentify(dataset, KEYED).StudyDate) == ""


def test_the_machine_stays_and_its_station_becomes_a_pseudonym() -> None:
    dataset = Dataset()
    dataset.Manufacturer, dataset.ManufacturerModelName, dataset.DeviceSerialNumber = "Mindray", "TE7", "SN-123"
    dataset.StationName, dataset.PerformedStationAETitle = "RENMIN-HOSP", "RENMIN"
    result = deidentify(dataset, KEYED)
    assert (result.Manufacturer, result.ManufacturerModelName, result.DeviceSerialNumber) == (
        "Mindray",
        "TE7",
        "SN-123",
    )
    assert result.StationName == KEYED.pseudonym("station", "RENMIN-HOSP")
    assert "RENMIN" not in text_of(result)


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("Left breast WANG XIUYING 110101195203041234", "LEFT BREAST"),
        ("王秀英 左乳腺 超声", "LEFT BREAST ULTRASOUND"),
        ("Thyroid, isthmus; Dr. Smith 2026-03-10", "THYROID ISTHMUS"),
        ("WANG", ""),
    ],
)
def test_a_descriptor_keeps_known_words_alone(written: str, left: str) -> None:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SeriesDescription, dataset.StudyComments = written, written
    result = deidentify(dataset, KEYED)
    assert result.SeriesDescription == left
    assert "StudyComments" not in result


def test_what_nobody_thought_of_does_not_pass() -> None:
    dataset = Dataset()
    dataset.add_new(0x00091001, "LO", HER)  # private
    dataset.add_new(0x60003000, "OW", b"WANG")  # overlay
    dataset.add_new(0x50003000, "OW", b"WANG")  # curve
    dataset.WindowCenterWidthExplanation = HER  # a text that the table does not list
    dataset.add_new(0x00104444, "LO", HER)  # no attribute of the standard
    dataset.WaveformData = b"WANG"
    dataset.DeidentificationMethod = HER
    dataset.file_meta = Dataset()
    dataset.preamble = b"WANG" * 32
    result = deidentify(dataset, KEYED)
    assert "WANG" not in text_of(result)
    assert not any(element.tag.is_private for element in result)


def test_codes_of_a_site_are_left_out_and_those_of_a_standard_stay() -> None:
    codes = []
    for scheme, meaning in (("SCT", "Breast"), ("99WANG", HER)):
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "76752008", scheme, meaning
        codes.append(code)
    dataset = Dataset()
    dataset.AnatomicRegionSequence = Sequence(codes)
    kept = deidentify(dataset, KEYED).AnatomicRegionSequence
    assert [item.CodeMeaning for item in kept] == ["Breast"]


def test_pixels_that_nobody_cleaned_do_not_pass() -> None:
    dataset = picture()
    result = deidentify(dataset, KEYED)
    assert "PixelData" not in result
    assert "113101" not in [str(item.CodeValue) for item in result.DeidentificationMethodCodeSequence]


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_cleaned_frames_take_the_place_of_its_own(shape: tuple[int, ...], kind: type) -> None:
    frames = [np.full(shape, number, kind) for number in (1, 2, 3)]
    result = deidentify(picture(), KEYED, frames)
    out = io.BytesIO()
    result.save_as(out, enforce_file_format=True)
    read = dcmread(io.BytesIO(out.getvalue()))
    assert np.array_equal(read.pixel_array, np.stack(frames))
    assert read.BurnedInAnnotation == "NO"
    codes = [str(item.CodeValue) for item in read.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101", "113105", "113107", "113109"]
    assert read.PatientIdentityRemoved == "YES"


def test_frames_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        deidentify(picture(), KEYED, [np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8)])


def test_the_given_data_set_is_not_changed() -> None:
    dataset = picture()
    before = dataset.to_json()
    deidentify(dataset, KEYED, [np.zeros((4, 6), np.uint8)])
    assert dataset.to_json() == before


def test_a_data_set_that_is_nested_without_end_is_refused() -> None:
    dataset = Dataset()
    for _ in range(40):
        around = Dataset()
        around.ReferencedSeriesSequence = Sequence([dataset])
        dataset = around
    with pytest.raises(ValueError, match="nested"):
        deidentify(dataset, KEYED)


def picture() -> Dataset:
    """A grey picture with her name in it."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.3.1", "1.2.3.4.5"
    dataset.PatientName, dataset.BurnedInAnnotation = HER, "YES"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel, dataset.NumberOfFrames = 4, 6, 1, 1
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelData = b"WANGXIUYING" + bytes(13)
    return dataset
