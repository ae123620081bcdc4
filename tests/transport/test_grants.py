"""From the topic table to who may do what."""

from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.topics import (
    APP_IDS,
    PEOPLE,
    STAGES,
    TABLES,
    TOPICS,
    Topic,
    Writer,
    changelog_topic,
    van_answered_topic,
)
from sonovan.transport.acls import account_of, entry, grant_of
from sonovan.transport.grants import (
    Grant,
    Operation,
    Resource,
    all_grants,
    consumer_account,
    consumer_grants,
    consumer_topics,
    is_project_account,
    may_be_consumers,
    person_grants,
    stage_grants,
    van_account,
    van_grants,
)

van_ids = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,31}\Z")


def allows(grants: set[Grant], operation: Operation, resource: Resource, name: str) -> bool:
    """As Kafka decides: a literal grant of this name, or a prefixed one whose name begins it."""
    return any(
        grant.operation == operation
        and grant.resource == resource
        and (name.startswith(grant.name) if grant.prefixed else name == grant.name)
        for grant in grants
    )


def may_read(grants: set[Grant], topic: str) -> bool:
    return allows(grants, Operation.READ, Resource.TOPIC, topic)


def may_write(grants: set[Grant], topic: str) -> bool:
    return allows(grants, Operation.WRITE, Resource.TOPIC, topic)


def test_each_account_writes_and_reads_just_its_rows() -> None:
    roles = {stage: stage_grants(stage) for stage in STAGES} | {
        Writer.VAN: van_grants("one"),
    }
    roles |= {person: person_grants(person) for person in PEOPLE}
    for role, grants in roles.items():
        for row in TOPICS.values():
            assert may_write(grants, row.name) == (role in row.writers), (role, row.name)
            assert may_read(grants, row.name) == (role in row.readers), (role, row.name)


@given(one=van_ids, other=van_ids)
def test_a_van_reads_no_other_vans_answers_and_joins_no_other_vans_group(one: str, other: str) -> None:
    grants = van_grants(one)
    assert may_read(grants, van_answered_topic(one).name)
    if one != other:
        assert not may_read(grants, van_answered_topic(other).name)
        assert not allows(grants, Operation.READ, Resource.GROUP, van_account(other))
        assert not allows(grants, Operation.READ, Resource.GROUP, f"{van_account(other)}.watch")


@given(van_id=van_ids)
def test_no_van_writes_answers_or_changelogs(van_id: str) -> None:
    grants = van_grants(van_id)
    assert not may_write(grants, van_answered_topic(van_id).name)
    for stage, tables in TABLES.items():
        assert not any(may_write(grants, changelog_topic(stage, table)) for table in tables)


def test_segment_and_assess_write_every_vans_answers_and_none_reads_them() -> None:
    answers = van_answered_topic("any-van").name
    writers = {stage for stage in STAGES if may_write(stage_grants(stage), answers)}
    readers = {stage for stage in STAGES if may_read(stage_grants(stage), answers)}
    assert (writers, readers) == ({Writer.SEGMENT, Writer.ASSESS}, set())
    assert [person for person in PEOPLE if may_read(person_grants(person), answers)] == [Writer.READER]


def test_an_app_owns_its_changelogs_and_its_group_and_no_other_apps() -> None:
    for stage in STAGES:
        grants = stage_grants(stage)
        for other in STAGES:
            changelog = changelog_topic(other, "results")
            assert may_read(grants, changelog) == may_write(grants, changelog) == (stage == other)
            assert allows(grants, Operation.READ, Resource.GROUP, APP_IDS[other]) == (stage == other)


def test_nobody_but_the_apps_creates_anything() -> None:
    assert {grant.account for grant in all_grants({"one"}) if grant.operation == Operation.CREATE} == set(STAGES)


def test_only_the_reader_and_segment_read_frames() -> None:
    reading = {g.account for g in all_grants({"one", "two"}) if may_read({g}, Topic.FRAME_CAPTURED.value)}
    assert reading == {"segment", "reader"}


def test_each_account_of_people_writes_what_its_commands_or_pages_need_and_no_more() -> None:
    written = {
        person: {str(row.name) for row in TOPICS.values() if may_write(person_grants(person), row.name)}
        for person in PEOPLE
    }
    vans = {str(row.name) for row in TOPICS.values() if Writer.VAN in row.writers and row.name != Topic.VAN_REPORTED}
    assert written == {
        Writer.REGISTRAR: {Topic.VAN_ENROLLED},
        Writer.RETRIER: {Topic.REJECTED_RETRIED} | vans,
        Writer.READER: set(),
        Writer.OPERATOR: {Topic.RECORD_SKIPPED, Topic.ALERT_ACKNOWLEDGED},
        Writer.CONSOLE: {
            Topic.FRAME_REVIEWED,
            Topic.FRAME_REPLAYED,
            Topic.SCREENING_ERASED,
            Topic.SCREENING_CONCLUDED,
            Topic.OUTCOME_RECORDED,
            Topic.ALERT_ACKNOWLEDGED,
            Topic.ALERT_HANDLED,
            Topic.REJECTED_HANDLED,
        },
        Writer.PROMOTER: {Topic.FRAME_SEGMENTED, Topic.SCREENING_PROMOTED},
    }


def test_the_console_sees_how_far_stages_are_and_reads_no_more_for_it() -> None:
    grants = person_grants(Writer.CONSOLE)
    described = {each.name for each in grants if (each.resource, each.operation) == ("GROUP", "DESCRIBE")}
    assert described == {*APP_IDS.values(), "sonovan-segment.deferred"}
    read = {each.name for each in grants if (each.resource, each.operation) == ("TOPIC", "READ")}
    assert read == {row.name for row in TOPICS.values() if Writer.CONSOLE in row.readers}
    groups = {each.name for each in grants if (each.resource, each.operation) == ("GROUP", "READ")}
    assert groups == {"console", "console."}, "it joins no stage's group"


def test_the_operator_sees_where_topics_end_that_a_stage_reads_and_reads_alerts_alone() -> None:
    grants = person_grants(Writer.OPERATOR)
    assert [row.name for row in TOPICS.values() if may_read(grants, row.name)] == [Topic.LESION_ALERTED]
    for row in TOPICS.values():
        assert allows(grants, Operation.DESCRIBE, Resource.TOPIC, row.name) == any(
            map(row.readers.__contains__, STAGES)
        )


def test_a_grant_survives_the_way_to_kafka_and_back() -> None:
    grants = all_grants({"one"})
    assert {grant_of(entry(grant)) for grant in grants} == grants
    assert {account_of(entry(grant)) for grant in grants} == {grant.account for grant in grants}
    assert all(is_project_account(grant.account) for grant in grants)
    assert not is_project_account("hospital-reader")


def test_a_consumer_reads_all_but_pixels_and_what_is_personal() -> None:
    left_out = {row.name for row in TOPICS.values()} - set(consumer_topics())
    assert left_out == {
        Topic.FRAME_CAPTURED,
        Topic.FRAME_DEFERRED,
        Topic.SCREENING_OPENED,
        Topic.FEATURES_RECORDED,
        Topic.SCREENING_AMENDED,
    }
    grants = consumer_grants("ana", consumer_topics())
    assert {grant.operation for grant in grants} == {Operation.READ}
    assert not any(may_read(grants, topic) for topic in left_out)


@given(van_ids, van_ids)
def test_no_consumer_shares_a_group_with_another(name: str, other: str) -> None:
    if name != other:
        grants = consumer_grants(name, consumer_topics())
        assert not allows(grants, Operation.READ, Resource.GROUP, consumer_account(other))
        assert not allows(grants, Operation.READ, Resource.GROUP, f"{consumer_account(other)}.x")


def test_a_consumers_grant_beyond_reading_the_table_is_no_grant_of_ours() -> None:
    account = consumer_account("ana")
    assert is_project_account(account)
    assert all(may_be_consumers(grant) for grant in consumer_grants("ana", [row.name for row in TOPICS.values()]))
    for operation, topic in (
        (Operation.WRITE, Topic.FRAME_SEGMENTED.value),
        (Operation.READ, van_answered_topic("van-1").name),
    ):
        assert not may_be_consumers(Grant(account, Resource.TOPIC, topic, operation))
    assert not may_be_consumers(Grant("operator", Resource.TOPIC, Topic.FRAME_SEGMENTED.value, Operation.READ))
