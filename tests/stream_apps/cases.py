"""Every stage over `memory.World`, and a stage that only tests have: what it reads, opened as a worker opens it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from sonovan.clinical.alert_settings import AlertSettings
from sonovan.clinical.quality.drift import DriftBounds
from sonovan.contracts.answers import RecordRejected, RejectedRetried
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import mint_id
from sonovan.contracts.quality import FeatureValue, LookAt, ReviewedFrame, ScreeningObserved
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.outbox import Outbox
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.alert.ladder import Ladder
from sonovan.stream_apps.alert.stage import alert_stage
from sonovan.stream_apps.alert.step import RuleSet
from sonovan.stream_apps.assess.settings import AssessSettings
from sonovan.stream_apps.assess.stage import assess_stage
from sonovan.stream_apps.catalog.settings import CatalogSettings
from sonovan.stream_apps.catalog.stage import catalog_stage
from sonovan.stream_apps.quality.stage import quality_stage
from sonovan.stream_apps.quality.windows import WatchBounds
from sonovan.stream_apps.rejecting import Coordinates, reject
from sonovan.stream_apps.segment.settings import SegmentSettings
from sonovan.stream_apps.segment.stage import segment_stage
from sonovan.stream_apps.skipping import Passed
from sonovan.stream_apps.stage import Message, Outcome, Outgoing, Stage
from tests.clinical.records import SCREENING
from tests.storage.catalogue.dump import everything as kept
from tests.stream_apps.alert.scene import revision
from tests.stream_apps.assess.scene import Desk, Scene
from tests.stream_apps.catalog.scene import KEY, messages
from tests.stream_apps.memory import MemoryTables, Opener, World
from tests.stream_apps.quality.scene import erasure, frame, review
from tests.stream_apps.quality.scene import revision as whole_screening
from tests.stream_apps.segment.frames import TestVan
from tests.stream_apps.segment.threshold import ThresholdSegmenter


@dataclass
class Case:
    """A stage, a world with messages for it, and what is seen from outside when all of them are through.

    first_stored: which of the messages is the first to store anything.
    """

    world: World
    open: Opener
    seen: Callable[[], object]
    first_stored: int = 0


def records_sent(world: World) -> set[tuple[str, bytes, bytes]]:
    """What stands in topics, each content once: a redelivery may send a record again, and the same."""
    return {(topic, key, _untimed(topic, value)) for topic, key, value in world.sent}


def everything(world: World) -> tuple[object, ...]:
    """Objects, records and rows that outlive a worker."""
    return dict(world.store.objects), records_sent(world), dict(world.changelog)


def _untimed(topic: str, value: bytes) -> bytes:
    """A result without its timings, which no digest holds."""
    if topic != Topic.FRAME_SEGMENTED:
        return value
    return FrameSegmented.decode(value).model_copy(update={"timings_ms": {}}).encode()


def segment_case(_folder: Path) -> Case:
    """Frames of one van over two partitions, one of them damaged."""
    van, world = TestVan(screening_id=SCREENING, sequence_id=mint_id(1), private_key=generate_key()), World()
    world.registry.learn(van.enrolled())
    key = van.sequence_id.encode()
    for index in range(5):
        value = van.frame(index)
        world.append(Topic.FRAME_CAPTURED, value[:-20] if index == 2 else value, key, partition=index % 2)
    settings = SegmentSettings(in_flight=3)

    def open_stage(world: World, _tables: MemoryTables) -> Stage:
        return segment_stage(ThresholdSegmenter(), world.registry, world.store, settings)

    return Case(world, open_stage, lambda: everything(world))


def assess_case(_folder: Path) -> Case:
    """A whole screening, a record that is none, and a tick after the end."""
    scene, world = Scene(frames=3, lesion=range(3)), World()
    desk = Desk(scene)
    world.registry.learn(VanEnrolled.first(scene.van_id, public_key(scene.private), world.now))
    said = scene.everything()
    for number, message in enumerate(map(desk.message_of, said)):
        world.append(message.at.topic, message.value, message.key)
        if number == 1:
            world.append(Topic.FRAME_SEGMENTED, b"{", message.key)
    settings = AssessSettings(incomplete_after_s=600.0)

    async def published(_partition: int, offset: int, _skips: Passed) -> tuple[list[ScreeningAssessed], int]:
        there = [value for topic, _, value in world.sent if topic == Topic.SCREENING_ASSESSED]
        return [ScreeningAssessed.decode(value) for value in there[offset:]], len(there)

    def open_stage(world: World, tables: MemoryTables) -> Stage:
        return assess_stage(tables, world.registry.verify, world.store, settings, "research", published)

    return Case(
        world,
        open_stage,
        lambda: (dict(world.store.objects), records_sent(world), dict(world.changelog)),
        first_stored=2,
    )


def alert_case(folder: Path) -> Case:
    """Revisions that raise and withdraw an alert, with one that cannot be read between them."""
    world = World()
    for value in (
        revision(1, {1: "suspicious"}).encode(),
        b"\xff",
        revision(2, {1: "harmless"}).encode(),
        revision(3, {1: "harmless", 2: "suspicious"}).encode(),
    ):
        world.append(Topic.SCREENING_ASSESSED, value)
    url = sqlite_url(folder / "outbox.sqlite")

    def open_stage(world: World, _tables: MemoryTables) -> Stage:
        rules, verify = RuleSet.of(AlertSettings()), world.registry.verify
        return alert_stage(Outbox(url), rules, Ladder(), verify, now=lambda: world.now.timestamp())

    def owed() -> list[tuple[str, bytes]]:
        outbox, later, found = Outbox(url), world.now + timedelta(days=1), list[tuple[str, bytes]]()
        while batch := outbox.claim("topic", later, timedelta(days=1)):
            for each in batch:
                outbox.delivered(each.key, later)
                found.append((each.key, each.body))
        outbox.close()
        return found

    return Case(world, open_stage, lambda: (everything(world), owed()))


def catalog_case(folder: Path) -> Case:
    """Some of all that is said of one screening, and a revision that cannot be read."""
    world = World()
    for message in messages()[::5]:
        world.append(message.at.topic, message.value, message.key)
    world.append(Topic.SCREENING_ASSESSED, b"\xff")
    world.registry.learn(VanEnrolled.first("van-1", public_key(KEY), world.now))
    world.registry.learn(VanEnrolled.first("van-2", public_key(KEY), world.now))
    database = open_database(f"sqlite:///{folder / 'catalog.sqlite'}")
    database.prepare()

    def open_stage(world: World, _tables: MemoryTables) -> Stage:
        settings = CatalogSettings(in_flight=4)
        return catalog_stage(database, world.registry.verify, world.store, settings, lambda: world.now.timestamp())

    return Case(world, open_stage, lambda: (everything(world), kept(database)))


def quality_case(_folder: Path) -> Case:
    """Screenings, reviews and an erasure, and what was sent on of others: windows fill, one drifts, a fault begins."""
    world = World()
    world.append(Topic.FRAME_SEGMENTED, b"{")
    frames = [frame(1, index).encode() for index in (0, 1, 8, 16)]
    drawn = [review(world, 1, at=at, drawn=drawn).encode() for at, drawn in ((1, 10), (2, 5))]
    for topic, value in (
        *((Topic.FRAME_SEGMENTED, value) for value in frames[:-1]),
        (Topic.SCREENING_ASSESSED, whole_screening(1).encode()),
        (Topic.FRAME_SEGMENTED, frames[-1]),
        *((Topic.FRAME_REVIEWED, value) for value in drawn),
        *((Topic.SCREENING_OBSERVED, sent_on(number).encode()) for number in range(12)),
        (Topic.SCREENING_ERASED, erasure(1).encode()),
        (Topic.SCREENING_OBSERVED, sent_on(3).model_copy(update={"erased": True}).encode()),
    ):
        world.append(topic, value)
    bounds = WatchBounds(DriftBounds(window=4, reference_windows=2, rate=0.5), flags_a_day=2, rolling=4)

    def open_stage(world: World, tables: MemoryTables) -> Stage:
        return quality_stage(tables, world.store, bounds)

    return Case(world, open_stage, lambda: everything(world))


def sent_on(number: int) -> ScreeningObserved:
    """A screening that quality sends on; those from the ninth on are bright."""
    return ScreeningObserved(
        screening_id=mint_id(number + 1, lambda count: bytes(count)),
        model_id="lite2-unet-3",
        fingerprint="ab" * 32,
        organ="breast",
        van_id="van-1",
        values=(
            FeatureValue(feature="brightness", value=100.0 + number + 100 * (number > 7)),
            FeatureValue(feature="predicted", value=0.5),
        ),
        look_at=LookAt(sequence_id=mint_id(99, lambda count: bytes(count)), frame_index=8, predicted=0.5),
        reviewed=(ReviewedFrame(dice=0.9, iou=0.8, outlined=True, predicted=0.5),) if number in (3, 6) else None,
    )


def toy_case(_folder: Path) -> Case:
    """Rejections for a stage that only tests have: it counts them by reason, and sends each count."""
    world = World()
    for number, reason in enumerate(
        ("van_unknown", "envelope_corrupt", "van_unknown", "record_invalid", "van_unknown")
    ):
        at = Coordinates("frame.captured.v1", 0, number, world.now)
        record = reject("segment", InvalidRecord(reason, "of a test"), at, b"bytes").record
        world.append(Topic.RECORD_REJECTED, record.encode(), partition=number % 2)

    def open_stage(_world: World, tables: MemoryTables) -> Stage:
        return Stage(name="toy", reads=(Topic.RECORD_REJECTED,), process=partial(count, tables=tables))

    return Case(
        world,
        open_stage,
        lambda: (dict(world.store.objects), records_sent(world), dict(world.changelog)),
        first_stored=3,
    )


def count(message: Message, *, tables: MemoryTables) -> Outcome:
    """The toy's step. A row says at which message it was counted last, so that a redelivery counts nothing twice."""
    record = RecordRejected.decode(message.value)
    if record.reason == "record_invalid":
        raise InvalidRecord("record_invalid", "what was invalid is counted by nobody")
    counted = set((tables.get("counts", record.reason) or b"").decode().split()) | {record.rejection_id}
    told = Outgoing(Topic.REJECTED_RETRIED, record.reason, _told(record, len(counted)))
    return Outcome(received={("counts", record.reason): " ".join(sorted(counted)).encode()}, records=((told,),))


def _told(record: RecordRejected, number: int) -> Record:
    return RejectedRetried(rejection_id=record.rejection_id, retried_at=record.rejected_at + timedelta(seconds=number))


CASES: Final = {
    "segment": segment_case, "assess": assess_case, "alert": alert_case, "catalog": catalog_case,
    "quality": quality_case, "toy": toy_case,
}  # fmt: skip
