"""The world of the journeys: one broker and one MinIO, workers that come and go, topics read as they grow."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sonovan.centre import Centre, attach, start_worker, worker_name
from sonovan.contracts.record import Record
from sonovan.contracts.topics import Writer
from sonovan.deploy import services
from sonovan.deploy.identity import ProcessRecord, is_running
from sonovan.deploy.launches import read_record
from sonovan.deploy.processes import start_app
from sonovan.storage.minio_store import MinioStore
from sonovan.transport.tail import Message, Tail
from tests.stream_apps.alert.receiver import Manners, Receiver
from tests.waiting import DEADLINE_S, until

LOG_TAIL: Final = 40
REPOSITORY: Final = Path(__file__).resolve().parents[2]

PATH_STAGES: Final = (Writer.SEGMENT, Writer.ASSESS, Writer.ALERT)
"""The stages from a frame to an alert."""

RecordT = TypeVar("RecordT", bound=Record)
T = TypeVar("T")


class World:
    """Everything that runs, and everything that was said."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.store = MinioStore(centre.store("reader"))
        self.quarantine = MinioStore(centre.store("retrier"))
        self._tails: dict[str, Tail] = {}
        self._seen: dict[str, list[Message]] = {}

    # Workers

    def work(self, *, also: Mapping[str, Mapping[str, str]] | None = None, stages: Sequence[str] = PATH_STAGES) -> None:
        """See that exactly one worker of each of these stages runs, and none of another.

        also: stage → settings other than the usual ones. stages: those from a frame to an alert, where none are named;
        others would do work beside them that no journey looks at.
        """
        for row in services.status(self.centre.state):
            if row.state == "running" and row.name not in (*stages, *services.SERVICES):
                services.stop_one(self.centre.state, row.name)
        with ThreadPoolExecutor(len(stages)) as pool:
            list(pool.map(lambda stage: self.start(stage, settings=(also or {}).get(stage)), stages))

    def start(self, stage: str, instance: int = 1, settings: Mapping[str, str] | None = None) -> None:
        """Start a worker and wait until it holds partitions; nothing where it runs so already."""
        centre = attach(self.centre.path)  # a state folder's lock is not shared between threads
        start_worker(centre, stage, instance, app_environment=os.environ | dict(settings or {}), deadline_s=240.0)

    def start_changed_assess(self, module: str, argument: str) -> None:
        """Start, in place of `assess`, the one of a module of the tests, which does something else in one place."""
        own = {
            "SONOVAN_DATA_DIR": str(self.centre.state.apps / "assess"),
            "SONOVAN_STATE": str(self.centre.path),
            "PYTHONPATH": str(REPOSITORY),
        }
        given = {name: value for name, value in os.environ.items() if name.startswith("SONOVAN_ASSESS_")}
        argv = [sys.executable, "-m", module, argument]
        start_app(self.centre.state, "assess", argv, given | self.centre.environment("assess") | own)

    def start_in_folder_of(self, stage: str, instance: int) -> subprocess.Popen[str]:
        """Start another worker in the data folder of the first one; the process itself, which nobody watches."""
        own = {"SONOVAN_DATA_DIR": str(self.centre.state.apps / stage), "SONOVAN_STATE": str(self.centre.path)}
        return subprocess.Popen(
            [sys.executable, "-m", "sonovan", "worker", stage, "--instance", str(instance)],
            env=os.environ | self.centre.environment(stage) | own, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def record(self, stage: str, instance: int = 1) -> ProcessRecord | None:
        return read_record(self.centre.state, worker_name(stage, instance))

    def runs(self, stage: str, instance: int = 1) -> bool:
        return is_running(self.record(stage, instance))

    def kill(self, name: str, instance: int = 1) -> None:
        """kill -9 of a worker or a service."""
        services.kill_one(self.centre.state, worker_name(name, instance))

    def stop(self, stage: str, instance: int = 1) -> float:
        """SIGTERM; the seconds until the worker was gone."""
        asked_at = time.monotonic()
        self._end(worker_name(stage, instance))
        return time.monotonic() - asked_at

    @contextmanager
    def without(self, service: str) -> Iterator[None]:
        """A service that is killed, and comes back when the block ends."""
        self.kill(service)
        try:
            yield
        finally:
            self._begin(service)

    def _end(self, name: str) -> None:
        services.stop_one(self.centre.state, name)

    def _begin(self, service: str) -> None:
        services.start_one(self.centre.state, service)

    def log(self, stage: str, instance: int = 1) -> str:
        """What a worker has said since its last start."""
        path = self.centre.state.logs / f"{worker_name(stage, instance)}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def log_tails(self) -> str:
        """The last lines of everything that ever ran here."""
        tails = []
        for row in services.status(self.centre.state):
            lines = row.log.read_text(errors="replace").splitlines() if row.log.exists() else []
            tails.append("\n".join([f"--- {row.name} ({row.state})", *lines[-LOG_TAIL:]]))
        return "\n".join(tails)

    # Somebody whom `alert` tells

    def webhook_url(self, port: int) -> str:
        """The address at which `alert` reaches a receiver of the test that listens at this port."""
        return f"http://127.0.0.1:{port}/hook"

    def receiver(self, manners: Manners, port: int) -> Receiver:
        """The receiver of that address, which listens while it is entered."""
        return Receiver(manners, port)

    # Commands

    def sonovan(self, *words: str, code: int = 0) -> Any:
        """Run a command as typed and see it end with `code`; what it prints, with --json the document."""
        ran = self.command(*words)
        out, err = ran.communicate(timeout=2 * DEADLINE_S)
        assert ran.returncode == code, f"{words} ended with {ran.returncode}, not {code}:\n{err}\n{self.log_tails()}"
        return json.loads(out) if "--json" in words and out else out

    def command(self, *words: str) -> subprocess.Popen[str]:
        """Start a command."""
        argv = [sys.executable, "-m", "sonovan", *words, "--state", str(self.centre.path)]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    # Topics

    def messages(self, topic: str) -> list[Message]:
        """Everything that stands in a topic up to its present end."""
        if topic not in self._tails:
            self._tails[topic], self._seen[topic] = Tail(self.centre.kafka(), topic), []
        self._seen[topic] += self._tails[topic].to_the_end(60.0)
        return self._seen[topic]

    def records(self, topic: str, kind: type[RecordT], screening_id: str | None = None) -> list[RecordT]:
        """The records of a topic, of one screening or of all, in the order of their partition."""
        found = [record for message in self.messages(topic) if isinstance(record := message.decode(), kind)]
        return [each for each in found if screening_id is None or getattr(each, "screening_id", None) == screening_id]

    def until(self, condition: Callable[[], T], what: str) -> T:
        """Wait for a condition; the workers' last words are told where it does not come."""
        return until(condition, what, evidence=self.log_tails)

    def close(self) -> None:
        for tail in self._tails.values():
            tail.close()
