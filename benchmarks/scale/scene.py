"""The centre on several hosts: three brokers, a store of four machines, PostgreSQL, and two or more for workers."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from kafka import KafkaAdminClient

from benchmarks.accounting import RULES
from benchmarks.scale import database
from benchmarks.scale.database import Database
from benchmarks.scale.network import Network
from benchmarks.shared import say
from sonovan.centre import HEALTH_FILE, Centre, down, prepare_kafka, worker_name
from sonovan.contracts.limits import MAX_MESSAGE_BYTES
from sonovan.deploy import cluster, kafka, minio, processes, services
from sonovan.deploy.cache import ensure_cached
from sonovan.deploy.classes import ensure_archive
from sonovan.deploy.cluster import Host, broker_name
from sonovan.deploy.identity import is_running
from sonovan.deploy.launches import read_launch, read_record
from sonovan.deploy.probes import answers_ok, authenticates
from sonovan.deploy.services import RunningServices
from sonovan.deploy.state import StateFolder
from sonovan.transport.client import client_options

BROKERS: Final = ("broker-1", "broker-2", "broker-3")
STORES: Final = ("store-1", "store-2", "store-3", "store-4")
STORE: Final = "store"
"""The name by which workers know all machines of the store: a connection is tried to each of them in turn."""
DATABASE: Final = "database"
WORK: Final = ("work-1", "work-2", "work-3", "work-4")
DRIVE_MIB: Final = 512
S3_ENDPOINT: Final = "SONOVAN_S3_ENDPOINT"
GIVE_UP_S: Final = 300.0
LOOK_EVERY_S: Final = 0.2
TREE: Final = Path(__file__).parents[2]
"""Of this version."""
Worker = tuple[str, int, str]
"""Stage, instance, host."""


@dataclass
class Scene:
    """What runs, and where. stub_ms: what the stub of `segment` takes for a frame; a worker has two under way.

    tree: the work tree from which workers are started.
    """

    centre: Centre
    network: Network
    database: Database
    environment: Mapping[str, str]
    stub_ms: float
    tree: Path = TREE

    @property
    def state(self) -> StateFolder:
        """The one state folder of all hosts: they are on one machine."""
        return self.centre.state

    def start_workers(self, workers: Sequence[Worker]) -> None:
        """Start workers, all at once, and wait until each takes messages."""
        for stage, instance, host in workers:
            self._start_worker(stage, instance, self.network.hosts[host])
        for stage, instance, _ in workers:
            self.await_ready(worker_name(stage, instance))

    def await_ready(self, name: str) -> None:
        """Wait until a worker takes messages."""
        until(lambda: services.worker_says(self.state, name, "/readyz")[0], f"{name} is ready")

    def lose(self, name: str) -> None:
        """End a process like a power cut; nobody starts it again."""
        services.kill_one(self.state, name)
        services.stop_one(self.state, name)

    def bring_back(self, *names: str) -> None:
        """Start processes again that were lost or stopped, all at once, and wait until each does its work."""
        for name in names:
            processes.start(self.state, read_launch(self.state, name))
        for name in names:
            until(partial(self._does_its_work, name), f"{name} is back")

    def in_sync(self) -> bool:
        """Whether every copy of every partition is in sync."""
        return all(len(part["isr_nodes"]) == len(part["replica_nodes"]) for part in self._partitions())

    def copies(self, topic: str) -> int:
        """How many copies each partition of a topic has, in sync or not."""
        return min(len(part["replica_nodes"]) for part in self._partitions(topic))

    def _partitions(self, *topics: str) -> list[dict[str, Any]]:
        """What the brokers tell of the partitions of these topics, or of all."""
        admin = KafkaAdminClient(**client_options(self.centre.kafka()))
        try:
            return [part for topic in admin.describe_topics(list(topics) or None) for part in topic["partitions"]]
        finally:
            admin.close()

    def _does_its_work(self, name: str) -> bool:
        if name in store_names():
            return takes_objects(self.network.hosts[STORES[store_names().index(name)]])
        if name == database.NAME:
            return self.database.answers()
        if name.startswith(kafka.NAME):
            number = int(name.rpartition("-")[2])
            return broker_answers(self.centre, self.network.hosts[BROKERS[number - 1]])
        return services.worker_says(self.state, name, "/readyz")[0]

    def _start_worker(self, stage: str, instance: int, host: Host) -> None:
        name = worker_name(stage, instance)
        python = sys.executable if self.tree == TREE else str(self.tree / ".venv/bin/python")
        command = [python, "-m", "sonovan", "worker", stage, "--instance", str(instance)]
        if stage == "segment":
            command = [python, "-m", "benchmarks.scale.stubbed", str(instance), str(self.stub_ms)]
        given = self.centre.environment(stage)
        if S3_ENDPOINT in given:
            given[S3_ENDPOINT] = f"{STORE}:{cluster.STORE_PORT}"
        own = {
            "SONOVAN_DATA_DIR": str(self.state.apps / name),
            "SONOVAN_HEALTH_HOST": host.address,
            "PYTHONPATH": str(self.tree),
        }
        processes.start_app(
            self.state,
            name,
            [*host.enter, *command],
            {**self.environment, **given, **own},
            health_file=self.state.apps / name / HEALTH_FILE,
        )


def until(condition: Callable[[], bool], what: str, within_s: float = GIVE_UP_S) -> None:
    """Wait for a condition. Raises TimeoutError after `within_s` seconds, with what was waited for."""
    give_up_at = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"not within {within_s:g} s: {what}")
        time.sleep(LOOK_EVERY_S)


def broker_answers(centre: Centre, host: Host) -> bool:
    """Whether this broker lets the admin in."""
    admin = centre.kafka()
    return authenticates(cluster.CLIENT_PORT, admin.username, admin.password.get_secret_value(), host.address)


def takes_objects(host: Host) -> bool:
    """Whether this machine of the store answers, and reaches as many of the others as writing takes."""
    return answers_ok(f"http://{host.address}:{cluster.STORE_PORT}/minio/health/cluster")


@contextmanager
def standing(workers: Sequence[Worker], stub_ms: float, tree: Path = TREE) -> Iterator[Scene]:
    """Bring all of it up, workers from `tree`, and take all of it away again: processes, drives, hosts, folders."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sonovan-scale-")))
        apart = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sonovan-scale-db-")))
        network = stack.enter_context(Network([*BROKERS, *STORES, DATABASE, *WORK], {STORE: STORES}))
        state = StateFolder(folder / "state")
        state.prepare()
        # Shared, so that the store's own view of what is mounted follows: each process of a network namespace has one.
        subprocess.run(["mount", "--bind", str(state.minio), str(state.minio)], check=True)
        stack.callback(subprocess.run, ["umount", "--lazy", str(state.minio)], check=True)
        subprocess.run(["mount", "--make-shared", str(state.minio)], check=True)
        for drive in cluster.drives(state):
            drive.mkdir(mode=0o700)
            mount(drive)
            stack.callback(unmount, drive)
        stack.callback(down, state.path)
        scene = _up(state, network, Database(state, network.hosts[DATABASE], apart), stub_ms, tree)
        scene.start_workers(workers)
        say(f"three brokers, a store of {cluster.DRIVES} machines, PostgreSQL and {len(workers)} workers run")
        yield scene


def mount(drive: Path) -> None:
    """An empty drive at this folder. In memory: the drives of one machine would share its disk anyway."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DRIVE_MIB}m,mode=0700", "sonovan-scale", str(drive)]
    subprocess.run(command, check=True)


def unmount(drive: Path) -> None:
    """Take a drive away, whoever uses it; harmless where there is none."""
    if os.path.ismount(drive):
        subprocess.run(["umount", "--lazy", str(drive)], check=True)


def _up(state: StateFolder, network: Network, server: Database, stub_ms: float, tree: Path) -> Scene:
    hosts = network.hosts
    brokers = [hosts[name] for name in BROKERS]
    java, jars, binary = ensure_cached(say)
    launches = cluster.prepare_brokers(
        state, brokers, java, jars,
        archive=ensure_archive(java, jars, say), max_message_bytes=MAX_MESSAGE_BYTES, progress=say,
    )  # fmt: skip
    launches += [*cluster.prepare_store(state, [hosts[name] for name in STORES], binary), server.launch()]
    for launch in launches:
        processes.start(state, launch)
    places = cluster.places(brokers)
    centre = Centre(
        state,
        RunningServices(
            kafka_bootstrap=cluster.bootstrap(places),
            kafka_vans_bootstrap=cluster.vans_bootstrap(places),
            kafka_admin_username=kafka.ADMIN,
            kafka_admin_password=state.secret(kafka.ADMIN_CREDENTIAL),
            s3_endpoint=f"{hosts[STORES[0]].address}:{cluster.STORE_PORT}",
            s3_access_key=minio.root_access_key(state),
            s3_secret_key=state.secret(minio.ROOT_CREDENTIAL),
            s3_console_url="",
        ),
    )
    until(lambda: all(broker_answers(centre, each) for each in brokers), "all brokers answer")
    until(lambda: all(takes_objects(hosts[name]) for name in STORES), "the store takes objects")
    server.create()
    prepare_kafka(centre, say)
    centre.store_preparation()()
    rules = state.path / "rules.toml"
    rules.write_text(RULES)
    environment = {
        "SONOVAN_ALERT_DATABASE_URL": server.url(database.OUTBOX),
        "SONOVAN_CATALOG_DATABASE_URL": server.url(database.CATALOGUE),
        "SONOVAN_ALERT_RULES_FILE": str(rules),
    }
    services.start_supervisor(state)
    return Scene(centre, network, server, environment, stub_ms, tree)


def running(scene: Scene, name: str) -> bool:
    """Whether this process runs."""
    return is_running(read_record(scene.state, name))


def node_names() -> list[str]:
    """The process names of the brokers."""
    return [broker_name(node) for node in range(1, len(BROKERS) + 1)]


def store_names() -> list[str]:
    """The process names of the store's machines."""
    return [cluster.store_name(number) for number in range(1, len(STORES) + 1)]
