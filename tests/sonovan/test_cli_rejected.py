import pytest
import typer

from sonovan.cli.rejected import check_may_be_retried, find
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import TOPICS, Topic, Writer
from sonovan.resending import key_and_headers
from sonovan.stream_apps.rejecting import Coordinates, Subject, Unusable, reject
from sonovan.transport.grants import Grant, Operation, Resource, person_grants
from tests.stream_apps.segment.frames import NOW, TestVan

VAN = TestVan()
FRAME = f"{VAN.sequence_id}/000007"


def rejection(offset: int = 0, topic: str = Topic.FRAME_CAPTURED, subject: Subject | None = None) -> RecordRejected:
    error = Unusable(InvalidRecord("van_unknown", "who"), subject or Subject())
    return reject("segment", error, Coordinates(topic, 0, offset, NOW), b"bytes").record


def test_a_rejection_is_found_by_the_beginning_of_its_id() -> None:
    several = [rejection(offset) for offset in range(5)]
    assert find(several, several[3].rejection_id[:12]) == several[3]


@pytest.mark.parametrize("beginning", ["", "zz"])
def test_none_or_several_rejections_are_a_wrong_usage(beginning: str) -> None:
    with pytest.raises(typer.BadParameter):
        find([rejection(offset) for offset in range(2)], beginning)


def test_only_what_a_van_sent_is_sent_again_and_the_retrier_may_write_each_such_topic() -> None:
    """Whoever could write the centre's own topics, of which nothing is signed, could forge results."""
    grants = person_grants(Writer.RETRIER)
    for topic in Topic:
        record = rejection(topic=topic)
        if topic == Topic.VAN_REPORTED:
            continue  # no stage reads it, so none rejects it
        if TOPICS[topic].signed and topic != Topic.FRAME_DEFERRED:
            check_may_be_retried(record, force=False)
            assert Grant("retrier", Resource.TOPIC, topic, Operation.WRITE) in grants
        elif not TOPICS[topic].signed:
            with pytest.raises(typer.BadParameter, match="only what a van sent"):
                check_may_be_retried(record, force=True)


def test_a_frame_goes_back_under_its_sequence_with_its_headers() -> None:
    record = rejection(subject=Subject("van-a", VAN.screening_id, FRAME, FRAME, "ab" * 32))
    assert key_and_headers(record) == (
        VAN.sequence_id.encode(),
        [("screening_id", VAN.screening_id.encode()), ("frame_id", FRAME.encode())],
    )


def test_any_other_record_goes_back_under_its_screening() -> None:
    screening = mint_id()
    record = rejection(
        topic=Topic.SEQUENCE_CLOSED, subject=Subject("van-a", screening, None, f"{screening}/closed/1", "ab" * 32)
    )
    assert key_and_headers(record) == (screening.encode(), [])


def test_what_nobody_could_read_goes_back_under_its_rejection() -> None:
    record = rejection()
    assert key_and_headers(record) == (record.rejection_id.encode(), [])
