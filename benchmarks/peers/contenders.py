"""The product and its peers as contenders of one run: how each is started, ended, killed, and where it goes on from."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from benchmarks.queued import VAN, Bench, the_worker
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.signatures import public_key
from sonovan.contracts.topics import APP_IDS, Topic, Writer
from sonovan.contracts.van import VanEnrolled
from sonovan.deploy import services
from sonovan.transport.client import client_options

PYTHON: Final = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"
LEAVES_S: Final = 15.0
REGROUPED_S: Final = 60.0
PRODUCT: Final = "sonovan"


@dataclass(frozen=True, slots=True)
class Peer:
    """module: its program. processes: as many as it takes to use two cores: one where it has threads of its own.

    gives: what it guarantees, for people.
    """

    module: str
    processes: int
    gives: str


PEERS: Final = {
    "confluent-kafka": Peer("confluent_loop", 1, "at least once; offsets at the broker, by hand"),
    "quixstreams": Peer("quixstreams_app", 2, "at least once; offsets at the broker, one thread a process"),
    "sentry-arroyo": Peer("arroyo_strategy", 1, "at least once; offsets at the broker, threads"),
    "faststream": Peer(
        "faststream_app", 2, "at least once while it handles one message at a time; offsets at the broker"
    ),
    "bytewax": Peer("bytewax_flow", 1, "at least once on one machine: offsets in local files"),
}


@dataclass(slots=True)
class Running:
    """A peer's processes. kept: what it needs to go on where it was killed."""

    bench: Bench
    name: str
    folder: Path
    environment: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    log: IO[bytes] | None = None

    def start(self) -> None:
        """Start its processes; they read from where the group stands."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = (self.folder / "log").open("ab")
        peer = PEERS[self.name]
        self.processes = [
            subprocess.Popen(
                [str(PYTHON), "-m", f"benchmarks.peers.{peer.module}"],
                env=self.environment, stdout=self.log, stderr=subprocess.STDOUT, cwd=Path(__file__).parents[2],
            )
            for _ in range(peer.processes)
        ]  # fmt: skip

    def await_open(self) -> None:
        """Return once each process has loaded the network. Raises RuntimeError where one ended."""
        give_up_at = time.monotonic() + REGROUPED_S
        while not all((self.folder / f"open-{each.pid}").is_file() for each in self.processes):
            if any(each.poll() is not None for each in self.processes) or time.monotonic() > give_up_at:
                raise RuntimeError(f"{self.name} does not open: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask them to leave; kill those that stay. Its own files of where it was go: the group says where to begin."""
        self._end(signal.SIGTERM)
        shutil.rmtree(self.folder / "recovery", ignore_errors=True)

    def kill(self) -> None:
        """SIGKILL, nothing forgotten."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        for each in self.processes:
            each.send_signal(how)
        for each in self.processes:
            try:
                each.wait(LEAVES_S)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()
        self.processes = []
        if self.log is not None:
            self.log.close()


class ProductRunning:
    """The product's worker, in the same terms."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self._worker = bench, the_worker(bench)

    def start(self) -> None:
        """See `Running.start`."""
        self._worker.start()

    def await_open(self) -> None:
        """See `Running.await_open`; its start waits by itself."""

    def stop(self) -> None:
        """See `Running.stop`."""
        self._worker.stop()

    def kill(self) -> None:
        """See `Running.kill`."""
        for row in services.status(self._bench.centre.state):
            if row.name == "segment" and row.pid:
                os.kill(row.pid, signal.SIGKILL)
        self._worker.stop()  # the record of a process that is gone


def contenders(bench: Bench, folder: Path, names: Sequence[str]) -> dict[str, Running | ProductRunning]:
    """Those of these names, in their order. Raises FileNotFoundError where the peers' environment is not there."""
    if not PYTHON.is_file():
        raise FileNotFoundError(f"{PYTHON} is not there: make bench-peers makes it")
    enrolled = folder / "van"
    now = datetime.now(UTC)
    enrolled.write_bytes(VanEnrolled.first(VAN, public_key(bench.signer.private_key), now).encode())
    found: dict[str, Running | ProductRunning] = {}
    for name in names:
        if name == PRODUCT:
            found[name] = ProductRunning(bench)
            continue
        centre, own = bench.centre, folder / name
        environment = {
            **(bench.environment or os.environ),
            **{key: value for key, value in centre.environment("segment").items() if key.startswith("SONOVAN_S3_")},
            **{key: value for key, value in centre.environment().items() if key.startswith("SONOVAN_KAFKA_")},
            "BENCH_PEERS_GROUP": group_of(name),
            "BENCH_PEERS_FOLDER": str(own),
            "BENCH_PEERS_VAN": str(enrolled),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        found[name] = Running(bench, name, own, environment)
    return found


def group_of(name: str) -> str:
    """The consumer group of a contender."""
    return APP_IDS[Writer.SEGMENT] if name == PRODUCT else f"bench-{name}"


def from_now_on(broker: BrokerSettings, name: str) -> None:
    """Let a contender that does not run go on at the end of the log. Raises TimeoutError where its group lives on."""
    give_up_at = time.monotonic() + REGROUPED_S
    while True:
        consumer = KafkaConsumer(group_id=group_of(name), enable_auto_commit=False, **client_options(broker))
        try:
            topic = Topic.FRAME_CAPTURED.value
            places = [TopicPartition(topic, each) for each in consumer.partitions_for_topic(topic) or ()]
            consumer.assign(places)
            ends = consumer.end_offsets(places)
            consumer.commit({place: OffsetAndMetadata(end, "", -1) for place, end in ends.items()})
            return
        except KafkaError as error:  # members of a program that was killed stay for a session
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"the group of {name} cannot be set: {error}") from error
            time.sleep(1.0)
        finally:
            with contextlib.suppress(KafkaError):
                consumer.close()
