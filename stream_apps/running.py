"""A worker's life: ready once it holds partitions, gone within seconds of SIGTERM, non-zero when it must not go on.

No faust here: the app is handed in. Faust's own Worker is not used, since it owns stdout, the root logger and the
exit code, and has no deadline for leaving.
"""

import asyncio
import fcntl
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError

from sonovan.contracts.errors import Fatal, Transient
from sonovan.contracts.log_lines import JsonLines, LogSettings
from sonovan.contracts.settings import read_settings
from sonovan.stream_apps.kafka_io import REFUSALS
from sonovan.stream_apps.progress import LEAVING, PARTITIONS, STANDS_BY, Progress
from sonovan.stream_apps.rebalancing import Rebalancing
from sonovan.stream_apps.repeats import Repeats

log = logging.getLogger(__name__)

DONE, NOT_AVAILABLE, FATAL = 0, 4, 5
LEAVE_WITHIN_S = 8.0
"""A broker that is away can hold up a flush; nothing unacknowledged is lost by leaving without it."""

FLUSH_WITHIN_S = 1.0


def raise_file_limit() -> None:
    """Allow this process as many open files as its hard limit does.

    RocksDB keeps about six files of each partition of each table open: a worker that holds all of them needs some 400,
    and the usual soft limit is 1,024.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Worker:
    """Runs one Faust app until it is told to stop or fails."""

    def __init__(
        self, app: Any, progress: Progress, cancel_work: Callable[[], Awaitable[None]], topics: Sequence[str]
    ) -> None:
        """cancel_work: ends what is in flight; called when partitions are revoked and before the app stops.

        topics: what the app reads.
        """
        self._app, self._topics = app, topics
        self._progress = progress
        progress.waits(PARTITIONS, "it holds no partitions yet")
        self._cancel_work = cancel_work
        self._stop = asyncio.Event()
        self._error: BaseException | None = None
        self._rebalancing = Rebalancing(app)
        app.on_partitions_revoked.connect(self._on_revoked, weak=False)
        app.on_rebalance_complete.connect(self._on_ready, weak=False)

    def fail(self, error: BaseException) -> None:
        """Stop because of `error`; the first one decides the exit code."""
        self._error = self._error or error
        self._stop.set()

    async def run(self) -> int:
        """Start the app, wait, stop it; returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        self._app.in_worker = True
        starting = asyncio.create_task(self._app.start(), name="faust-app")
        stopping = asyncio.create_task(self._stop.wait(), name="asked-to-stop")
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and starting.exception() is not None:
            self.fail(starting.exception() or RuntimeError())
        else:
            ended = asyncio.create_task(self._app.wait_until_stopped(), name="faust-ended")
            await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if self._app.crashed:
                self.fail(self._app.crash_reason or RuntimeError("the app crashed"))
        code = exit_code(self._error)
        self._leave_in_time(code)
        self._progress.waits(LEAVING, "it leaves")
        await self._cancel_work()
        await self._app.stop()
        return code

    def _leave_in_time(self, code: int) -> None:
        deadline = threading.Timer(LEAVE_WITHIN_S, leave_now, [code])
        deadline.daemon = True
        deadline.start()

    async def _on_revoked(self, *_: Any, **__: Any) -> None:
        self._progress.waits(PARTITIONS, "its partitions are being moved")
        await self._cancel_work()

    async def _on_ready(self, *_: Any, **__: Any) -> None:
        self._rebalancing.mend()
        consumer = self._app.consumer
        assigned = len(consumer.assignment())
        log.info("ready, %d partitions", assigned)
        if assigned:
            self._progress.has(PARTITIONS)
        elif any(consumer.topic_partitions(topic) for topic in self._topics):
            self._progress.waits(PARTITIONS, STANDS_BY)
        else:
            self._progress.waits(PARTITIONS, "it holds no partitions: the broker names none yet")


def leave_now(code: int) -> None:
    """End this process, once what `Repeats` holds is shown or FLUSH_WITHIN_S have passed.

    A log that nobody reads any more, or a thread that hangs while it holds the log's lock, would keep it for ever.
    """
    showing = threading.Thread(target=logging.shutdown, name="last-words", daemon=True)
    showing.start()
    showing.join(FLUSH_WITHIN_S)
    os._exit(code)


@contextmanager
def own_folder(data_dir: Path) -> Iterator[None]:
    """Hold a worker's data folder; the kernel lets it go with the process.

    Raises Fatal where another worker holds it: two that write the same tables damage them.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(data_dir / "held", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Fatal(f"SONOVAN_DATA_DIR: another worker runs in {data_dir}; give each a folder of its own") from None
        yield
    finally:
        os.close(handle)


def exit_code(error: BaseException | None) -> int:
    """0 without an error, 4 when a service was not there, 5 for everything that must not go on; says why."""
    if error is None:
        return DONE
    # A client that gives up while its broker restarts says so in many ways; a refusal alone is not mended by waiting.
    if isinstance(error, Transient) or (isinstance(error, KafkaError) and not isinstance(error, REFUSALS)):
        log.error("a service is not available, nothing is lost: %s", error)
        return NOT_AVAILABLE
    if isinstance(error, Fatal):
        log.critical("stopping: %s", error)
    else:
        log.critical("stopping after an error that nobody foresaw", exc_info=error)
    return FATAL


def log_to_stderr(name: str) -> None:
    """One line per event on stderr, as SONOVAN_LOG_FORMAT says, repeated warnings left out.

    The libraries speak from warnings on, since they would print messages.
    """
    shown = Repeats(logging.StreamHandler(sys.stderr))
    logging.basicConfig(handlers=[shown], level=logging.WARNING, force=True)
    plain = logging.Formatter(f"%(asctime)s {name} %(levelname)s %(name)s: %(message)s")
    # After it was made the root's, or the root would give it the format of its own.
    shown.setFormatter(JsonLines(name) if read_settings(LogSettings).format == "json" else plain)
    logging.getLogger("sonovan").setLevel(logging.INFO)
