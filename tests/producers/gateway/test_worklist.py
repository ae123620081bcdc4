"""Who is expected, as a scanner asks for it; and whose numbers may be taken."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from pynetdicom.sop_class import ModalityWorklistInformationFind  # type: ignore[attr-defined]

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.gateway.register import Expected
from sonovan.producers.gateway.worklist import answers
from tests.producers.gateway.vans import OTHER_SLIP, SLIP, identifier, running, scanner, send, study
from tests.producers.visits import SIGNER, VISIT

ENTRY = Expected(VISIT, SLIP, "ORDER1", "1.2.3", date(2026, 11, 27), "0" * 32)
ELSE = Expected(VISIT, OTHER_SLIP, OTHER_SLIP, "1.2.4", date(2026, 11, 28), "1" * 32)


def step(**keys: object) -> Sequence:
    return Sequence([identifier(**keys)])


def found(query: Dataset) -> list[str]:
    query.PatientID = query.get("PatientID", "")
    return [str(each.PatientID) for each in answers(query, [ENTRY, ELSE], "LOGIQ")]


@pytest.mark.parametrize(
    ("query", "slips"),
    [
        (identifier(), [SLIP, OTHER_SLIP]),
        (identifier(AccessionNumber="ORDER1"), [SLIP]),
        (identifier(PatientName=f"{SLIP[:2]}*"), [SLIP, OTHER_SLIP]),
        (identifier(PatientName=f"{SLIP[:-1]}?"), [SLIP]),
        (identifier(PatientName="LI*"), []),
        (identifier(StudyInstanceUID="1.2.4"), [OTHER_SLIP]),
        (identifier(ScheduledProcedureStepSequence=step(ScheduledProcedureStepStartDate="20261127")), [SLIP]),
        (identifier(ScheduledProcedureStepSequence=step(ScheduledProcedureStepStartDate="20261128-")), [OTHER_SLIP]),
        (identifier(ScheduledProcedureStepSequence=step(ScheduledProcedureStepStartDate="-20261127")), [SLIP]),
        (identifier(ScheduledProcedureStepSequence=step(Modality="CT")), []),
        (identifier(ScheduledProcedureStepSequence=step(Modality="US", ScheduledStationAETitle="LOGIQ")),
         [SLIP, OTHER_SLIP]),
        (identifier(ScheduledProcedureStepSequence=step(ScheduledStationAETitle="ANOTHER")), []),
        (identifier(InstitutionName="not supported here"), [SLIP, OTHER_SLIP]),
    ],
)  # fmt: skip
def test_keys_match_as_the_standard_says(query: Dataset, slips: list[str]) -> None:
    assert found(query) == slips


def test_what_is_asked_for_is_told_and_nothing_else() -> None:
    query = identifier(
        PatientName="",
        PatientBirthDate="",
        ScheduledProcedureStepSequence=step(ScheduledProcedureStepID="", Modality=""),
    )
    (answer,) = answers(query, [ENTRY], "LOGIQ")
    assert [each.keyword for each in answer] == ["PatientName", "PatientBirthDate", "ScheduledProcedureStepSequence"]
    assert (answer.PatientName, answer.PatientBirthDate) == (SLIP, "")
    (inner,) = answer.ScheduledProcedureStepSequence
    assert [each.keyword for each in inner] == ["Modality", "ScheduledProcedureStepID"]
    (whole,) = next(answers(identifier(ScheduledProcedureStepSequence=Sequence()), [ENTRY], "L")).values()
    assert whole.value[0].ScheduledProcedureStepStartDate == "20261127"


def test_a_scanner_finds_her_until_her_screening_is_closed_and_its_objects_are_hers(tmp_path: Path) -> None:
    query = identifier(PatientID="", StudyInstanceUID="", ScheduledProcedureStepSequence=step(Modality="US"))
    with running(tmp_path / "van") as van:
        entry = van.expect()

        def asked() -> list[Dataset | None]:
            with scanner(van.port, classes=(ModalityWorklistInformationFind,)) as association:
                told = list(association.send_c_find(query, ModalityWorklistInformationFind))
            assert [int(status.Status) for status, _ in told] == [0xFF00] * (len(told) - 1) + [0]
            return [each for _, each in told[:-1]]

        (item,) = asked()
        assert item is not None
        assert item.PatientID == SLIP
        send(van.port, study(tmp_path / "a.dcm", PatientID="", StudyInstanceUID=item.StudyInstanceUID))
        van.settled()
        van.spool.resume_screening(entry.screening_id, SIGNER).close()
        assert van.spool.screenings()[0].frames == 2
        assert asked() == []


def test_a_number_that_is_taken_is_refused(tmp_path: Path) -> None:
    with running(tmp_path) as van:
        van.expect(accession="ORDER1")
        with pytest.raises(InvalidRecord, match="slip number is taken"):
            van.expect()
        with pytest.raises(InvalidRecord, match="accession number is taken"):
            van.expect(OTHER_SLIP, accession="ORDER1")
        with pytest.raises(InvalidRecord, match="--accession"):
            van.expect(OTHER_SLIP, accession="a number of too many signs")
        assert SLIP.encode() not in (tmp_path / "gateway.sqlite").read_bytes()


def test_whoever_was_expected_long_ago_is_forgotten(tmp_path: Path) -> None:
    with running(tmp_path) as van:
        entry = van.expect()
        assert van.desk.register.forget(entry.day) == 0
        assert van.desk.register.forget(entry.day + timedelta(days=1)) == 1
        assert van.desk.register.by_slip(SLIP) is None
