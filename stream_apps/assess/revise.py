"""Make the next revision of a screening from its rows, or none if there is nothing new to publish."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from sonovan.clinical.completeness import Completeness, check_completeness
from sonovan.clinical.rules import RULES_VERSION
from sonovan.contracts.digests import frames_digest, result_digest, revision_id
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import frame_id, level, level_members, split_frame_id
from sonovan.contracts.results import ScreeningAssessed, Status
from sonovan.stream_apps.assess.assessment import Assessment, Received, assessed_record
from sonovan.stream_apps.assess.rows import (
    Draft,
    PublishedRow,
    ScreeningRow,
    SequenceRow,
    VanPart,
    result_key,
    sequence_key,
)

log = logging.getLogger(__name__)

LEVELS = 5


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision to publish, the results behind its findings by frame id, and the state that led to it."""

    assessed: ScreeningAssessed
    results: Mapping[str, FrameSegmented]
    trigger: str


def received_of(screening: ScreeningRow, draft: Draft) -> Received | None:
    """What was received about a screening from the van that opened it; None until the opening has arrived."""
    if screening.opening is None:
        return None
    van_id = screening.opening.van_id
    part = screening.vans.get(van_id, VanPart())
    named = {each for closing in part.closings for each in closing.sequence_ids}
    sequences = {
        sequence_id: draft.get(SequenceRow, "sequences", sequence_key(sequence_id, van_id)) or SequenceRow()
        for sequence_id in sorted(named.union(part.sequence_ids))
    }
    return Received(screening.opening, part, sequences, screening.deadline_passed)


def trigger_of(received: Received) -> str:
    """A hash over everything whose change calls for a new revision; cheap, so that most frames lead to no more work.

    A revision comes with a whole upload level, a closing, features, the deadline, or a result that supersedes a
    rejection; not with every frame.
    """
    state = {
        "opening": received.opening.model_dump_json(),
        "closings": [closing.model_dump_json() for closing in received.part.closings],
        "features": received.part.features and received.part.features.model_dump_json(),
        "deadline_passed": received.deadline_passed,
        "sequences": {
            sequence_id: [
                levels_whole(row),
                sorted(index for index in row.rejected if not row.bitmap >> index & 1),
                [closing.model_dump_json() for closing in row.closings],
            ]
            for sequence_id, row in received.sequences.items()
        },
    }
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def levels_whole(row: SequenceRow) -> int:
    """How many upload levels of a closed sequence are accounted for, from the coarsest; 0 without a closing."""
    if not row.closings:
        return 0
    accounted = row.bitmap
    for index in row.rejected:
        accounted |= 1 << index
    counts = {closing.frame_count for closing in row.closings}
    for closing in row.closings:
        for frame in closing.set_aside:
            accounted |= (1 << frame.frame_index) if frame.discarded else 0
    wanted = level_masks(max(counts))
    return next((number for number, mask in enumerate(wanted) if accounted & mask != mask), LEVELS)


@lru_cache(maxsize=256)
def level_masks(frame_count: int) -> tuple[int, ...]:
    """For each level, the bitmap of its frame indices below `frame_count`."""
    return tuple(sum(1 << index for index in level_members(frame_count, number)) for number in range(LEVELS))


def indices(bitmap: int) -> frozenset[int]:
    """The positions of the set bits."""
    return frozenset(index for index in range(bitmap.bit_length()) if bitmap >> index & 1)


@lru_cache(maxsize=8192)
def _decoded(data: bytes) -> tuple[FrameSegmented, str]:
    result = FrameSegmented.decode(data)
    return result, result_digest(result)


def revise(screening_id: str, draft: Draft, *, appended_at: datetime, ticked: bool) -> Revision | None:
    """The revision that the rows call for, or None if the last published one still holds all that they do.

    appended_at: the broker's time of the record that leads to it. ticked: whether that record is a tick, at which late
    frames of an incomplete screening get a revision of their own.
    """
    screening = draft.get(ScreeningRow, "screenings", screening_id)
    received = received_of(screening, draft) if screening else None
    if received is None or (received.part.fingerprint is None and not received.part.closings):
        return None
    before = draft.get(PublishedRow, "published", screening_id)
    trigger = trigger_of(received)
    if before is not None and before.trigger == trigger and not (ticked and before.status == "incomplete"):
        return None
    if _nothing_whole(received):
        return None
    found, digests = _results(received, draft)
    if _forget_unbacked(received, found, draft):
        return revise(screening_id, draft, appended_at=appended_at, ticked=ticked)
    rejected = _rejected(received, found)
    completeness = check_completeness(
        received.part.closings,
        (closing for row in received.sequences.values() for closing in row.closings),
        results=found,
        rejected=rejected,
    )
    completeness = _checked(completeness, received, found)
    status: Status = (
        "complete" if completeness.complete else "incomplete" if received.deadline_passed else "preliminary"
    )
    if status == "preliminary":
        found = {name: result for name, result in found.items() if _in_whole_level(name, completeness)}
        if not found:
            return None
    name = revision_id(
        results={frame: digests[frame] for frame in found},
        rejected=rejected,
        sequence_closings=completeness.sequence_closings,
        screening_closings=completeness.screening_closings,
        features=received.part.features,
        deadline_passed=received.deadline_passed and status != "complete",
        model_id=received.part.model_id or "none",
        rules_version=RULES_VERSION,
    )
    if before is not None and before.revision_id == name:
        draft.put("published", screening_id, before.model_copy(update={"trigger": trigger}))
        return None
    draft_of = Assessment(received, completeness, status, found, rejected)
    assessed = assessed_record(screening_id, name, draft_of, before, appended_at)
    return Revision(assessed, found, trigger)


def _nothing_whole(received: Received) -> bool:
    """Whether a revision would be preliminary and rest on no whole level: there is none, and no result need be read."""
    unfinished = not received.deadline_passed and not received.part.closings
    return unfinished and not any(levels_whole(row) for row in received.sequences.values())


def _results(received: Received, draft: Draft) -> tuple[dict[str, FrameSegmented], dict[str, str]]:
    """The opener's results by the screening's network, and their digests, by frame id in order."""
    found: dict[str, FrameSegmented] = {}
    digests: dict[str, str] = {}
    if received.part.fingerprint is None:
        return found, digests
    for sequence_id, row in received.sequences.items():
        for index in sorted(indices(row.bitmap)):
            name = frame_id(sequence_id, index)
            data = draft.raw("results", result_key(name, received.opening.van_id, received.part.fingerprint))
            if data is not None:
                found[name], digests[name] = _decoded(data)
    return found, digests


def _forget_unbacked(received: Received, found: Mapping[str, FrameSegmented], draft: Draft) -> bool:
    """Unmark the frames whose result is not in the rows; whether there were any.

    Rows taken over from a worker that was killed may be torn: the mark reached its changelog, the result did not.
    Such a result was not acknowledged either, so it comes again and marks its frame again.
    """
    torn = False
    for sequence_id, row in received.sequences.items():
        gone = [index for index in indices(row.bitmap) if frame_id(sequence_id, index) not in found]
        if gone:
            torn = True
            log.warning("sequence %s: %d marked frames have no result yet", sequence_id, len(gone))
            kept = row.bitmap & ~sum(1 << index for index in gone)
            key = sequence_key(sequence_id, received.opening.van_id)
            draft.put("sequences", key, row.model_copy(update={"segmented": f"{kept:x}"}))
    return torn


def _rejected(received: Received, found: Mapping[str, FrameSegmented]) -> dict[str, str]:
    """Frames rejected with a verified signature, and why; a result supersedes its frame's rejection."""
    names = {
        frame_id(sequence_id, index): reason
        for sequence_id, row in received.sequences.items()
        for index, reason in row.rejected.items()
    }
    return {name: reason for name, reason in sorted(names.items()) if name not in found}


def _checked(completeness: Completeness, received: Received, found: Mapping[str, FrameSegmented]) -> Completeness:
    """`completeness`, with what counts alone cannot tell.

    A screening is complete only if the frames of each sequence are those that its closing signed, and if every sequence
    of which anything was received is named by the screening's closing."""
    doubtful = set(completeness.conflicts)
    named = {each for closing in completeness.screening_closings for each in closing.sequence_ids}
    if completeness.screening_closings:
        doubtful.update(set(received.sequences) - named)
    for closing in completeness.sequence_closings:
        row = received.sequences[closing.sequence_id]
        known = indices(row.bitmap)
        discarded = {frame.frame_index for frame in closing.set_aside if frame.discarded}
        if any(index >= closing.frame_count for index in known):
            doubtful.add(closing.sequence_id)
        elif known == frozenset(range(closing.frame_count)) - discarded:
            hashes = [found[frame_id(closing.sequence_id, index)].pixels_sha256 for index in sorted(known)]
            if frames_digest(hashes) != closing.frames_digest:
                doubtful.add(closing.sequence_id)
    complete = completeness.complete and not doubtful
    return replace(completeness, complete=complete, conflicts=tuple(sorted(doubtful)))


def _in_whole_level(name: str, completeness: Completeness) -> bool:
    sequence_id, index = split_frame_id(name)
    return level(index) < completeness.levels_whole.get(sequence_id, 0)
