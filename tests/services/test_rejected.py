"""`sonovan rejected` on a real broker and a real store."""

import json
from typing import Any

import pytest

from sonovan.centre import Centre
from sonovan.console.sending import Sender
from sonovan.contracts.answers import RejectedHandled, RejectedRetried
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic
from sonovan.resending import Follower
from sonovan.storage.minio_store import MinioStore
from sonovan.stream_apps.rejecting import Coordinates, Rejection, Subject, Unusable, message_key, reject
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests import command
from tests.command import Told
from tests.stream_apps.segment.frames import NOW, TestVan

pytestmark = pytest.mark.services


def rejected(centre: Centre, reason: str, damaged: bool = False, van_id: str | None = None) -> Rejection:
    """A frame that segment would have rejected, with its bytes in quarantine. damaged: other bytes lie there."""
    van = TestVan(van_id=van_id or f"van-{mint_id()[-10:]}")
    frame = f"{van.sequence_id}/000000"
    error = Unusable(InvalidRecord(reason, ""), Subject(van.van_id, van.screening_id, frame, frame, "ab" * 32))
    made = reject("segment", error, Coordinates(Topic.FRAME_CAPTURED, 0, int(mint_id()[-6:], 16), NOW), van.frame(0))
    kept = made.quarantine
    MinioStore(centre.store("segment")).put(
        kept.bucket, kept.key, b"damaged" if damaged else kept.data, kept.content_type
    )
    with BoundedProducer(centre.kafka()) as producer:
        producer.send(Topic.RECORD_REJECTED, message_key(made.record).encode(), made.record.encode()).result(30)
    return made


def sonovan(centre: Centre, *arguments: str) -> Told:
    return command.sonovan("rejected", *arguments, "--state", str(centre.path))


def shown(centre: Centre, rejection_id: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sonovan(centre, "show", rejection_id).stdout)
    return document


def test_a_retry_sends_the_same_bytes_again_and_says_so(centre: Centre) -> None:
    made = rejected(centre, "van_unknown")
    record = made.record
    assert shown(centre, record.rejection_id)["retried_at"] == []
    again = sonovan(centre, "retry", record.rejection_id[:16])
    assert again.returncode == 0, again.stderr
    assert record.frame_id is not None
    key = record.frame_id.partition("/")[0].encode()
    (message,) = [one for one in read_all(centre.kafka(), Topic.FRAME_CAPTURED) if one.key == key]
    assert message.value == made.quarantine.data
    assert message.headers["screening_id"].decode() == record.screening_id
    retried = [one.decode() for one in read_all(centre.kafka(), Topic.REJECTED_RETRIED)]
    assert record.rejection_id in {one.rejection_id for one in retried if isinstance(one, RejectedRetried)}
    rows = json.loads(sonovan(centre, "list", "--json").stdout)
    assert [row["retried"] for row in rows if row["id"] == record.rejection_id] == [True]
    document = shown(centre, record.rejection_id)
    assert document["quarantine"] == f"sonovan-quarantine/{record.quarantine_key}"
    assert len(document["retried_at"]) == 1


def test_all_of_a_reason_are_sent_again_once(centre: Centre) -> None:
    """Of one van: other tests of this broker leave rejections of the same reason behind."""
    first = rejected(centre, "van_unknown")
    van = str(first.record.van_id)
    others = [rejected(centre, "van_unknown"), rejected(centre, "record_invalid")]
    done = sonovan(centre, "retry", "--reason", "van_unknown", "--van", van)
    assert (done.returncode, done.stdout.count("sent again")) == (0, 1), done.stderr
    again = sonovan(centre, "retry", "--reason", "van_unknown", "--van", van)
    assert (again.returncode, "nothing with the reason van_unknown" in again.stdout) == (0, True)
    forced = sonovan(centre, "retry", "--reason", "van_unknown", "--van", van, "--force")
    assert forced.stdout.count("sent again") == 1
    assert all(shown(centre, each.record.rejection_id)["retried_at"] == [] for each in others)
    assert sonovan(centre, "retry").returncode == 2


def test_of_a_reason_one_that_is_damaged_in_quarantine_is_told_and_those_after_it_are_sent(centre: Centre) -> None:
    damaged = rejected(centre, "van_unknown", damaged=True)
    van = str(damaged.record.van_id)
    rejected(centre, "van_unknown", van_id=van)
    done = sonovan(centre, "retry", "--reason", "van_unknown", "--van", van)
    assert (done.returncode, done.stdout.count("sent again")) == (3, 1), done.stderr
    assert f"{damaged.record.rejection_id[:12]}: sonovan-quarantine/{damaged.record.quarantine_key}" in done.stderr
    assert "replaced or damaged" in done.stderr


def test_what_cannot_become_right_is_retried_only_by_force(centre: Centre) -> None:
    record = rejected(centre, "pixels_corrupt").record
    refused = sonovan(centre, "retry", record.rejection_id)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert sonovan(centre, "retry", record.rejection_id, "--force").returncode == 0


def test_an_unknown_id_is_a_wrong_usage(centre: Centre) -> None:
    assert sonovan(centre, "show", "no-such-id").returncode == 2


def test_what_the_console_asks_for_is_sent_again_by_the_account_that_may_and_nothing_else(centre: Centre) -> None:
    """Of four decisions one is for a frame whose bytes are damaged, one for a frame that no try can help, and one was
    taken back before it was seen."""
    damaged = rejected(centre, "van_unknown", damaged=True)
    made, corrupt, discarded = (rejected(centre, each) for each in ("van_unknown", "pixels_corrupt", "van_unknown"))
    ask = Sender(lambda: centre.kafka("console"))

    def decide(about: Rejection, decision: str) -> RejectedHandled:
        because = "trial" if decision == "discard" else None
        record = RejectedHandled.model_validate(
            {
                "handling_id": mint_id(), "rejection_id": about.record.rejection_id, "decision": decision,
                "because": because, "by": "en-1", "handled_at": NOW,
            }
        )  # fmt: skip
        ask(record)
        return record

    asked = [decide(each, "retry") for each in (damaged, made, corrupt, discarded)]
    decide(discarded, "discard")
    ask.close()

    def outcomes() -> dict[str, str]:
        notes = [each.readable() for each in read_all(centre.kafka("reader"), Topic.REJECTED_RETRIED)]
        kept = [each for each in notes if isinstance(each, RejectedRetried)]
        return {each.handling_id: each.outcome for each in kept if each.handling_id is not None}

    told, looks = list[str](), list[bool]()
    broker, store = centre.kafka("retrier"), MinioStore(centre.store("retrier"))
    for _ in range(2):  # the second time as after a restart: nothing is sent twice
        Follower(broker, store, told.append, lambda: looks.append(True)).follow(lambda _: True)
    found = outcomes()
    assert [found.get(each.handling_id) for each in asked] == ["gone", "sent", "refused", None]
    assert made.record.frame_id is not None
    key = made.record.frame_id.partition("/")[0].encode()
    sent = [one for one in read_all(centre.kafka(), Topic.FRAME_CAPTURED) if one.key == key]
    assert [one.value for one in sent] == [made.quarantine.data]
    assert told.count("follows what is decided about rejected records") == len(looks) == 2
