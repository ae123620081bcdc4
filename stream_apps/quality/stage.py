"""The quality stage: what was outlined and how it was reviewed to figures and faults. Run by `sonovan worker quality`.

It reads results where their screening is, sends on one record for each screening and network, and reads those where
the network is: so any number of workers share the work, and each figure is made in one place.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.quality import ScreeningObserved
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.reviews import FrameReviewed
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import Topic, Writer
from sonovan.storage.stores import ObjectStore
from sonovan.stream_apps.quality.rows import TABLE, sampled
from sonovan.stream_apps.quality.settings import QualitySettings
from sonovan.stream_apps.quality.watching import erased, frame, measured, revision
from sonovan.stream_apps.quality.windows import WatchBounds, observed
from sonovan.stream_apps.reviewed_masks import overlap_of_review
from sonovan.stream_apps.stage import Given, Message, Outcome, Row, Rows, Stage, Tables

READS: Final = (
    Topic.FRAME_SEGMENTED,
    Topic.SCREENING_ASSESSED,
    Topic.FRAME_REVIEWED,
    Topic.SCREENING_ERASED,
    Topic.SCREENING_OBSERVED,
)

_INDEX: Final = re.compile(rb'"frame_index":(\d{1,6})[,}]')
"""The one field of a result by which seven of eight are passed over unread."""


async def open_stage(given: Given) -> Stage:
    """Nothing to open but the settings."""
    settings = read_settings(QualitySettings)
    bounds = WatchBounds(settings.bounds, settings.reference, settings.flags_a_day, settings.rolling)
    return quality_stage(given.tables, given.store, bounds)


def quality_stage(tables: Tables, store: ObjectStore, bounds: WatchBounds) -> Stage:
    """The stage over these tables."""

    def row(kind: str, key: str) -> bytes | None:
        return tables.get(TABLE, f"{kind}/{key}")

    def process(message: Message) -> Outcome:
        return in_one_table(watched(message, row=row, store=store, bounds=bounds))

    return Stage(name=Writer.QUALITY, reads=READS, process=process)


def in_one_table(outcome: Outcome) -> Outcome:
    """The outcome with its rows, which it names by kind and key, in the one table."""
    store, published = outcome.store, outcome.published

    def stored() -> object:
        done = None if store is None else store()
        return in_one_table(done) if isinstance(done, Outcome) else done

    def renamed(offsets: Mapping[str, int]) -> Rows:
        rows = {} if published is None else published(offsets)
        return {(TABLE, f"{kind}/{key}"): row for (kind, key), row in rows.items()}

    return replace(outcome, store=None if store is None else stored, published=None if published is None else renamed)


def watched(message: Message, *, row: Row, store: ObjectStore, bounds: WatchBounds) -> Outcome:
    """What a message leads to. Raises InvalidRecord for one that cannot be read."""
    match message.at.topic:
        case Topic.FRAME_SEGMENTED:
            index = _INDEX.search(message.value)
            if index is not None and not sampled(int(index[1])):
                return Outcome()
            return frame(FrameSegmented.decode(message.value), row)
        case Topic.SCREENING_ASSESSED:
            return revision(ScreeningAssessed.decode(message.value), row)
        case Topic.FRAME_REVIEWED:
            review = FrameReviewed.decode(message.value)
            if not review.blind or review.compared is None:
                return Outcome()  # whoever saw the machine's outline measures nothing
            # Rows are read here, in the event loop; the masks are read in a thread.
            keys = (review.screening_id, f"{review.screening_id}/reviews")
            known = {("screenings", key): row("screenings", key) for key in keys}
            return Outcome(store=partial(_compared, review, store, known))
        case Topic.SCREENING_ERASED:
            return erased(ScreeningErased.decode(message.value).screening_id, row)
        case _:
            return observed(ScreeningObserved.decode(message.value), row, message.at.appended_at, bounds)


def _compared(review: FrameReviewed, store: ObjectStore, known: Mapping[tuple[str, str], bytes | None]) -> Outcome:
    """Read both masks and go on with what they say of each other; nothing where one was erased meanwhile.

    known: the rows of the screening.

    Raises InvalidRecord `object_contradicts_record` for a mask that is not the one that was named, or no such picture.
    """
    try:
        overlap = overlap_of_review(review, store)
    except KeyError:
        return Outcome()
    return measured(review, overlap, lambda table, key: known[table, key])
