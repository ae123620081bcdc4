"""Faults of the centre and of vans: what somebody must mend though no woman's findings are touched."""

import hashlib
from typing import ClassVar, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from sonovan.contracts.because import Because
from sonovan.contracts.quality import Stratum
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

MeasuredFault = Literal["drift", "agreement"]
"""Of what `sonovan.contracts.quality` measures: drift: a window of screenings does not look like the reference.
agreement: outlines do not agree with blind readers' as far as the programme asks."""
MEASURED_FAULTS: Final[tuple[MeasuredFault, ...]] = get_args(MeasuredFault)

FaultCode = WorkerFault | VanFault | MeasuredFault
FAULTS: Final[tuple[FaultCode, ...]] = (*WORKER_FAULTS, *VAN_FAULTS, *MEASURED_FAULTS)


class FaultAlerted(Record):
    """A fault of one worker, of one van or of what is measured begins, or has ended. It names no screening and nobody.

    `fault_id` names whose it is and the fault: the same each time. worker: the worker itself, for two machines
    may each have a worker 1 of a stage. stage, instance, worker: None for a fault of a van or of what is measured;
    van_id: None for others than a van's own; measured: None for others than one of what is measured.
    because: figures, empty where it has ended.
    """

    schema_name: ClassVar[str] = "fault.alerted"
    schema_version: ClassVar[str] = "1.1"

    fault_id: Sha256
    stage: Token | None = None
    instance: Number | None = None
    worker: Id | None = None
    van_id: VanId | None = None
    measured: Stratum | None = None
    fault: FaultCode
    state: Literal["raised", "ended"]
    because: tuple[Because, ...] = Field(default=(), max_length=16)
    as_of: Moment = Field(description="by the clock of the worker that tells of it")

    @model_validator(mode="after")
    def _is_named_by_whose_it_is_and_fault(self) -> Self:
        named = {each is not None for each in (self.stage, self.instance, self.worker)}
        of_worker, of_van = self.fault in WORKER_FAULTS, self.fault in VAN_FAULTS
        measured = self.fault in MEASURED_FAULTS
        if named != {of_worker} or of_van != (self.van_id is not None) or measured != (self.measured is not None):
            raise ValueError("a fault is of one worker, of one van or of one stratum")
        if self.fault_id != fault_id(self._whose, self.fault):
            raise ValueError("the id is not that of this worker, van or stratum and fault")
        return self

    @property
    def key(self) -> bytes:
        """The key of its message."""
        model = None if self.measured is None else self.measured.model_id
        return (self.van_id or model or self.stage or "").encode()

    @property
    def _whose(self) -> str:
        return self.measured.name if self.measured is not None else self.van_id or self.worker or ""


def fault_id(whose: str, fault: FaultCode) -> str:
    """The name of a fault. whose: the worker's id, the van's, or the stratum's name."""
    return hashlib.sha256(f"{whose}\n{fault}".encode()).hexdigest()
