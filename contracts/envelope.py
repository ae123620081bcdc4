"""The signed envelope in which every record of a van travels; a frame's pixels ride inside it.

A msgpack map: `header` (the record's exact JSON bytes), `payload` (coded pixels, or empty), `payload_sha256`,
`signature`. Opening checks the structure and the payload's hash; who signed it is checked against the registry.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import msgpack

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.record import Record
from sonovan.contracts.signatures import sign, verify

_VERSION: Final = 1
_FIELDS: Final = {"v", "header", "payload", "payload_sha256", "signature"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """An opened envelope: the payload fits its hash, the signature is not yet verified."""

    header: bytes
    payload: bytes
    payload_sha256: bytes
    signature: bytes

    @property
    def header_sha256(self) -> str:
        """sha256 of the header bytes: what a receipt of a control record names."""
        return header_sha256(self.header)

    def verify(self, public_key_hex: str) -> None:
        """Return if this van's key made the signature, else raise InvalidRecord `signature_invalid`."""
        verify(public_key_hex, self.signature, self.header, self.payload_sha256)


def header_sha256(header: bytes) -> str:
    """sha256 of the header bytes: what a receipt of a control record names."""
    return hashlib.sha256(header).hexdigest()


def seal(record: Record, private_key: bytes, payload: bytes = b"") -> bytes:
    """The envelope's bytes for `record` and `payload`, signed."""
    return seal_header(record.encode(), private_key, payload)


def seal_header(header: bytes, private_key: bytes, payload: bytes = b"") -> bytes:
    """The envelope's bytes for a record that is encoded already (`Record.encode`), signed."""
    digest = hashlib.sha256(payload).digest()
    document = {
        "v": _VERSION,
        "header": header,
        "payload": payload,
        "payload_sha256": digest,
        "signature": sign(private_key, header, digest),
    }
    packed: bytes = msgpack.packb(document, use_bin_type=True)
    return packed


def open_envelope(data: bytes) -> Envelope:
    """The envelope in `data`. Raises InvalidRecord `envelope_corrupt` or `schema_from_future`."""
    try:
        document = msgpack.unpackb(data, raw=False, strict_map_key=True)
    except Exception:  # msgpack raises many kinds for malformed input, some of them bare ValueErrors
        raise InvalidRecord("envelope_corrupt", "the envelope is not msgpack, or is cut short") from None
    if not isinstance(document, dict) or type(document.get("v")) is not int or document["v"] < _VERSION:
        raise InvalidRecord("envelope_corrupt", "the envelope has no known version")
    if document["v"] > _VERSION:
        raise InvalidRecord("schema_from_future", f"envelope version {document['v']} is newer than {_VERSION}")
    if set(document) != _FIELDS or not all(isinstance(document[name], bytes) for name in _FIELDS - {"v"}):
        raise InvalidRecord("envelope_corrupt", "the envelope's fields are not those of its version")
    envelope = Envelope(**{name: document[name] for name in _FIELDS - {"v"}})
    if hashlib.sha256(envelope.payload).digest() != envelope.payload_sha256:
        raise InvalidRecord("envelope_corrupt", "the payload does not fit its sha256")
    return envelope
