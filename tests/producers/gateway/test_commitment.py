"""Storage commitment: the van answers for what it has."""

import queue
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]

from sonovan.producers.gateway.commitment import INSTANCE
from sonovan.producers.gateway.settings import ListenerOptions, ScannerEntry
from tests.producers.gateway.vans import identifier, running, send, study

Report = tuple[int, Dataset]


def request(*instances: tuple[str, str]) -> Dataset:
    items = [identifier(ReferencedSOPClassUID=kind, ReferencedSOPInstanceUID=uid) for kind, uid in instances]
    return identifier(TransactionUID=generate_uid(), ReferencedSOPSequence=Sequence(items))


def scanner_entity(got: "queue.Queue[Report]") -> tuple[AE, list[object]]:
    entity = AE(ae_title="SCANNER")
    entity.add_requested_context(StorageCommitmentPushModel)

    def reported(event: evt.Event) -> tuple[int, None]:
        got.put((event.event_type, event.event_information))
        return 0x0000, None

    return entity, [(evt.EVT_N_EVENT_REPORT, reported)]


def ask(entity: AE, handlers: list[object], port: int, asked: Dataset, got: "queue.Queue[Report]") -> Report | int:
    """What the van reports on a request, or the status by which it refuses it.

    pynetdicom's sender looks at a note that its reactor is paused, and this note may be one turn old: then the reactor
    takes the answer, and the sender gives an empty status. So a scanner made of it asks again, up to three times.
    """
    for _ in range(3):
        association = entity.associate("127.0.0.1", port, ae_title="SONOVAN", evt_handlers=handlers)  # type: ignore[arg-type]
        try:
            status, _ = association.send_n_action(asked, 1, StorageCommitmentPushModel, INSTANCE)
            if "Status" in status and status.Status != 0x0000:
                return int(status.Status)
            if "Status" in status:
                reports = iter(lambda: got.get(timeout=60), None)  # one that was asked for twice may come twice
                return next(each for each in reports if each[1].TransactionUID == asked.TransactionUID)
        finally:
            association.release()
    raise AssertionError("three requests were left without an answer")


def test_what_is_kept_is_committed_and_what_is_not_fails(tmp_path: Path) -> None:
    got: queue.Queue[Report] = queue.Queue()
    entity, handlers = scanner_entity(got)
    entity.dimse_timeout = 10
    with running(tmp_path / "van") as van:
        file = study(tmp_path / "a.dcm")
        send(van.port, file)
        sent = dcmread(file)
        there, absent = (str(sent.SOPClassUID), str(sent.SOPInstanceUID)), (str(sent.SOPClassUID), generate_uid())
        for wanted, kind in (([there], 1), ([there, absent], 2)):
            asked = request(*wanted)
            answer = ask(entity, handlers, van.port, asked, got)
            assert isinstance(answer, tuple)
            told, report = answer
            assert (told, report.TransactionUID) == (kind, asked.TransactionUID)
            kept = [each.ReferencedSOPInstanceUID for each in report.ReferencedSOPSequence]
            assert kept == [there[1]]
            failed = [(e.ReferencedSOPInstanceUID, e.FailureReason) for e in report.get("FailedSOPSequence", [])]
            assert failed == [(absent[1], 0x0112)] * (kind - 1)
        assert ask(entity, handlers, van.port, identifier(TransactionUID=generate_uid()), got) == 0x0115


def test_the_answer_comes_on_an_association_of_its_own_where_the_first_is_over(tmp_path: Path) -> None:
    got: queue.Queue[Report] = queue.Queue()
    entity, handlers = scanner_entity(got)
    listening = AE(ae_title="SCANNER")
    listening.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    server = listening.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)  # type: ignore[arg-type]
    assert server is not None
    entry = ScannerEntry(ae_title="SCANNER", address="127.0.0.1", port=server.server_address[1])
    try:
        with running(tmp_path / "van", ListenerOptions(port=0, scanner=(entry,))) as van:
            association = entity.associate(
                "127.0.0.1", van.port, ae_title="SONOVAN",
                ext_neg=[build_role(StorageCommitmentPushModel, scu_role=True)],
            )  # fmt: skip
            asked = request(("1.2.840.10008.5.1.4.1.1.6.1", generate_uid()))
            association.send_n_action(asked, 1, StorageCommitmentPushModel, INSTANCE)
            association.abort()
            assert got.get(timeout=90)[1].TransactionUID == asked.TransactionUID
    finally:
        server.shutdown()
