"""Catch up with what was published but not yet written down.

A worker may die between the send of a revision and the row that remembers it. Whoever takes the partition
over, with the old data folder or an empty one, reads the few revisions that its rows do not reflect from
`screening.assessed` itself, so that lesions keep their names and revision numbers never repeat.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.assess.rows import WATERMARK, PublishedRow, WatermarkRow, published_row
from sonovan.stream_apps.skipping import Passed
from sonovan.stream_apps.stage import Row, Rows

log = logging.getLogger(__name__)


def reflected(row: Row, revisions: Iterable[ScreeningAssessed], next_offset: int) -> Rows:
    """The `published` rows that hold these revisions (in topic order) as well, and the new watermark."""
    known: dict[str, PublishedRow] = {}
    for assessed in revisions:
        screening_id = assessed.screening_id
        before = known.get(screening_id) or _published(row, screening_id)
        if before is None or assessed.revision_number >= before.revision_number:
            trigger = before.trigger if before and before.revision_id == assessed.revision_id else None
            known[screening_id] = published_row(assessed, before, trigger)
    written = {("published", name): each.model_dump_json().encode() for name, each in known.items()}
    return {**written, **watermark_row(next_offset)}


def watermark_row(next_offset: int) -> Rows:
    """The row that says: everything before this offset of the partition of `screening.assessed` is in the rows."""
    return {("published", WATERMARK): WatermarkRow(next_offset=next_offset).model_dump_json().encode()}


def watermark(row: Row) -> int:
    """The first offset of this partition of `screening.assessed` that the rows do not reflect."""
    data = row("published", WATERMARK)
    return 0 if data is None else WatermarkRow.model_validate_json(data).next_offset


def _published(row: Row, screening_id: str) -> PublishedRow | None:
    data = row("published", screening_id)
    return None if data is None else PublishedRow.model_validate_json(data)


def _revision(data: bytes | None, at: str) -> ScreeningAssessed:
    try:
        return ScreeningAssessed.decode(data or b"")
    except InvalidRecord as error:
        raise Fatal(
            f"{at.replace(' ', '/')} is no revision ({error.reason}), and what it should say is unknown; "
            f"to go on without it: sonovan skip assess {at} --why REASON"
        ) from error


async def read_published(
    consumer_options: Mapping[str, Any], partition: int, from_offset: int, skips: Passed = frozenset()
) -> tuple[list[ScreeningAssessed], int]:
    """The revisions in a partition of `screening.assessed` from an offset to its present end, and that end.

    consumer_options: aiokafka's connection options. skips: what an operator told the stage to pass. Raises aiokafka's
    KafkaError where the broker is away, Fatal for a message that is no revision: what it was to say of lesions' names
    and revision numbers is unknown, so that a person must decide to go on without it.
    """
    place = TopicPartition(Topic.SCREENING_ASSESSED, partition)
    consumer = AIOKafkaConsumer(enable_auto_commit=False, **consumer_options)
    await consumer.start()
    try:
        consumer.assign([place])
        end: int = (await consumer.end_offsets([place]))[place]
        begin: int = (await consumer.beginning_offsets([place]))[place]
        position = max(from_offset, begin)
        revisions: list[ScreeningAssessed] = []
        if position < end:
            consumer.seek(place, position)
        while position < end:
            message = await consumer.getone()
            position = message.offset + 1
            if (place.topic, partition, message.offset) in skips:
                log.error("%s/%d/%d is passed by an operator's wish", place.topic, partition, message.offset)
                continue
            revisions.append(_revision(message.value, f"{place.topic} {partition} {message.offset}"))
        return revisions, end
    finally:
        await consumer.stop()
