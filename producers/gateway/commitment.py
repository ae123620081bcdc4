"""Storage commitment (PS3.4 annex J): the van answers for what it has, so that the scanner may delete its own.

The request is answered first. Then the report goes on an association of its own to the scanner's port, where `van.toml`
names one, else on the association on which it was asked for: Orthanc, and others built on DCMTK, take none there.
"""

from collections.abc import Callable
from threading import Event as Flag
from threading import Thread
from typing import Final

from pydicom import Dataset
from pydicom.sequence import Sequence
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.pdu import P_DATA_TF

from sonovan.contracts.errors import SonovanError
from sonovan.producers.gateway.contexts import COMMITMENT

INSTANCE: Final = "1.2.840.10008.1.20.1.1"
"""The well-known SOP instance of the push model."""
_REQUEST: Final = 1
_ANSWERED_WITHIN_S: Final = 10.0
_ALL_KEPT, _SOME_MISSING = 1, 2
_NO_SUCH_INSTANCE: Final = 0x0112
_WRONG_ARGUMENT, _UNKNOWN_ACTION = 0x0115, 0x0123

Has = Callable[[str], bool]
Reach = Callable[[str], tuple[str, int] | None]


class Commitment:
    """Answers requests. has: whether an instance is kept. reach: where a scanner answers."""

    def __init__(self, has: Has, reach: Reach, tell: Callable[[str], None]) -> None:
        self._has, self._reach, self._tell = has, reach, tell

    def asked(self, event: Event) -> tuple[int, None]:
        """The status of an N-ACTION; its answer follows as an N-EVENT-REPORT."""
        if event.action_type != _REQUEST:
            return _UNKNOWN_ACTION, None
        request = event.action_information
        wanted = request.get("ReferencedSOPSequence")
        if not request.get("TransactionUID") or not wanted:
            return _WRONG_ARGUMENT, None
        try:
            report, kind = answer(request, self._has)
        except SonovanError as error:
            self._tell(str(error))
            return 0x0110, None
        answered = Flag()

        def sent(told: Event) -> None:
            if isinstance(told.pdu, P_DATA_TF):  # nothing else is sent on this association meanwhile
                answered.set()

        event.assoc.bind(evt.EVT_PDU_SENT, sent)
        title, done = str(event.assoc.requestor.ae_title).strip(), lambda: event.assoc.unbind(evt.EVT_PDU_SENT, sent)
        Thread(target=self._report, args=(event.assoc, answered, done, title, report, kind), daemon=True).start()
        return 0x0000, None

    def _report(
        self, asked_on: Association, answered: Flag, done: Callable[[], None], title: str, report: Dataset, kind: int
    ) -> None:
        answered.wait(_ANSWERED_WITHIN_S)
        done()
        place = self._reach(title)
        if place is not None:
            entity = AE(ae_title=str(asked_on.acceptor.ae_title).strip())
            entity.add_requested_context(COMMITMENT)
            association = entity.associate(
                *place, ae_title=title, ext_neg=[build_role(COMMITMENT, scu_role=False, scp_role=True)]
            )
            if association.is_established:
                sent = _sent(association, report, kind)
                association.release()
                if sent:
                    return
        if asked_on.is_established and _sent(asked_on, report, kind):
            return
        self._tell(f"the answer to a storage commitment of {title} could not be delivered; it may ask again")


def answer(request: Dataset, has: Has) -> tuple[Dataset, int]:
    """The report on a request, and its event type: 1 where all is kept, 2 where something is not."""
    report = Dataset()
    report.TransactionUID = request.TransactionUID
    kept, missing = Sequence(), Sequence()
    for wanted in request.ReferencedSOPSequence:
        item = Dataset()
        item.ReferencedSOPClassUID = wanted.get("ReferencedSOPClassUID", "")
        item.ReferencedSOPInstanceUID = wanted.get("ReferencedSOPInstanceUID", "")
        if has(str(item.ReferencedSOPInstanceUID)):
            kept.append(item)
        else:
            item.FailureReason = _NO_SUCH_INSTANCE
            missing.append(item)
    if kept:
        report.ReferencedSOPSequence = kept
    if missing:
        report.FailedSOPSequence = missing
    return report, _SOME_MISSING if missing else _ALL_KEPT


def _sent(association: Association, report: Dataset, kind: int) -> bool:
    try:
        status, _ = association.send_n_event_report(report, kind, COMMITMENT, INSTANCE)
    except (ValueError, RuntimeError):
        return False
    return bool(status.get("Status") == 0x0000)
