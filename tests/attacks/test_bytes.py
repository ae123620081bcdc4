"""Hostile bytes cost no more than honest ones, whoever wrote them: nobody's signature was looked at yet."""

import hashlib
import json
import tracemalloc

import msgpack
import pytest

from benchmarks.bombs import BOMBS, LARGEST, bomb
from sonovan.contracts.envelope import open_envelope, seal, seal_header
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.contracts.limits import KIB, MAX_CONTROL_BYTES, MAX_HEADER_BYTES, MIB
from sonovan.contracts.record import header_document
from sonovan.contracts.signatures import generate_key
from tests.contracts.test_envelope import RECORD

KEY = generate_key()
SEALED = seal(RECORD, KEY)


def fields() -> dict[str, object]:
    found: dict[str, object] = msgpack.unpackb(SEALED)
    return found


def map_of(*pairs: tuple[object, object], behind: bytes = b"") -> bytes:
    """A map with these pairs in this order; a key may stand twice."""
    packed = b"".join(msgpack.packb(name) + msgpack.packb(value) for name, value in pairs)
    return bytes((0x80 | len(pairs),)) + packed + behind


def refused(data: bytes, limit: int | None = None) -> tuple[str, int]:
    """The reason for which an envelope is refused, and how many bytes of memory that took at most."""
    tracemalloc.start()
    try:
        with pytest.raises(InvalidRecord) as caught:
            open_envelope(data) if limit is None else open_envelope(data, limit)
        return caught.value.reason, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_31_mib_takes_next_to_no_memory(name: str) -> None:
    reason, peak = refused(bomb(name, LARGEST))
    assert reason == "envelope_corrupt"
    assert peak < MIB


def test_a_control_record_of_more_than_its_limit_is_not_read_at_all() -> None:
    data = msgpack.packb(fields() | {"payload": b"p" * MAX_CONTROL_BYTES})
    reason, peak = refused(data, MAX_CONTROL_BYTES)
    assert (reason, peak < 16 * KIB) == ("record_too_large", True)


def test_a_header_of_more_than_64_kib_is_refused_before_it_is_parsed() -> None:
    header = b"[" * (MAX_HEADER_BYTES + 1)
    data = msgpack.packb(fields() | {"header": header})
    assert refused(data)[0] == "record_too_large"


def test_a_van_does_not_seal_what_the_centre_would_not_open() -> None:
    with pytest.raises(InvalidRecord, match="at most") as caught:
        seal_header(b"h" * (MAX_HEADER_BYTES + 1), KEY, b"pixels")
    assert caught.value.reason == "record_too_large"
    assert open_envelope(seal_header(b"h" * MAX_HEADER_BYTES, KEY), MAX_CONTROL_BYTES).header == b"h" * MAX_HEADER_BYTES


def test_a_field_that_stands_twice_is_refused() -> None:
    other = seal_header(b"another header", KEY)
    pairs = list(fields().items())
    for name, value in msgpack.unpackb(other).items():
        assert refused(map_of(*pairs, (name, value)))[0] == "envelope_corrupt"


def test_nothing_may_stand_behind_an_envelope_or_beside_its_fields() -> None:
    assert refused(SEALED + b"\x00")[0] == "envelope_corrupt"
    assert refused(map_of(*fields().items(), ("more", b"")))[0] == "envelope_corrupt"


@pytest.mark.parametrize("name", ["header", "payload", "payload_sha256", "signature"])
@pytest.mark.parametrize("value", ["text", 1, None, [], {}, msgpack.ExtType(5, b"")])
def test_a_field_is_a_byte_string_and_nothing_else(name: str, value: object) -> None:
    assert refused(msgpack.packb(fields() | {name: value}))[0] == "envelope_corrupt"


def test_hash_and_signature_have_their_length() -> None:
    long = b"s" * 65
    assert refused(msgpack.packb(fields() | {"signature": long}))[0] == "envelope_corrupt"
    assert (
        refused(msgpack.packb(fields() | {"payload_sha256": hashlib.sha256().digest() + b"x"}))[0] == "envelope_corrupt"
    )


HEADERS = {
    "nesting": b'{"a":' + b"[" * 60_000,
    "objects within objects": b'{"a":' * 10_000,
    "a key twice": b'{"van_id":"van-1","van_id":"van-2"}',
    "a key twice, deep down": b'{"consent":{"ai":false,"ai":true}}',
    "not a number": b'{"age_years":NaN}',
    "infinity": b'{"age_years":-Infinity}',
    "a number of sixty thousand digits": b'{"closing_number":' + b"9" * 60_000 + b"}",
    "no object": json.dumps([mint_id()]).encode(),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_can_be_read_in_one_way_only(name: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        header_document(HEADERS[name])
    assert caught.value.reason == "record_invalid"
