"""What a consumer may be enrolled for."""

import pytest

from sonovan.consumers import chosen_topics
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.topics import TOPICS, Topic, van_answered_topic
from sonovan.transport.grants import consumer_grants, may_be_consumers


@pytest.mark.parametrize("personal", [False, True])
def test_a_vans_answers_are_for_no_consumer(personal: bool) -> None:
    with pytest.raises(InvalidRecord, match=r"van\.answered\.van-1\.v1"):
        chosen_topics([Topic.LESION_ALERTED, van_answered_topic("van-1").name], personal=personal)


@pytest.mark.parametrize("personal", [False, True])
def test_whatever_is_chosen_stays_when_access_is_aligned(personal: bool) -> None:
    allowed = [str(row.name) for row in TOPICS.values() if personal or not row.personal]
    for named in ([], *([topic] for topic in allowed)):
        assert all(map(may_be_consumers, consumer_grants("ana", chosen_topics(named, personal=personal))))
