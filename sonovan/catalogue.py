"""Make the catalogue again from the topics, beside the one that answers, and put it in its place."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Final

from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.storage.catalogue.changes import Change, Place
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.storage.catalogue.rebuilding import Rebuilding, census
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.settings import ObjectStoreSettings
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.catalog.reading import READS, change_of
from sonovan.stream_apps.vans import VanRegistry
from sonovan.transport.bulk import Bulk
from sonovan.transport.tail import Message, read_all

NEARLY: Final = 2000
"""With no more messages to read than these the new catalogue is put in place: workers wait while they are read."""

Said = Callable[[str], None]


@dataclass
class Rebuilt:
    """What was done: messages read, of them left out (no use can be made of them), rows sent, seconds it took."""

    messages: int = 0
    left_out: int = 0
    rows: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Rebuilt") -> "Rebuilt":
        """What two processes did."""
        return Rebuilt(
            self.messages + other.messages, self.left_out + other.left_out, self.rows + other.rows, self.seconds
        )  # fmt: skip


def rebuild(
    url: str,
    broker: BrokerSettings,
    objects: ObjectStoreSettings,
    *,
    fresh: bool = False,
    processes: int = 1,
    say: Said = lambda _: None,
) -> Rebuilt:
    """Make the catalogue at `url` again from all topics while the old one answers, and switch to it.

    One that was begun is gone on with, unless `fresh`. What topics have forgotten is taken over from the old one.
    processes: how many read at once, each its part of every topic's partitions; SQLite has one writer, and takes one.
    Raises Transient where broker or database is away; running it again goes on. Raises Fatal as these do.
    """
    began, database = time.monotonic(), open_database(url)
    try:
        database.prepare()
        making, parts = Rebuilding(database), processes if database.dialect == "postgresql" else 1
        begin = making.begin(fresh=fresh)
        if parts > 1:
            say(f"{parts} processes read the topics")
            with ProcessPoolExecutor(parts, mp_context=get_context("spawn")) as pool:
                filled = [pool.submit(_fill, url, broker, objects, part, parts) for part in range(parts)]
                done = sum((each.result() for each in filled), Rebuilt())
            begin = making.begin(fresh=False)
        else:
            done = Rebuilt()
        reading = Reading(registry_of(broker), MinioStore(objects), done)
        with Bulk(broker, READS, begin) as topics:
            while (behind := topics.behind()) > NEARLY:
                say(f"{behind} messages to read")
                _read(topics, reading, making)
            making.switch(lambda: map(reading.changes, topics.to_the_end()), topics.reached)
    finally:
        database.close()
    done.seconds = time.monotonic() - began
    return done


def _fill(url: str, broker: BrokerSettings, objects: ObjectStoreSettings, part: int, parts: int) -> "Rebuilt":
    """In a process of its own: write a part of all partitions into the catalogue that is being made."""
    database, done = open_database(url), Rebuilt()
    try:
        making = Rebuilding(database)
        reading = Reading(registry_of(broker), MinioStore(objects), done)
        with Bulk(broker, READS, making.begin(fresh=False), part=part, parts=parts) as topics:
            _read(topics, reading, making)
    finally:
        database.close()
    return done


def _read(topics: Bulk, reading: "Reading", making: Rebuilding) -> None:
    for batch in topics.to_the_end():
        reading.done.rows += making.write(reading.changes(batch))


@dataclass(frozen=True)
class Standing:
    """Where the catalogue stands. rows: of each table. behind: messages of each topic that are not in it yet.

    making: how many messages another catalogue that is being made is behind; None where none is.
    """

    version: str | None
    rows: Mapping[str, int]
    behind: Mapping[str, int]
    making: int | None

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "version": self.version, "rows": dict(self.rows), "behind": dict(self.behind), "making_behind": self.making,
        }  # fmt: skip


def standing(database: Database, broker: BrokerSettings) -> Standing:
    """Where the catalogue stands. Raises Transient where broker or database is away, or it was never made."""
    counted = census(database)
    with Bulk(broker, READS, {}) as topics:
        ends = topics.ends()

    def behind(read: Mapping[tuple[str, int], int]) -> dict[str, int]:
        found = dict.fromkeys(map(str, READS), 0)
        for spot, (first, end) in ends.items():
            found[spot[0]] += end - min(end, max(first, read.get(spot, 0)))
        return found

    making = None if counted.making is None else sum(behind(counted.making).values())
    return Standing(counted.version, counted.rows, behind(counted.read), making)


@dataclass
class Reading:
    """Turns messages into what they change. A message that cannot be used is counted and left out: its stage said
    so."""

    vans: VanRegistry
    store: ObjectStore
    done: Rebuilt

    def changes(self, batch: Iterable[Message]) -> list[Change]:
        """What these messages change."""
        return list(self._changes(batch))

    def _changes(self, batch: Iterable[Message]) -> Iterator[Change]:
        for each in batch:
            self.done.messages += 1
            place = Place.of(each.topic, each.partition, each.offset, each.appended_at)
            try:
                yield change_of(place, each.key, each.value or b"", each.appended_at, self.vans.verify, self.store)
            except InvalidRecord:
                self.done.left_out += 1
                yield Change(place, ())


def registry_of(broker: BrokerSettings) -> VanRegistry:
    """Every van that was ever enrolled, with all its keys."""
    registry = VanRegistry()
    for message in read_all(broker, Topic.VAN_ENROLLED):
        if isinstance(van := message.decode(), VanEnrolled):
            registry.learn(van)
    return registry
