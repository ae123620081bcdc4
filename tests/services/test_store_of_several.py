"""A store of four processes: it bears the loss of one, and nobody else is answered what they ask of each other."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jwt
import pytest
import urllib3
from pydantic import SecretStr

from sonovan.contracts.errors import Transient
from sonovan.deploy import cluster, minio, processes, services
from sonovan.deploy.cache import ensure_cached
from sonovan.deploy.launches import Launch
from sonovan.deploy.ports import find_free
from sonovan.deploy.probes import answers_ok
from sonovan.deploy.state import StateFolder, silent
from sonovan.storage.buckets import create_buckets
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.settings import ObjectStoreSettings
from tests.waiting import until

pytestmark = pytest.mark.services

BYTES: Final = "application/octet-stream"


@dataclass(frozen=True)
class Several:
    """The store: `addresses` of its processes, in the order of their drives, and root's two keys."""

    state: StateFolder
    addresses: list[str]

    @property
    def root_secret(self) -> str:
        return self.state.secret(minio.ROOT_CREDENTIAL)

    def settings(self, number: int) -> ObjectStoreSettings:
        """How root reaches the process of this number, from 1."""
        return ObjectStoreSettings(
            endpoint=self.addresses[number - 1],
            access_key=minio.root_access_key(self.state),
            secret_key=SecretStr(self.root_secret),
        )

    def through(self, number: int) -> MinioStore:
        """The store as it answers there."""
        return MinioStore(self.settings(number))

    def await_writable(self, number: int) -> None:
        asked = f"http://{self.addresses[number - 1]}/minio/health/cluster"
        until(lambda: answers_ok(asked), f"process {number} reaches enough of the others to write")

    def asks(self, method: str, path: str, token: str | None) -> int:
        """The status of a request to the first process."""
        headers = {"X-Minio-Time": str(time.time_ns())}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return urllib3.request(method, f"http://{self.addresses[0]}{path}", headers=headers, retries=False).status


@pytest.fixture(scope="module")
def several(service_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    """Four processes on loopback, which take folders of one disk for drives, with the buckets."""
    state = StateFolder(tmp_path_factory.mktemp("several") / "state")
    names = [cluster.store_name(number) for number in range(1, cluster.DRIVES + 1)]
    with state.lock():
        _, _, binary = ensure_cached(silent)
        found: set[int] = set()
        while len(found) < 2 * len(names):
            found.add(find_free(frozenset(found)))
        ports = sorted(found)
        addresses = [f"127.0.0.1:{port}" for port in ports[: len(names)]]
        drives = [f"http://{each}{drive}" for each, drive in zip(addresses, cluster.drives(state), strict=True)]
        try:
            for number, name in enumerate(names):
                processes.start(state, _launch(state, binary, name, ports[number], ports[len(names) + number], drives))
            store = Several(state, addresses)
            for number in range(1, len(names) + 1):
                store.await_writable(number)
            until(lambda: _with_buckets(store), "the buckets are made")
            yield store
        finally:
            processes.stop(state, *names)


def _with_buckets(store: Several) -> bool:
    try:
        create_buckets(store.settings(1))
    except Transient:
        return False
    return True


def _launch(state: StateFolder, binary: Path, name: str, port: int, console_port: int, drives: list[str]) -> Launch:
    launch = minio.prepare_at(
        state, binary, name=name, address="127.0.0.1", port=port, console_port=console_port, drives=drives
    )
    # Drives on the system's own disk, and processes on loopback even where the machine is itself a container.
    here = {"MINIO_CI_CD": "on", "_MINIO_SERVER_LOCAL": f"127.0.0.1:{port}"}
    return launch.model_copy(update={"env": launch.env | here})


def token(several: Several, secret: str) -> str:
    """What a process of the store shows another one, signed with this secret."""
    claims = {"accessKey": minio.root_access_key(several.state), "exp": int(time.time()) + 600}
    return jwt.encode(claims, secret, algorithm="HS512")


def put(several: Several, number: int, key: str, data: bytes) -> None:
    """Store an object through one process, again and again while it is not ready, as workers do."""

    def stored() -> bool:
        try:
            several.through(number).put(Bucket.FRAMES, key, data, BYTES)
        except Transient:
            return False
        return True

    until(stored, f"{key} is stored through process {number}")


def read(several: Several, number: int, key: str) -> bytes:
    """An object through one process. One that has just come back may deny for a moment what its own drive lacks."""

    def found() -> bytes | None:
        try:
            return several.through(number).get(Bucket.FRAMES, key)
        except (KeyError, Transient):
            return None

    data = until(found, f"{key} is found through process {number}")
    assert data is not None
    return data


def test_objects_are_written_and_read_while_one_of_four_processes_is_away_and_by_it_once_it_is_back(
    several: Several,
) -> None:
    put(several, 1, "tests/before", b"before")
    services.kill_one(several.state, cluster.store_name(1))
    put(several, 2, "tests/meanwhile", b"meanwhile")
    for number in (2, 3, 4):
        assert read(several, number, "tests/before") == b"before"
        assert read(several, number, "tests/meanwhile") == b"meanwhile"
    services.start_one(several.state, cluster.store_name(1))
    assert read(several, 1, "tests/meanwhile") == b"meanwhile"


def test_what_processes_of_a_store_ask_of_each_other_is_answered_to_nobody_else(several: Several) -> None:
    drive = cluster.drives(several.state)[0]
    asked = [("GET", "/minio/grid/v1"), ("GET", "/minio/grid/lock/v1"), ("POST", "/minio/peer/v39/health")]
    asked += [("POST", f"/minio/storage{drive}/v63/{name}") for name in ("health", "rmpl")]
    for method, path in asked:
        for shown in (None, "made.up.token", token(several, "another secret")):
            assert several.asks(method, path, shown) == 403, (path, shown)
    own = token(several, several.root_secret)
    assert several.asks("POST", "/minio/peer/v39/health", own) == 200
    assert several.asks("POST", f"/minio/storage{drive}/v63/health", own) == 200


@pytest.mark.parametrize("path", ["peer/v39/commitbinary", "peer/v39/netperf", "storage{drive}/v63/rmpl"])
def test_nor_do_they_take_a_binary_or_read_beyond_their_drives_for_each_other(several: Several, path: str) -> None:
    asked = "/minio/" + path.format(drive=cluster.drives(several.state)[0])
    assert several.asks("POST", asked, token(several, several.root_secret)) == 403
