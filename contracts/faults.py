"""Faults of the centre and of vans: what somebody must mend though no woman's findings are touched."""

import hashlib
from typing import ClassVar, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from sonovan.contracts.because import Because
from sonovan.contracts.record import Id, Moment, Number, Record, Sha256, Token, VanId

WorkerFault = Literal["lag", "retention", "rejects", "cpu_fallback", "disk", "clock", "away", "undelivered"]
"""lag: records wait too long. retention: they wait for so long that their topic may delete them. rejects: too many
could not be used. cpu_fallback: a GPU is there and the network runs on the CPU. disk: nearly full. clock: apart from
the broker's. away: a service does not answer. undelivered: somebody who must be told takes nothing."""
WORKER_FAULTS: Final[tuple[WorkerFault, ...]] = get_args(WorkerFault)

VanFault = Literal["van_silent", "van_spool", "van_disk", "van_clock", "van_link", "van_rejects"]
"""By what a van reports of itself: van_silent: it has not reported although something waits on it. van_spool: what
waits is old, or much. van_disk: nearly full. van_clock: apart from the broker's. van_link: slow while something waits.
van_rejects: the centre could not use many of its items."""
VAN_FAULTS: Final[tuple[VanFault, ...]] = get_args(VanFault)

FaultCode = WorkerFault | VanFault
FAULTS: Final[tuple[FaultCode, ...]] = (*WORKER_FAULTS, *VAN_FAULTS)


class FaultAlerted(Record):
    """A fault of one worker or of one van begins, or has ended. It names no screening and nobody.

    `fault_id` names the worker or van and the fault: the same each time. worker: the worker itself, for two machines
    may each have a worker 1 of a stage. stage, instance, worker: None for a fault of a van; van_id: None for one of a
    worker. because: figures, empty where it has ended.
    """

    schema_name: ClassVar[str] = "fault.alerted"

    fault_id: Sha256
    stage: Token | None = None
    instance: Number | None = None
    worker: Id | None = None
    van_id: VanId | None = None
    fault: FaultCode
    state: Literal["raised", "ended"]
    because: tuple[Because, ...] = Field(default=(), max_length=16)
    as_of: Moment = Field(description="by the clock of the worker that tells of it")

    @model_validator(mode="after")
    def _is_named_by_whose_it_is_and_fault(self) -> Self:
        named = {each is not None for each in (self.stage, self.instance, self.worker)}
        of_worker = self.fault in WORKER_FAULTS
        if named != {of_worker} or of_worker != (self.van_id is None):
            raise ValueError("a fault is of one worker or of one van")
        if self.fault_id != fault_id(self.van_id or self.worker or "", self.fault):
            raise ValueError("the id is not that of this worker or van and fault")
        return self

    @property
    def key(self) -> bytes:
        """The key of its message."""
        return (self.van_id or self.stage or "").encode()


def fault_id(whose: str, fault: FaultCode) -> str:
    """The name of a fault. whose: the worker's id, or the van's."""
    return hashlib.sha256(f"{whose}\n{fault}".encode()).hexdigest()
