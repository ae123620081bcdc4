"""Objects in MinIO, or any S3 that knows `If-None-Match` on puts (conditional writes).

The client of the `minio` package signs addresses and manages buckets; objects travel over the store's own urllib3
pool by presigned requests, because that client offers no conditional put (minio 7.2: `put_object` turns every
header that it does not know into metadata). A presigned put also spares hashing the body with SHA-256 twice;
Content-MD5 guards it on the way instead.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import urllib3
from minio import Minio
from urllib3.exceptions import HTTPError

from sonovan.contracts.errors import Fatal, Transient
from sonovan.storage.access import account_of
from sonovan.storage.settings import ObjectStoreSettings
from sonovan.storage.stores import contradiction

_SIGNED_FOR: Final = timedelta(minutes=15)
_ERROR_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9]+)</Code>")
_NOT_LET_IN: Final = {"InvalidAccessKeyId", "SignatureDoesNotMatch"}
_DOES: Final = {"PUT": "write to", "GET": "read from", "HEAD": "read from"}


class MinioStore:
    """See ObjectStore. One put is one request; only a key that is taken costs a second one, to compare."""

    def __init__(self, settings: ObjectStoreSettings) -> None:
        self.endpoint = settings.endpoint
        self.account = account_of(settings.access_key)
        self._pool = urllib3.PoolManager(
            num_pools=2,
            maxsize=settings.pool_size,
            block=False,
            timeout=urllib3.Timeout(connect=settings.timeout_s, read=settings.timeout_s),
            retries=False,  # the caller retries, with backoff and a clock of its own
        )
        self._signer = Minio(
            settings.endpoint,
            access_key=settings.access_key,
            secret_key=settings.secret_key.get_secret_value(),
            secure=settings.secure,
            region=settings.region,  # known, so that nobody asks for it
            http_client=self._pool,
        )

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """See ObjectStore.put."""
        headers = {
            "Content-Type": content_type,
            "Content-MD5": base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode(),
            "If-None-Match": "*",
        }
        response = self._send("PUT", bucket, key, data, headers)
        if response.status == 412:
            if self.get(bucket, key) != data:
                raise contradiction(bucket, key)
        elif response.status != 200:
            raise self._refusal(response, "PUT", bucket)

    def get(self, bucket: str, key: str) -> bytes:
        """See ObjectStore.get."""
        response = self._send("GET", bucket, key)
        if response.status == 200:
            return response.data
        if response.status == 404 and _code(response) == "NoSuchKey":
            raise KeyError(f"{bucket}/{key}")
        raise self._refusal(response, "GET", bucket)

    def exists(self, bucket: str, key: str) -> bool:
        """See ObjectStore.exists."""
        response = self._send("HEAD", bucket, key)
        if response.status in {200, 404}:
            return response.status == 200
        raise self._refusal(response, "HEAD", bucket)

    def url(self, bucket: str, key: str, expires_s: int) -> str:
        """See ObjectStore.url; at most seven days, else ValueError."""
        return str(self._signer.presigned_get_object(bucket, key, expires=timedelta(seconds=expires_s)))

    def _send(
        self, method: str, bucket: str, key: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        url = self._signer.get_presigned_url(method, bucket, key, expires=_SIGNED_FOR)
        with away_is_transient(self.endpoint):
            return self._pool.request(method, url, body=body, headers=headers)

    def _refusal(self, response: urllib3.BaseHTTPResponse, method: str, bucket: str) -> Transient | Fatal:
        """What an answer that is neither success nor a known condition means; account and bucket are named."""
        code = _code(response) or f"status {response.status}"
        if code in _NOT_LET_IN:
            return Fatal(f"the object store at {self.endpoint} does not let account {self.account} in: {code}")
        if code == "NoSuchBucket":
            return Fatal(f"the object store at {self.endpoint} has no bucket {bucket}")
        if response.status in {401, 403}:
            return Fatal(
                f"account {self.account} may not {_DOES[method]} bucket {bucket} of the object store at "
                f"{self.endpoint}: {code}"
            )
        return Transient(f"the object store at {self.endpoint} is not ready: {code}")


@contextmanager
def away_is_transient(endpoint: str) -> Iterator[None]:
    """Turn a failing connection into Transient; the message names the endpoint and holds no signed address."""
    try:
        yield
    except HTTPError as error:
        raise Transient(f"the object store at {endpoint} does not answer ({type(error).__name__})") from None


def _code(response: urllib3.BaseHTTPResponse) -> str | None:
    found = _ERROR_CODE.search(response.data)
    return found[1].decode() if found else None
