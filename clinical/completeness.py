"""Tell whether everything has arrived that the van's closings count. The clock plays no part in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from sonovan.contracts.digests import CLOSING_OUTSIDE
from sonovan.contracts.ids import STRIDES, level_members, split_frame_id
from sonovan.contracts.limits import MAX_LISTED
from sonovan.contracts.results import MissingFrames
from sonovan.contracts.van import ScreeningClosed, SequenceClosed

_Closing = TypeVar("_Closing", SequenceClosed, ScreeningClosed)

CONTENTS: Final = 2
"""Contents of one closing number that are kept: whoever sends ever new ones makes no row grow."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """What of a screening has arrived, and what is missing.

    missing: per sequence in order of its id, the indices that its closing counts and nobody has accounted for, the
    lowest of them listed; None where the closing itself is missing. absent: the same indices, all of them.
    conflicts: ids (of the screening or of sequences) whose highest closing number came with two contents.
    levels_whole: how many of the upload levels of a closed sequence are whole, counted from the coarsest (0 to 5).
    sequence_closings, screening_closings: the closings that count, in one fixed order, with all contents of a conflict;
    a revision's id is made from them.
    """

    complete: bool
    missing: tuple[MissingFrames, ...]
    absent: Mapping[str, frozenset[int]]
    conflicts: tuple[str, ...]
    levels_whole: Mapping[str, int]
    sequence_closings: tuple[SequenceClosed, ...]
    screening_closings: tuple[ScreeningClosed, ...]


def latest(closings: Iterable[_Closing]) -> tuple[_Closing, ...]:
    """The closings of the highest number of one sequence or screening, one of each content, in one fixed order.

    Two closings that differ in nothing but `CLOSING_OUTSIDE` have the same content. Of more than CONTENTS contents the
    first are kept: that they contradict each other is known from two. Whoever keeps only what this returns loses
    nothing: `latest((*kept, new))` is `latest` of all.
    """
    by_content: dict[str, _Closing] = {}
    highest = 0
    for closing in closings:
        if closing.closing_number > highest:
            highest, by_content = closing.closing_number, {}
        if closing.closing_number == highest:
            content = closing.model_dump_json(exclude=set(CLOSING_OUTSIDE))
            by_content[content] = min(by_content.get(content, closing), closing, key=lambda each: each.closed_at)
    return tuple(by_content[content] for content in sorted(by_content)[:CONTENTS])


def check_completeness(
    screening_closings: Iterable[ScreeningClosed],
    sequence_closings: Iterable[SequenceClosed],
    *,
    results: Iterable[str],
    rejected: Iterable[str],
) -> Completeness:
    """Compare the closings of one screening with the frames that are accounted for.

    results: ids of frames with a result. rejected: ids of frames rejected after their signature was verified.
    Accounted for is also what the sequence's closing lists as discarded; a held frame is missing until it comes.
    Complete: the screening is closed, each sequence that it names is closed, nothing is missing, no conflict.
    Until the screening is closed, the sequences looked at are those with a closing or a frame. Where two closings of
    one number differ, the larger sequence counts for what is missing.
    """
    accounted: dict[str, set[int]] = {}
    for name in (*results, *rejected):
        sequence_id, index = split_frame_id(name)
        accounted.setdefault(sequence_id, set()).add(index)
    closed: dict[str, list[SequenceClosed]] = {}
    for closing in sequence_closings:
        closed.setdefault(closing.sequence_id, []).append(closing)
    held = {sequence_id: latest(closings) for sequence_id, closings in sorted(closed.items())}
    screening = latest(screening_closings)
    named = {sequence_id for closing in screening for sequence_id in closing.sequence_ids}
    looked_at = named if screening else {*held, *accounted}
    missing: list[MissingFrames] = []
    gone: dict[str, frozenset[int]] = {}
    levels: dict[str, int] = {}
    for sequence_id in sorted(looked_at):
        if sequence_id not in held:
            missing.append(MissingFrames(sequence_id=sequence_id, indices=None))
            continue
        absent = _absent(held[sequence_id], accounted.get(sequence_id, set()))
        frame_count = max(closing.frame_count for closing in held[sequence_id])
        levels[sequence_id] = _levels_whole(frame_count, absent)
        if absent:
            gone[sequence_id] = frozenset(absent)
            lowest = tuple(sorted(absent)[:MAX_LISTED])
            missing.append(MissingFrames(sequence_id=sequence_id, indices=lowest, more=len(absent) - len(lowest)))
    conflicts = [sequence_id for sequence_id in sorted(looked_at) if len(held.get(sequence_id, ())) > 1]
    if len(screening) > 1:
        conflicts.insert(0, screening[0].screening_id)
    return Completeness(
        complete=bool(screening) and not missing and not conflicts,
        missing=tuple(missing),
        absent=gone,
        conflicts=tuple(conflicts),
        levels_whole=levels,
        sequence_closings=tuple(closing for closings in held.values() for closing in closings),
        screening_closings=screening,
    )


def _absent(closings: tuple[SequenceClosed, ...], accounted: set[int]) -> set[int]:
    """Indices that some of these closings count and nobody accounts for."""
    absent: set[int] = set()
    for closing in closings:
        discarded = {index for frames in closing.set_aside if frames.discarded for index in frames.indices}
        absent |= set(range(closing.frame_count)) - accounted - discarded
    return absent


def _levels_whole(frame_count: int, absent: set[int]) -> int:
    for number in range(len(STRIDES)):
        if not absent.isdisjoint(level_members(frame_count, number)):
            return number
    return len(STRIDES)
