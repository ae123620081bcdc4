"""The object store's promises, kept by a real MinIO, or by another server that SONOVAN_TEST_S3_* name."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import urllib3
from minio import Minio
from pydantic import SecretStr

from sonovan.centre import Centre
from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.contracts.ids import mint_id
from sonovan.storage.buckets import create_buckets
from sonovan.storage.keys import Bucket, pack_key, sweep_folder
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.packs.packing import delete_alone, pack_sweep
from sonovan.storage.settings import ObjectStoreSettings
from tests.clinical.records import VAN
from tests.storage.packs.sweeps import fill, objects_of, read

pytestmark = pytest.mark.services

BYTES = "application/octet-stream"


Stores = Callable[[str], ObjectStoreSettings]
"""How an account of the object store reaches it; "admin" is its root."""

OTHER = {
    name: os.environ.get(f"SONOVAN_TEST_S3_{name.upper()}", "") for name in ("endpoint", "access_key", "secret_key")
}
"""Another server than the centre's, of which one account is known (docs/operations.md). Rights are the centre's own."""


@pytest.fixture(scope="module")
def stores(request: pytest.FixtureRequest) -> Stores:
    if not OTHER["endpoint"]:
        centre: Centre = request.getfixturevalue("centre")
        return centre.store
    settings = ObjectStoreSettings(**OTHER)  # type: ignore[arg-type]  # pydantic makes the secret
    create_buckets(settings)
    return lambda _account: settings


@pytest.fixture
def store(stores: Stores) -> MinioStore:
    return MinioStore(stores("segment"))


@pytest.fixture
def key() -> str:
    return f"tests/{uuid4()}"


def test_what_is_put_can_be_read(store: MinioStore, key: str) -> None:
    assert not store.exists(Bucket.FRAMES, key)
    store.put(Bucket.FRAMES, key, b"pixels", BYTES)
    assert store.exists(Bucket.FRAMES, key)
    assert store.get(Bucket.FRAMES, key) == b"pixels"


def test_the_same_bytes_again_are_a_success_and_other_bytes_are_refused(store: MinioStore, key: str) -> None:
    store.put(Bucket.FRAMES, key, b"pixels", BYTES)
    store.put(Bucket.FRAMES, key, b"pixels", BYTES)
    with pytest.raises(InvalidRecord) as caught:
        store.put(Bucket.FRAMES, key, b"others", BYTES)
    assert caught.value.reason == "object_contradicts_stored"
    assert store.get(Bucket.FRAMES, key) == b"pixels"


def test_of_racing_writers_one_wins(store: MinioStore, key: str) -> None:
    start = threading.Barrier(6)

    def write(number: int) -> int | None:
        start.wait()
        try:
            store.put(Bucket.FRAMES, key, bytes([number]) * 50_000, BYTES)
        except InvalidRecord:
            return None
        return number

    with ThreadPoolExecutor(6) as pool:
        winners = [number for number in pool.map(write, range(6)) if number is not None]
    assert len(winners) == 1
    assert store.get(Bucket.FRAMES, key) == bytes(winners) * 50_000


def test_what_lies_below_a_folder_is_found_and_nothing_else(store: MinioStore, key: str, stores: Stores) -> None:
    keys = [f"{key}/a/{number:04d}.png" for number in range(1003)]
    for each in (*keys, f"{key}/ab/0.png", f"{key}/a.png"):
        store.put(Bucket.FRAMES, each, b"pixels", BYTES)
    catalog = MinioStore(stores("catalog"))
    found = catalog.below(Bucket.FRAMES, f"{key}/a/")
    assert found == keys[:1000]
    for each in found:
        catalog.delete(Bucket.FRAMES, each)
    assert catalog.below(Bucket.FRAMES, f"{key}/a/") == keys[1000:]
    assert catalog.below(Bucket.FRAMES, f"{key}/nothing/") == []
    if not OTHER["endpoint"]:
        with pytest.raises(Fatal, match="account segment may not read from bucket"):
            store.below(Bucket.FRAMES, f"{key}/a/")


def test_a_sweep_that_is_packed_is_read_put_and_erased_as_before(store: MinioStore, stores: Stores) -> None:
    sequence_id = mint_id()
    folder, objects = sweep_folder(VAN, sequence_id), fill(store, objects_of(5, sequence_id))
    catalog = MinioStore(stores("catalog"))
    for bucket in (Bucket.FRAMES, Bucket.MASKS):
        delete_alone(catalog, bucket, pack_sweep(catalog, bucket, folder, lambda: None).deletable)
        assert catalog.below(bucket, folder) == [pack_key(folder, 0)]
    for account in ("segment", "catalog", "reader", "console"):
        assert read(MinioStore(stores(account)), objects) == objects
    fresh = MinioStore(stores("segment"))
    (bucket, key), data = next(iter(objects.items()))
    assert fresh.exists(bucket, key)
    fresh.put(bucket, key, data, BYTES)
    with pytest.raises(InvalidRecord) as caught:
        fresh.put(bucket, key, b"others", BYTES)
    assert caught.value.reason == "object_contradicts_stored"
    assert len(catalog.read_range(bucket, pack_key(folder, 0), 10**6, 10)) == 0
    catalog.delete(bucket, pack_key(folder, 0))
    for reader in (fresh, store):
        with pytest.raises(KeyError):
            reader.get(bucket, key)
        assert not reader.exists(bucket, key)


def test_what_is_not_there_is_a_key_error(store: MinioStore, key: str) -> None:
    with pytest.raises(KeyError):
        store.get(Bucket.FRAMES, key)


def test_without_an_account_nobody_reads(store: MinioStore, key: str, stores: Stores) -> None:
    store.put(Bucket.FRAMES, key, b"pixels", BYTES)
    assert urllib3.request("GET", f"http://{stores('admin').endpoint}/{Bucket.FRAMES}/{key}").status == 403


@pytest.fixture
def silent() -> Iterator[str]:
    """An endpoint that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_an_absent_or_silent_store_is_transient_and_named_without_secrets(silent: str, stores: Stores) -> None:
    for endpoint in ("127.0.0.1:9", silent):
        settings = stores("admin").model_copy(update={"endpoint": endpoint, "timeout_s": 0.3})
        with pytest.raises(Transient) as caught:
            MinioStore(settings).put(Bucket.FRAMES, "key", b"pixels", BYTES)
        assert endpoint in str(caught.value)
        assert "Signature" not in str(caught.value)
        with pytest.raises(Transient):
            create_buckets(settings)


def test_a_wrong_account_or_bucket_is_fatal(store: MinioStore, key: str, stores: Stores) -> None:
    settings = stores("admin").model_copy(update={"secret_key": SecretStr("another-secret")})
    with pytest.raises(Fatal, match="does not let account"):
        MinioStore(settings).put(Bucket.FRAMES, key, b"pixels", BYTES)
    with pytest.raises(Fatal):
        create_buckets(settings)
    with pytest.raises(Fatal, match="has no bucket sonovan-nothing"):
        MinioStore(stores("admin")).put("sonovan-nothing", key, b"pixels", BYTES)


def test_buckets_are_set_up_as_often_as_one_likes(store: MinioStore, key: str, stores: Stores) -> None:
    settings = stores("admin")
    store.put(Bucket.FRAMES, key, b"pixels", BYTES)
    client = Minio(settings.endpoint, settings.access_key, settings.secret_key.get_secret_value(), secure=False)
    for days in (30, 30, 0, settings.quarantine_days):
        create_buckets(settings.model_copy(update={"quarantine_days": days}))
        lifecycle = client.get_bucket_lifecycle(Bucket.QUARANTINE)
        assert [rule.expiration.days for rule in lifecycle.rules] == [days] if days else lifecycle is None
    assert client.get_bucket_lifecycle(Bucket.FRAMES) is None
    assert {bucket.name for bucket in client.list_buckets()} >= set(Bucket)
    assert store.get(Bucket.FRAMES, key) == b"pixels"
