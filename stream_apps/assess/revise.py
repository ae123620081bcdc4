"""What is known of a screening to its next revision, or to none where the last published one still holds."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import count

from sonovan.clinical.amended import woman_of
from sonovan.clinical.completeness import Completeness, check_completeness
from sonovan.clinical.reviewed import with_review
from sonovan.clinical.rules import RULES_VERSION
from sonovan.clinical.track import MemberKey
from sonovan.contracts.amendments import ScreeningAmended
from sonovan.contracts.clinical_record import ClinicalRecord
from sonovan.contracts.derivation import USUAL, Programme
from sonovan.contracts.digests import frames_digest, result_digest, revision_id
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import frame_id, level, level_members, split_frame_id
from sonovan.contracts.results import ScreeningAssessed, Status
from sonovan.stream_apps.assess.assessment import Assessment, FromOpener, assessed_record, with_right_sides
from sonovan.stream_apps.assess.known import Known
from sonovan.stream_apps.assess.promoted import counting, numbered_otherwise, renumbered
from sonovan.stream_apps.assess.reviewing import counting_reviews, reader_frames
from sonovan.stream_apps.assess.rows import PublishedRow, SequenceRow, VanPart, indices, published_row, result_key

log = logging.getLogger(__name__)

LEVELS = 5


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision to publish, the results behind its findings by frame id, and what its report alone may say.

    results: with the right side. recorded: the clinical record; None where none has arrived, or nothing is said of her.
    slip_number: of her slip. amended: how many amendments, the first ones without a gap, it rests on.
    """

    assessed: ScreeningAssessed
    results: Mapping[str, FrameSegmented]
    recorded: ClinicalRecord | None = None
    slip_number: str | None = None
    amended: int = 0


def told_by_opener(known: Known) -> FromOpener | None:
    """What counts of a screening: its opener's part. None until the opening is here, or where she refused."""
    screening = known.screening
    if screening.opening is None or screening.refused:
        return None
    van_id = screening.opening.van_id
    part = screening.vans.get(van_id, VanPart())
    named = {each for closing in part.closings for each in closing.sequence_ids}
    sequences = {
        sequence_id: known.sequence(sequence_id, van_id) for sequence_id in sorted(named.union(part.sequence_ids))
    }
    return FromOpener(screening.opening, counting(part, sequences), screening.deadline_passed)


def is_settled(known: Known) -> bool:
    """Whether the last revision is complete and rests on all that is known: nothing is waited for.

    A sweep that is closed again with more frames, or has a frame beyond its closing, is not settled, whatever was said.
    """
    published = known.published
    if published is None or published.status != "complete":
        return False
    told = told_by_opener(known)
    return told is None or published.trigger == trigger_of(told)


def trigger_of(told: FromOpener) -> str:
    """A name of all that calls for a new revision; cheap, so that most frames end here.

    A revision comes with a whole upload level, a closing, features, an amendment, the deadline, a network that takes
    over, a review that counts, a result that supersedes a rejection, or the first frame beyond what its sweep's
    closing counts; not with every frame.
    """
    state = {
        "opening": told.opening.model_dump_json(),
        "closings": [closing.model_dump_json() for closing in told.part.closings],
        "features": told.part.features and told.part.features.model_dump_json(),
        "amendments": [each.model_dump_json() for each in told.part.amendments],
        "deadline_passed": told.deadline_passed,
        **({"promoted": told.counted.chain} if told.counted.chain else {}),
        "sequences": {
            sequence_id: [
                levels_whole(row),
                f"{row.rejected_bitmap & ~row.bitmap:x}",
                [closing.model_dump_json() for closing in row.closings],
                *([counted] if (counted := _reviewed(row)) else []),
                *(["beyond"] if _has_frames_beyond(row) else []),
            ]
            for sequence_id, row in told.sequences.items()
        },
    }
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _reviewed(row: SequenceRow) -> dict[int, str]:
    """Of the frames that have a result, those in whose place a review counts."""
    return {index: each for index, each in row.reviewed.items() if each is not None and row.bitmap >> index & 1}


def _has_frames_beyond(row: SequenceRow) -> bool:
    """Whether a frame is here that no closing of its sweep counts."""
    return bool(row.closings) and bool(row.bitmap >> max(closing.frame_count for closing in row.closings))


def levels_whole(row: SequenceRow) -> int:
    """How many upload levels of a closed sequence are accounted for, from the coarsest; 0 without a closing."""
    if not row.closings:
        return 0
    accounted = row.bitmap | row.rejected_bitmap
    counts = {closing.frame_count for closing in row.closings}
    for closing in row.closings:
        for frames in closing.set_aside:
            accounted |= ((1 << frames.frames) - 1 << frames.frame_index) if frames.discarded else 0
    wanted = level_masks(max(counts))
    return next((number for number, mask in enumerate(wanted) if accounted & mask != mask), LEVELS)


@lru_cache(maxsize=256)
def level_masks(frame_count: int) -> tuple[int, ...]:
    """Per level, the bitmap of its frame indices below `frame_count`."""
    return tuple(sum(1 << index for index in level_members(frame_count, number)) for number in range(LEVELS))


@lru_cache(maxsize=8192)
def _decoded(data: bytes) -> tuple[FrameSegmented, str]:
    result = FrameSegmented.decode(data)
    return result, result_digest(result)


def revise(
    known: Known, *, appended_at: datetime, ticked: bool, programme: Programme = USUAL
) -> tuple[Known, Revision | None]:
    """The revision that is called for, or None where the last published one still holds; and what is known then.

    appended_at: the broker's time of the record that leads to it. ticked: a timer asks, so late frames of an
    incomplete screening are worth a revision of their own. programme: what the site chooses of the rules.

    A preliminary revision rests on whole upload levels. One that comes after a whole report, because a sweep goes on,
    keeps all that is here: a lesion that was told of is not withdrawn because its sweep has more frames to come.
    """
    told = told_by_opener(known)
    if told is None or not _has_something_to_tell(told):
        return known, None
    before, trigger = known.published, trigger_of(told)
    if before is not None and before.trigger == trigger and not (ticked and before.status == "incomplete"):
        return known, None
    if _nothing_whole(told):
        return known, None
    found, digests = _results(told, known)
    whole, reviews = counting_reviews(told, _without_unbacked(told, found, known), found)
    if whole is not known:
        return revise(whole, appended_at=appended_at, ticked=ticked, programme=programme)
    rejected = _rejected(told, found)
    completeness = check_completeness(
        told.part.closings,
        (closing for row in told.sequences.values() for closing in row.closings),
        results=found,
        rejected=rejected,
    )
    completeness = _checked(completeness, told, found)
    status: Status = "complete" if completeness.complete else "incomplete" if told.deadline_passed else "preliminary"
    if status == "preliminary" and (before is None or before.status == "preliminary"):
        found = {name: result for name, result in found.items() if _in_whole_level(name, completeness)}
        if not found:
            return known, None
    reviews = {frame: review for frame, review in reviews.items() if frame in found}
    name = revision_id(
        results={frame: digests[frame] for frame in found},
        rejected=rejected,
        sequence_closings=completeness.sequence_closings,
        screening_closings=completeness.screening_closings,
        features=told.part.features,
        amendments=told.part.amendments,
        deadline_passed=told.deadline_passed and status != "complete",
        model_id=told.part.model_id or "none",
        rules_version=RULES_VERSION,
        programme=programme,
        promoted=told.counted.chain,
        reviewed={frame: review.review_id for frame, review in reviews.items()},
    )
    if before is not None and before.revision_id == name:
        return replace(known, published=before.model_copy(update={"trigger": trigger})), None
    found = {frame: with_review(each, reviews[frame]) if frame in reviews else each for frame, each in found.items()}
    reviewed = reader_frames(reviews)
    published = _published(told, before, known, found, numbered_otherwise(reviewed, told.part.fingerprint))
    made_from = Assessment(told, completeness, status, found, rejected, programme, published, reviewed)
    made_from = with_right_sides(made_from)
    assessed = assessed_record(known.screening_id, name, made_from, before, appended_at)
    recorded = None if assessed.ended else _answers(told)
    remembered = published_row(assessed, before, trigger)
    return replace(known, published=remembered), Revision(
        assessed, made_from.results, recorded, _slip_number(told), _amended(told.part.amendments)
    )


def _amended(amendments: Sequence[ScreeningAmended]) -> int:
    """How many amendments are here from the first one on, without a gap."""
    made = {each.amendment_number for each in amendments}
    return next(number for number in count() if number + 1 not in made)


def _answers(told: FromOpener) -> ClinicalRecord | None:
    return told.part.features and told.part.features.answers


def _slip_number(told: FromOpener) -> str | None:
    """Of the slip of the woman whose screening it is."""
    woman = woman_of(told.part.amendments)
    return told.opening.slip_number if woman is None else woman.slip_number


def _has_something_to_tell(told: FromOpener) -> bool:
    """Whether a revision could say anything: of a result or a closed screening, and once the deadline has passed of
    the frames that a closed sweep counts, though none of them came."""
    if told.part.fingerprint is not None or told.part.closings:
        return True
    return told.deadline_passed and any(row.closings for row in told.sequences.values())


def _nothing_whole(told: FromOpener) -> bool:
    """Whether a revision would be preliminary and rest on no whole level: there is none, and no result need be read."""
    unfinished = not told.deadline_passed and not told.part.closings
    return unfinished and not any(levels_whole(row) for row in told.sequences.values())


def _results(told: FromOpener, known: Known) -> tuple[dict[str, FrameSegmented], dict[str, str]]:
    """The opener's results by the screening's network, and their digests, by frame id in order."""
    found: dict[str, FrameSegmented] = {}
    digests: dict[str, str] = {}
    if told.part.fingerprint is None:
        return found, digests
    for sequence_id, row in told.sequences.items():
        for index in sorted(indices(row.bitmap)):
            name = frame_id(sequence_id, index)
            data = known.result(result_key(name, told.opening.van_id, told.part.fingerprint))
            if data is not None:
                found[name], digests[name] = _decoded(data)
    return found, digests


def _published(
    told: FromOpener,
    before: PublishedRow | None,
    known: Known,
    found: Mapping[str, FrameSegmented],
    numbered: Mapping[str, str],
) -> Mapping[str, frozenset[MemberKey]]:
    """The members of every finding that was published, as regions of the results that count now. numbered: as
    `renumbered` takes it.
    """

    def result_of(name: str, fingerprint: str) -> FrameSegmented | None:
        data = known.result(result_key(name, told.opening.van_id, fingerprint))
        return None if data is None else _decoded(data)[0]

    if before is None or told.part.fingerprint is None:
        return {} if before is None else before.findings()
    return renumbered(before, told.part.fingerprint, result_of, found, numbered)


def _without_unbacked(told: FromOpener, found: Mapping[str, FrameSegmented], known: Known) -> Known:
    """Unmark the frames whose result is not in the rows; the very same `known` where there is none.

    Rows taken over from a worker that was killed may be torn: the mark reached its changelog, the result did not.
    Such a result was not acknowledged either, so it comes again and marks its frame again.
    """
    for sequence_id, row in told.sequences.items():
        gone = [index for index in indices(row.bitmap) if frame_id(sequence_id, index) not in found]
        if gone:
            log.warning("sequence %s: %d marked frames have no result yet", sequence_id, len(gone))
            row = known.sequence(sequence_id, told.opening.van_id).without(told.counted.other, gone)
            known = known.with_sequence(sequence_id, told.opening.van_id, row)
    return known


def _rejected(told: FromOpener, found: Mapping[str, FrameSegmented]) -> dict[str, str]:
    """Frames rejected with a verified signature, and why; a result supersedes its frame's rejection."""
    names = {
        frame_id(sequence_id, index): reason
        for sequence_id, row in told.sequences.items()
        for index, reason in row.reasons().items()
    }
    return {name: reason for name, reason in sorted(names.items()) if name not in found}


def _checked(completeness: Completeness, told: FromOpener, found: Mapping[str, FrameSegmented]) -> Completeness:
    """Counts alone do not make it complete: each sweep's frames must be those that its closing signed, and every
    sweep that was told of must be named by the screening's closing."""
    doubtful = set(completeness.conflicts)
    named = {each for closing in completeness.screening_closings for each in closing.sequence_ids}
    if completeness.screening_closings:
        doubtful.update(set(told.sequences) - named)
    for closing in completeness.sequence_closings:
        row = told.sequences[closing.sequence_id]
        known = indices(row.bitmap)
        discarded = {index for frames in closing.set_aside if frames.discarded for index in frames.indices}
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
