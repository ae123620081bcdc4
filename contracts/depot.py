"""What a van exports to a disk and the centre imports: files that the centre alone opens, and a signed manifest.

`manifest.sealed` is an envelope (`sonovan.contracts.envelope`) whose header is a `Manifest`. Each file that it names
holds a few megabytes of the spool's messages in their order, encrypted to the centre's public key by HPKE (RFC 9180:
X25519, HKDF-SHA256, AES-256-GCM), bound to the van and the export.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgpack
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import Field, ValidationError

from sonovan.contracts.envelope import open_envelope, seal_header
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import MAX_CONTROL_BYTES, MAX_MESSAGE_BYTES, MIB
from sonovan.contracts.record import Id, Moment, Part, Sha256, VanId

MANIFEST: Final = "manifest.sealed"
RECEIPTS: Final = "receipts.jsonl"
"""What the centre leaves on the disk for its van: an answer a line, each signed by the centre."""
MAX_RECEIPTS_BYTES: Final = 256 * MIB
MAX_FILES: Final = 400
"""Files of one export: as many as the manifest's header holds."""
FILE_BYTES: Final = 32 * MIB
"""A file is ended once it holds so much, so that 400 of them hold 12 GB and more."""
MAX_FILE_BYTES: Final = FILE_BYTES + MAX_MESSAGE_BYTES + MIB

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_INFO: Final = b"sonovan disk v1 "


class ExportedFile(Part):
    """One file of an export. sha256: of its bytes as they lie on the disk."""

    name: str = Field(pattern=r"^[0-9a-f]{32}$")
    sha256: Sha256
    size: int = Field(ge=1, le=MAX_FILE_BYTES)
    messages: int = Field(ge=1)


class Manifest(Part):
    """What an export holds. centre_key: the public key for which it is encrypted, in hex."""

    format: Literal["sonovan disk v1"] = "sonovan disk v1"
    export_id: Id
    van_id: VanId
    centre_key: Sha256
    exported_at: Moment
    files: tuple[ExportedFile, ...] = Field(min_length=1, max_length=MAX_FILES)


@dataclass(frozen=True, slots=True)
class DiskMessage:
    """One message of a spool, as Kafka gets it."""

    item_id: str
    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def exports_on(disk: Path) -> list[Path]:
    """The exports of a disk, the oldest first: the folder itself where it is one, else the whole ones right below it.

    Where there is none the folder comes back alone, for whoever opens it to say what is wrong with it; so does an
    export whose manifest the disk does not give.
    """
    if _is_there(disk / MANIFEST):
        return [disk]
    try:
        found = [each for each in disk.iterdir() if _is_there(each / MANIFEST)]
    except OSError:
        return [disk]
    return sorted(found, key=lambda each: each.name[-36:]) or [disk]


def _is_there(path: Path) -> bool:
    """Whether a file is there, or may be: nobody can tell where the disk is damaged or access is refused."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def generate_centre_key() -> bytes:
    """A private key of a centre, 32 raw bytes."""
    return X25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def centre_public_key(private_key: bytes) -> bytes:
    """Its public half, 32 raw bytes."""
    key = X25519PrivateKey.from_private_bytes(private_key).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def seal_manifest(manifest: Manifest, private_key: bytes) -> bytes:
    """The manifest with the van's signature."""
    return seal_header(manifest.model_dump_json().encode(), private_key)


def read_manifest(data: bytes, keys: Sequence[str] | None = None) -> Manifest:
    """The manifest in `data`. keys: the van's public keys in hex, one of which must have signed; None asks for none.

    Raises InvalidRecord `export_invalid`, or `signature_invalid`.
    """
    try:
        envelope = open_envelope(data, MAX_CONTROL_BYTES)
        manifest = Manifest.model_validate_json(envelope.header, strict=True)
    except (InvalidRecord, ValidationError):
        raise InvalidRecord("export_invalid", f"{MANIFEST} is not that of an export, or is damaged") from None
    if keys is not None and not any(envelope.is_signed_by(key) for key in keys):
        raise InvalidRecord(
            "signature_invalid", f"{MANIFEST} is not signed by a key of van {manifest.van_id} that holds"
        )
    return manifest


def seal_file(messages: Sequence[DiskMessage], public_key: bytes, van_id: str, export_id: str) -> bytes:
    """The bytes of one file. public_key: of the centre."""
    rows = [[each.item_id, each.topic, each.key, each.value, each.headers] for each in messages]
    packed: bytes = msgpack.packb(rows)
    return _SUITE.encrypt(packed, X25519PublicKey.from_public_bytes(public_key), _info(van_id, export_id))


def open_file(data: bytes, file: ExportedFile, private_key: bytes, van_id: str, export_id: str) -> list[DiskMessage]:
    """The messages in a file that a verified manifest names. private_key: of the centre.

    Raises InvalidRecord `export_invalid` for bytes that are not those of the manifest, or are for another centre.
    """
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise InvalidRecord(
            "export_invalid", f"file {file.name} is not as the van wrote it; copy it from the disk again"
        )
    try:
        packed = _SUITE.decrypt(data, X25519PrivateKey.from_private_bytes(private_key), _info(van_id, export_id))
    except (InvalidTag, ValueError):
        raise InvalidRecord("export_invalid", f"file {file.name} was encrypted for another centre") from None
    try:
        return [_message(*row) for row in msgpack.unpackb(packed)]
    except (ValueError, TypeError) as error:
        raise InvalidRecord("export_invalid", f"file {file.name} does not hold messages of a spool") from error


def _message(item_id: object, topic: object, key: object, value: object, headers: object) -> DiskMessage:
    texts = isinstance(item_id, str) and isinstance(topic, str)
    if not (texts and isinstance(key, bytes) and isinstance(value, bytes) and isinstance(headers, list)):
        raise TypeError("not a message")
    pairs = []
    for name, data in headers:
        if not (isinstance(name, str) and isinstance(data, bytes)):
            raise TypeError("not a header")
        pairs.append((name, data))
    return DiskMessage(str(item_id), str(topic), key, value, tuple(pairs))


def _info(van_id: str, export_id: str) -> bytes:
    return _INFO + f"{van_id} {export_id}".encode()
