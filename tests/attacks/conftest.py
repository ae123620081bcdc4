"""What is attacked: a MinIO with nothing beside it, the session's broker and store with workers of all stages, and a
broker and a store apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest
from pydantic import SecretStr

from benchmarks.kills import SETTINGS
from sonovan.centre import Centre, down, up
from sonovan.contracts.topics import STAGES
from sonovan.deploy import minio, processes
from sonovan.deploy.cache import ensure_cached
from sonovan.deploy.services import START_DEADLINE_S
from sonovan.deploy.state import StateFolder, silent
from sonovan.storage.access import ACCOUNTS, access_key
from sonovan.storage.accounts import create_accounts
from sonovan.storage.buckets import create_buckets
from sonovan.storage.settings import ObjectStoreSettings, StoreAccount
from tests.journeys.world import World

ATTACKED: Final = {
    **SETTINGS,
    # What is kept of one van's rejected bytes in a day: less than two of the largest messages.
    "SONOVAN_QUARANTINE_MIB": "48",
    # A record whose signer is not known is held for so long.
    "SONOVAN_SEGMENT_UNKNOWN_VAN_WAIT_S": "1",
    "SONOVAN_ASSESS_UNKNOWN_VAN_WAIT_S": "1",
    "SONOVAN_ASSESS_TICK_EVERY_S": "0.5",
    # Of one van's frames so many wait in a worker, so that a small flood has most of its frames deferred.
    "SONOVAN_SEGMENT_WAITING_EACH": "8",
}


@dataclass(frozen=True)
class ObjectStoreAlone:
    """An object store as `sonovan up` starts it: `root`, `accounts` by name, and the address of its console."""

    root: ObjectStoreSettings
    accounts: dict[str, ObjectStoreSettings]
    console: str


@pytest.fixture(scope="session")
def object_store(service_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStoreAlone]:
    """MinIO with buckets and accounts, as `sonovan up` starts it; no broker. Use keys of your own."""
    state = StateFolder(tmp_path_factory.mktemp("attacked") / "state")
    with state.lock():
        _, _, binary = ensure_cached(silent)
        launch = minio.prepare(state, binary)
        record = processes.start(state, launch)
        try:
            processes.wait_healthy(
                state, record, lambda: minio.healthy(state), deadline_s=START_DEADLINE_S, progress=silent
            )
            yield _with_accounts(state, launch.port)
        finally:
            processes.stop(state, minio.NAME)


def _with_accounts(state: StateFolder, port: int | None) -> ObjectStoreAlone:
    root = ObjectStoreSettings(
        endpoint=f"127.0.0.1:{port}",
        access_key=minio.root_access_key(state),
        secret_key=SecretStr(state.secret(minio.ROOT_CREDENTIAL)),
    )
    keys = {
        account: StoreAccount(
            access_key=access_key(account, state.secret(f"s3-{account}-access-key")),
            secret_key=SecretStr(state.secret(f"s3-{account}")),
        )
        for account in ACCOUNTS
    }
    create_buckets(root)
    create_accounts(root, keys)
    own = {
        account.value: root.model_copy(update={"access_key": each.access_key, "secret_key": each.secret_key})
        for account, each in keys.items()
    }
    return ObjectStoreAlone(root, own, f"http://127.0.0.1:{state.remembered_port('minio-console')}")


@pytest.fixture(scope="package")
def apart(service_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """Another broker and store than the session's, without workers, for tests that change settings of topics, write
    what nobody may read, or have Kafka ended. Stop what you start."""
    path = tmp_path_factory.mktemp("apart") / "state"
    try:
        yield up(path, apps=())
    finally:
        down(path)


@pytest.fixture(scope="package")
def attacked(centre: Centre) -> Iterator[World]:
    world = World(centre)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ATTACKED.items():
            patch.setenv(name, value)
        try:
            yield world
        finally:
            for stage in STAGES:
                world.stop(stage)
            world.close()


@pytest.fixture
def world(attacked: World) -> World:
    """The session's broker and store with one worker of each stage from a frame to an alert."""
    attacked.work()
    return attacked
