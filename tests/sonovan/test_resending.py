"""What people decided about rejected records is done one decision after the other, whatever is wrong with one."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from sonovan.contracts.answers import RecordRejected, RejectedHandled, RejectedRetried
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.contracts.topics import Topic
from sonovan.resending import Follower
from sonovan.storage.folder_store import FolderStore
from sonovan.stream_apps.rejecting import Coordinates, Rejection, Subject, Unusable, reject
from tests.stream_apps.segment.frames import NOW, TestVan


@dataclass
class Known(Follower):
    """A follower that knows the rejections already, without a broker to read them from."""

    known: dict[str, RecordRejected] = field(default_factory=dict)

    def _rejections(self, wanted: set[str]) -> Mapping[str, RecordRejected]:
        return {name: record for name, record in self.known.items() if name in wanted}


class Sending:
    """What a producer would send. too_large: a value that no broker takes."""

    def __init__(self, too_large: bytes) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self._too_large = too_large

    def send(self, topic: str, _key: bytes, value: bytes, _headers: object = ()) -> "Future[object]":
        if value == self._too_large:
            raise InvalidRecord("record_too_large", "")
        self.sent.append((topic, value))
        done: Future[object] = Future()
        done.set_result(object())
        return done


def rejected(store: FolderStore, number: int, kept: bytes | None = None) -> Rejection:
    """A frame that was rejected. kept: what lies in quarantine where that is not what the van sent."""
    van = TestVan()
    error = Unusable(InvalidRecord("van_unknown", ""), Subject(van.van_id, van.screening_id, None, None, "ab" * 32))
    made = reject("segment", error, Coordinates(Topic.FRAME_CAPTURED, 0, number, NOW), van.frame(0))
    store.put(made.quarantine.bucket, made.quarantine.key, kept or made.quarantine.data, "")
    return made


def test_a_decision_that_cannot_be_done_is_noted_and_those_after_it_go_on(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    damaged, large, good = rejected(store, 0, b"damaged"), rejected(store, 1), rejected(store, 2)
    told = list[str]()
    follower = Known(BrokerSettings(bootstrap="127.0.0.1:9", username="r", password="p"), store, told.append)
    for made in (damaged, large, good):
        follower.known[made.record.rejection_id] = made.record
        decision = RejectedHandled(
            handling_id=mint_id(), rejection_id=made.record.rejection_id, decision="retry", by="en-1", handled_at=NOW
        )
        follower._asked[decision.handling_id] = decision
    asked = list(follower._asked)
    producer = Sending(too_large=large.quarantine.data)
    follower._act(producer)  # type: ignore[arg-type]  # a producer without a broker
    notes = [RejectedRetried.decode(value) for topic, value in producer.sent if topic == Topic.REJECTED_RETRIED]
    assert [(each.handling_id, each.outcome) for each in notes] == list(
        zip(asked, ("gone", "refused", "sent"), strict=True)
    )
    assert [value for topic, value in producer.sent if topic == Topic.FRAME_CAPTURED] == [good.quarantine.data]
    assert [each.partition(": ")[2] for each in told] == [
        "gone (object_contradicts_record)", "refused (record_too_large)", "sent",
    ]  # fmt: skip
    assert follower._asked == {}
