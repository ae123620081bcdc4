"""`sonovan skip` on a real broker: the stage reads it before it takes a message; the reason stays with the operator."""

import asyncio
import hashlib
from functools import partial

import pytest

from sonovan.centre import Centre
from sonovan.contracts.answers import RecordSkipped
from sonovan.contracts.errors import Fatal
from sonovan.contracts.topics import Topic
from sonovan.storage.audit import Audit
from sonovan.stream_apps.assess.takeover import read_published
from sonovan.stream_apps.faust_options import consumer_options
from sonovan.stream_apps.skipping import read_skips
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests import command
from tests.command import Told

pytestmark = pytest.mark.services

WHY = "ends assess since noon, seen by the one on duty"


def sonovan(centre: Centre, *arguments: str) -> Told:
    return command.sonovan("skip", *arguments, "--state", str(centre.path))


def test_a_revision_that_cannot_be_read_ends_a_take_over_until_somebody_has_it_passed(centre: Centre) -> None:
    with BoundedProducer(centre.kafka()) as producer:
        sent = producer.send(Topic.SCREENING_ASSESSED, b"k", b"no revision").result(30)
    broker = centre.kafka("assess")
    published = partial(read_published, consumer_options(broker), sent.partition, sent.offset)
    place = (sent.topic, str(sent.partition), str(sent.offset))
    with pytest.raises(Fatal, match=f"sonovan skip assess {' '.join(place)} --why"):
        asyncio.run(published())
    told = sonovan(centre, "assess", *place, "--why", WHY)
    assert told.returncode == 0, told.stderr
    assert asyncio.run(published(asyncio.run(read_skips(broker, "assess")))) == ([], sent.offset + 1)


def test_a_skip_is_read_by_its_stage_alone_and_its_words_stay_in_the_audit(centre: Centre) -> None:
    with BoundedProducer(centre.kafka()) as producer:
        sent = producer.send(Topic.SEQUENCE_CLOSED, b"poison", b"poison").result(30)
    place = (sent.topic, str(sent.partition), str(sent.offset))
    done = sonovan(centre, "assess", *place, "--why", WHY)
    assert done.returncode == 0, done.stderr
    assert (sent.topic, sent.partition, sent.offset) in asyncio.run(read_skips(centre.kafka("assess"), "assess"))
    assert (sent.topic, sent.partition, sent.offset) not in asyncio.run(read_skips(centre.kafka("segment"), "segment"))
    messages = read_all(centre.kafka("reader"), Topic.RECORD_SKIPPED)
    assert all(WHY.encode() not in (message.value or b"") for message in messages)
    record = messages[-1].decode()
    assert isinstance(record, RecordSkipped)
    assert record.why_sha256 == hashlib.sha256(WHY.encode()).hexdigest()
    audit = Audit(centre.path)
    line = list(audit.acts())[-1]
    assert (line["why"], line["about"]["offset"], audit.verify().broken) == (WHY, sent.offset, None)


def test_what_is_not_there_or_not_read_is_refused(centre: Centre) -> None:
    beyond = sonovan(centre, "assess", Topic.SEQUENCE_CLOSED, "0", "999999999", "--why", WHY)
    assert beyond.returncode == 2
    assert "nothing stands at" in beyond.stderr
    foreign = sonovan(centre, "alert", Topic.FRAME_CAPTURED, "0", "0", "--why", WHY)
    assert foreign.returncode == 2
    assert "does not read" in foreign.stderr
