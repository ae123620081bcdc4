"""What every journey ends with: nothing is lost, nothing has two contents, everything is committed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from kafka import KafkaAdminClient

from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.digests import result_digest
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed, SequenceAssessed
from sonovan.contracts.topics import APP_IDS, Topic, Writer
from sonovan.outputs import report_of
from sonovan.storage.frames import stored_frame
from sonovan.stream_apps.assess.stage import READS
from sonovan.transport.client import client_options
from tests.journeys.van import Screening
from tests.journeys.world import RecordT, World

READ_BY: Final[dict[Writer, tuple[Topic, ...]]] = {
    Writer.SEGMENT: (Topic.FRAME_CAPTURED,),
    Writer.ASSESS: READS,
    Writer.ALERT: (Topic.SCREENING_ASSESSED,),
}


def newest(world: World, screening: Screening) -> ScreeningAssessed | None:
    """The screening's revision with the highest number."""
    revisions = world.records(Topic.SCREENING_ASSESSED, ScreeningAssessed, screening.screening_id)
    return max(revisions, key=lambda each: each.revision_number, default=None)


def wait_for(
    world: World,
    screening: Screening,
    status: str,
    when: Callable[[ScreeningAssessed], bool] = lambda _: True,
) -> ScreeningAssessed:
    """The newest revision, once it has this status and is as `when` wants it."""

    def there() -> ScreeningAssessed | None:
        found = newest(world, screening)
        return found if found is not None and found.status == status and when(found) else None

    found = world.until(there, f"screening {screening.screening_id} is {status}")
    assert found is not None
    return found


def segmented(world: World, screening: Screening) -> set[str]:
    """The frames of the screening that have a result."""
    return {each.frame_id for each in world.records(Topic.FRAME_SEGMENTED, FrameSegmented, screening.screening_id)}


def assert_sound(world: World, *screenings: Screening) -> None:
    """The common end of all journeys. Every stage must have a worker.

    Every frame is segmented, rejected or listed as missing; what a result or report names is stored; no id has two
    contents, in anything that was ever said here; revision numbers go up; the groups' offsets are committed to the end.
    """
    assert_committed(world)
    for screening in screenings:
        assert_accounted_for(world, screening)
    assert_one_content_each(world)


def assert_accounted_for(world: World, screening: Screening) -> None:
    """Every frame of the screening is segmented, rejected or missing in the newest revision; objects are there."""
    results = world.records(Topic.FRAME_SEGMENTED, FrameSegmented, screening.screening_id)
    rejections = world.records(Topic.RECORD_REJECTED, RecordRejected, screening.screening_id)
    revision = newest(world, screening)
    missing = {
        f"{each.sequence_id}/{index:06d}"
        for each in (revision.missing if revision else ())
        for index in each.indices or ()
    }
    with_result = {each.frame_id for each in results}
    rejected = {each.frame_id for each in rejections if each.frame_id is not None}
    assert with_result | rejected | missing == screening.frame_ids
    assert not with_result & missing
    for result in results:
        found = stored_frame(world.store, result)
        assert found.pixels().shape[:2] == (result.rows, result.columns)
        assert (found.mask() is None) == (not result.regions)
    if revision is not None:
        assert_revisions_count_upward(world, screening)


def assert_revisions_count_upward(world: World, screening: Screening) -> None:
    """Folded by id each revision counts once, and the numbers are 1, 2, 3 … without a gap or a second use."""
    revisions = world.records(Topic.SCREENING_ASSESSED, ScreeningAssessed, screening.screening_id)
    numbers = {each.revision_id: each.revision_number for each in revisions}
    assert list(numbers.values()) == list(range(1, len(numbers) + 1))
    for revision in revisions:
        assert (revision.report_html_key is None) == (revision.status == "preliminary")
        assert revision.report_html_key is None or all(report_of(revision, world.store))


def assert_one_content_each(world: World) -> None:
    """A record may stand in a topic twice (at least once), but no id with two contents."""
    _one_content(
        world.records(Topic.FRAME_SEGMENTED, FrameSegmented),
        lambda each: (each.frame_id, each.fingerprint),
        result_digest,
    )
    _one_content(world.records(Topic.SCREENING_ASSESSED, ScreeningAssessed), lambda each: (each.revision_id,), _bytes)
    _one_content(
        world.records(Topic.SEQUENCE_ASSESSED, SequenceAssessed),
        lambda each: (each.revision_id, each.sequence_id),
        _bytes,
    )
    _one_content(
        world.records(Topic.LESION_ALERTED, LesionAlerted),
        lambda each: (each.alert_id, each.state, each.revision_id),
        _bytes,
    )
    _one_content(world.records(Topic.RECORD_REJECTED, RecordRejected), lambda each: (each.rejection_id,), _bytes)


def _one_content(
    records: Iterable[RecordT], name: Callable[[RecordT], tuple[str, ...]], content: Callable[[RecordT], str | bytes]
) -> None:
    contents: dict[tuple[str, ...], str | bytes] = {}
    for record in records:
        known = contents.setdefault(name(record), content(record))
        assert known == content(record), f"{type(record).__name__} {name(record)} stands there with two contents"


def _bytes(record: Record) -> bytes:
    return record.encode()


def assert_committed(world: World, read_by: Mapping[Writer, Sequence[Topic]] = READ_BY) -> None:
    """Every group commits all that stands in its topics now, each within its commit interval and some patience."""
    for stage, topics in read_by.items():
        ends = {topic: _ends(world, topic) for topic in topics}
        caught_up = partial(_caught_up, world, stage, ends)
        world.until(caught_up, f"{stage} has committed to {ends}")


def _caught_up(world: World, stage: Writer, ends: dict[Topic, dict[int, int]]) -> bool:
    return not _behind(world, stage, ends)


def _ends(world: World, topic: Topic) -> dict[int, int]:
    """Partition → how many messages stand there."""
    ends: dict[int, int] = {}
    for message in world.messages(topic):
        ends[message.partition] = max(ends.get(message.partition, 0), message.offset + 1)
    return ends


def _behind(world: World, stage: Writer, ends: dict[Topic, dict[int, int]]) -> bool:
    admin = KafkaAdminClient(**client_options(world.centre.kafka()))
    try:
        found = admin.list_group_offsets({APP_IDS[stage]: None})[APP_IDS[stage]]
    finally:
        admin.close()
    committed = {(place.topic, place.partition): at.offset for place, at in found.items()}
    return any(committed.get((topic, part), 0) < end for topic, parts in ends.items() for part, end in parts.items())
