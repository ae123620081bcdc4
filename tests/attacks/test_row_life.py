"""What can be traced to a woman leaves the tables of `assess`, on a real broker: rows, changelogs, and their disk."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from sonovan.centre import Centre, down, start_worker, up
from sonovan.contracts.answers import RecordRejected, VanAnswered
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.signatures import public_key
from sonovan.contracts.topics import TABLES, Topic, Writer, changelog_topic, van_answered_topic
from sonovan.contracts.van import VanEnrolled
from sonovan.transport.client import client_options
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests.stream_apps.assess.scene import EPOCH, Desk, Scene
from tests.waiting import until

pytestmark = pytest.mark.services

await_true = partial(until, what="the condition came true", deadline_s=180.0)
PERSONAL = re.compile(rb"subject_key|age_years")
SOON = {
    "SONOVAN_ASSESS_SETTLED_ROW_DAYS": str(8 / 86400),
    "SONOVAN_ASSESS_END_EVERY_S": "0.5",
    "SONOVAN_ASSESS_TICK_EVERY_S": "0.5",
}
CHANGELOGS = {table: changelog_topic(Writer.ASSESS, table) for table in TABLES[Writer.ASSESS]}
AT_ONCE = {
    "segment.ms": "1000",
    "min.cleanable.dirty.ratio": "0.001",
    "max.compaction.lag.ms": "1000",
    "delete.retention.ms": "600000",
}
"""What Kafka does within a day, within seconds."""


@pytest.fixture(scope="module")
def site(service_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A centre of its own whose worker of `assess` deletes the rows of a complete screening after 8 s."""
    path = tmp_path_factory.mktemp("rows") / "state"
    try:
        centre = up(path, apps=())
        client = KafkaAdminClient(**client_options(centre.kafka()))
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, AT_ONCE) for name in CHANGELOGS.values()])
        client.close()
        start_worker(centre, "assess", app_environment=SOON)
        yield centre
    finally:
        down(path)


def sent(centre: Centre, desk: Desk, *said: tuple[Topic, Record]) -> None:
    with BoundedProducer(centre.kafka()) as producer:
        for message in map(desk.message_of, said):
            producer.send(message.at.topic, message.key or b"", message.value).result(30)


def newest(centre: Centre, table: str) -> dict[bytes, bytes | None]:
    """Each key's last row in a table's changelog; None is a tombstone."""
    return {message.key or b"": message.value for message in read_all(centre.kafka(), CHANGELOGS[table])}


def test_rows_of_a_complete_screening_go_from_table_and_disk_and_what_is_late_is_named(site: Centre) -> None:
    scene = Scene(frames=5)
    desk = Desk(scene)
    with BoundedProducer(site.kafka()) as producer:
        enrolled = VanEnrolled.first(scene.van_id, public_key(scene.private), datetime.now(UTC))
        producer.send(Topic.VAN_ENROLLED, scene.van_id.encode(), enrolled.encode()).result(30)
    site.enrol_van(scene.van_id)
    clinical = FeaturesRecorded(
        screening_id=scene.screening_id, van_id=scene.van_id, features_number=1, recorded_at=EPOCH, age_years=52
    )
    sent(site, desk, (Topic.FEATURES_RECORDED, clinical), *scene.everything())

    def statuses() -> list[str]:
        records = [message.decode() for message in read_all(site.kafka(), Topic.SCREENING_ASSESSED)]
        return [record.status for record in records if isinstance(record, ScreeningAssessed)]

    await_true(lambda: statuses()[-1:] == ["complete"])
    own = scene.screening_id.encode()
    stone = re.compile(rb'"ended_at":"')
    await_true(lambda: newest(site, "ending").get(own, b"") is None)
    assert stone.search(newest(site, "screenings")[own] or b"")
    assert [row for row in newest(site, "results").values() if row is not None] == []
    assert [row for row in newest(site, "sequences").values() if row is not None] == []
    assert newest(site, "published")[own] is None

    sent(site, desk, scene.screening_closed(number=2), scene.frame(2))

    def rejections() -> list[RecordRejected]:
        records = [message.decode() for message in read_all(site.kafka(), Topic.RECORD_REJECTED)]
        return [record for record in records if isinstance(record, RecordRejected)]

    await_true(lambda: len(rejections()) == 2)
    assert {(each.reason, each.screening_id) for each in rejections()} == {("screening_ended", scene.screening_id)}
    answers = [
        VanAnswered.decode(message.value or b"")
        for message in read_all(site.kafka(), van_answered_topic(scene.van_id).name)
    ]
    assert (answers[-1].kind, answers[-1].reason) == ("rejected", "screening_ended")
    assert len(statuses()) == statuses().index("complete") + 1

    # Kafka's cleaner looks every 15 s, and only at segments in which nothing is written any more.
    def traces() -> list[Path]:
        kept = site.path.glob("kafka/data/sonovan-assess-*-changelog-*/*.log")
        return [path for path in kept if PERSONAL.search(path.read_bytes())]

    await_true(lambda: traces() == [])
