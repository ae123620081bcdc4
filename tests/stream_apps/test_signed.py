"""What a stage that rejects nothing makes of a van's record that it cannot use."""

from datetime import UTC, datetime

import pytest

from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.signed import or_left_out

AT = Coordinates(Topic.SCREENING_AMENDED, 3, 7, datetime(2026, 3, 2, 9, tzinfo=UTC))
ARRIVED = AT.appended_at.timestamp()


def refused(reason: str) -> None:
    raise InvalidRecord(reason, "as a test has it")


@pytest.mark.parametrize("reason", ["van_unknown", "signature_invalid"])
def test_a_van_that_may_be_known_in_a_moment_is_waited_for_and_then_left_out(reason: str) -> None:
    with pytest.raises(Transient):
        or_left_out(lambda: refused(reason), AT, ARRIVED + 9, 10.0)
    assert or_left_out(lambda: refused(reason), AT, ARRIVED + 11, 10.0) is None


def test_what_no_registry_would_make_usable_is_left_out_at_once() -> None:
    assert or_left_out(lambda: refused("record_invalid"), AT, ARRIVED, 10.0) is None
    assert or_left_out(lambda: "read", AT, ARRIVED, 10.0) == "read"
