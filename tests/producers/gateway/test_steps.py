"""What a scanner says it did, compared with what arrived."""

from pathlib import Path

from pydicom import dcmread
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid
from pynetdicom.sop_class import ModalityPerformedProcedureStep  # type: ignore[attr-defined]

from tests.producers.gateway.vans import identifier, running, scanner, send, study


def test_what_a_scanner_made_and_never_sent_is_named(tmp_path: Path) -> None:
    file, step, absent = study(tmp_path / "a.dcm"), generate_uid(), generate_uid()
    made = [identifier(ReferencedSOPInstanceUID=uid) for uid in (str(dcmread(file).SOPInstanceUID), absent)]
    series = Sequence([identifier(ReferencedImageSequence=Sequence(made))])
    begun = identifier(PerformedProcedureStepStatus="IN PROGRESS")
    over = identifier(PerformedProcedureStepStatus="COMPLETED", PerformedSeriesSequence=series)
    kind = ModalityPerformedProcedureStep
    with running(tmp_path / "van") as van:
        with scanner(van.port, classes=(kind,)) as association:

            def status(answer: tuple[object, object]) -> int:
                return int(answer[0].Status)  # type: ignore[attr-defined]  # a Dataset

            assert status(association.send_n_set(over, kind, step)) == 0x0112
            assert status(association.send_n_create(over, kind, step)) == 0x0106
            assert status(association.send_n_create(begun, kind, step)) == 0x0000
            assert status(association.send_n_create(begun, kind, step)) == 0x0111
            assert status(association.send_n_set(over, kind, step)) == 0x0000
            assert status(association.send_n_set(over, kind, step)) == 0x0110
        assert "2 objects made, 2 of them not here yet" in van.told[-1]
        send(van.port, file)
        ((found, count),) = van.desk.steps.missing(van.desk.intake.came)
        assert (found.instance, found.scanner, count) == (step, "SCANNER", 1)
        van.desk.steps.give_up(step)
        assert van.desk.steps.missing(van.desk.intake.came) == []


def test_what_was_deleted_from_the_tray_did_come(tmp_path: Path) -> None:
    file, step = study(tmp_path / "a.dcm", PatientID=""), generate_uid()
    series = Sequence([identifier(ReferencedImageSequence=Sequence(
        [identifier(ReferencedSOPInstanceUID=str(dcmread(file).SOPInstanceUID))]))])  # fmt: skip
    kind = ModalityPerformedProcedureStep
    with running(tmp_path / "van") as van:
        with scanner(van.port, classes=(kind,)) as association:
            association.send_n_create(identifier(PerformedProcedureStepStatus="IN PROGRESS"), kind, step)
            over = identifier(PerformedProcedureStepStatus="COMPLETED", PerformedSeriesSequence=series)
            association.send_n_set(over, kind, step)
        assert len(van.desk.steps.missing(van.desk.intake.came)) == 1
        send(van.port, file)
        van.settled()
        van.desk.intake.discard(1, "test")
        assert van.desk.steps.missing(van.desk.intake.came) == []
