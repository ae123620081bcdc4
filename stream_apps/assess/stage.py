"""The assess stage: all that is known of a screening to its next revision. Run by `sonovan worker assess`."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final

from aiokafka.errors import KafkaError

from sonovan.contracts.errors import Transient
from sonovan.contracts.results import IntendedUse, ScreeningAssessed
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import Topic, Writer
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.assess.intake import KeyOf
from sonovan.stream_apps.assess.report import store_report
from sonovan.stream_apps.assess.rows import RECEIVED, WATERMARK, Draft, WatermarkRow
from sonovan.stream_apps.assess.settings import AssessSettings
from sonovan.stream_apps.assess.step import assess, due_ticks, report_receipt
from sonovan.stream_apps.assess.takeover import read_published, reflect, watermark
from sonovan.stream_apps.faust_options import consumer_options
from sonovan.stream_apps.stage import Given, Message, Outcome, Outgoing, Rows, Stage, Tables

READS: Final = (
    Topic.SCREENING_OPENED,
    Topic.SEQUENCE_CLOSED,
    Topic.SCREENING_CLOSED,
    Topic.FEATURES_RECORDED,
    Topic.FRAME_SEGMENTED,
    Topic.RECORD_REJECTED,
    Topic.SCREENING_TICKED,
)
"""All of them in one channel, one message at a time, so that rows are never written by two."""


ReadPublished = Callable[[int, int], Awaitable[tuple[list[ScreeningAssessed], int]]]
"""(partition, offset) → the revisions from there on, and the partition's end; raises KafkaError."""


async def open_stage(given: Given) -> Stage:
    """Nothing to open but the settings."""
    settings = read_settings(AssessSettings)
    published = partial(read_published, consumer_options(given.broker))
    return assess_stage(given.tables, given.vans.key_of, given.store, settings, given.worker.intended_use, published)


def assess_stage(
    tables: Tables,
    key_of: KeyOf,
    store: ObjectStore,
    settings: AssessSettings,
    intended_use: IntendedUse,
    published: ReadPublished,
) -> Stage:
    """The stage over these tables. published: reads the revisions that stand in a partition of `screening.assessed`."""

    async def catch_up(partition: int) -> Outcome:
        draft = Draft(tables.get)
        try:
            revisions, end = await published(partition, watermark(draft))
        except KafkaError as error:
            raise Transient(f"the broker is away ({type(error).__name__})") from error
        reflect(draft, revisions, end)
        # Whoever sent them may have died before the van was told.
        return Outcome(
            records=(tuple(report_receipt(each) for each in revisions),), published=lambda _: dict(draft.writes)
        )

    def tick(now: datetime) -> list[Outgoing]:
        ticks = due_ticks(dict(tables.items("waiting")), now)
        return [Outgoing(Topic.SCREENING_TICKED, each.screening_id, each) for each in ticks]

    return Stage(
        name=Writer.ASSESS,
        reads=READS,
        process=partial(
            assessed, tables=tables, key_of=key_of, store=store, settings=settings, intended_use=intended_use
        ),
        unknown_van_wait_s=settings.unknown_van_wait_s,
        catch_up=catch_up,
        tick=tick,
        tick_every_s=settings.tick_every_s,
    )


def assessed(
    message: Message,
    *,
    tables: Tables,
    key_of: KeyOf,
    store: ObjectStore,
    settings: AssessSettings,
    intended_use: IntendedUse,
) -> Outcome:
    """The rows of what was received, the report, the revision with all that belongs to it, the rows of what was
    published.

    The rows of what was received are durable before a revision is sent: whoever takes over after a crash knows no
    less than the newest revision does (docs/decisions/0006). The revision is sent when its sequences are durable:
    once it stands in its topic, nobody makes it again.
    """
    draft = Draft(tables.get)
    decided = assess(message, draft, key_of, settings.incomplete_after)
    parts = tuple(each for each in decided.records if each.topic == Topic.SEQUENCE_ASSESSED)
    rest = tuple(each for each in decided.records if each.topic != Topic.SEQUENCE_ASSESSED)
    received = {place: row for place, row in draft.writes.items() if place[0] in RECEIVED}

    def published(offsets: Mapping[str, int]) -> Rows:
        if Topic.SCREENING_ASSESSED in offsets:
            draft.put("published", WATERMARK, WatermarkRow(next_offset=offsets[Topic.SCREENING_ASSESSED] + 1))
        return {place: row for place, row in draft.writes.items() if place[0] not in RECEIVED}

    revision = decided.revision
    report = (
        None if revision is None else partial(store_report, revision, store, intended_use, settings.report_language)
    )
    return Outcome(store=report, received=received, records=(parts, rest), published=published)
