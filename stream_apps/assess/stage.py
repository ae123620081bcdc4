"""The assess stage: all that is known of a screening to its next revision. Run by `sonovan worker assess`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from aiokafka.errors import KafkaError

from sonovan.contracts.derivation import USUAL, Programme
from sonovan.contracts.errors import Transient
from sonovan.contracts.results import IntendedUse, ScreeningAssessed
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import Topic, Writer
from sonovan.reports.document import Identity
from sonovan.reports.phrases import Language
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.assess.answering import report_receipt
from sonovan.stream_apps.assess.ending import RowLife, due_ends
from sonovan.stream_apps.assess.received import Verify
from sonovan.stream_apps.assess.report import store_report
from sonovan.stream_apps.assess.settings import AssessSettings, ProgrammeSettings
from sonovan.stream_apps.assess.step import assess, due_ticks, subject_of
from sonovan.stream_apps.assess.takeover import read_published, reflected, watermark, watermark_row
from sonovan.stream_apps.faust_options import consumer_options
from sonovan.stream_apps.skipping import Passed
from sonovan.stream_apps.stage import Given, Message, Outcome, Outgoing, Row, Rows, Stage, Tables

READS: Final = (
    Topic.SCREENING_OPENED,
    Topic.SEQUENCE_CLOSED,
    Topic.SCREENING_CLOSED,
    Topic.FEATURES_RECORDED,
    Topic.SCREENING_AMENDED,
    Topic.FRAME_SEGMENTED,
    Topic.RECORD_REJECTED,
    Topic.SCREENING_TICKED,
    Topic.SCREENING_ERASED,
    Topic.SCREENING_PROMOTED,
    Topic.FRAME_REVIEWED,
)
"""All of them in one channel, one message at a time, so that rows are never written by two."""


ReadPublished = Callable[[int, int, Passed], Awaitable[tuple[list[ScreeningAssessed], int]]]
"""(partition, offset, what is passed) → the revisions from there on, and the end; raises KafkaError, Fatal."""


async def open_stage(given: Given) -> Stage:
    """Nothing to open but the settings."""
    settings, programme = read_settings(AssessSettings), read_settings(ProgrammeSettings).programme
    published = partial(read_published, consumer_options(given.broker))
    return assess_stage(
        given.tables, given.vans.verify, given.store, settings, given.worker.intended_use, published, programme
    )


def assess_stage(
    tables: Tables,
    verify: Verify,
    store: ObjectStore,
    settings: AssessSettings,
    intended_use: IntendedUse,
    published: ReadPublished,
    programme: Programme = USUAL,
) -> Stage:
    """The stage over these tables. published: reads the revisions that stand in a partition of `screening.assessed`.
    programme: what the site chooses of the clinical rules.
    """

    async def catch_up(partition: int, skips: Passed) -> Outcome:
        try:
            revisions, end = await published(partition, watermark(tables.get), skips)
        except KafkaError as error:
            raise Transient(f"the broker is away ({type(error).__name__})") from error
        rows = reflected(tables.get, revisions, end)
        # Whoever sent them may have died before the van was told.
        return Outcome(records=(tuple(map(report_receipt, revisions)),), published=lambda _: rows)

    look_at: datetime | None = None

    def tick(now: datetime) -> list[Outgoing]:
        nonlocal look_at
        ticks = due_ticks(tables.items("waiting"), now)
        if look_at is None or now >= look_at:
            ticks += due_ends(tables.items("ending"), now)
            look_at = now + timedelta(seconds=settings.end_every_s)
        return [Outgoing(Topic.SCREENING_TICKED, each.screening_id, each) for each in ticks]

    return Stage(
        name=Writer.ASSESS,
        reads=READS,
        process=partial(
            assessed,
            row=tables.get,
            verify=verify,
            store=store,
            incomplete_after=settings.incomplete_after,
            life=settings.row_life,
            intended_use=intended_use,
            language=settings.report_language,
            shows=settings.report_shows,
            programme=programme,
        ),
        subject_of=partial(subject_of, verify=verify),
        unknown_van_wait_s=settings.unknown_van_wait_s,
        catch_up=catch_up,
        tick=tick,
        tick_every_s=settings.tick_every_s,
    )


def assessed(
    message: Message,
    *,
    row: Row,
    verify: Verify,
    store: ObjectStore,
    incomplete_after: timedelta,
    life: RowLife,
    intended_use: IntendedUse,
    language: Language,
    programme: Programme = USUAL,
    shows: frozenset[Identity] = frozenset(),
) -> Outcome:
    """The report, rows of what was received, the revision with what belongs to it, rows of what was published.

    The rows of what was received are durable before a revision is sent: whoever takes over after a crash knows no less
    than the newest revision does (docs/decisions/0019). The revision is sent when its sequences are durable: once it
    stands in its topic, nobody makes it again.
    """
    taken = assess(message, row, verify, incomplete_after, programme, life)
    decided = taken.decided

    def published(offsets: Mapping[str, int]) -> Rows:
        offset = offsets.get(Topic.SCREENING_ASSESSED)
        return taken.published if offset is None else {**taken.published, **watermark_row(offset + 1)}

    outcome = Outcome(None, taken.received, (decided.sequences, decided.records), published, taken.van_id)
    revision = decided.revision
    if revision is None:
        return outcome

    def reported() -> Outcome:
        named = store_report(revision, store, intended_use, language, shows)
        return replace(outcome, records=(decided.sequences, decided.naming(named)))

    return replace(outcome, store=reported)
