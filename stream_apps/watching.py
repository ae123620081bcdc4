"""What a worker looks at every few seconds, whatever messages come: the broker, the disks, and whether work is left.

No faust here: the app is handed in.
"""

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from aiokafka.errors import ConsumerStoppedError, KafkaError

from sonovan.contracts.errors import Transient
from sonovan.stream_apps.metrics import Measured, Place, Standing
from sonovan.stream_apps.progress import BROKER, DISK, PARTITIONS, READING_BACK, Progress

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 3.0
ENDS_WITHIN_S: Final = 2.0
"""How long whoever asks waits for the broker to tell where its topics end."""

ENDS_AFTER_S: Final = 30.0
"""A worker that is not live for so long ends itself, for not everything that starts workers asks /healthz."""

IN_TOPICS: Final = "in the topics"
"""Records that were not fetched yet: something to do (`progress.Progress.busy`)."""

MEGA: Final = 1_000_000


class Watching:
    """Looks again and again and tells a Progress; `look` is one such round."""

    def __init__(
        self,
        app: Any,
        measured: Measured,
        progress: Progress,
        folders: Sequence[Path],
        disk_low_mb: int,
        not_ready: type[Exception] = ConsumerStoppedError,
    ) -> None:
        """not_ready: what the app raises where it is asked before it has started."""
        self._app, self._measured, self._progress = app, measured, progress
        self._folders, self._disk_low_mb = folders, disk_low_mb
        self._read_back: Mapping[Any, int] = {}
        self._away = (KafkaError, ConsumerStoppedError, OSError, TimeoutError, not_ready)

    async def run(self, failed: Callable[[BaseException], None]) -> None:
        """Look until cancelled. failed: told when the worker has not been live for so long that it must end."""
        since_s = None
        while True:
            await self.look()
            if self._progress.stuck_s is None:
                since_s = None
            else:
                since_s = since_s or time.monotonic()
                if time.monotonic() - since_s > ENDS_AFTER_S:
                    what = "; ".join(self._progress.waiting) or "work waits"
                    failed(Transient(f"{what}, and nothing was finished for {self._progress.stuck_s:.0f} s"))
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Note whether there is room, whether the broker answers, and whether records wait in the topics.

        An error that says neither that the broker is away nor that the app has not started is raised: it is a defect,
        and would otherwise be told as a broker that does not answer for as long as the worker runs.
        """
        look_at_disks(self._progress, self._folders, self._disk_low_mb)
        try:
            self._progress.busy(READING_BACK, await self._reads_back())
            self._progress.busy(IN_TOPICS, await self._work_waits())
        except self._away as error:
            self._progress.waits(BROKER, f"the broker does not answer ({type(error).__name__})")
        else:
            self._progress.has(BROKER)

    async def ends(self) -> dict[Any, int]:
        """Where each partition ends that this worker holds, changelogs aside; raises where the broker does not tell."""
        consumer = self._app.consumer
        mine = [place for place in consumer.assignment() if place.topic not in self._app.tables.changelog_topics]
        async with asyncio.timeout(ENDS_WITHIN_S):
            return await consumer.highwaters(*mine) if mine else {}

    async def _work_waits(self) -> bool:
        """Whether a record stands behind the one that is fetched next, in a partition that may be read now."""
        if PARTITIONS in self._progress:
            return False
        consumer, ends = self._app.consumer, await self.ends()
        left = [place for place, end in ends.items() if self._measured.done_up_to((place.topic, place.partition)) < end]
        async with asyncio.timeout(ENDS_WITHIN_S):
            return any([(await consumer.position(place) or 0) < ends[place] for place in left])

    async def _reads_back(self) -> bool:
        """Whether partitions are this worker's and it takes no messages of them yet; raises where the broker is away.

        Each message that is read back from a changelog counts as something finished.
        """
        mine = list(self._app.assignor.assigned_actives())
        if PARTITIONS not in self._progress or not mine:
            return False
        async with asyncio.timeout(ENDS_WITHIN_S):
            await self._app.consumer.highwaters(mine[0])
        read_back = dict(self._app.tables.recovery.active_offsets)
        if read_back != self._read_back:
            self._read_back = read_back
            self._progress.advanced()
        return True

    async def metrics(self) -> str:
        """What Prometheus reads, with the lag as far as the broker says in time where its topics end."""
        ends: Mapping[Place, int] = {}
        committed: dict[Place, int | None] = {}
        try:
            found = await self.ends()
            ends = {(place.topic, place.partition): end for place, end in found.items()}
            known = self._app.consumer._committed_offset
            committed = {(place.topic, place.partition): known.get(place) for place in found}
        except self._away as error:
            log.info("the lag is not told: %s", type(error).__name__)
        free = min(free_bytes(self._folders).values(), default=None)
        standing = Standing(not self._progress.waiting, self._progress.broker_ahead_s, free)
        return self._measured.text(ends, committed, standing)


def free_bytes(folders: Sequence[Path]) -> dict[Path, int]:
    """What is free on the disk of each folder; one that does not exist is left out."""
    return {folder: shutil.disk_usage(folder).free for folder in folders if folder.is_dir()}


def look_at_disks(progress: Progress, folders: Sequence[Path], disk_low_mb: int) -> None:
    """Hold where one of the disks is nearly full: Kafka halts on a full one, and what it holds must stay readable."""
    free_mb = {folder: free // MEGA for folder, free in free_bytes(folders).items()}
    low = [f"{free} MB are free at {folder}" for folder, free in free_mb.items() if free < disk_low_mb]
    if low:
        progress.waits(DISK, f"the disk is nearly full, it takes no more messages: {'; '.join(low)}")
    else:
        progress.has(DISK)
