"""What of the sent frames and screenings stands in the topics and in the store, and what stands there twice."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from benchmarks.accounting import doubled, records, stands
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.digests import result_digest
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.settings import ObjectStoreSettings


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

    def account(self, sent: Mapping[str, set[str]]) -> dict[str, int]:
        """How much is lost and doubled of the frames of each screening.

        A record may stand in a topic twice (at least once); doubled is a name with more than one content.
        """
        results = records(self.kafka, Topic.FRAME_SEGMENTED, FrameSegmented, sent)
        revisions = records(self.kafka, Topic.SCREENING_ASSESSED, ScreeningAssessed, sent)
        complete = {one.screening_id for one in revisions if one.status == "complete"}
        objects = {(one.image_key, one.image_sha256) for one in results}
        return {
            "frames lost": len(set().union(*sent.values()) - {one.frame_id for one in results}),
            "frames of nobody": len({one.frame_id for one in results} - set().union(*sent.values())),
            "reports lost": len(sent.keys() - complete),
            "objects lost": sum(not stands(self.store, Bucket.FRAMES, *each) for each in objects),
            "doubled": doubled(((one.frame_id, one.fingerprint), result_digest(one)) for one in results)
            + doubled(((one.screening_id, one.revision_number), one.revision_id) for one in revisions)
            + doubled((one.revision_id, one.encode()) for one in revisions),
        }
