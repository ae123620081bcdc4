"""Messages on the topic of deferred frames that no stage wrote: whoever administers the broker can put them there."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import pytest

from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.topics import Topic
from sonovan.contracts.tracing import Headers
from sonovan.stream_apps.deferring import headers_of, restored
from sonovan.stream_apps.rejecting import Coordinates
from sonovan.stream_apps.segment.stage import READS
from sonovan.stream_apps.stage import Message
from sonovan.transport.producer import BoundedProducer
from tests.attacks.watching import nobody_ends, rejected
from tests.journeys.account import wait_for
from tests.journeys.van import Van, sweep
from tests.journeys.world import World
from tests.stream_apps.memory import START


def stood(key: bytes, at: datetime) -> dict[str, bytes | None]:
    """The headers that `segment` writes of a frame that stood as another one did, with this key and time."""
    return dict(headers_of(Message(Coordinates(Topic.FRAME_CAPTURED, 3, 7, at), key, b"")))


STOOD: Final = stood(b"a-sequence", START)
WRONG: Final[dict[str, bytes | None]] = {
    "topic": b"no.such.v1",
    "partition": b"-1",
    "offset": b"9" * 20,
    "appended-at-ms": b"9" * 30,
}
ABSURD: Final[dict[str, dict[str, bytes | None]]] = {
    "none at all": dict.fromkeys(STOOD),
    **{f"{name} is missing": {name: None} for name in WRONG},
    **{f"{name} is absurd": {name: text} for name, text in WRONG.items()},
    "a topic that the stage does not read": {"topic": Topic.SCREENING_OPENED.encode()},
    "a topic in no alphabet": {"topic": b"\xff\xfe"},
    "an offset before the first": {"offset": b"-1"},
    "a number of five thousand digits": {"offset": b"9" * 5000},
    "a time before the first clock": {"appended-at-ms": b"0"},
    "a time that is no number": {"appended-at-ms": b"yesterday"},
}


def headers(absurd: str) -> list[tuple[str, bytes | None]]:
    """What a stage would write, but for what is absurd of it."""
    return list((STOOD | ABSURD[absurd]).items())


@pytest.mark.parametrize("absurd", ABSURD)
def test_a_place_or_a_time_that_there_is_not_is_not_believed(absurd: str) -> None:
    """Some of them ended the worker, again after every restart: a rejection cannot name such a place."""
    assert restored(headers_of(restored(STOOD.items(), b"", READS)), b"", READS).at.offset == 7
    with pytest.raises(InvalidRecord) as caught:
        restored(headers(absurd), b"value", READS)
    assert caught.value.reason == "record_invalid"


def put(world: World, key: str, value: bytes, said: Headers) -> None:
    """Write to the topic of deferred frames with the administrator's account, as of this van."""
    given: Sequence[tuple[str, bytes]] = [(name, text) for name, text in said if text is not None]
    with BoundedProducer(world.centre.kafka()) as producer:
        producer.send(Topic.FRAME_DEFERRED, key.encode(), value, given).result(30)


@pytest.mark.services
def test_nothing_is_computed_in_anothers_name_and_the_worker_goes_on(world: World) -> None:
    honest, other = Van(world), Van(world)
    screening, of_other = honest.screening(sweep(4)), other.screening(sweep(2))
    frame = of_other.frames[0]
    with nobody_ends(world, "segment"):
        for absurd in ABSURD:
            put(world, honest.van_id, screening.frames[0].value, headers(absurd))
        # In the place of another record, under another van's name, and with a frame that names a van that did not sign.
        now = datetime.now(UTC)
        put(world, honest.van_id, frame.value, stood(screening.frames[0].key, now).items())
        forged = frame.value.replace(other.van_id.encode(), honest.van_id.encode())
        put(world, honest.van_id, forged, stood(frame.key, now).items())
        # Behind all of these in their partition: one that is as a stage writes it, though under the other's name.
        put(world, honest.van_id, of_other.frames[1].value, stood(frame.key, now).items())

        def results() -> list[FrameSegmented]:
            of_these = {screening.screening_id, of_other.screening_id}
            return [one for one in world.records(Topic.FRAME_SEGMENTED, FrameSegmented) if one.screening_id in of_these]

        world.until(results, "the last of them has its result")
        told = rejected(world, 2, screening_id=of_other.screening_id)
    assert {(one.reason, one.van_id, one.verified) for one in told} == {
        ("key_contradicts_record", other.van_id, True),
        ("signature_invalid", honest.van_id, False),
    }
    assert [(one.van_id, one.frame_id) for one in results()] == [(other.van_id, of_other.frames[1].item_id)]
    assert world.records(Topic.RECORD_REJECTED, RecordRejected, screening.screening_id) == []
    honest.send(screening.items)
    wait_for(world, screening, "complete")
