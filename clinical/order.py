"""In which order findings stand, everywhere: the most suspicious first, then the largest.

A revision lists its findings in this order and whatever shows them keeps it, so that a number means the same lesion on
the page, in pictures, in alerts and in a program, also where the score itself is withheld
(docs/decisions/0027-one-order-for-findings.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sonovan.contracts.results import Finding, Member

UNRELIABLE_SHARE: Final = 0.5
"""The suspicion of a finding without a malignant score: none of its outlines is reliable, or no network gives one.

It is about the share of malignant lesions among unreliable outlines on validation pictures of the breast (`python -m
benchmarks.outlines`, docs/accuracy.md). So what is unknown does not sink below what looks benign."""

BESIDE: Final = 0.15
"""A finding without a score that is smaller than this share of a scored one, and on whose every frame that one stands
too, is a speck beside it: it stands right behind it, so that specks do not push the lesion down."""


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Most suspicious first, then largest, then by finding id.

    Suspicion is `malignant`; where there is none, that of the finding of which it is a speck (BESIDE), or
    UNRELIABLE_SHARE. Size is the area on the best sighting's key
    frame, in mm² where every finding has a scale, else in pixels. To be used on findings whose scores are not withheld.
    """
    found = list(findings)
    scaled = all(each.best.area_mm2 is not None for each in found)

    def place(finding: Finding) -> tuple[float, float, str]:
        best = finding.best
        size = (best.area_mm2 or 0.0) if scaled else float(best.area_px)
        return (-_suspicion(finding, found), -size, finding.finding_id)

    return tuple(sorted(found, key=place))


def _suspicion(finding: Finding, found: Sequence[Finding]) -> float:
    if finding.malignant is not None:
        return finding.malignant
    frames, area = {each.frame_id for each in finding.members}, finding.best.area_px
    beside = [
        other.malignant
        for other in found
        if other.malignant is not None
        and (other.organ, other.laterality) == (finding.organ, finding.laterality)
        and area < BESIDE * other.best.area_px
        and frames <= {each.frame_id for each in other.members}
    ]
    return max(beside, default=UNRELIABLE_SHARE)


def numbers_by_member(findings: Iterable[Finding]) -> Mapping[Member, int]:
    """The number that each region has in reports and pictures: that of its finding, from 1, in the order given."""
    return {member: number for number, finding in enumerate(findings, start=1) for member in finding.members}
