"""Faults of the centre itself: what somebody must mend though no woman's findings are touched."""

import hashlib
from typing import ClassVar, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from sonovan.contracts.because import Because
from sonovan.contracts.record import Id, Moment, Number, Record, Sha256, Token

FaultCode = Literal["lag", "retention", "rejects", "cpu_fallback", "disk", "clock", "away", "undelivered"]
"""lag: records wait too long. retention: they wait for so long that their topic may delete them. rejects: too many
could not be used. cpu_fallback: a GPU is there and the network runs on the CPU. disk: nearly full. clock: apart from
the broker's. away: a service does not answer. undelivered: somebody who must be told takes nothing."""
FAULTS: Final[tuple[FaultCode, ...]] = get_args(FaultCode)


class FaultAlerted(Record):
    """A fault of one worker begins, or has ended. It names no van, no screening and nobody.

    `fault_id` names the worker and the fault: the same each time. worker: the worker itself, for two machines may each
    have a worker 1 of a stage. because: figures, empty where it has ended.
    """

    schema_name: ClassVar[str] = "fault.alerted"

    fault_id: Sha256
    stage: Token
    instance: Number
    worker: Id
    fault: FaultCode
    state: Literal["raised", "ended"]
    because: tuple[Because, ...] = Field(default=(), max_length=16)
    as_of: Moment = Field(description="by the worker's clock")

    @model_validator(mode="after")
    def _is_named_by_worker_and_fault(self) -> Self:
        if self.fault_id != fault_id(self.worker, self.fault):
            raise ValueError("the id is not that of this worker and fault")
        return self


def fault_id(worker: str, fault: FaultCode) -> str:
    """The name of a fault of a worker."""
    return hashlib.sha256(f"{worker}\n{fault}".encode()).hexdigest()
