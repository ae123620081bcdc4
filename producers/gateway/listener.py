"""The DICOM listener: C-ECHO, C-STORE, the worklist and storage commitment, for scanners that are on the list.

An object is answered with 0x0000 once it is durable; with 0xA700 where there is no room, and then nothing of it stays.
What cannot be used is taken as well and waits, encrypted, with its reason: a scanner has no other place to keep it.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pydicom import Dataset
from pynetdicom import AE, _config, evt
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event, EventHandlerType
from pynetdicom.transport import ThreadedAssociationServer

from sonovan.contracts.errors import Fatal, InvalidRecord, SonovanError, Transient
from sonovan.producers.gateway.commitment import Commitment
from sonovan.producers.gateway.contexts import support
from sonovan.producers.gateway.intake import Claims, Intake
from sonovan.producers.gateway.receiving import Incoming, Received
from sonovan.producers.gateway.register import Expected
from sonovan.producers.gateway.settings import ListenerOptions, tls_context
from sonovan.producers.gateway.steps import StepKeeper
from sonovan.producers.gateway.worklist import answers
from sonovan.producers.sources.reasons import printable

SUCCESS, PENDING, CANCELLED = 0x0000, 0xFF00, 0xFE00
OUT_OF_RESOURCES: Final = 0xA700
FAILED: Final = 0x0110
"""Processing failure: the van cannot be trusted, or defective."""
_QUERY_FAILED: Final = 0xC001
_REFUSED_FOR_GOOD, _BY_US, _CALLING_TITLE = 0x01, 0x01, 0x03
_PDU_BYTES: Final = 131_072
_TIMEOUT_S: Final = 60.0

Tell = Callable[[str], None]


class Listener:
    """Listens from `start` to `stop`; a context manager. port: where, once it was started."""

    def __init__(
        self,
        options: ListenerOptions,
        intake: Intake,
        incoming: Incoming,
        steps: StepKeeper,
        expected: Callable[[], list[Expected]],
        stored: Callable[[], None],
        tell: Tell,
        folder: Path,
    ) -> None:
        """expected: who is on the worklist now. stored: called after each object. folder: where TLS's files lie."""
        self._options, self._intake, self._incoming, self._steps = options, intake, incoming, steps
        self._expected, self._stored, self._tell = expected, stored, tell
        self._tls = None if options.tls is None else tls_context(options.tls, folder)
        self._commitment = Commitment(intake.has, options.port_of, tell)
        self.port = options.port

    def start(self) -> None:
        """Listen, in threads of its own. Raises InvalidRecord `option_invalid` where the port cannot be had."""
        _config.LOG_HANDLER_LEVEL = "none"
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # its own lines show what a scanner asks for
        entity = AE(ae_title=self._options.ae_title)
        entity.require_called_aet = True
        entity.maximum_associations = self._options.associations
        entity.maximum_pdu_size = _PDU_BYTES
        entity.network_timeout = entity.dimse_timeout = entity.acse_timeout = _TIMEOUT_S
        support(entity)
        handlers: list[EventHandlerType] = [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_REJECTED, self._rejected),
            (evt.EVT_C_ECHO, lambda _event: SUCCESS),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_N_ACTION, self._commitment.asked),
            (evt.EVT_N_CREATE, self._steps.created),
            (evt.EVT_N_SET, self._steps.changed),
            (evt.EVT_CONN_CLOSE, _forget_half),
            (evt.EVT_ABORTED, _forget_half),
        ]
        self._incoming.start()
        try:
            place = self._options.address, self._options.port
            server = entity.start_server(place, block=False, evt_handlers=handlers, ssl_context=self._tls)
        except OSError as error:
            self._incoming.stop()
            message = f"cannot listen on {self._options.address} port {self._options.port}: {error.strerror}"
            raise InvalidRecord("option_invalid", message) from error
        if not isinstance(server, ThreadedAssociationServer):
            raise Fatal("the listener did not start: this is a defect")
        server.verify_request = self._heard  # type: ignore[method-assign,assignment]  # asked before anything is read
        self._entity, self._server = entity, server
        self.port = int(server.server_address[1])

    def stop(self) -> None:
        """End every association and listen no longer."""
        self._server.shutdown()
        self._entity.shutdown()
        self._incoming.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _heard(self, _socket: object, address: tuple[str, int]) -> bool:
        """Whether anything is read from this address: whoever is not on the list is cut off at once."""
        known = self._options.knows(str(address[0]))
        if not known:
            self._tell(f"refused {address[0]}: no [[scanner]] of van.toml has this address")
        return known

    def _requested(self, event: Event) -> None:
        """Reject whoever is not on the list."""
        title, address, _ = _asking(event)
        if not self._options.allows(title, address):
            self._tell(f"refused {title!r} from {address}: no [[scanner]] of van.toml has this title at this address")
            event.assoc.acse.send_reject(_REFUSED_FOR_GOOD, _BY_US, _CALLING_TITLE)
            event.assoc.kill()  # it waits until that was sent: else the scanner is cut off, and says nothing of why

    def _rejected(self, event: Event) -> None:
        """Tell of whoever pynetdicom rejected: it called another title, or there are too many associations."""
        title, address, called = _asking(event)
        own = self._options.ae_title
        why = f"it calls {called!r}, and this is {own!r}" if called != own else "too many associations at once"
        self._tell(f"refused {title!r} from {address}: {why}")

    def _store(self, event: Event) -> int:
        request = event.request
        if not isinstance(request, C_STORE) or not isinstance(request._dataset_file, Received):
            raise Fatal("an object did not come as it should: this is a defect")
        received = request._dataset_file
        claims = Claims(
            sop_class=str(request.AffectedSOPClassUID),
            instance=str(request.AffectedSOPInstanceUID),
            scanner=printable(str(event.assoc.requestor.ae_title).strip()),
        )
        try:
            self._intake.take(received, claims)
        except Transient as error:
            self._tell(str(error))
            return OUT_OF_RESOURCES
        except (SonovanError, OSError) as error:
            self._tell(str(error))
            return FAILED
        self._stored()
        return SUCCESS

    def _find(self, event: Event) -> Iterator[tuple[int, Dataset | None]]:
        station = str(event.assoc.requestor.ae_title).strip()
        try:
            found = list(answers(event.identifier, self._expected(), station))
        except (Fatal, Transient) as error:
            self._tell(str(error))
            yield _QUERY_FAILED, None
            return
        for each in found:
            if event.is_cancelled:
                yield CANCELLED, None
                return
            yield PENDING, each


def _asking(event: Event) -> tuple[str, str, str]:
    """Who asks for an association: its title, its address, and the title that it calls."""
    peer = event.assoc.requestor
    request = peer.primitive
    titles = ("", "") if request is None else (request.calling_ae_title, request.called_ae_title)
    calling, called = (printable(str(each).strip()) for each in titles)
    return calling, str(peer.address), called


def _forget_half(event: Event) -> None:
    """An object that was cut off: nobody was told that it is here, and it is not."""
    message = event.assoc.dimse.message
    half = getattr(message, "_data_set_file", None)
    if half is not None:
        half.close()
