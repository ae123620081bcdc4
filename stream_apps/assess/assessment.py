"""What is known of a screening into one record: findings with their names, adequacy, categories, advice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sonovan.clinical.adequacy import judge_adequacy
from sonovan.clinical.advice import derive_advice
from sonovan.clinical.amended import Sides, Sweep, excused_of, planned_of, ticked_of, told_of_amendments
from sonovan.clinical.category import categorised, derive_categories
from sonovan.clinical.completeness import Completeness
from sonovan.clinical.findings import name_findings
from sonovan.clinical.key_frame import sequence_ends
from sonovan.clinical.lesions import cut_to, finding_of
from sonovan.clinical.marks import marked
from sonovan.clinical.nodules import scored, size_advice
from sonovan.clinical.order import in_order
from sonovan.clinical.referral import referred
from sonovan.clinical.refusals import refused_panels
from sonovan.clinical.reviewed import told_of_readers
from sonovan.clinical.rules import RULES_VERSION
from sonovan.clinical.same_lesion import lesions_of
from sonovan.clinical.seen_partly import with_lesions_seen_partly
from sonovan.clinical.track import MemberKey, link
from sonovan.contracts.amendments import silences
from sonovan.contracts.derivation import USUAL, Programme
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import (
    ReaderFrame,
    RejectedFrame,
    ScreeningAssessed,
    SequenceAssessed,
    Status,
    WithdrawnFinding,
)
from sonovan.contracts.van import ScreeningOpened, SequenceClosed
from sonovan.stream_apps.assess.promoted import Counting
from sonovan.stream_apps.assess.rows import PublishedRow, SequenceRow, VanPart


@dataclass(frozen=True, slots=True)
class FromOpener:
    """All that was received about one screening, from the van that opened it and from `segment`.

    part, sequences, counted: as `sonovan.stream_apps.assess.promoted.counting` has them.
    """

    opening: ScreeningOpened
    counted: Counting
    deadline_passed: bool

    @property
    def part(self) -> VanPart:
        """What the van said, and the network that counts."""
        return self.counted.part

    @property
    def sequences(self) -> Mapping[str, SequenceRow]:
        """The sweeps by id, with the frames that have a result of that network."""
        return self.counted.sequences


@dataclass(frozen=True, slots=True)
class Assessment:
    """What one revision is made from. results: by frame id; rejected: frame id → reason.

    published: the members of every finding that was published, as regions of these results. reviewed: the frames whose
    result is a reader's.
    """

    told: FromOpener
    completeness: Completeness
    status: Status
    results: Mapping[str, FrameSegmented]
    rejected: Mapping[str, str]
    programme: Programme = USUAL
    published: Mapping[str, frozenset[MemberKey]] = field(default_factory=dict)
    reviewed: tuple[ReaderFrame, ...] = ()

    @property
    def sweeps(self) -> tuple[Sweep, ...]:
        """The sweeps that have arrived, as their closings or frames name them, in the order of their ids."""
        named: dict[str, SequenceClosed | FrameSegmented] = {
            each.sequence_id: each for each in self.completeness.sequence_closings
        }
        for result in self.results.values():
            named.setdefault(result.sequence_id, result)
        return tuple(Sweep(name, each.organ, each.laterality, each.position) for name, each in sorted(named.items()))


def with_right_sides(made_from: Assessment) -> Assessment:
    """The same with results, closings, checklist and ticks as the amendments in force put their sides right.

    Completeness was judged before, by the closings as the van signed them.
    """
    amendments = made_from.told.part.amendments
    sides = Sides.of(amendments)
    if not sides.right:
        return made_from
    told, completeness, sweeps = made_from.told, made_from.completeness, made_from.sweeps
    planned = planned_of(told.opening.planned, sweeps, sides)
    closings = tuple(
        excused_of(ticked_of(each, sweeps, sides), sweeps, sides) for each in completeness.screening_closings
    )
    return replace(
        made_from,
        told=replace(told, opening=told.opening.model_copy(update={"planned": planned})),
        completeness=replace(
            completeness,
            screening_closings=closings,
            sequence_closings=tuple(map(sides.corrected, completeness.sequence_closings)),
        ),
        results={name: sides.corrected(result) for name, result in made_from.results.items()},
    )


def assessed_record(
    screening_id: str, revision_id: str, made_from: Assessment, before: PublishedRow | None, as_of: datetime
) -> ScreeningAssessed:
    """The revision's record, which does not name its report yet.

    before: what was published last; lesions keep their names, the number goes up. Where an amendment has it so
    (`sonovan.contracts.amendments.silences`), nothing is said of the pictures, and all findings are withdrawn.
    """
    told, results, status, published = made_from.told, made_from.results, made_from.status, made_from.published
    amendments = told_of_amendments(told.part.amendments, made_from.sweeps)
    rejected = tuple(RejectedFrame(frame_id=name, reason=reason) for name, reason in made_from.rejected.items())
    gone = tuple(WithdrawnFinding(finding_id=name) for name in sorted(published))
    nothing: dict[str, Any] = {"frames": 0, "adequacy": (), "findings": (), "withdrawn": gone}
    assessed = ScreeningAssessed(
        screening_id=screening_id,
        van_id=told.opening.van_id,
        revision_id=revision_id,
        revision_number=before.revision_number + 1 if before else 1,
        status=status,
        as_of=as_of,
        examined_on=min((each.acquired_on for each in results.values() if each.acquired_on), default=None),
        amendments=amendments,
        missing=made_from.completeness.missing if status == "incomplete" else (),
        rejected=rejected,
        model_id=told.part.model_id or "none",
        weights_sha256=told.part.weights_sha256 or "0" * 64,
        fingerprint=told.part.fingerprint or "0" * 64,
        promoted=told.counted.promotion,
        rules_version=RULES_VERSION,
        programme=made_from.programme,
        **(nothing if silences(amendments) else _seen(screening_id, made_from, rejected)),
    )
    return assessed if assessed.ended else referred(marked(assessed), told.part.features)


def _seen(screening_id: str, made_from: Assessment, rejected: Sequence[RejectedFrame]) -> dict[str, Any]:
    """What is said of the pictures, by the fields of the revision."""
    told, results, status = made_from.told, made_from.results, made_from.status
    closings = made_from.completeness.screening_closings
    named, withdrawn = name_findings(screening_id, lesions_of(link(results.values()), results), made_from.published)
    ends = sequence_ends(results.values())
    features = told.part.features
    by_reader = [each.frame_id for each in made_from.reviewed]
    found = in_order(told_of_readers(finding_of(lesion, results, name, ends), by_reader) for name, lesion in named)
    findings = categorised(found, made_from.programme, None if features is None else features.age_years)
    adequacy = judge_adequacy(
        told.opening.planned, results.values(), rejected, made_from.completeness, final=status != "preliminary"
    )
    whole = made_from.completeness.levels_whole.keys() - made_from.completeness.absent.keys()
    adequacy = with_lesions_seen_partly(adequacy, findings, results, ends, whole)
    return {
        "frames": len(results),
        "left_at": max((each.left_at for each in closings if each.left_at is not None), default=None),
        "adequacy": adequacy,
        "findings": findings,
        "withdrawn": withdrawn,
        "refused_panels": refused_panels(results.values()),
        "reviewed": made_from.reviewed,
        "advice": (*derive_advice(status, adequacy, findings), *size_advice(scored(findings), made_from.programme)),
        "categories": derive_categories(adequacy, status, findings, made_from.programme),
    }


def sequence_records(assessed: ScreeningAssessed, results: Mapping[str, FrameSegmented]) -> list[SequenceAssessed]:
    """The revision cut into sweeps: one record for each that has a frame in it, in order of their ids.

    A revision that says nothing of the pictures rests on none of their frames.
    """
    by_sequence: dict[str, list[FrameSegmented]] = {}
    for result in results.values():
        by_sequence.setdefault(result.sequence_id, []).append(result)
    return [
        SequenceAssessed(
            screening_id=assessed.screening_id,
            sequence_id=sequence_id,
            revision_id=assessed.revision_id,
            organ=frames[0].organ,
            laterality=frames[0].laterality,
            frames=0 if assessed.silenced else len(frames),
            assessable_frames=0 if assessed.silenced else sum(frame.assessable for frame in frames),
            findings=tuple(cut for each in assessed.findings if (cut := cut_to(each, sequence_id)) is not None),
        )
        for sequence_id, frames in sorted(by_sequence.items())
    ]
