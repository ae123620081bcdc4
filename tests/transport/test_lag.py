"""How far stages are behind, from what their groups have committed and where topics end."""

from kafka import TopicPartition

from sonovan.contracts.topics import Topic, Writer
from sonovan.transport.lag import Lag, lags_of

FRAMES, DEFERRED = Topic.FRAME_CAPTURED.value, Topic.FRAME_DEFERRED.value


def test_what_is_left_is_counted_by_stage_and_topic_and_what_is_unknown_is_left_out() -> None:
    places = [TopicPartition(FRAMES, number) for number in range(4)]
    told = TopicPartition(DEFERRED, 0)
    committed = {
        "sonovan-segment": {places[0]: 7, places[1]: 20, places[2]: -1, places[3]: 5},
        "sonovan-segment.deferred": {told: 1},
        "sonovan-assess": {},
    }
    ends = {places[0]: 10, places[1]: 20, places[2]: 30, told: 1}  # of the last nobody may see where it ends
    assert lags_of(committed, ends) == [Lag(Writer.SEGMENT, FRAMES, 3, 1, 3), Lag(Writer.SEGMENT, DEFERRED, 0, 0, 0)]


def test_a_topic_that_was_made_again_is_not_ahead() -> None:
    place = TopicPartition(FRAMES, 0)
    assert lags_of({"sonovan-segment": {place: 50}}, {place: 3}) == [Lag(Writer.SEGMENT, FRAMES, 0, 0, 0)]


def test_what_was_there_before_the_moment_asked_for_and_is_left_waits() -> None:
    early, late = TopicPartition(FRAMES, 0), TopicPartition(FRAMES, 1)
    committed = {"sonovan-segment": {early: 4, late: 9}}
    (found,) = lags_of(committed, {early: 10, late: 12}, {early: 6, late: 3})
    assert (found.behind, found.waiting) == (9, 2)
