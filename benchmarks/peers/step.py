"""What every peer does with a frame: the project's own functions, and how it reaches the broker.

A peer is a program that is told everything by its environment, as the product's worker is: SONOVAN_KAFKA_*,
SONOVAN_S3_*, SONOVAN_MODELS_*, and BENCH_PEERS_GROUP, BENCH_PEERS_FOLDER and BENCH_PEERS_VAN (a file with the enrolment
of the van whose frames come).
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sonovan import models
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.contracts.van import VanEnrolled
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.settings import ObjectStoreSettings
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.stream_apps.segment.stage import SWITCH_S
from sonovan.stream_apps.segment.step import put_objects, segment_envelope
from sonovan.stream_apps.vans import VanRegistry

CAPTURED: Final = Topic.FRAME_CAPTURED.value
SESSION_MS: Final = 10_000
"""How long the broker waits for a killed program before others get its partitions: the product's."""
SETTINGS: Final = SegmentSettings()

Record = tuple[str, bytes, bytes]
"""Topic, key and value."""


class Step:
    """The network, the store and the registry of vans, opened."""

    def __init__(self) -> None:
        sys.setswitchinterval(SWITCH_S)
        self._segmenter = models.load()
        self._store = MinioStore(read_settings(ObjectStoreSettings))
        self._registry = VanRegistry()
        self._registry.learn(VanEnrolled.decode(Path(os.environ["BENCH_PEERS_VAN"]).read_bytes()))
        (folder() / f"open-{os.getpid()}").touch()

    def records(self, value: bytes, key: bytes | None) -> list[Record]:
        """Segments a frame and makes its objects durable; the result and the receipt, to be sent in this order."""
        store, records = self.computed(value, key)
        store()
        return records

    def computed(self, value: bytes, key: bytes | None) -> tuple[Callable[[], None], list[Record]]:
        """What makes the objects of a frame durable, and what is sent once they are."""
        frame = segment_envelope(
            value, append_time=datetime.now(UTC), registry=self._registry, segmenter=self._segmenter, key=key
        )
        receipt = van_answered_topic(frame.receipt.van_id).name
        return lambda: put_objects(self._store, frame), [
            (Topic.FRAME_SEGMENTED.value, frame.record.screening_id.encode(), frame.record.encode()),
            (receipt, frame.record.screening_id.encode(), frame.receipt.encode()),
        ]


class Threads:
    """The step in as many threads as the product's worker has: some compute, others store."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._compute = ThreadPoolExecutor(SETTINGS.compute_threads)
        self._store = ThreadPoolExecutor(SETTINGS.store_threads)

    def begin(self, value: bytes, key: bytes | None) -> "Future[list[Record]]":
        """The records of a frame, once its objects are durable."""
        done: Future[list[Record]] = Future()
        self._compute.submit(self._computed, value, key, done)
        return done

    def _computed(self, value: bytes, key: bytes | None, done: "Future[list[Record]]") -> None:
        try:
            store, records = self._step.computed(value, key)
        except BaseException as error:  # whoever waits for it is told
            done.set_exception(error)
            return
        self._store.submit(store).add_done_callback(lambda stored: _end(stored, records, done))


def _end(stored: "Future[None]", records: list[Record], done: "Future[list[Record]]") -> None:
    error = stored.exception()
    if error is None:
        done.set_result(records)
    else:
        done.set_exception(error)


def group() -> str:
    """The consumer group of this peer."""
    return os.environ["BENCH_PEERS_GROUP"]


def folder() -> Path:
    """This peer's own folder, kept while it is killed and started again."""
    return Path(os.environ["BENCH_PEERS_FOLDER"])


def librdkafka(**more: Any) -> dict[str, Any]:
    """Connection settings of librdkafka, with what is asked for beside them."""
    broker = read_settings(BrokerSettings)
    return {
        "bootstrap.servers": broker.bootstrap,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": broker.username,
        "sasl.password": broker.password.get_secret_value(),
        **more,
    }


def producing() -> dict[str, Any]:
    """Of a producer: every replica has a record before it counts as sent, and records may be as large as frames."""
    return {"acks": "all", "linger.ms": 0, "message.max.bytes": read_settings(BrokerSettings).max_message_bytes}


def consuming() -> dict[str, Any]:
    """Of a consumer that commits nothing by itself."""
    return {
        "group.id": group(),
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "session.timeout.ms": SESSION_MS,
        "heartbeat.interval.ms": 2000,
        "fetch.message.max.bytes": 2 * 1024 * 1024,
        "queued.max.messages.kbytes": 32 * 1024,
    }
