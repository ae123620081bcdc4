"""Writing and reading objects without a secret key: the sender has the access key alone."""

import io
import tarfile
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import urllib3
from minio import Minio
from minio.error import S3Error
from minio.select import CSVInputSerialization, CSVOutputSerialization, SelectRequest

from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.settings import ObjectStoreSettings
from tests.attacks.conftest import ObjectStoreAlone

pytestmark = pytest.mark.services

ZERO: Final = "0" * 64
UNSIGNED_TRAILER: Final = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
HONEST: Final = b"what the van sent"
FORGED: Final = b"what the attacker wants to be seen"


@pytest.fixture
def key(object_store: ObjectStoreAlone) -> str:
    """Where an honest report stands."""
    name = f"attacked/{uuid4()}"
    MinioStore(object_store.accounts["assess"]).put(Bucket.REPORTS, name, HONEST, "text/html")
    return name


def scope() -> str:
    return f"{datetime.now(UTC):%Y%m%d}/us-east-1/s3/aws4_request"


def in_query(access_key: str) -> str:
    """Credentials in the address, with a signature of nothing but zeros."""
    return urlencode(
        {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{access_key}/{scope()}",
            "X-Amz-Date": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
            "X-Amz-Expires": "900",
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Signature": ZERO,
        }
    )


def in_header(access_key: str, payload: str) -> dict[str, str]:
    """Headers that claim a signature of nothing but zeros."""
    claimed = f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={ZERO}"
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/{scope()}, {claimed}",
        "X-Amz-Content-Sha256": payload,
        "X-Amz-Date": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
    }


def chunked(data: bytes) -> tuple[bytes, dict[str, str]]:
    """A body in one chunk and with an empty trailer, and the headers that go with it."""
    body = b"%x\r\n%b\r\n0\r\n\r\n\r\n" % (len(data), data)
    return body, {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(len(data))}


def send(
    method: str, settings: ObjectStoreSettings, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> int:
    url = f"http://{settings.endpoint}/{path}"
    return urllib3.request(method, url, body=body, headers=headers or {}, retries=False).status


def stands(object_store: ObjectStoreAlone, key: str) -> bytes:
    return MinioStore(object_store.accounts["reader"]).get(Bucket.REPORTS, key)


@pytest.mark.parametrize("account", ["assess", "root"])
def test_an_unsigned_trailer_with_credentials_in_the_address_replaces_nothing(
    object_store: ObjectStoreAlone, key: str, account: str
) -> None:
    attacked = object_store.root if account == "root" else object_store.accounts[account]
    body, headers = chunked(FORGED)
    path = f"{Bucket.REPORTS}/{key}?{in_query(attacked.access_key)}"
    status = send("PUT", attacked, path, body, headers | {"X-Amz-Content-Sha256": UNSIGNED_TRAILER})
    assert (status, stands(object_store, key)) == (403, HONEST)


def test_nor_does_a_part_of_an_upload_in_parts(object_store: ObjectStoreAlone, key: str) -> None:
    attacked = object_store.root
    client = Minio(
        attacked.endpoint, attacked.access_key, attacked.secret_key.get_secret_value(), secure=False, region="us-east-1"
    )
    upload = client._create_multipart_upload(Bucket.REPORTS, key, {"Content-Type": "text/html"})
    body, headers = chunked(FORGED)
    path = f"{Bucket.REPORTS}/{key}?uploadId={upload}&partNumber=1&{in_query(attacked.access_key)}"
    assert send("PUT", attacked, path, body, headers | {"X-Amz-Content-Sha256": UNSIGNED_TRAILER}) == 403
    assert not client._list_parts(Bucket.REPORTS, key, upload).parts


def test_an_archive_that_the_server_unpacks_replaces_nothing(object_store: ObjectStoreAlone, key: str) -> None:
    attacked = object_store.root
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(key)
        entry.size = len(FORGED)
        archive.addfile(entry, io.BytesIO(FORGED))
    headers = in_header(attacked.access_key, UNSIGNED_TRAILER) | {"X-Amz-Meta-Snowball-Auto-Extract": "true"}
    status = send("PUT", attacked, f"{Bucket.REPORTS}/any.tar", packed.getvalue(), headers)
    assert (status, stands(object_store, key)) == (403, HONEST)


@pytest.mark.parametrize("payload", [UNSIGNED_TRAILER, "UNSIGNED-PAYLOAD", ZERO, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"])
@pytest.mark.parametrize("twice", [False, True], ids=["header", "header and address"])
def test_a_made_up_signature_in_the_header_replaces_nothing(
    object_store: ObjectStoreAlone, key: str, payload: str, twice: bool
) -> None:
    attacked = object_store.root
    body, headers = chunked(FORGED)
    path = f"{Bucket.REPORTS}/{key}" + (f"?{in_query(attacked.access_key)}" if twice else "")
    status = send("PUT", attacked, path, body, headers | in_header(attacked.access_key, payload))
    assert status in {400, 403}
    assert stands(object_store, key) == HONEST


def test_an_address_that_was_signed_with_the_secret_key_opens_nothing_either(
    object_store: ObjectStoreAlone, key: str
) -> None:
    own = object_store.accounts["assess"]
    signer = Minio(own.endpoint, own.access_key, own.secret_key.get_secret_value(), secure=False, region="us-east-1")
    assert urllib3.request("GET", signer.presigned_get_object(Bucket.REPORTS, key), retries=False).status == 403
    assert urllib3.request("PUT", signer.presigned_put_object(Bucket.REPORTS, key), body=FORGED).status == 403
    assert stands(object_store, key) == HONEST


@pytest.mark.parametrize(
    "header",
    ["X-Minio-Replication-Server-Side-Encryption-Iv", "X-Minio-Source-Mtime", "X-Amz-Meta-Snowball-Auto-Extract"],
)
def test_an_account_itself_sends_no_headers_of_replication_or_unpacking(
    object_store: ObjectStoreAlone, header: str
) -> None:
    store, name = MinioStore(object_store.accounts["assess"]), f"attacked/{uuid4()}"
    assert store._send("PUT", Bucket.REPORTS, name, FORGED, {header: "true"}).status == 403
    assert not store.exists(Bucket.REPORTS, name)


def test_an_account_itself_selects_nothing_from_objects(object_store: ObjectStoreAlone, key: str) -> None:
    own = object_store.accounts["assess"]
    client = Minio(own.endpoint, own.access_key, own.secret_key.get_secret_value(), secure=False, region="us-east-1")
    asked = SelectRequest("select * from S3Object", CSVInputSerialization(), CSVOutputSerialization())
    with pytest.raises(S3Error, match="AccessDenied"):
        client.select_object_content(Bucket.REPORTS, key, asked)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{Bucket.REPORTS}"),
        ("GET", ""),
        ("POST", f"{Bucket.REPORTS}"),
        ("POST", "?Action=AssumeRoleWithLDAPIdentity&LDAPUsername=a&LDAPPassword=b&Version=2011-06-15"),
        ("GET", "minio/v2/metrics/cluster"),
        ("GET", "minio/admin/v3/info"),
        ("GET", "minio/grid/v1"),
        ("POST", f"{Bucket.REPORTS}/any?select&select-type=2"),
        ("PUT", "minio/health/../sonovan-reports/any"),
    ],
)
def test_who_shows_no_signature_is_told_nothing(object_store: ObjectStoreAlone, method: str, path: str) -> None:
    assert send(method, object_store.root, path) in {400, 403}


def test_health_can_be_asked_without_an_account(object_store: ObjectStoreAlone) -> None:
    assert send("GET", object_store.root, "minio/health/live") == 200


def test_the_reader_still_looks_through_the_console(object_store: ObjectStoreAlone, key: str) -> None:
    reader = object_store.accounts["reader"]
    keys = {"accessKey": reader.access_key, "secretKey": reader.secret_key.get_secret_value()}
    login = urllib3.request("POST", f"{object_store.console}/api/v1/login", json=keys, retries=False)
    assert login.status == 204
    cookie = {"Cookie": login.headers["Set-Cookie"].split(";")[0]}
    listed = f"{object_store.console}/api/v1/buckets/{Bucket.REPORTS}/objects?prefix=attacked/"
    assert key in urllib3.request("GET", listed, headers=cookie, retries=False).data.decode()
