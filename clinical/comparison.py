"""This screening against an earlier one of the same woman: new, seen before, grown, not found again. Pure.

Two screenings never prove that they show one lesion. What is taken for one lies on the same side, at the same recorded
place, and is the only one there in both screenings; all else is undecided, and says why. Nothing is compared across
sides, and a lesion that is not found again is never "gone": least of all where its side was not seen well.
Sources: Tessler et al., J Am Coll Radiol 14:587 (2017), growth of nodules; ACR BI-RADS Atlas, 5th ed. (2013),
ultrasound: a mass whose diameter grows by more than 20 % in six months is biopsied. The tolerances of place are the
project's own, for a site to confirm.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sonovan.clinical.location import quadrant
from sonovan.clinical.nodules import growth, largest_mm
from sonovan.clinical.same_lesion import MAY_BE_TWO
from sonovan.contracts.because import Because
from sonovan.contracts.comparisons import Compared, Comparison
from sonovan.contracts.results import Adequacy, Finding

GREW_IN_DIAMETER: Final = "grew_in_diameter"
"""A breast lesion's largest diameter has grown by more than a fifth; the value is the share by which."""
WITHIN_SIX_MONTHS: Final = "within_six_months"
"""It has grown so within six months, which BI-RADS answers by a biopsy."""
NOT_GROWN: Final = "not_grown_by_the_rule"
SIZES_NOT_COMPARABLE: Final = "sizes_not_comparable"
PLACE_NOT_RECORDED: Final = "place_not_recorded"
"""It, or a lesion of the other screening on its side, has no recorded place."""
SEVERAL_THERE: Final = "several_at_the_place"
SIDE_NOT_RECORDED: Final = "side_not_recorded"
NOT_SEEN_WELL_BEFORE: Final = "side_not_seen_well_before"
NOT_SEEN_WELL_NOW: Final = "side_not_seen_well_now"
NOT_GONE: Final = "not_found_is_not_gone"

BREAST_GROWTH: Final = 1.2
SIX_MONTHS_D: Final = 183
MONTH_D: Final = 365.25 / 12
HOURS_APART: Final = 1
"""How far apart two entries of the clock position may be: operators enter whole hours."""
NIPPLE_APART_MM: Final = 20.0
"""How far apart two distances from the nipple may be, where both were entered."""

Reasons = tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one screening shows: its findings, and how well each side was seen."""

    findings: tuple[Finding, ...]
    adequacy: tuple[Adequacy, ...]


def compare(before: Seen, now: Seen, days: int) -> Comparison:
    """Each finding of `now` against `before`, in their order, then what `before` alone has. days: between both.

    before: without what a reader has called no lesion.
    """
    compared = [_found_now(each, before, now, days) for each in now.findings]
    lost = [_found_before(each, before, now) for each in before.findings]
    return Comparison(
        months=max(0, round(days / MONTH_D)), findings=(*compared, *(each for each in lost if each is not None))
    )


def same_place(one: Finding, other: Finding) -> bool | None:
    """Whether two findings lie at one recorded place of one side; None where that cannot be told.

    By the hour where both have one (within one hour), else by the region; an hour stands for the quadrant that it lies
    in. Where both have a distance from the nipple, that must fit as well.
    """
    if one.organ != other.organ:
        return False
    if one.laterality is None or other.laterality is None:
        return None
    if one.laterality != other.laterality:
        return False
    first, second = one.location, other.location
    if first is None or second is None:
        return None
    near = True
    if first.nipple_distance_mm is not None and second.nipple_distance_mm is not None:
        near = abs(first.nipple_distance_mm - second.nipple_distance_mm) <= NIPPLE_APART_MM
    if first.hour is not None and second.hour is not None:
        apart = abs(first.hour - second.hour)
        return near and min(apart, 12 - apart) <= HOURS_APART
    regions = [
        each.region or (quadrant(each.hour, one.laterality) if each.hour is not None else None)
        for each in (first, second)
    ]
    if None in regions:
        return None
    return near and regions[0] == regions[1]


def seen_well(side: Finding, adequacy: Iterable[Adequacy]) -> bool:
    """Whether every region of a finding's side was seen well: adequate, or usable. False where no side is recorded."""
    rows = [each.level for each in adequacy if (each.organ, each.laterality) == (side.organ, side.laterality)]
    return side.laterality is not None and bool(rows) and set(rows) <= {"adequate", "usable"}


def grown(before: Finding, now: Finding, days: int) -> tuple[bool | None, Reasons]:
    """Whether a lesion has grown, and why; None where its sizes cannot be compared.

    Of a nodule by 20 % and 2 mm in two dimensions, or by half of its volume; of a breast lesion by more than 20 % of
    its largest diameter. That it has not grown is said only where the rule could have found it. Where the picture cuts
    a lesion it may be larger than was measured: before, it may not have grown at all; now, it may have.
    """
    found = _nodule_growth(before, now) if now.organ == "thyroid" else _breast_growth(before, now, days)
    cut = before if found else now
    if found is None or any(each.at_least for each in cut.sightings):
        return None, (Because(code=SIZES_NOT_COMPARABLE),)
    return bool(found), found or (Because(code=NOT_GROWN),)


def _breast_growth(before: Finding, now: Finding, days: int) -> Reasons | None:
    """Why it has grown, empty where it has not; None where the sizes cannot be compared."""
    was, size = largest_mm(before), largest_mm(now)
    if was is None or size is None:
        return None
    if size <= BREAST_GROWTH * was:
        return ()
    soon = (Because(code=WITHIN_SIX_MONTHS),) if days <= SIX_MONTHS_D else ()
    return (Because(code=GREW_IN_DIAMETER, value=round(size / was - 1, 2), unit="1"), *soon)


def _nodule_growth(before: Finding, now: Finding) -> Reasons | None:
    """As `_breast_growth`; two diameters are needed to say that it has not grown."""
    if before.extent is None or now.extent is None:
        return None
    reasons = growth(before.extent, now.extent)
    pairs = zip(before.extent.diameters_mm, now.extent.diameters_mm, strict=True)
    return reasons if reasons or sum(None not in pair for pair in pairs) > 1 else None


def _found_now(finding: Finding, before: Seen, now: Seen, days: int) -> Compared:
    about = {"finding_id": finding.finding_id, "organ": finding.organ, "laterality": finding.laterality}
    there, unknown = _at(finding, before.findings)
    here, unknown_here = _at(finding, now.findings)
    if there:  # then it must be the only one there now, too
        unknown += [each for each in unknown_here if each is not finding]
    back = _at(there[0], now.findings)[0] if there else []
    if len(there) == len(here) == len(back) == 1 and not unknown:
        has_grown, reasons = grown(there[0], finding, days)
        because = (*reasons, Because(code=MAY_BE_TWO))
        return Compared(change="seen_before", grown=has_grown, because=because, **about)
    several = max(len(there), len(here), len(back)) > 1
    if doubts := tuple(_doubts(finding, several, unknown)):
        return Compared(change="undecided", because=doubts, **about)
    if not seen_well(finding, before.adequacy):
        return Compared(change="undecided", because=(Because(code=NOT_SEEN_WELL_BEFORE),), **about)
    return Compared(change="new", **about)


def _found_before(lesion: Finding, before: Seen, now: Seen) -> Compared | None:
    """What has become of an earlier lesion; None where a finding of this screening tells of it."""
    there, unknown = _at(lesion, now.findings)
    if there:
        return None
    about = {"finding_id": None, "organ": lesion.organ, "laterality": lesion.laterality, "location": lesion.location}
    doubts = tuple(_doubts(lesion, False, unknown))
    if not seen_well(lesion, now.adequacy) and lesion.laterality is not None:
        doubts = (*doubts, Because(code=NOT_SEEN_WELL_NOW))
    if doubts:
        return Compared(change="undecided", because=doubts, **about)
    return Compared(change="not_found_again", because=(Because(code=NOT_GONE),), **about)


def _at(finding: Finding, others: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """The findings at the same place, and those of which it cannot be told."""
    told = [(each, same_place(finding, each)) for each in others]
    return [each for each, same in told if same], [each for each, same in told if same is None]


def _doubts(finding: Finding, several: bool, unknown: Sequence[Finding]) -> Iterator[Because]:
    if finding.laterality is None or any(each.laterality is None for each in unknown):
        yield Because(code=SIDE_NOT_RECORDED)
    if any(each.laterality is not None for each in unknown) and finding.laterality is not None:
        yield Because(code=PLACE_NOT_RECORDED)
    if several:
        yield Because(code=SEVERAL_THERE)
