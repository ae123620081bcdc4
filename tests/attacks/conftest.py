"""A MinIO of its own with buckets and accounts, and nothing beside it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from sonovan.deploy import minio, processes
from sonovan.deploy.cache import ensure_cached
from sonovan.deploy.services import START_DEADLINE_S
from sonovan.deploy.state import StateFolder, silent
from sonovan.storage.access import ACCOUNTS, access_key
from sonovan.storage.accounts import create_accounts
from sonovan.storage.buckets import create_buckets
from sonovan.storage.settings import ObjectStoreSettings, StoreAccount


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
