"""What stands in the topics and in the store of screenings that were sent, counted: nothing lost, nothing doubled.

A record may stand in a topic twice (at least once); what counts is one content for each name.
"""

import tomllib
from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Any, Final, TypeVar

from sonovan.centre import Centre
from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.digests import result_digest
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.record import Record
from sonovan.contracts.results import ScreeningAssessed, SequenceAssessed
from sonovan.contracts.topics import Topic
from sonovan.storage.keys import Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.stores import get_named
from sonovan.stream_apps.alert.rule_file import RuleFile
from sonovan.stream_apps.alert.step import alerts_of
from sonovan.transport.tail import read_all

RULES: Final = """format = 1
version = "two-frames"

[rules.persistent_lesion]
min_frames = 2
min_area_mm2 = 0
min_area_px = 0
min_score = 0

[rules.suspicious_lesion]
min_malignant = 0
"""
"""Whatever is outlined on two frames is told, and whatever has a score is suspicious; the other rules are as a site has
them that sets none: this is not about the numbers."""

RecordT = TypeVar("RecordT", bound=Record)


def records(reader: BrokerSettings, topic: str, kind: type[RecordT], screenings: Collection[str]) -> list[RecordT]:
    """Every record of a topic that is about one of the screenings, in the order of each partition.

    reader: of an account that may read the topic.
    """
    read = read_all(reader, topic)
    found = [record for message in read if isinstance(record := message.decode(), kind)]
    return [record for record in found if getattr(record, "screening_id", None) in screenings]


def account(
    centre: Centre, expected: set[str], screenings: set[str], until: Callable[[Callable[[], bool], str], None]
) -> dict[str, Any]:
    """Count the results of the frames `expected`, and the revisions and alerts of the screenings.

    until: waits for a condition, with what it is for a message; asked to wait until the alerts are told that the
    revisions call for under RULES.
    """
    reader = centre.kafka("reader")
    results = records(reader, Topic.FRAME_SEGMENTED, FrameSegmented, screenings)
    revisions = records(reader, Topic.SCREENING_ASSESSED, ScreeningAssessed, screenings)
    sequences = records(reader, Topic.SEQUENCE_ASSESSED, SequenceAssessed, screenings)
    called_for = alerts_called_for(revisions)

    def alerts() -> list[LesionAlerted]:
        return records(reader, Topic.LESION_ALERTED, LesionAlerted, screenings)

    until(lambda: called_for <= {_alert(one) for one in alerts()}, "every alert is told")
    told = alerts()
    complete = {one.screening_id for one in revisions if one.status == "complete"}
    return {
        "frames": len(expected),
        "results": len({one.frame_id for one in results}),
        "revisions": len({one.revision_id for one in revisions}),
        "reports": len(complete),
        "alerts": len({one.alert_id for one in told}),
        "rejected": len(records(reader, Topic.RECORD_REJECTED, RecordRejected, screenings)),
        "lost": {
            "frames": len(expected - {one.frame_id for one in results}),
            "objects": _missing_objects(centre, results, revisions),
            "reports": len(screenings - complete),
            "revisions": gaps(revisions),
            "alerts": len(called_for - {_alert(one) for one in told}),
        },
        "doubled": {
            "results": doubled(((one.frame_id, one.fingerprint), result_digest(one)) for one in results),
            "revisions": doubled((one.revision_id, one.encode()) for one in revisions)
            + doubled(((one.screening_id, one.revision_number), one.revision_id) for one in revisions),
            "sequences": doubled(((one.revision_id, one.sequence_id), one.encode()) for one in sequences),
            "alerts": doubled((_alert(one), one.encode()) for one in told)
            + len({_alert(one) for one in told} - called_for),
        },
        "sent_again": {
            "results": len(results) - len({one.frame_id for one in results}),
            "revisions": len(revisions) - len({one.revision_id for one in revisions}),
            "alerts": len(told) - len({_alert(one) for one in told}),
        },
    }


def newest(revisions: Iterable[ScreeningAssessed]) -> dict[str, ScreeningAssessed]:
    """The revision with the highest number, by screening."""
    return {one.screening_id: one for one in sorted(revisions, key=lambda each: each.revision_number)}


def _alert(record: LesionAlerted) -> tuple[str, str, str]:
    return record.alert_id, record.state, record.revision_id


def alerts_called_for(revisions: Iterable[ScreeningAssessed]) -> set[tuple[str, str, str]]:
    """The alerts that the rules make of the revisions, each screening's in the order of its numbers."""
    rules = RuleFile.model_validate(tomllib.loads(RULES)).rule_set
    known: dict[str, LesionAlerted] = {}
    called_for = set()
    by_number = {(one.screening_id, one.revision_number): one for one in revisions}
    for _, revision in sorted(by_number.items()):
        mine = {name: one for name, one in known.items() if one.screening_id == revision.screening_id}
        for alert in alerts_of(revision, mine, rules):
            known[alert.alert_id] = alert
            called_for.add(_alert(alert))
    return called_for


def _missing_objects(centre: Centre, results: Iterable[FrameSegmented], revisions: Iterable[ScreeningAssessed]) -> int:
    store = MinioStore(centre.store())
    named: set[tuple[str, str | None, str | None]] = set()
    for result in results:
        named.add((Bucket.FRAMES, result.image_key, result.image_sha256))
        named.add((Bucket.MASKS, result.mask_key, result.mask_sha256))
    for one in revisions:
        named.add((Bucket.REPORTS, one.report_html_key, one.report_html_sha256))
        named.add((Bucket.REPORTS, one.report_json_key, one.report_json_sha256))
    return sum(not stands(store, bucket, key, sha256) for bucket, key, sha256 in named if key and sha256)


def stands(store: MinioStore, bucket: str, key: str, sha256: str) -> bool:
    """Whether the object is there, and the one that its record names."""
    try:
        return bool(get_named(store, bucket, key, sha256))
    except (KeyError, InvalidRecord):
        return False


def gaps(revisions: Iterable[ScreeningAssessed]) -> int:
    """How many numbers below each screening's highest no revision has."""
    numbers: dict[str, set[int]] = {}
    for one in revisions:
        numbers.setdefault(one.screening_id, set()).add(one.revision_number)
    return sum(max(each) - len(each) for each in numbers.values())


def doubled(pairs: Iterable[tuple[Hashable, Hashable]]) -> int:
    """How many names have more than one content."""
    contents: dict[Hashable, set[Hashable]] = {}
    for name, content in pairs:
        contents.setdefault(name, set()).add(content)
    return sum(len(each) > 1 for each in contents.values())
