"""What a stage that rejects nothing makes of a van's record that it cannot use."""

from datetime import UTC, datetime

import pytest

from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.signed import RegistryWait, or_left_out

AT = Coordinates(Topic.SCREENING_AMENDED, 3, 7, datetime(2026, 3, 2, 9, tzinfo=UTC))
NEXT = Coordinates(Topic.SCREENING_AMENDED, 3, 8, AT.appended_at)


def refused(reason: str) -> None:
    raise InvalidRecord(reason, "as a test has it")


@pytest.mark.parametrize("reason", ["van_unknown", "signature_invalid"])
def test_a_van_that_may_be_known_in_a_moment_is_waited_for_and_then_left_out(reason: str) -> None:
    with pytest.raises(Transient):
        or_left_out(lambda: refused(reason), AT, lambda: True)
    assert or_left_out(lambda: refused(reason), AT, lambda: False) is None


def test_what_no_registry_would_make_usable_is_left_out_at_once() -> None:
    assert or_left_out(lambda: refused("record_invalid"), AT, lambda: True) is None
    assert or_left_out(lambda: "read", AT, lambda: True) == "read"


def test_one_is_waited_for_and_those_after_it_are_not_all_the_time() -> None:
    now_s = [0.0]
    registry = RegistryWait(10.0, lambda: now_s[0])
    assert registry.goes_on(AT, -300.0), "a broker whose clock is ahead makes nobody wait longer"
    now_s[0] = 9.9
    assert registry.goes_on(AT, -290.1)
    now_s[0] = 10.0
    assert not registry.goes_on(AT, -290.0)
    assert not registry.goes_on(NEXT, 0.0), "whoever comes next pays nothing for it"
    now_s[0] = 99.9
    assert not registry.goes_on(NEXT, 0.0)
    now_s[0] = 100.0
    assert registry.goes_on(NEXT, 0.0), "after nine times as long somebody is waited for again, half as long"
    now_s[0] = 105.0
    assert not registry.goes_on(NEXT, 0.0)


def test_what_stood_there_for_long_is_not_waited_for() -> None:
    assert not RegistryWait(10.0, lambda: 0.0).goes_on(AT, 10.0)
