"""Moments as milliseconds, exact whatever the year."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.moments import moment_of, ms_of


@given(st.integers(0, 10**14 - 1))
def test_milliseconds_are_the_same_after_they_were_a_moment(ms: int) -> None:
    assert ms_of(moment_of(ms)) == ms


def test_a_part_of_a_millisecond_does_not_count() -> None:
    moment = datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert moment_of(ms_of(moment + timedelta(microseconds=999))) == moment
    assert ms_of(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1000
