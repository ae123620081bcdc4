"""Count what a van sent over a link that was cut, and whether its wrong clock was named: `make bench-van ONLY=link`."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from benchmarks.accounting import doubled, records
from benchmarks.shared import say
from sonovan.centre import Centre
from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.receipts import signer_of
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.contracts.van_reports import VanReported
from sonovan.producers.spool import STORED, Spool
from sonovan.transport.tail import read_all

SAID: Final = ("by this machine's clock", "set the clock", "wait in")
"""What a command must say that keeps all because of its clock: which clock, what to do, and that all is there."""
_CLOCK_WITHIN_S: Final = 60.0


@dataclass
class Sent:
    """The screenings that the van sent, and the ids of their frames."""

    screenings: set[str] = field(default_factory=set)
    frames: set[str] = field(default_factory=set)

    def note(self, told: str) -> None:
        """Take in what `sonovan van simulate --json` told."""
        screening = json.loads(told)
        self.screenings.add(screening["screening_id"])
        self.frames |= {
            f"{one['sequence_id']}/{index:06d}" for one in screening["sequences"] for index in range(one["frames"])
        }


def says_clock(told: str) -> bool:
    """Whether a command that keeps all said what a person needs to know: SAID, all of it."""
    return all(words in told for words in SAID)


def tells_clock(report: VanReported | None, ahead_s: float) -> bool:
    """Whether the van's newest report tells the centre how far its clock is ahead."""
    told = None if report is None else report.clock_ahead_s
    return told is not None and abs(told - ahead_s) < _CLOCK_WITHIN_S


def revisions_of(centre: Centre, sent: Sent) -> list[ScreeningAssessed]:
    """Every revision of the screenings that the van sent."""
    return records(centre.kafka("reader"), Topic.SCREENING_ASSESSED, ScreeningAssessed, sent.screenings)


def complete(revisions: Collection[ScreeningAssessed]) -> set[str]:
    """The screenings that have a complete revision."""
    return {one.screening_id for one in revisions if one.status == "complete"}


def accounted(centre: Centre, spool: Spool, van_id: str, sent: Sent) -> dict[str, int]:
    """Read the topics and the spool, and count: figures for `van.json`. Nothing else may have been sent."""
    reader, keys = centre.kafka("reader"), centre.receipt_keys().public
    answers = [message.decode() for message in read_all(centre.kafka(), van_answered_topic(van_id).name)]
    receipts = {
        one.item_id
        for one in answers
        if isinstance(one, VanAnswered) and one.kind == "stored" and signer_of(one, keys) is not None
    }
    items = spool.status().counts
    captured = sum(message.key is not None for message in read_all(reader, Topic.FRAME_CAPTURED))
    say(f"items of the spool: {dict(items)}")
    results = records(reader, Topic.FRAME_SEGMENTED, FrameSegmented, sent.screenings)
    found = counted(sent, results, revisions_of(centre, sent), receipts, sum(items.values()), items[STORED])
    return found | {"link_frames_sent_again": captured - len(sent.frames)}


def counted(
    sent: Sent,
    results: Collection[FrameSegmented],
    revisions: Collection[ScreeningAssessed],
    receipts: Collection[str],
    items: int,
    stored: int,
) -> dict[str, int]:
    """What is missing and what is there twice.

    lost: frames without a result, items without a signed receipt, screenings without a complete report. doubled:
    results beyond one for a frame, whatever stands in them, and revisions with two contents. receipts: ids of the items
    that the centre signed for. items: how many the spool has; stored: of how many it took the receipt.
    """
    with_result = {one.frame_id for one in results}
    return {
        "link_lost": len(sent.frames - with_result)
        + max(items - stored, items - len(receipts), len(sent.frames - set(receipts)))
        + len(sent.screenings - complete(revisions)),
        "link_doubled": len(results) - len(with_result) + doubled((one.revision_id, one.encode()) for one in revisions),
    }
