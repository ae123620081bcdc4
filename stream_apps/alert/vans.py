"""Vans that need mending: what they report and for how long they are silent, to faults that begin or end.

The last report of each van stands in the outbox's database, so that a worker that takes over goes on where the one
before it stopped. A fault leaves by `fault.alerted`, as a worker's own does; what stands already is not told again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.faults import VAN_FAULTS, FaultAlerted, VanFault, fault_id
from sonovan.contracts.moments import moment_of, ms_of
from sonovan.contracts.topics import Topic
from sonovan.contracts.van_reports import VanReported
from sonovan.storage.outbox import Outbox
from sonovan.stream_apps.alert.messages import kept
from sonovan.stream_apps.alert.van_faults import USUAL, Found, VanBounds, faults_by_report, silence, van_fault
from sonovan.stream_apps.stage import Message, Outcome, Outgoing
from sonovan.stream_apps.vans import VanRegistry

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 60.0
FRESH: Final = timedelta(hours=1)
"""An older report raises nothing: history that is read again is not news. It may end what stands."""


@dataclass(frozen=True, slots=True)
class VanWatch:
    """Takes reports, and looks who is silent. Methods raise Transient and Fatal as the outbox does."""

    outbox: Outbox
    registry: VanRegistry
    bounds: VanBounds = USUAL

    def report_of(self, message: Message) -> VanReported | None:
        """A report that its van signed; None for any other: every van may write into the topic."""
        try:
            envelope = open_envelope(message.value)
            report = VanReported.decode(envelope.header)
            self.registry.verify(report.van_id, message.at.appended_at, envelope)
        except InvalidRecord as error:
            log.warning("a report of a van is left out: %s", error.reason)
            return None
        return report

    def take(self, report: VanReported, at: datetime, now: datetime) -> Outcome:
        """Note a report, and give the faults that begin or end by it; nothing for one that is older than the last.

        at: when the broker appended it. The same report again gives what is not told yet.
        """
        if not self.outbox.note(report.van_id, ms_of(at), report.encode()):
            return Outcome()
        standing = self._standing(report.van_id)
        found = faults_by_report(report, self.bounds, standing)
        return Outcome(records=(tuple(_changes(report.van_id, found, standing, now, fresh=now - at <= FRESH)),))

    def look(self, now: datetime) -> list[FaultAlerted]:
        """The silence of vans that begins now; and the end of all faults of a van whose key was revoked."""
        changed: list[FaultAlerted] = []
        for van_id, (number, body) in sorted(self.outbox.notes().items()):
            standing = self._standing(van_id)
            if not self.registry.may_sign(van_id):
                changed += [van_fault(van_id, code, (), now) for code in VAN_FAULTS if code in standing]
                continue
            why = silence(VanReported.decode(body), moment_of(number), now, self.bounds)
            if why and "van_silent" not in standing:
                changed.append(van_fault(van_id, "van_silent", why, now))
        return changed

    async def run(self, send: Callable[[FaultAlerted], Awaitable[object]]) -> None:
        """Look every minute until cancelled, first a minute after the start. send: may raise Transient."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                for fault in await asyncio.to_thread(self.look, datetime.now(UTC)):
                    await send(fault)
            except Transient as error:
                log.warning("%s", error)

    def _standing(self, van_id: str) -> frozenset[VanFault]:
        names: dict[str, VanFault] = {fault_id(van_id, code): code for code in VAN_FAULTS}
        bodies = self.outbox.last(names)
        return frozenset(
            code for name, code in names.items() if name in bodies and kept(bodies[name]).state == "raised"
        )


def _changes(
    van_id: str, found: Found, standing: frozenset[VanFault], now: datetime, *, fresh: bool
) -> Iterable[Outgoing]:
    for code in VAN_FAULTS:
        if (code in found) != (code in standing) and (fresh or code in standing):
            fault = van_fault(van_id, code, found.get(code, ()), now)
            yield Outgoing(Topic.FAULT_ALERTED, van_id, fault)
