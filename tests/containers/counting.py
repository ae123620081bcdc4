"""What of the sent frames and screenings stands in the topics and in the store, and what stands there twice."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import SecretStr

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.digests import result_digest
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.settings import ObjectStoreSettings
from sonovan.storage.stores import get_named
from sonovan.transport.tail import read_all

RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True)
class Centre:
    """How this machine's commands read at a centre in containers, by the account `reader`."""

    kafka: BrokerSettings
    store: MinioStore

    @classmethod
    def at(cls, ports: Mapping[str, int], secrets: Mapping[str, str]) -> "Centre":
        """ports: those that are published. secrets: what stands in `.env`."""
        kafka = BrokerSettings(
            bootstrap=f"127.0.0.1:{ports['BROKER_PORT']}",
            username="reader",
            password=SecretStr(secrets["SONOVAN_KAFKA_READER_PASSWORD"]),
        )
        store = ObjectStoreSettings(
            endpoint=f"127.0.0.1:{ports['STORE_PORT']}",
            access_key=secrets["SONOVAN_S3_READER_ACCESS_KEY"],
            secret_key=SecretStr(secrets["SONOVAN_S3_READER_SECRET_KEY"]),
        )
        return cls(kafka, MinioStore(store))

    def records(self, topic: Topic, kind: type[RecordT], screenings: Iterable[str]) -> list[RecordT]:
        """The records of these screenings."""
        wanted = set(screenings)
        found = [record for message in read_all(self.kafka, topic) if isinstance(record := message.decode(), kind)]
        return [record for record in found if getattr(record, "screening_id", None) in wanted]

    def account(self, sent: Mapping[str, set[str]]) -> dict[str, int]:
        """How much is lost and doubled of the frames of each screening.

        A record may stand in a topic twice (at least once); doubled is a name with more than one content.
        """
        results = self.records(Topic.FRAME_SEGMENTED, FrameSegmented, sent)
        revisions = self.records(Topic.SCREENING_ASSESSED, ScreeningAssessed, sent)
        complete = {one.screening_id for one in revisions if one.status == "complete"}
        contents: dict[object, set[object]] = defaultdict(set)
        for result in results:
            contents[result.frame_id, result.fingerprint].add(result_digest(result))
        for one in revisions:
            contents[one.screening_id, one.revision_number].add(one.revision_id)
            contents[one.revision_id].add(one.encode())
        objects = {(Bucket.FRAMES, one.image_key, one.image_sha256) for one in results}
        return {
            "frames lost": len(set().union(*sent.values()) - {one.frame_id for one in results}),
            "frames of nobody": len({one.frame_id for one in results} - set().union(*sent.values())),
            "reports lost": len(sent.keys() - complete),
            "objects lost": sum(not self._stands(*each) for each in objects),
            "doubled": sum(len(each) > 1 for each in contents.values()),
        }

    def _stands(self, bucket: str, key: str | None, sha256: str | None) -> bool:
        try:
            return key is not None and sha256 is not None and bool(get_named(self.store, bucket, key, sha256))
        except (KeyError, InvalidRecord):
            return False
