"""Objects in MinIO, or any S3 that knows `If-None-Match` on puts (conditional writes).

Objects travel over the store's own urllib3 pool and not by the client of the `minio` package, which offers no
conditional put (minio 7.2: `put_object` turns every header that it does not know into metadata). Every request is
signed in its headers, body included; none is signed in its address, for the guard of the server refuses those
(deploy/store/guard.go) and an address gets into logs.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from minio.credentials import Credentials
from minio.signer import sign_v4_s3
from urllib3.exceptions import HTTPError

from sonovan.contracts.errors import Fatal, Transient
from sonovan.storage.access import account_of
from sonovan.storage.clocks import clock_hint
from sonovan.storage.packs.reading import Packs, either
from sonovan.storage.settings import ObjectStoreSettings
from sonovan.storage.stores import contradiction

_LISTED_KEY: Final = re.compile(rb"<Key>([^<]+)</Key>")
"""Our keys (`contracts.record.ObjectKey`) have no letter that XML would write otherwise."""
_ERROR_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9]+)</Code>")
_NOT_LET_IN: Final = {"InvalidAccessKeyId", "SignatureDoesNotMatch"}
_DOES: Final = {"PUT": "write to", "GET": "read from", "HEAD": "read from", "DELETE": "delete from"}


class MinioStore:
    """See PackingStore. One put is one request; only a key that is taken costs a second one, to compare, and one more
    each half minute asks whether the folder has a pack.
    """

    def __init__(self, settings: ObjectStoreSettings) -> None:
        self.endpoint = settings.endpoint
        self.account = account_of(settings.access_key)
        self._base = f"{'https' if settings.secure else 'http'}://{settings.endpoint}"
        # One host's pool: a PoolManager would look for it again at each request, and parse the address twice.
        self._pool = urllib3.connection_from_url(
            self._base,
            maxsize=settings.pool_size,
            block=False,
            timeout=urllib3.Timeout(connect=settings.timeout_s, read=settings.timeout_s),
            retries=False,  # the caller retries, with backoff and a clock of its own
        )
        self._host = _host(settings)
        self._region = settings.region
        self._credentials = Credentials(settings.access_key, settings.secret_key.get_secret_value())
        self._packs = Packs(self.read_range)

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """See ObjectStore.put."""
        if (packed := self._packs.taken(bucket, key)) is not None:
            if packed != data:
                raise contradiction(bucket, key)
            return
        response = self._send("PUT", bucket, key, data, {"Content-Type": content_type, "If-None-Match": "*"})
        if response.status == 412:
            if self.get(bucket, key) != data:
                raise contradiction(bucket, key)
        elif response.status != 200:
            raise self._refusal(response, "PUT", bucket)

    def get(self, bucket: str, key: str) -> bytes:
        """See ObjectStore.get."""
        return either(self._packs, self.get_alone, bucket, key)

    def get_alone(self, bucket: str, key: str) -> bytes:
        """See PackingStore.get_alone."""
        return self._got(bucket, key, {})

    def read_range(self, bucket: str, key: str, start: int, length: int) -> bytes:
        """See PackingStore.read_range."""
        return self._got(bucket, key, {"Range": f"bytes={start}-{start + length - 1}"})

    def exists(self, bucket: str, key: str) -> bool:
        """See ObjectStore.exists."""
        response = self._send("HEAD", bucket, key)
        if response.status in {200, 404}:
            return response.status == 200 or self._packs.has(bucket, key)
        raise self._refusal(response, "HEAD", bucket)

    def delete(self, bucket: str, key: str) -> None:
        """See ObjectStore.delete."""
        response = self._send("DELETE", bucket, key)
        if response.status not in {200, 204}:
            raise self._refusal(response, "DELETE", bucket)

    def below(self, bucket: str, folder: str) -> list[str]:
        """See ObjectStore.below."""
        return self.below_after(bucket, folder, "")

    def below_after(self, bucket: str, folder: str, after: str) -> list[str]:
        """See PackingStore.below_after."""
        parameters = {"list-type": "2", "prefix": folder, **({"start-after": after} if after else {})}
        asked = urlencode(sorted(parameters.items()), quote_via=quote, safe="")
        response = self._send("GET", bucket, "", query=f"?{asked}")
        if response.status != 200:
            raise self._refusal(response, "GET", bucket)
        return [key.decode() for key in _LISTED_KEY.findall(response.data)]

    def _got(self, bucket: str, key: str, headers: dict[str, str]) -> bytes:
        response = self._send("GET", bucket, key, headers=headers)
        if response.status in {200, 206}:
            return response.data
        if response.status == 404 and _code(response) == "NoSuchKey":
            raise KeyError(f"{bucket}/{key}")
        if response.status == 416:  # nothing lies from there on
            return b""
        raise self._refusal(response, "GET", bucket)

    def _send(
        self,
        method: str,
        bucket: str,
        key: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        query: str = "",
    ) -> urllib3.BaseHTTPResponse:
        path = f"/{bucket}/{quote(key)}{query}"
        now, digest = datetime.now(UTC), hashlib.sha256(body).hexdigest()
        own = {"Host": self._host, "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}", "X-Amz-Content-Sha256": digest}
        signed = sign_v4_s3(
            method=method,
            url=urlsplit(self._base + path),
            region=self._region,
            headers=own | (headers or {}),
            credentials=self._credentials,
            content_sha256=digest,
            date=now,
        )
        with away_is_transient(self.endpoint):
            return self._pool.urlopen(method, path, body=body or None, headers=signed, redirect=False)

    def _refusal(self, response: urllib3.BaseHTTPResponse, method: str, bucket: str) -> Transient | Fatal:
        """What an answer that is neither success nor a known condition means; account and bucket are named."""
        code = _code(response) or f"status {response.status}"
        if response.status in {401, 403}:
            code += clock_hint(response.headers.get("Date"))
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
    """Turn a failing connection into Transient; the message names the endpoint and holds no key."""
    try:
        yield
    except HTTPError as error:
        raise Transient(f"the object store at {endpoint} does not answer ({type(error).__name__})") from None


def _code(response: urllib3.BaseHTTPResponse) -> str | None:
    found = _ERROR_CODE.search(response.data)
    return found[1].decode() if found else None


def _host(settings: ObjectStoreSettings) -> str:
    """The Host header: without a port where it is the scheme's own, as urllib3 and the server leave it out."""
    host, _, port = settings.endpoint.rpartition(":")
    return host if port == ("443" if settings.secure else "80") else settings.endpoint
