"""The buckets, made and set up; running it again changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import urllib3
from minio import Minio
from minio.commonconfig import ENABLED, Filter
from minio.error import S3Error, ServerError
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule

from sonovan.contracts.errors import Fatal, Transient
from sonovan.storage.clocks import asked_clock_hint
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import away_is_transient
from sonovan.storage.settings import ObjectStoreSettings

_RULE_ID = "quarantine-expires"
_OURS = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}


def create_buckets(settings: ObjectStoreSettings) -> None:
    """Make every bucket that is missing and set how long quarantine is kept.

    Buckets are not versioned: objects are write-once, so there never is a second version to keep, and an erasure
    must leave none behind.
    Raises Transient when the store is away, Fatal when it refuses this account.
    """
    with _administering(settings, "to set up its buckets") as client:
        for bucket in Bucket:
            _ensure_bucket(client, bucket)
        _ensure_expiry(client, Bucket.QUARANTINE, settings.quarantine_days)


def buckets_astray(settings: ObjectStoreSettings) -> list[str]:
    """Where the buckets differ from what `create_buckets` makes, one line each; changes nothing.

    Raises as `create_buckets`.
    """
    with _administering(settings, "to show its buckets") as client:
        there = [bucket for bucket in Bucket if client.bucket_exists(bucket)]
        told = [f"{bucket}: missing" for bucket in Bucket if bucket not in there]
        if Bucket.QUARANTINE in there and _kept_days(client, Bucket.QUARANTINE) != _expiry(settings.quarantine_days):
            told.append(
                f"{Bucket.QUARANTINE}: not kept for {settings.quarantine_days} days as SONOVAN_S3_QUARANTINE_DAYS says"
            )
        return told


@contextmanager
def _administering(settings: ObjectStoreSettings, doing: str) -> Iterator[Minio]:
    client = Minio(
        settings.endpoint,
        access_key=settings.access_key,
        secret_key=settings.secret_key.get_secret_value(),
        secure=settings.secure,
        region=settings.region,
        http_client=urllib3.PoolManager(timeout=urllib3.Timeout(settings.timeout_s), retries=False),
    )
    try:
        with away_is_transient(settings.endpoint):
            yield client
    except ServerError as error:
        raise Transient(f"the object store at {settings.endpoint} is not ready (status {error.status_code})") from None
    except S3Error as error:
        if error.response.status >= 500:
            raise Transient(f"the object store at {settings.endpoint} is not ready: {error.code}") from None
        code = error.code + asked_clock_hint(settings)
        raise Fatal(f"the object store at {settings.endpoint} refuses {doing}: {code}") from None


def _ensure_bucket(client: Minio, bucket: str) -> None:
    if client.bucket_exists(bucket):
        return
    try:
        client.make_bucket(bucket)
    except S3Error as error:
        if error.code not in _OURS:  # somebody made it in between
            raise


def _ensure_expiry(client: Minio, bucket: str, days: int) -> None:
    kept = _kept_days(client, bucket)
    if kept == _expiry(days):
        return
    if days == 0:
        client.delete_bucket_lifecycle(bucket)
    else:
        rule = Rule(ENABLED, rule_filter=Filter(prefix=""), rule_id=_RULE_ID, expiration=Expiration(days=days))
        client.set_bucket_lifecycle(bucket, LifecycleConfig([rule]))


def _kept_days(client: Minio, bucket: str) -> dict[str | None, int | None]:
    """After how many days the store deletes, by the names of the bucket's rules."""
    present = client.get_bucket_lifecycle(bucket)
    return (
        {rule.rule_id: rule.expiration.days if rule.expiration else None for rule in present.rules} if present else {}
    )


def _expiry(days: int) -> dict[str | None, int | None]:
    return {_RULE_ID: days} if days else {}
