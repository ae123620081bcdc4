"""From the topic table to topics on a broker."""

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.errors import Transient
from sonovan.contracts.topics import (
    DEFERRED_PARTITIONS,
    FRAME_PARTITIONS,
    TABLES,
    TOPIC_PARTITIONS,
    TOPICS,
    Topic,
    changelog_topic,
    van_answered_topic,
)
from sonovan.transport.plan import (
    PlannedTopic,
    answered_van,
    changed_configs,
    differences,
    planned_topics,
    refuse_fewer_brokers,
    spec_named,
)

van_ids = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,31}\Z")


def test_every_row_every_changelog_and_every_vans_answers_are_planned() -> None:
    changelogs = {changelog_topic(stage, table) for stage, tables in TABLES.items() for table in tables}
    answers = {van_answered_topic(van_id).name for van_id in ("one", "two")}
    assert (
        planned_topics(1, ["one", "two", "one"]).keys() == {row.name for row in TOPICS.values()} | changelogs | answers
    )


@given(brokers=st.integers(1, 9))
def test_topics_have_the_tables_partitions_and_no_more_replicas_than_brokers(brokers: int) -> None:
    others = {
        Topic.FRAME_CAPTURED.value: FRAME_PARTITIONS,
        Topic.FRAME_DEFERRED.value: DEFERRED_PARTITIONS,
        van_answered_topic("one").name: 1,
    }
    for name, topic in planned_topics(brokers, ["one"]).items():
        assert topic.partitions == others.get(name, TOPIC_PARTITIONS)
        assert 1 <= int(topic.configs["min.insync.replicas"]) <= topic.replication_factor <= brokers
        assert topic.configs["message.timestamp.type"] == "LogAppendTime"


def test_three_brokers_give_three_replicas_two_in_sync() -> None:
    topic = planned_topics(3)[Topic.FRAME_SEGMENTED.value]
    assert (topic.replication_factor, topic.configs["min.insync.replicas"]) == (3, "2")
    assert "flush.messages" not in topic.configs


def test_nothing_is_made_while_fewer_brokers_are_there_than_topics_have_copies() -> None:
    three, one = planned_topics(3).values(), planned_topics(1).values()
    refuse_fewer_brokers(3, three, 1)
    refuse_fewer_brokers(1, one, 1)
    refuse_fewer_brokers(1, [], 1)
    for there, found, wanted in ((2, three, 1), (2, [], 3), (1, one, 3)):
        with pytest.raises(Transient, match=f"{there} of 3 brokers are there"):
            refuse_fewer_brokers(there, found, wanted)


def test_a_single_broker_flushes_all_but_frames_and_ticks() -> None:
    unflushed = {name for name, topic in planned_topics(1).items() if "flush.messages" not in topic.configs}
    assert unflushed == {Topic.FRAME_CAPTURED.value, Topic.FRAME_DEFERRED.value, Topic.SCREENING_TICKED.value}


def test_changelogs_and_the_registry_are_compacted_and_kept() -> None:
    compacted = {name for name, topic in planned_topics(1).items() if topic.configs["cleanup.policy"] == "compact"}
    changelogs = {changelog_topic(stage, table) for stage, tables in TABLES.items() for table in tables}
    assert compacted == changelogs | {Topic.VAN_ENROLLED.value}
    assert {planned_topics(1)[name].configs["retention.ms"] for name in compacted} == {"-1"}
    for name in changelogs:  # else a deleted row stays on the disk for as long as half of the log is newer
        assert int(planned_topics(1)[name].configs["max.compaction.lag.ms"]) <= 24 * 3600 * 1000


def test_no_size_deletes_what_the_vans_of_a_full_cell_send_within_the_time() -> None:
    """docs/scale.md: a frame that nobody has looked at must not go because others came."""
    vans, women, frame, record = 190, 60, 120 * 1024, 1024
    sent = {
        Topic.FRAME_CAPTURED: 2 * vans * women * 600 * frame,
        Topic.FRAME_DEFERRED: 2 * vans * women * 600 * frame,
        Topic.SCREENING_OPENED: 90 * vans * women * record,
        Topic.FEATURES_RECORDED: 90 * vans * women * record,
        Topic.SCREENING_AMENDED: 90 * vans * women * record,  # as if every one was amended
        Topic.VAN_REPORTED: 7 * vans * 720 * record,  # every two minutes
    }
    for name, topic in planned_topics(1).items():
        size = int(topic.configs["retention.bytes"])
        if name in sent:
            assert size * topic.partitions > 3.5 * sent[Topic(name)]
        else:
            assert size == -1, name


def test_a_message_limit_reaches_every_topic() -> None:
    assert {t.configs["max.message.bytes"] for t in planned_topics(1, max_message_bytes=4096).values()} == {"4096"}


@given(van_id=van_ids)
def test_a_vans_topic_names_the_van(van_id: str) -> None:
    topic = van_answered_topic(van_id)
    assert answered_van(topic.name) == van_id
    assert spec_named(topic.name) == topic


def test_every_name_of_the_table_finds_its_row_and_others_do_not() -> None:
    assert {spec_named(row.name) for row in TOPICS.values()} == set(TOPICS.values())
    for name in ("frame.captured", "van.answered..v1", "sonovan-assess-results-changelog"):
        assert answered_van(name) is None
        with pytest.raises(KeyError):
            spec_named(name)


def test_every_difference_is_named() -> None:
    wanted = planned_topics(3)[Topic.SCREENING_TICKED.value]
    found = PlannedTopic(wanted.name, 1, 1, MappingProxyType({**wanted.configs, "retention.ms": "1", "unplanned": "x"}))
    assert differences(wanted, wanted) == []
    assert differences(wanted, found) == [
        "screening.ticked.v1: 1 partitions, the table says 12",
        "screening.ticked.v1: 1 replicas, possible are 3",
        "screening.ticked.v1: retention.ms is 1, the table says 86400000",
    ]
    assert changed_configs(wanted, found) == {"retention.ms": "86400000"}
