"""The services of a centre on more than one machine: several brokers, and a store of several processes.

What is the same as on one machine stands in `kafka.py` and `minio.py`; here is what makes one cluster of several. How
many copies of each topic there are, and how many of them must hold a message before it is acknowledged, follows from
the topic table and the number of brokers (`transport/plan.py`); what Kafka keeps for itself, from `kafka_config.py`.
Between the brokers passwords are proved (SCRAM) or, between controllers, sent (PLAIN) without TLS: the network between
the machines of a centre must be the centre's own (docs/decisions/0132).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sonovan.deploy import kafka, minio
from sonovan.deploy.authority import Authority
from sonovan.deploy.errors import DeployError
from sonovan.deploy.kafka_config import BrokerPlace
from sonovan.deploy.launches import Launch
from sonovan.deploy.state import StateFolder

CLIENT_PORT: Final = 9092
CONTROLLER_PORT: Final = 9093
VANS_PORT: Final = 9094
STORE_PORT: Final = 9000
STORE_CONSOLE_PORT: Final = 9001
"""On the loopback of each of the store's machines."""
DRIVES: Final = 4
"""Of the store, one on each of its machines: MinIO keeps each object in parts of which half are enough to read it, and
one more to write. So it bears the loss of one."""

_CLUSTER_ID: Final = "kafka-cluster-id"


@dataclass(frozen=True, slots=True)
class Host:
    """One machine. enter: what stands before a command so that it runs there, nothing on this machine itself."""

    name: str
    address: str
    enter: tuple[str, ...] = ()

    def there(self, launch: Launch) -> Launch:
        """The same launch on this host."""
        return launch.model_copy(update={"argv": (*self.enter, *launch.argv)})


def broker_name(node: int) -> str:
    """The process name of a broker: `kafka-1`, `kafka-2` …"""
    return f"{kafka.NAME}-{node}"


def places(hosts: Sequence[Host]) -> tuple[BrokerPlace, ...]:
    """Where the brokers of a cluster listen, one on each host. Raises DeployError for an even number of hosts.

    Every broker is a controller as well, and four controllers bear the loss of no more of them than three do.
    """
    if len(hosts) % 2 == 0:
        raise DeployError(f"{len(hosts)} brokers: say an odd number, three bear the loss of one")
    return tuple(
        BrokerPlace(
            node=node,
            address=host.address,
            port=CLIENT_PORT,
            controller_port=CONTROLLER_PORT,
            vans_address=host.address,
            vans_name=host.address,
            vans_port=VANS_PORT,
        )
        for node, host in enumerate(hosts, 1)
    )


def prepare_brokers(
    state: StateFolder,
    hosts: Sequence[Host],
    java: Path,
    jars: Path,
    *,
    archive: Path | None,
    max_message_bytes: int,
    progress: Callable[[str], None],
) -> list[Launch]:
    """Write and format every broker of a cluster, and return how to launch each; one certificate serves all of them.

    Raises DeployError as `places` does, ServiceFailed when formatting fails.
    """
    cluster = places(hosts)
    names = [host.address for host in hosts]
    Authority(state.certificates).ensure(names)
    launches = []
    for host, place in zip(hosts, cluster, strict=True):
        name = broker_name(place.node)
        folder = state.kafka / name
        folder.mkdir(mode=0o700, exist_ok=True)
        launch = kafka.prepare_at(
            state, folder, place, java, jars,
            name=name, cluster=cluster, cluster_id=_cluster_id(state), archive=archive,
            max_message_bytes=max_message_bytes, certified=names, progress=progress,
        )  # fmt: skip
        launches.append(host.there(launch))
    return launches


def bootstrap(cluster: Sequence[BrokerPlace]) -> str:
    """Where the workers reach the cluster: every broker, so that one that is away keeps nobody from the others."""
    return ",".join(f"{each.address}:{each.port}" for each in cluster)


def vans_bootstrap(cluster: Sequence[BrokerPlace]) -> str:
    """Where vans reach the cluster."""
    return ",".join(f"{each.vans_name}:{each.vans_port}" for each in cluster)


def store_name(number: int) -> str:
    """The process name of one of the store's machines: `minio-1`, `minio-2` …"""
    return f"{minio.NAME}-{number}"


def prepare_store(state: StateFolder, hosts: Sequence[Host], binary: Path) -> list[Launch]:
    """How to launch a store of one process on each host, whose drive is the folder of `drives` with the host's number.

    MinIO refuses folders of the system's own drive: whoever calls this has mounted them.
    Raises DeployError where there are not as many hosts as DRIVES.
    """
    if len(hosts) != DRIVES:
        raise DeployError(f"{len(hosts)} machines of the store: say {DRIVES}, which bear the loss of one")
    folders = [f"http://{host.address}:{STORE_PORT}{folder}" for host, folder in zip(hosts, drives(state), strict=True)]
    return [
        host.there(
            minio.prepare_at(
                state, binary,
                name=store_name(number), address=host.address, port=STORE_PORT, console_port=STORE_CONSOLE_PORT,
                drives=folders,
            )
        )
        for number, host in enumerate(hosts, 1)
    ]  # fmt: skip


def drives(state: StateFolder) -> list[Path]:
    """The folders of the store's drives."""
    return [state.minio / f"drive-{number}" for number in range(1, DRIVES + 1)]


def _cluster_id(state: StateFolder) -> str:
    path = state.kafka / _CLUSTER_ID
    if not path.is_file():
        path.write_text(kafka.new_cluster_id())
    return path.read_text()
