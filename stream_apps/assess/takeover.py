"""Catch up with what was published but not yet written down.

A worker may die between the send of a revision and the row that remembers it. Whoever takes the partition
over, with the old data folder or an empty one, reads the few revisions that its rows do not reflect from
`screening.assessed` itself, so that lesions keep their names and revision numbers never repeat.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.assess.rows import WATERMARK, PublishedRow, WatermarkRow, published_row
from sonovan.stream_apps.stage import Row, Rows


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


async def read_published(
    consumer_options: Mapping[str, Any], partition: int, from_offset: int
) -> tuple[list[ScreeningAssessed], int]:
    """The revisions in a partition of `screening.assessed` from an offset to its present end, and that end.

    consumer_options: aiokafka's connection options. Raises aiokafka's KafkaError where the broker is away.
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
            revisions.append(ScreeningAssessed.decode(message.value))
        return revisions, end
    finally:
        await consumer.stop()
