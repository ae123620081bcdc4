"""Judge for each organ and side whether it was seen well enough to say anything about it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sonovan.clinical.completeness import Completeness
from sonovan.clinical.motion import blurred
from sonovan.clinical.track import panel_side
from sonovan.contracts.because import Because
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.ids import split_frame_id
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.results import Adequacy, Level, RejectedFrame
from sonovan.contracts.van import EXCUSES, Excuse, PlannedRegion

UNFINISHED: Final = frozenset({"frames_missing", "sequence_not_closed", "screening_not_closed", "closings_contradict"})
"""The reasons that mean: a part of the examination has not arrived."""
HELD: Final = "frames_held"
"""The reason that the van holds frames back: they count and are missing, and nobody may ever release them."""

CUT_SHORT: Final = "sequence_cut_short"
"""The reason, and the van's warning, that a file ended before its sweep did; how much is lost is not known."""

FOREIGN: Final = frozenset({"not_breast_ultrasound", "not_thyroid_ultrasound"})
"""Refusals that are listed as reasons even if only a few frames have them.

A side of which every frame is refused in this way was not examined: what came shows something else."""

COLOUR: Final = frozenset({"doppler_frame", "elastography_frame"})
"""Refusals of frames with colour over the echoes. Beside grey ones they say nothing of how well a side was seen."""

NOT_SEEN: Final = "not_seen"
"""The reason that a planned item was not examined: all that was sent is here, and no frame of it is."""
NOT_ARRIVED: Final = "not_arrived"
"""The reason that nothing is known of a planned item yet: no frame of it has arrived."""
MAY_BE_AMONG_THESE: Final = "frames_without_side"
"""The reason that nothing is known of a planned side: frames came without a side, and may be of it."""
COVERAGE_NOT_KNOWN: Final = "coverage_not_known"
"""The reason that a row is `usable` at best: no checklist was worked through."""
NOT_TICKED_OFF: Final = "not_ticked_off"
"""The reason that a row is `limited` at best: the operator worked through a checklist and did not tick it off."""
FROZEN: Final = "frozen_picture"
"""The reason that a row is `limited` at best: its frames are enough, and only a few of them are different pictures.
With a single picture it is `inadequate`: a sweep was meant, and the scanner stood still."""
EXCUSED: Final[Mapping[Excuse, str]] = {each: f"excused_{each}" for each in EXCUSES}
"""The reasons that say why the operator did not scan a planned item. They excuse nobody: its level stays."""


@dataclass(frozen=True, slots=True)
class AdequacyRules:
    """The bounds of adequacy: below the first number of a pair an examination is inadequate, below the second limited.

    No guideline gives numbers for single frames of a sweep; these are the project's own, for a site to confirm.

    assessable_frames: a reader needs to see the tissue move by; one still picture is not an examination of a side. Of
    frames with the same pixels, as a frozen scanner gives them, one counts.
    assessable_share: assessable frames over all that were taken (rejected, discarded and lost ones count against
    it); half a sweep unseen may hide a lesion of any size, a tenth is the usual loss of contact at its ends.
    quality: mean over the assessable frames, as the network's room judges it.
    sharp_share: assessable frames that motion did not blur (sonovan.clinical.motion) over all assessable ones; what
    they show counts all the same, so that blur alone never makes an examination inadequate.
    """

    assessable_frames: tuple[int, int] = (1, 8)
    assessable_share: tuple[float, float] = (0.5, 0.9)
    quality: tuple[float, float] = (0.2, 0.4)
    sharp_share: tuple[float, float] = (0.0, 0.9)


ADEQUACY_RULES: Final = AdequacyRules()


@dataclass(frozen=True, slots=True)
class _Seen:
    """One frame that was taken, for one organ and side.

    quality: None unless a panel of this side is assessable; share: of its panels that are. refused: why others are not.
    picture: sha256 of its pixels; None where it is not here.
    """

    organ: Organ
    laterality: Side | None
    places: frozenset[str | None]
    quality: float | None
    lost: str | None
    share: float = 0.0
    refused: frozenset[str] = frozenset()
    blurred: bool = False
    picture: str | None = None

    @property
    def coloured(self) -> bool:
        """It is a Doppler or elastography frame."""
        return self.quality is None and bool(self.refused) and self.refused <= COLOUR

    @property
    def foreign(self) -> bool:
        """It shows another part of the body."""
        return self.quality is None and bool(self.refused) and self.refused <= FOREIGN


def judge_adequacy(
    planned: Sequence[PlannedRegion],
    results: Iterable[FrameSegmented],
    rejected: Iterable[RejectedFrame],
    completeness: Completeness,
    *,
    final: bool,
    rules: AdequacyRules = ADEQUACY_RULES,
) -> tuple[Adequacy, ...]:
    """One row per planned item in the plan's order, then one per organ and side seen outside the plan.

    A planned item without a side takes the frames of every side, one with a region those whose view or position
    names it. `adequate` is a row whose pictures are good and that the screening's closing ticks off as covered; without
    a checklist good pictures are `usable`. What was planned and of which no frame came, or only frames that show
    something else (`FOREIGN`), is `not_examined`; it is `unknown` while frames may still come, and where frames of its
    organ came without a side. A frame of a split screen counts for each side
    that it shows, by the share of that side's panels that could be assessed. Discarded, held and rejected frames count
    as taken and not assessable. A row that is not adequate also says why frames and panels could not be assessed.
    What the operator excused names that reason beside its own, and nothing else changes by it.
    Doppler and elastography frames count as frames, and against nothing where there are grey ones; the row names them.
    final: the revision is `complete` or `incomplete`; then missing frames count likewise, and rows say why
    the examination is unfinished. While `preliminary`, missing frames are merely under way and are left out.
    """
    seen = _frames_taken(list(results), list(rejected), completeness, final=final)
    covered, excuses = _covered(completeness), _excuses(completeness)
    rows, shown = [], set[int]()
    for item in planned:
        own = [place for place, frame in enumerate(seen) if _fits(frame, item)]
        if not own and _ticked_off(item, covered):  # of a sweep nobody names the region
            whole = PlannedRegion(organ=item.organ, side=item.side)
            own = [place for place, frame in enumerate(seen) if _fits(frame, whole)]
        shown.update(own)
        if own:
            rows.append(_judge(item, [seen[place] for place in own], rules, covered))
        else:
            sideless = [frame for frame in seen if (frame.organ, frame.laterality) == (item.organ, None)]
            may_be = any(not frame.foreign for frame in sideless)
            rows.append(_nothing_came(item, sideless=may_be, final=final))
        if (why := excuses.get(item)) is not None and not _ticked_off(item, covered):
            rows[-1] = rows[-1].model_copy(update={"reasons": (*rows[-1].reasons, EXCUSED[why])})
    outside = {(frame.organ, frame.laterality or "") for place, frame in enumerate(seen) if place not in shown}
    for organ, side in sorted(outside):
        item = PlannedRegion(organ=organ, side=side or None)
        unplanned = [frame for frame in seen if (frame.organ, frame.laterality) == (item.organ, item.side)]
        rows.append(_judge(item, unplanned, rules, covered))
    return tuple(_unfinished(row, completeness) if final else row for row in rows)


def reasons_of(row: Adequacy) -> tuple[Because, ...]:
    """The row's reasons, with the figure of those that have one."""
    figures = {"low_assessable_share": row.assessable_share}
    return tuple(
        Because(code=reason, value=figures.get(reason), unit="1" if reason in figures else None)
        for reason in row.reasons
    )


def _frames_taken(
    results: list[FrameSegmented], rejected: list[RejectedFrame], completeness: Completeness, *, final: bool
) -> list[_Seen]:
    seen: list[_Seen] = []
    about: dict[str, FrameSegmented] = {}
    moved = blurred(results)
    for result in results:
        about.setdefault(result.sequence_id, result)
        seen += _sides_seen(result, moved=result.frame_id in moved)
    with_result = {(result.sequence_id, result.frame_index) for result in results}
    lost: dict[tuple[str, int], str] = {}
    if final:
        for sequence_id, indices in completeness.absent.items():
            lost.update(((sequence_id, index), "frames_missing") for index in indices)
    for closing in completeness.sequence_closings:
        for frames in closing.set_aside:
            why = "frames_discarded" if frames.discarded else HELD
            lost.update(((closing.sequence_id, index), why) for index in frames.indices)
    lost.update((split_frame_id(frame.frame_id), "frames_rejected") for frame in rejected)
    closings = {closing.sequence_id: closing for closing in completeness.sequence_closings}
    for (sequence_id, index), why in sorted(lost.items()):
        source = closings.get(sequence_id) or about.get(sequence_id)
        if source is not None and (sequence_id, index) not in with_result:
            seen.append(_Seen(source.organ, source.laterality, frozenset({source.view, source.position}), None, why))
    return seen


def _sides_seen(result: FrameSegmented, *, moved: bool) -> list[_Seen]:
    """One entry for each side that the panels of a frame show."""
    panels: dict[Side | None, list[int]] = {}
    for panel in result.panels:
        panels.setdefault(panel_side(result, panel.ordinal), []).append(panel.ordinal)
    why = {refusal.panel: refusal.reason for refusal in result.refusals}
    frame_reason = frozenset({result.not_assessable_reason} if result.not_assessable_reason else ())
    places = frozenset({result.view, result.position})
    seen = []
    for side, own in sorted((panels or {result.laterality: [0]}).items(), key=lambda each: str(each[0])):
        refused = [why[panel] for panel in own if panel in why]
        share = 1 - len(refused) / len(own) if result.assessable else 0.0
        quality = result.quality if share > 0 else None
        reasons = frozenset(refused) or frame_reason
        seen.append(_Seen(result.organ, side, places, quality, None, share, reasons, moved, result.pixels_sha256))
    return seen


def _fits(frame: _Seen, item: PlannedRegion) -> bool:
    return (
        frame.organ == item.organ
        and item.side in (None, frame.laterality)
        and (item.region is None or item.region in frame.places)
    )


def _covered(completeness: Completeness) -> frozenset[PlannedRegion] | None:
    """What the operator ticked off; None where no checklist was worked through, or closings contradict each other."""
    ticked = [closing.covered for closing in completeness.screening_closings]
    return frozenset(ticked[0]) if len(ticked) == 1 and ticked[0] is not None else None


def _excuses(completeness: Completeness) -> dict[PlannedRegion, Excuse]:
    """Why the operator did not scan an item; nothing where closings contradict each other."""
    said = [closing.excused for closing in completeness.screening_closings]
    return {each.item: each.because for each in said[0]} if len(said) == 1 else {}


def _ticked_off(item: PlannedRegion, covered: frozenset[PlannedRegion] | None) -> bool:
    """Whether the operator ticked off the item, or the whole side that it is a region of."""
    return covered is not None and not covered.isdisjoint({item, PlannedRegion(organ=item.organ, side=item.side)})


def _nothing_came(item: PlannedRegion, *, sideless: bool, final: bool) -> Adequacy:
    """The row of a planned item of which no frame is here. sideless: frames of its organ came without a side."""
    level: Level = "unknown" if sideless or not final else "not_examined"
    reason = MAY_BE_AMONG_THESE if sideless else NOT_SEEN if final else NOT_ARRIVED
    return Adequacy(
        organ=item.organ, laterality=item.side, region=item.region, level=level, assessable_share=0.0, frames=0,
        reasons=(reason,),
    )  # fmt: skip


def _judge(
    item: PlannedRegion, frames: list[_Seen], rules: AdequacyRules, covered: frozenset[PlannedRegion] | None
) -> Adequacy:
    """The row of an item of which at least one frame was taken."""
    taken, coloured = len(frames), [frame for frame in frames if frame.coloured]
    frames = [frame for frame in frames if not frame.coloured] or frames
    assessable = sum(frame.quality is not None for frame in frames)
    frames = _once(frames)
    qualities = [frame.quality for frame in frames if frame.quality is not None]
    share = math.fsum(frame.share for frame in frames) / len(frames)
    refused = frozenset[str]().union(*(frame.refused for frame in frames))
    sharp = sum(frame.quality is not None and not frame.blurred for frame in frames) / max(1, len(qualities))
    quality = sum(qualities) / len(qualities) if qualities else 0.0
    few = FROZEN if assessable >= rules.assessable_frames[1] else "few_frames"
    reasons: list[str] = []
    level: Level = "adequate"
    if all(frame.foreign for frame in frames):
        level, reasons = "not_examined", []
    elif not qualities:
        level, reasons = "inadequate", ["nothing_assessable"]
    else:
        level = "inadequate" if few == FROZEN and len(qualities) == 1 else level
        for value, (least, enough), reason in (
            (len(qualities), rules.assessable_frames, few),
            (share, rules.assessable_share, "low_assessable_share"),
            (quality, rules.quality, "low_quality"),
            (sharp, rules.sharp_share, "motion"),
        ):
            if value < enough:
                reasons.append(reason)
                level = "inadequate" if value < least or level == "inadequate" else "limited"
    if item.side is None and any(frame.laterality is None for frame in frames):
        reasons.append("side_unknown")
        level = "limited" if level == "adequate" else level
    # a few poor frames belong to every sweep; one that shows something else may be the one that was meant to show it
    named = frozenset[str]().union(*(frame.refused for frame in coloured))
    reasons += sorted(named | (refused if level != "adequate" else refused & FOREIGN))
    reasons += sorted({frame.lost for frame in frames if frame.lost is not None})
    if level in ("adequate", "limited"):
        if covered is None:
            reasons.append(COVERAGE_NOT_KNOWN)
            level = "usable" if level == "adequate" else level
        elif not _ticked_off(item, covered):
            reasons.append(NOT_TICKED_OFF)
            level = "limited"
    return Adequacy(
        organ=item.organ,
        laterality=item.side,
        region=item.region,
        level=level,
        assessable_share=round(share, 3),
        frames=taken,
        reasons=tuple(reasons),
    )


def _once(frames: list[_Seen]) -> list[_Seen]:
    """Of the frames with the same pixels the best, whichever came first; all of those that are not here."""
    best: dict[str, _Seen] = {}
    for frame in frames:
        if frame.picture is not None:
            known = best.get(frame.picture, frame)
            best[frame.picture] = max(known, frame, key=_goodness)
    return [*best.values(), *(frame for frame in frames if frame.picture is None)]


def _goodness(frame: _Seen) -> tuple[bool, float, float, bool, list[str]]:
    known = frame.quality is not None
    return known, frame.quality or 0.0, frame.share, not frame.blurred, sorted(frame.refused)


def _unfinished(row: Adequacy, completeness: Completeness) -> Adequacy:
    """The row with the reasons for which a part of its examination has not arrived; it is then limited at best, and
    nothing is known of what would be `not_examined`.

    A sequence whose closing is missing has no side that can be relied on, so it counts against every row; so does one
    that was cut short, for the van's warning does not name it.
    """
    reasons = set(row.reasons)
    if not completeness.screening_closings:
        reasons.add("screening_not_closed")
    if any(gap.indices is None for gap in completeness.missing):
        reasons.add("sequence_not_closed")
    if completeness.conflicts:
        reasons.add("closings_contradict")
    if any(CUT_SHORT in closing.quality_warnings for closing in completeness.screening_closings):
        reasons.add(CUT_SHORT)
    if not reasons & (UNFINISHED | {CUT_SHORT, HELD}):
        return row
    ordered = (*row.reasons, *sorted(reasons - set(row.reasons)))
    lowered: dict[Level, Level] = {"adequate": "limited", "usable": "limited"}
    if NOT_SEEN in row.reasons:
        lowered["not_examined"] = "unknown"
    return row.model_copy(update={"reasons": ordered, "level": lowered.get(row.level, row.level)})
