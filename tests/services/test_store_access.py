"""What each account of the object store may not do, tried against a real MinIO."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import urllib3
from minio import Minio, MinioAdmin
from minio.credentials import StaticProvider
from minio.error import MinioAdminException, S3Error
from pydantic import SecretStr

from sonovan.centre import Centre
from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.contracts.topics import Writer
from sonovan.storage.access import ACCOUNTS, Right, access_key, account_of, rights
from sonovan.storage.accounts import create_accounts
from sonovan.storage.keys import REVIEWS, SHADOW, Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.settings import ObjectStoreSettings, StoreAccount

pytestmark = pytest.mark.services

BYTES = "application/octet-stream"
EVERY = [(account, bucket) for account in ACCOUNTS for bucket in Bucket]


def client(settings: ObjectStoreSettings) -> Minio:
    return Minio(
        settings.endpoint, settings.access_key, settings.secret_key.get_secret_value(), secure=False, region="us-east-1"
    )


def admin(settings: ObjectStoreSettings) -> MinioAdmin:
    keys = StaticProvider(settings.access_key, settings.secret_key.get_secret_value())
    return MinioAdmin(
        endpoint=settings.endpoint, credentials=keys, secure=False, http_client=urllib3.PoolManager(retries=False)
    )


def denied(attempt: Callable[[], Any]) -> bool:
    """Whether the store refuses; a lazy listing is read."""
    try:
        found = attempt()
        if hasattr(found, "__next__"):
            list(found)
    except S3Error as error:
        return bool(error.code == "AccessDenied")
    return False


@pytest.fixture
def key(centre: Centre) -> str:
    """A key that holds an object in every bucket, put by root."""
    name = f"tests/{uuid4()}"
    for bucket in Bucket:
        MinioStore(centre.store()).put(bucket, name, b"as it was", BYTES)
    return name


@pytest.mark.parametrize(("account", "bucket"), EVERY)
def test_an_account_does_what_the_table_says_and_nothing_else(
    centre: Centre, key: str, account: Writer, bucket: Bucket
) -> None:
    held = rights(account).get(bucket, frozenset())
    store, bare = MinioStore(centre.store(account)), client(centre.store(account))
    if Right.PUT in held:
        store.put(bucket, f"{key}-{account}", b"mine", BYTES)
        store.put(bucket, f"{key}-{account}", b"mine", BYTES)
        with pytest.raises(InvalidRecord):
            store.put(bucket, key, b"another", BYTES)
    else:
        with pytest.raises(Fatal, match=f"account {account} may not write to bucket {bucket}"):
            store.put(bucket, f"{key}-{account}", b"mine", BYTES)
        assert denied(lambda: bare.copy_object(bucket, key, _source(bucket, key)))
    if Right.PUT_BESIDE in held:
        store.put(bucket, f"{REVIEWS}/{key}", b"drawn", BYTES)
        store.put(bucket, f"{SHADOW}/{key}", b"replayed", BYTES)
    elif Right.PUT not in held:
        with pytest.raises(Fatal, match=f"account {account} may not write to bucket {bucket}"):
            store.put(bucket, f"{REVIEWS}/{key}", b"drawn", BYTES)
    if Right.PACK in held:
        store.put(bucket, f"{key}/pack-000000-{account}", b"packed", BYTES)
    elif Right.PUT not in held:
        with pytest.raises(Fatal, match=f"account {account} may not write to bucket {bucket}"):
            store.put(bucket, f"{key}/pack-000000-{account}", b"packed", BYTES)
    if held & {Right.GET, Right.PUT, Right.PACK}:
        assert store.get(bucket, key) == b"as it was"
        assert not store.exists(bucket, "not-there")
        with pytest.raises(KeyError):
            store.get(bucket, "not-there")
    else:
        for ask in (store.get, store.exists):
            with pytest.raises(Fatal, match=f"account {account} may not read from bucket {bucket}"):
                ask(bucket, key)
    assert denied(lambda: bare.list_objects(bucket)) is (Right.LIST not in held)
    if Right.DELETE in held:
        MinioStore(centre.store()).put(bucket, f"{key}-erased", b"hers", BYTES)
        for _ in range(2):
            store.delete(bucket, f"{key}-erased")
        assert not MinioStore(centre.store()).exists(bucket, f"{key}-erased")
    else:
        assert denied(lambda: bare.remove_object(bucket, key))
        with pytest.raises(Fatal, match=f"account {account} may not delete from bucket {bucket}"):
            store.delete(bucket, key)
    assert denied(lambda: bare.remove_bucket(bucket))
    assert denied(lambda: bare.get_bucket_lifecycle(bucket))
    assert denied(lambda: bare.set_bucket_policy(bucket, json.dumps(_for_everybody(bucket))))
    assert MinioStore(centre.store()).get(bucket, key) == b"as it was"


@pytest.mark.parametrize("account", ACCOUNTS)
def test_no_account_makes_buckets_or_administers(centre: Centre, account: Writer) -> None:
    settings = centre.store(account)
    assert denied(lambda: client(settings).make_bucket(f"sonovan-{uuid4()}"))
    for call in (
        lambda it: it.user_list(),
        lambda it: it.user_add("intruder", "intruder-secret"),
        lambda it: it.policy_set("consoleAdmin", user=settings.access_key),
        lambda it: it.policy_add("sonovan-segment", policy=_for_everybody(Bucket.FRAMES)),
        lambda it: it.info(),
    ):
        with pytest.raises(MinioAdminException, match="403"):
            call(admin(settings))


def test_access_keys_are_random_and_set_up_as_often_as_one_likes(centre: Centre) -> None:
    keys = {account: centre.store(account).access_key for account in (*ACCOUNTS, "admin")}
    assert len({key.partition(".")[2] for key in keys.values()}) == len(keys)
    assert all(len(key.partition(".")[2]) >= 40 for key in keys.values())
    before = json.loads(admin(centre.store()).user_list())
    centre.store_preparation()()
    after = json.loads(admin(centre.store()).user_list())
    assert {key: each["policyName"] for key, each in before.items()} == {
        key: each["policyName"] for key, each in after.items()
    }
    assert {account_of(key) for key in after} == {account.value for account in ACCOUNTS}


def test_the_setup_of_compose_makes_all_of_it_from_variables(
    centre: Centre, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = centre.environment("admin")
    for account in ACCOUNTS:
        own = centre.store(account)
        variables[f"SONOVAN_S3_{account.upper()}_ACCESS_KEY"] = own.access_key
        variables[f"SONOVAN_S3_{account.upper()}_SECRET_KEY"] = own.secret_key.get_secret_value()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SONOVAN_STATE", raising=False)
    admin(centre.store()).user_remove(centre.store("alert").access_key)
    assert run(build(), ["topics", "create", "--buckets"]) == 0
    assert MinioStore(centre.store("alert")).get(Bucket.QUARANTINE, key) == b"as it was"
    monkeypatch.delenv("SONOVAN_S3_ALERT_SECRET_KEY")
    assert run(build(), ["topics", "create", "--buckets"]) == 5


def test_a_new_key_of_an_account_ends_the_old_one(centre: Centre, key: str) -> None:
    old = centre.store("alert")
    accounts = {
        account: StoreAccount(access_key=each.access_key, secret_key=each.secret_key)
        for account in ACCOUNTS
        for each in [centre.store(account)]
    }
    new = StoreAccount(access_key=access_key("alert", "another"), secret_key=SecretStr("another-secret"))
    try:
        create_accounts(centre.store(), accounts | {Writer.ALERT: new})
        with pytest.raises(Fatal, match="does not let account alert in"):
            MinioStore(old).get(Bucket.QUARANTINE, key)
        renewed = old.model_copy(update={"access_key": new.access_key, "secret_key": new.secret_key})
        assert MinioStore(renewed).get(Bucket.QUARANTINE, key) == b"as it was"
    finally:
        create_accounts(centre.store(), accounts)
    assert MinioStore(old).get(Bucket.QUARANTINE, key) == b"as it was"


def test_a_store_that_is_away_or_another_root_is_told_without_secrets(centre: Centre) -> None:
    accounts = {
        account: StoreAccount(access_key="some.key", secret_key=SecretStr("secret-of-it")) for account in ACCOUNTS
    }
    away = centre.store().model_copy(update={"endpoint": "127.0.0.1:9", "timeout_s": 0.3})
    with pytest.raises(Transient, match=r"127\.0\.0\.1:9"):
        create_accounts(away, accounts)
    with pytest.raises(Fatal, match="refuses to set up its accounts") as caught:
        create_accounts(centre.store("segment"), accounts)
    assert centre.store("segment").access_key not in str(caught.value)


def _source(bucket: str, key: str) -> Any:
    from minio.commonconfig import CopySource

    return CopySource(bucket, key)


def _for_everybody(bucket: str) -> dict[str, Any]:
    everything = {"Effect": "Allow", "Action": ["s3:*"], "Resource": [f"arn:aws:s3:::{bucket}/*"]}
    return {"Version": "2012-10-17", "Statement": [everything | {"Principal": {"AWS": ["*"]}}]}
