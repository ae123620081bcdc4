"""A truncated, altered or forged envelope never passes."""

from datetime import UTC, datetime

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonovan.contracts.envelope import open_envelope, seal
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.van import ScreeningClosed

KEY = generate_key()
RECORD = ScreeningClosed(
    screening_id=mint_id(),
    van_id="van-1",
    closing_number=1,
    sequence_ids=(),
    closed_at=datetime(2026, 3, 1, tzinfo=UTC),
)
SEALED = seal(RECORD, KEY, b"pixels" * 20)


def passes(data: bytes) -> bool:
    try:
        envelope = open_envelope(data)
        return envelope.is_signed_by(public_key(KEY))
    except InvalidRecord:
        return False
    return ScreeningClosed.decode(envelope.header) == RECORD and envelope.payload == b"pixels" * 20


def test_a_sealed_record_comes_out_as_it_went_in():
    assert passes(SEALED)


@pytest.mark.parametrize("kept", range(0, len(SEALED), 7))
def test_a_truncated_envelope_never_passes(kept):
    assert not passes(SEALED[:kept])


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
@settings(max_examples=400, deadline=None)
def test_an_altered_envelope_never_passes(place, change):
    altered = bytearray(SEALED)
    altered[place] ^= change
    assert not passes(bytes(altered))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_by_name(data):
    with pytest.raises(InvalidRecord) as caught:
        open_envelope(data)
    assert caught.value.reason in ("envelope_corrupt", "schema_from_future")


def test_another_key_is_refused():
    assert open_envelope(SEALED).is_signed_by(public_key(KEY))
    assert not open_envelope(SEALED).is_signed_by(public_key(generate_key()))
    assert not open_envelope(SEALED).is_signed_by("no key at all")


def test_a_payload_swapped_under_its_header_is_refused():
    document = msgpack.unpackb(SEALED)
    other = msgpack.unpackb(seal(RECORD, KEY, b"other pixels"))
    swapped = document | {"payload": other["payload"], "payload_sha256": other["payload_sha256"]}
    envelope = open_envelope(msgpack.packb(swapped))
    assert not envelope.is_signed_by(public_key(KEY))


@pytest.mark.parametrize("version", [2, 127, 128, 2**40])
def test_an_envelope_from_the_future_says_so(version):
    with pytest.raises(InvalidRecord) as caught:
        open_envelope(msgpack.packb(msgpack.unpackb(SEALED) | {"v": version}))
    assert caught.value.reason == "schema_from_future"
