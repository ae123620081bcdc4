"""Ids: sorted by time, spelled one way, sent coarsest first."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.ids import (
    frame_id,
    level,
    level_members,
    mint_id,
    minted_day,
    split_frame_id,
    subject_key,
    upload_order,
)

ID = "01a21e90-2cca-73a7-a09d-d70714d60704"


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_a_minted_id_is_a_uuid_of_version_7_with_its_time(moment, entropy):
    made = uuid.UUID(mint_id(moment, lambda size: entropy[:size]))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == moment


def test_later_ids_sort_later():
    assert mint_id(1000) < mint_id(1001)


@given(st.integers(0, 999_999))
def test_a_frame_id_can_be_split_again(index):
    sequence = mint_id()
    assert split_frame_id(frame_id(sequence, index)) == (sequence, index)


@pytest.mark.parametrize("wrong", ["", "a/000001", f"{ID}/1", f"{ID}/0000001", f"{ID}/000001\n"])
def test_other_text_is_no_frame_id(wrong):
    with pytest.raises(ValueError, match="not a frame id"):
        split_frame_id(wrong)


@given(st.integers(0, 700))
def test_the_levels_part_a_sweep(count):
    parts = [list(level_members(count, number)) for number in range(5)]
    assert sorted(index for part in parts for index in part) == list(range(count))
    assert all(level(index) == number for number, part in enumerate(parts) for index in part)
    assert upload_order(count) == [index for part in parts for index in part]


def test_each_level_halves_the_gaps():
    sent: set[int] = set()
    for number, gap in enumerate((16, 8, 4, 2, 1)):
        sent.update(level_members(160, number))
        assert max(b - a for a, b in zip(sorted(sent), sorted(sent)[1:], strict=False)) == gap


def test_a_subject_key_joins_visits_of_one_site_only():
    one, other = b"a" * 32, b"b" * 32
    assert subject_key(one, "person 7") == subject_key(one, " person 7 ")
    assert subject_key(one, "person 7") != subject_key(other, "person 7")
    with pytest.raises(ValueError, match="32 bytes"):
        subject_key(b"short", "person 7")
    with pytest.raises(ValueError, match="empty"):
        subject_key(one, "  ")


def test_an_id_says_on_which_day_it_was_minted() -> None:
    noon_ms = 20_000 * 86_400_000 + 43_200_000
    assert minted_day(mint_id(noon_ms)) == minted_day(mint_id(noon_ms + 43_199_999)) == 20_000
    assert minted_day(mint_id(noon_ms + 43_200_000)) == 20_001
    with pytest.raises(ValueError):
        minted_day("no id")
