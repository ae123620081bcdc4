"""The signed envelope in which every record of a van travels; a frame's pixels ride inside it.

A msgpack map: `v`, then `header` (the record's exact JSON bytes), `payload` (coded pixels, or empty),
`payload_sha256`, `signature`. Opening checks the structure and the payload's hash; who signed it is checked against
the registry. Until then nobody knows who wrote the bytes, so opening costs no more than their length: no value may
hold another one, and nothing is allocated before its length was compared with the limits.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import msgpack

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.limits import MAX_CONTROL_BYTES, MAX_HEADER_BYTES, MAX_VALUE_BYTES
from sonovan.contracts.record import Record
from sonovan.contracts.signatures import sign, verifies

_VERSION: Final = 1
_LONGEST: Final = {"header": MAX_HEADER_BYTES, "payload": MAX_VALUE_BYTES, "payload_sha256": 32, "signature": 64}
"""The fields beside the version, each a byte string of at most so many bytes."""
_MAP: Final = 0x80
_UINTS: Final = range(0xCC, 0xD0)
_STRING: Final = 0xA0
_LENGTHS: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4}
"""msgpack's first byte of a byte string, and how many bytes of length follow; _MAP and _STRING hold theirs inside."""


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

    def is_signed_by(self, public_key_hex: str) -> bool:
        """Whether this key made the signature."""
        return verifies(public_key_hex, self.signature, self.header, self.payload_sha256)


def header_sha256(header: bytes) -> str:
    """sha256 of the header bytes: what a receipt of a control record names."""
    return hashlib.sha256(header).hexdigest()


def seal(record: Record, private_key: bytes, payload: bytes = b"") -> bytes:
    """The envelope's bytes for `record` and `payload`, signed."""
    return seal_header(record.encode(), private_key, payload)


def seal_header(header: bytes, private_key: bytes, payload: bytes = b"") -> bytes:
    """The envelope's bytes for a record that is encoded already (`Record.encode`), signed.

    Raises InvalidRecord `record_too_large` for what nobody would open.
    """
    digest = hashlib.sha256(payload).digest()
    document = {
        "v": _VERSION,
        "header": header,
        "payload": payload,
        "payload_sha256": digest,
        "signature": sign(private_key, header, digest),
    }
    packed: bytes = msgpack.packb(document, use_bin_type=True)
    _check_length(len(packed), MAX_VALUE_BYTES if payload else MAX_CONTROL_BYTES)
    _check_header(len(header))
    return packed


def open_envelope(data: bytes, limit: int = MAX_VALUE_BYTES) -> Envelope:
    """The envelope in `data`. limit: bytes that it may have, MAX_CONTROL_BYTES where no frame is expected.

    Raises InvalidRecord `record_too_large` (nothing was read), `envelope_corrupt` or `schema_from_future`.
    """
    _check_length(len(data), limit)
    try:
        fields = _fields(data)
    except IndexError:
        raise InvalidRecord("envelope_corrupt", "the envelope is cut short") from None
    _check_header(len(fields["header"]))
    if any(len(fields[name]) > longest for name, longest in _LONGEST.items()):
        raise InvalidRecord("envelope_corrupt", "a field of the envelope is longer than it can be")
    envelope = Envelope(**fields)
    if hashlib.sha256(envelope.payload).digest() != envelope.payload_sha256:
        raise InvalidRecord("envelope_corrupt", "the payload does not fit its sha256")
    return envelope


def _fields(data: bytes) -> dict[str, bytes]:
    """The byte strings of a map that has exactly the envelope's fields, each once, and nothing behind it.

    msgpack's own reader builds whatever the bytes describe before anybody sees it. This one knows the few kinds of
    values that an envelope has, and copies nothing but byte strings that lie within `data`.
    A newer version is known by `v` as the map's first key: what stands behind it is not looked at.
    Raises IndexError where `data` ends too early.
    """
    if not data or data[0] != _MAP | len(_LONGEST) + 1:
        raise InvalidRecord("envelope_corrupt", "the envelope is not a map of its fields")
    place, version, fields = 1, 0, dict[str, bytes]()
    while len(fields) + (version > 0) < len(_LONGEST) + 1:
        end = place + 1 + (data[place] & ~_STRING)
        name = data[place + 1 : end].decode("ascii", "replace") if data[place] & ~0x1F == _STRING else ""
        if name == "v" and version == 0:
            version, place = data[end], end + 1
            if not fields and (_VERSION < version < _MAP or version in _UINTS):
                raise InvalidRecord("schema_from_future", f"the envelope's version is not {_VERSION}, known here")
            if version != _VERSION:
                break
        elif name in _LONGEST and name not in fields and data[end] in _LENGTHS:
            begin = end + 1 + _LENGTHS[data[end]]
            place = begin + int.from_bytes(data[end + 1 : begin], "big")
            if place > len(data):
                raise IndexError
            fields[name] = data[begin:place]
        else:
            break
    if version != _VERSION or fields.keys() != _LONGEST.keys() or place != len(data):
        raise InvalidRecord("envelope_corrupt", "the envelope's fields are not those of its version")
    return fields


def _check_length(length: int, limit: int) -> None:
    if length > limit:
        raise InvalidRecord("record_too_large", f"the envelope has {length} bytes, at most {limit} are read")


def _check_header(length: int) -> None:
    if length > MAX_HEADER_BYTES:
        message = f"the envelope's header has {length} bytes, at most {MAX_HEADER_BYTES} are read"
        raise InvalidRecord("record_too_large", message)
