"""Which faults a worker has, and when somebody is told: one that lasts, once, and again when it has ended.

A worker finds its own faults and sends them to `fault.alerted`; the alert stage tells whom the site names.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sonovan.contracts.because import Because
from sonovan.contracts.errors import Transient
from sonovan.contracts.faults import WORKER_FAULTS, FaultAlerted, WorkerFault, fault_id
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import FOR_EVER, TOPICS, Topic
from sonovan.stream_apps.metrics import Measured
from sonovan.stream_apps.progress import DISK, Progress

LOOK_EVERY_S: Final = 5.0
GPU: Final = Path("/dev/nvidia0")
"""There where the machine has a GPU that its driver knows."""

LAG_S: Final = 300.0
"""A record that is not processed for so long since the broker appended it: reports come late."""
RETENTION_SHARE: Final = 0.5
"""Of the time for which its topic keeps a record: half of it is left to mend what holds it up."""
REJECTS: Final = 50
REJECTS_WITHIN_S: Final = 600.0
LASTS_S: Final = 30.0
"""A fault is told of once it has lasted so long, and its end once it was gone for so long."""

Found = Mapping[WorkerFault, tuple[Because, ...]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a worker sees of itself at one moment.

    oldest_s: by topic, the age of the oldest record that it received and has not processed. rejected: how many records
    it has rejected since it started. broker_ahead_s: of this machine's clock. disk_low, away, undelivered: whether a
    disk is nearly full, a service does not answer, somebody takes nothing. gpu_idle: there is a GPU, and the network
    does not run on it.
    """

    oldest_s: Mapping[str, float] = field(default_factory=dict)
    rejected: int = 0
    broker_ahead_s: float = 0.0
    disk_low: bool = False
    away: bool = False
    undelivered: bool = False
    gpu_idle: bool = False


def faults_of(seen: Seen, rejected_before: int, apart_s: float) -> Found:
    """The faults of this moment, with their figures. rejected_before: as `rejected`, REJECTS_WITHIN_S ago."""
    found: dict[WorkerFault, tuple[Because, ...]] = {}
    oldest = max(seen.oldest_s.values(), default=0.0)
    if oldest >= LAG_S:
        found["lag"] = (Because(code="oldest_unprocessed", value=round(oldest), unit="s"),)
    for topic, age_s in seen.oldest_s.items():
        kept_ms = TOPICS[Topic(topic)].retention_ms
        if kept_ms != FOR_EVER and age_s >= RETENTION_SHARE * kept_ms / 1000:
            found["retention"] = (Because(code="oldest_unprocessed", value=round(age_s), unit="s"),
                                  Because(code="kept_for", value=kept_ms // 1000, unit="s"))  # fmt: skip
    if (rejects := seen.rejected - rejected_before) >= REJECTS:
        found["rejects"] = (Because(code="rejected_records", value=rejects),)
    if abs(seen.broker_ahead_s) >= apart_s:
        found["clock"] = (Because(code="clock_apart", value=round(seen.broker_ahead_s), unit="s"),)
    plain: dict[WorkerFault, bool] = {
        "cpu_fallback": seen.gpu_idle, "disk": seen.disk_low, "away": seen.away, "undelivered": seen.undelivered,
    }  # fmt: skip
    return {**found, **{code: () for code, holds in plain.items() if holds}}


class Faults:
    """Tells of the faults of one worker. What the broker does not take is told at the next look."""

    def __init__(
        self,
        stage: str,
        instance: int,
        worker: str,
        apart_s: float,
        tell: Callable[[FaultAlerted], Awaitable[object]],
    ) -> None:
        """worker: its lasting id (`worker_id`). apart_s: clocks that are further apart are a fault.

        tell: sends a record; may raise Transient.
        """
        self._stage, self._instance, self._worker = stage, instance, worker
        self._apart_s, self._tell = apart_s, tell
        self._told: dict[WorkerFault, bool] = {}
        self._since: dict[WorkerFault, tuple[bool, float]] = {}
        self._rejected: list[tuple[float, int]] = []
        self.standing: frozenset[WorkerFault] = frozenset()

    async def look(self, seen: Seen, now: float, as_of: datetime) -> None:
        """Tell of every fault that began or ended long enough ago.

        now: seconds of a steady clock. as_of: this machine's time, for the record.

        A worker that starts tells of every fault that it does not have, once: it cannot know what it told before.
        """
        self._rejected = [each for each in self._rejected if each[0] > now - REJECTS_WITHIN_S] or self._rejected[-1:]
        before = self._rejected[0][1] if self._rejected else seen.rejected
        self._rejected.append((now, seen.rejected))
        found = faults_of(seen, before, self._apart_s)
        self.standing = frozenset(found)
        for code in WORKER_FAULTS:
            holds = code in found
            if self._since.get(code, (not holds, now))[0] != holds:
                self._since[code] = (holds, now)
            if self._told.get(code) == holds or now - self._since[code][1] < LASTS_S:
                continue
            try:
                await self._tell(self._record(code, holds, found.get(code, ()), as_of))
            except Transient:
                # It may leave all the same once the broker answers, so that what it stood at before is not known.
                self._told.pop(code, None)
                return
            self._told[code] = holds

    def _record(self, code: WorkerFault, holds: bool, because: tuple[Because, ...], as_of: datetime) -> FaultAlerted:
        return FaultAlerted(
            fault_id=fault_id(self._worker, code),
            stage=self._stage,
            instance=self._instance,
            worker=self._worker,
            fault=code,
            state="raised" if holds else "ended",
            because=because,
            as_of=as_of,
        )


def worker_id(folder: Path) -> str:
    """The lasting id of the worker whose folder this is, made at its first start.

    Its stage and number would not do: two machines may each have a worker 1, and the end of the one's fault would be
    taken for the other's.
    """
    path = folder / "worker-id"
    if not path.exists():
        written = path.with_suffix(".new")
        written.write_text(mint_id())
        written.replace(path)
    return path.read_text()


def seen_by(measured: Measured, progress: Progress) -> Seen:
    """What this worker sees of itself now."""
    provider = measured.provider
    on_gpu = provider is None or provider.startswith(("cuda", "tensorrt"))
    return Seen(
        oldest_s=measured.oldest_s(),
        rejected=measured.rejected_records,
        broker_ahead_s=progress.broker_ahead_s,
        disk_low=DISK in progress,
        away=progress.away,
        undelivered=progress.faulty,
        gpu_idle=not on_gpu and GPU.exists(),
    )


async def run_faults(faults: Faults, measured: Measured, progress: Progress) -> None:
    """Look every few seconds until cancelled."""
    while True:
        await faults.look(seen_by(measured, progress), time.monotonic(), datetime.now(UTC))
        measured.faults = faults.standing
        await asyncio.sleep(LOOK_EVERY_S)
