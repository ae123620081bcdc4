"""Structured reports: what they measure is kept, with its place; what has a field of the clinical record goes out."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.topics import Topic
from sonovan.producers.gateway.intake import COMPOSED, KEPT, QUARANTINED, TRAY
from sonovan.producers.plan import both_sides
from sonovan.producers.sources.structured_report import Coded, read_said
from sonovan.producers.spool import Spool
from tests.producers.gateway.vans import SLIP, TODAY, running, send, study
from tests.producers.visits import VISIT

SR = "1.2.840.10008.5.1.4.1.1.88.33"
SITE, SIDE = ("363698007", "SCT", "Finding Site"), ("272741003", "SCT", "Laterality")
BREAST, THYROID_LEFT = ("76752008", "SCT", "Breast"), ("79163004", "SCT", "Left lobe of thyroid")
LEFT, RIGHT = ("7771000", "SCT", "Left"), ("24028007", "SCT", "Right")
LENGTH = ("410668003", "SCT", "Length")


def code(value: str, scheme: str, meaning: str) -> Dataset:
    found = Dataset()
    found.CodeValue, found.CodingSchemeDesignator, found.CodeMeaning = value, scheme, meaning
    return found


def item(kind: str, name: tuple[str, str, str], *content: Dataset, relation: str = "CONTAINS") -> Dataset:
    found = Dataset()
    found.ValueType, found.RelationshipType = kind, relation
    found.ConceptNameCodeSequence = [code(*name)]
    found.ContentSequence = list(content)
    return found


def coded(name: tuple[str, str, str], value: tuple[str, str, str], *content: Dataset) -> Dataset:
    found = item("CODE", name, *content, relation="HAS CONCEPT MOD")
    found.ConceptCodeSequence = [code(*value)]
    return found


def number(name: tuple[str, str, str], value: str, unit: str, *content: Dataset, scheme: str = "UCUM") -> Dataset:
    found, measured = item("NUM", name, *content), Dataset()
    measured.NumericValue, measured.MeasurementUnitsCodeSequence = value, [code(unit, scheme, unit)]
    found.MeasuredValueSequence = [measured]
    return found


def report(*content: Dataset, **tags: object) -> Dataset:
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.SOPClassUID = found.file_meta.MediaStorageSOPClassUID = UID(SR)
    found.SOPInstanceUID = found.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    found.Modality, found.ValueType, found.PatientID = "SR", "CONTAINER", SLIP
    found.PatientName = "LI^LIHUA"
    found.ContentSequence = list(content)
    for name, value in tags.items():
        setattr(found, name, value)
    return found


def written(folder: Path, dataset: Dataset) -> Path:
    path = folder / f"{dataset.SOPInstanceUID}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def lesion(*content: Dataset) -> Dataset:
    return item("CONTAINER", ("125007", "DCM", "Measurement Group"), *content)


def features(spool: Spool) -> list[FeaturesRecorded]:
    messages = (spool.load(each) for each in spool.pending(100, 0.0))
    return [
        FeaturesRecorded.decode(open_envelope(each.value).header)
        for each in messages
        if each is not None and each.topic == Topic.FEATURES_RECORDED
    ]


def test_a_distance_has_its_mm_and_the_place_of_the_group_in_which_it_stands() -> None:
    found = read_said(Path("r"), report(
        lesion(coded(SITE, BREAST), coded(SIDE, LEFT), number(LENGTH, "1.25", "cm"), number(LENGTH, "7.5", "mm")),
        lesion(number(LENGTH, "3", "mm", coded(SITE, BREAST, coded(SIDE, RIGHT)))),
        lesion(coded(SITE, THYROID_LEFT), number(LENGTH, "4", "mm")),
        number(("11957-8", "LN", "Crown Rump Length"), "4", "cm", coded(SITE, ("87878005", "SCT", "Kidney"))),
        number(("12345", "99ACME", "Index"), "0.7", "1"),
    )).measured  # fmt: skip
    assert [(each.mm, each.organ, each.side) for each in found] == [
        (12.5, "breast", "left"), (7.5, "breast", "left"), (3.0, "breast", "right"), (4.0, "thyroid", "left"),
        (40.0, None, None), (None, None, None),
    ]  # fmt: skip
    assert found[-1].what == Coded("99ACME", "12345", "Index")
    assert (found[-1].number, found[-1].unit) == (0.7, "1")


def test_a_site_and_a_side_that_contradict_each_other_give_no_side() -> None:
    (found,) = read_said(Path("r"), report(
        lesion(coded(SITE, THYROID_LEFT), coded(SIDE, RIGHT), number(LENGTH, "4", "mm"))
    )).measured  # fmt: skip
    assert (found.organ, found.side) == ("thyroid", None)


def test_age_and_sex_come_from_tags_and_reports_and_only_where_they_agree() -> None:
    age = number(("121033", "DCM", "Subject Age"), "52", "a")
    assert read_said(Path("r"), report(age, PatientSex="F")).fields == {"age_years": 52, "sex": "female"}
    assert read_said(Path("r"), report(age, PatientAge="053Y", PatientSex="?")).fields == {}
    assert read_said(Path("r"), report(PatientAge="011M")).fields == {}


def test_a_report_without_end_is_refused() -> None:
    deep = lesion()
    for _ in range(40):
        deep = lesion(deep)
    with pytest.raises(InvalidRecord) as raised:
        read_said(Path("r"), report(deep))
    assert raised.value.reason == "too_large"


def test_a_report_is_kept_with_what_it_measures_and_its_fields_go_out_once_frames_came(tmp_path: Path) -> None:
    kept = report(lesion(coded(SITE, BREAST), coded(SIDE, LEFT), number(LENGTH, "9", "mm")), PatientAge="052Y")
    with running(tmp_path / "van") as van:
        entry = van.expect()
        assert send(van.port, written(tmp_path, kept)) == [0]
        assert van.fates() == [(KEPT, None)]
        assert b"".join(van.desk.intake.read(1))[128:132] == b"DICM"
        assert van.spool.screenings() == []
        said = van.desk.sayings.of(entry.screening_id)
        assert [(each.mm, each.side) for each in said[1].measured] == [(9.0, "left")]
        assert not any("LIHUA" in line for line in van.told)
        assert not any(b"LIHUA" in each.read_bytes() for each in (tmp_path / "van").rglob("*") if each.is_file())
        send(van.port, study(tmp_path / "a.dcm", PatientSex="F"), written(tmp_path, kept))
        assert van.fates() == [(KEPT, None), (COMPOSED, None)]
        (record,) = features(van.spool)
        assert (record.screening_id, record.age_years, record.sex) == (entry.screening_id, 52, "female")
        assert record.parity is None
        send(van.port, study(tmp_path / "b.dcm", seed=5, PatientSex="F", PatientAge="060Y"))
        van.settled()
        assert len(features(van.spool)) == 1
        assert van.desk.intake.forget_kept(2**40) == 1
        assert van.desk.sayings.of(entry.screening_id) == {}


def test_what_was_asked_at_the_van_is_not_replaced_by_what_a_scanner_says(tmp_path: Path) -> None:
    with running(tmp_path / "van") as van:
        visit = replace(VISIT, slip_number=SLIP, planned=both_sides(["breast"]), features={"age_years": 44})
        van.desk.register.expect(visit, TODAY)
        send(van.port, study(tmp_path / "a.dcm", PatientAge="052Y"))
        van.settled()
        assert [each.age_years for each in features(van.spool)] == [44]


def test_a_report_of_nobody_waits_and_a_broken_one_is_quarantined(tmp_path: Path) -> None:
    deep = lesion()
    for _ in range(40):
        deep = lesion(deep)
    with running(tmp_path / "van") as van:
        van.expect()
        send(van.port, written(tmp_path, report(PatientID="")), written(tmp_path, report(deep)))
        assert van.fates() == [(TRAY, "unmatched"), (QUARANTINED, "too_large")]
