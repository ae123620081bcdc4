"""Catch up, after taking over partitions, with what was published and is not yet in the rows.

A worker may die between the send of a revision and the row that remembers it. Whoever takes the partition
over, with the old data folder or an empty one, reads the few revisions that its rows do not reflect from
`screening.assessed` itself, so that lesions keep their names and revision numbers never repeat.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.assess.rows import WATERMARK, Draft, PublishedRow, WatermarkRow


def published_row(assessed: ScreeningAssessed, before: PublishedRow | None, trigger: str | None) -> PublishedRow:
    """The row that remembers this revision, and what it replaces."""
    members = {
        finding.finding_id: tuple((member.frame_id, member.ordinal) for member in finding.members)
        for finding in assessed.findings
    }
    return PublishedRow(
        revision_id=assessed.revision_id,
        revision_number=assessed.revision_number,
        status=assessed.status,
        trigger=trigger,
        members={**(before.members if before else {}), **members},
    )


def reflect(draft: Draft, revisions: Iterable[ScreeningAssessed], next_offset: int) -> None:
    """Put these revisions, in the order of the topic, into the `published` rows, and the new watermark."""
    for assessed in revisions:
        before = draft.get(PublishedRow, "published", assessed.screening_id)
        if before is None or assessed.revision_number >= before.revision_number:
            trigger = before.trigger if before and before.revision_id == assessed.revision_id else None
            draft.put("published", assessed.screening_id, published_row(assessed, before, trigger))
    draft.put("published", WATERMARK, WatermarkRow(next_offset=next_offset))


def watermark(draft: Draft) -> int:
    """The first offset of this partition of `screening.assessed` that the rows do not reflect."""
    row = draft.get(WatermarkRow, "published", WATERMARK)
    return 0 if row is None else row.next_offset


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
