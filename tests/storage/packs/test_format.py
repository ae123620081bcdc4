"""A pack gives back what was put into it, and nothing that was changed since."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.errors import InvalidRecord
from sonovan.storage.packs.format import index_bytes, make_pack, read_index, read_whole

PARTS = st.dictionaries(st.text("abc0/.-", min_size=1, max_size=12), st.binary(max_size=64), min_size=1, max_size=8)


@given(parts=PARTS)
def test_every_part_is_found_by_its_place_alone(parts: dict[str, bytes]) -> None:
    pack = make_pack(parts)
    index = read_index(pack[: index_bytes(pack, "pack")], "pack")
    assert {name: pack[part.start : part.start + part.length] for name, part in index.items()} == parts
    assert read_whole(pack, "pack") == index
    assert make_pack(dict(reversed(parts.items()))) == pack


@given(parts=PARTS, at=st.integers(0, 2**16), bit=st.integers(0, 7))
def test_a_changed_bit_a_lost_end_and_bytes_behind_it_are_told(parts: dict[str, bytes], at: int, bit: int) -> None:
    pack = bytearray(make_pack(parts))
    pack[at % len(pack)] ^= 1 << bit
    for damaged in (bytes(pack), make_pack(parts)[:-1], make_pack(parts) + b"x"):
        with pytest.raises(InvalidRecord) as caught:
            read_whole(damaged, "pack")
        assert caught.value.reason == "object_contradicts_record"


def test_a_length_that_no_index_has_is_not_asked_for() -> None:
    pack = make_pack({"a": b"bytes"})
    with pytest.raises(InvalidRecord, match="van/sweep/pack-000000 is no pack"):
        index_bytes(pack[:8] + b"\xff\xff\xff\xff" + pack[12:], "van/sweep/pack-000000")
