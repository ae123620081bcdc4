"""Records: valid once constructed, tolerant of newer minors, no free text."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, ValidationError

from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import STAGES, TABLES, TOPICS, Topic, Writer, van_answered_topic
from sonovan.contracts.van import Consent, PlannedRegion, ScreeningOpened

MOMENT = datetime(2026, 3, 1, 8, tzinfo=UTC)
OPENED = ScreeningOpened(
    screening_id=mint_id(), van_id="van-1", subject_key="ab" * 32, site_code="site-1", opened_at=MOMENT,
    planned=(PlannedRegion(organ="breast", side="left"),), consent=Consent(screening=True, ai=True),
)  # fmt: skip


def changed(**fields: object) -> bytes:
    return json.dumps(json.loads(OPENED.encode()) | fields).encode()


def test_a_record_comes_out_as_it_went_in_and_codes_the_same_way_twice():
    assert ScreeningOpened.decode(OPENED.encode()) == OPENED
    assert OPENED.encode() == ScreeningOpened.decode(OPENED.encode()).encode()


def test_fields_of_a_newer_minor_are_ignored_deep_down_too():
    planned = [{"organ": "breast", "side": "left", "region": None, "quadrant": 3}]
    data = changed(schema="screening.opened/1.7", colour="blue", planned=planned)
    assert ScreeningOpened.decode(data) == OPENED


def test_a_newer_major_is_from_the_future():
    with pytest.raises(InvalidRecord) as caught:
        ScreeningOpened.decode(changed(schema="screening.opened/2.0"))
    assert caught.value.reason == "schema_from_future"


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b'"text"', b"\xff\xfe", changed(schema="screening.closed/1.0"),
     changed(schema="screening.opened/x"), changed(van_id=None),
     changed(site_code="Village of the Lake"), changed(opened_at="2026-03-01T08:00:00")],
)  # fmt: skip
def test_anything_else_is_invalid_and_says_nothing_of_the_value(data):
    with pytest.raises(InvalidRecord) as caught:
        ScreeningOpened.decode(data)
    assert caught.value.reason == "record_invalid"
    assert "Lake" not in caught.value.message


def test_a_message_without_a_value_is_invalid():
    with pytest.raises(InvalidRecord) as caught:
        ScreeningOpened.decode(None)  # type: ignore[arg-type]  # Kafka knows messages without a value
    assert caught.value.reason == "record_invalid"


def test_an_unforeseen_error_says_nothing_of_the_value():
    with pytest.raises(ValidationError) as caught:
        ScreeningOpened.model_validate(json.loads(changed(subject_key="Mrs Somebody")))
    assert "Somebody" not in str(caught.value)


def test_constructors_forbid_what_they_do_not_know():
    with pytest.raises(ValidationError):
        FeaturesRecorded(
            screening_id=mint_id(),
            van_id="van-1",
            features_number=1,
            recorded_at=MOMENT,
            note="she says it hurts",  # type: ignore[call-arg]
        )


def test_not_asked_is_not_none_found():
    asked = FeaturesRecorded(screening_id=mint_id(), van_id="van-1", features_number=1, recorded_at=MOMENT, symptoms=())
    not_asked = asked.model_copy(update={"symptoms": None})
    assert FeaturesRecorded.decode(asked.encode()).symptoms == ()
    assert FeaturesRecorded.decode(not_asked.encode()).symptoms is None


CLINICAL = {"subject_key", "age_years", "sex", "symptoms", "tsh_miu_per_l", "slip_number"}


def holds_who_she_is(kind: type[BaseModel]) -> bool:
    """Whether a record, or a part of it, has a field that tells who a woman is."""
    return any(f'"{name}":' in json.dumps(kind.model_json_schema()) for name in CLINICAL)


def test_a_topic_is_marked_as_personal_where_its_record_says_who_she_is():
    holding = {spec.name for spec in TOPICS.values() if holds_who_she_is(spec.value)}
    assert holding == {spec.name for spec in TOPICS.values() if spec.personal}


def test_no_topic_kept_for_ever_holds_who_she_is():
    for spec in TOPICS.values():
        if spec.retention_ms < 0:
            assert not holds_who_she_is(spec.value), spec.name


def test_topics_that_are_read_together_have_one_partition_count():
    """Faust pairs partitions by number: `segment` reads frames alone, and everything else may be read with a table."""
    frames = {Topic.FRAME_CAPTURED: 96, Topic.FRAME_DEFERRED: 24}
    assert {spec.partitions for name, spec in TOPICS.items() if name not in frames} == {12}
    for name, partitions in frames.items():
        assert TOPICS[name].partitions == partitions
        assert TOPICS[name].readers & set(STAGES) == {Writer.SEGMENT}
    assert Writer.SEGMENT not in TABLES


def test_a_vans_answers_have_one_partition_since_one_van_reads_them():
    assert van_answered_topic("one").partitions == 1
