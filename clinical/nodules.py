"""Thyroid nodules of one screening: which are scored, which are advised for biopsy or follow-up, and what has grown.

Sources: Tessler et al., J Am Coll Radiol 14:587 (2017): sizes, intervals, growth, at most four nodules scored and two
biopsied, adults only. Zhou et al., Endocrine 70:256 (2020): sizes of C-TIRADS, which a programme may set.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sonovan.contracts.because import Because
from sonovan.contracts.derivation import Advice, Category, Programme
from sonovan.contracts.description import Extent
from sonovan.contracts.lexicon import CATEGORIES
from sonovan.contracts.results import Finding

BIOPSY_BY_SIZE: Final = "biopsy_by_size"
FOLLOW_UP_BY_SIZE: Final = "follow_up_by_size"
LARGEST_DIAMETER: Final = "largest_diameter"
SIZE_THRESHOLD: Final = "size_threshold"
NEXT_SCAN: Final = "next_scan"
LEVEL_HAS_RISEN: Final = "level_has_risen"
GREW_IN_TWO: Final = "grew_in_two_dimensions"
GREW_IN_VOLUME: Final = "grew_in_volume"

MOST_SCORED: Final = 4
MOST_BIOPSIED: Final = 2
ADULT_YEARS: Final = 18

Reasons = tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class Sizes:
    """biopsy_mm, follow_up_mm: the least largest diameter. next_year: the year of the next scan after this one."""

    biopsy_mm: float
    follow_up_mm: float
    next_year: int


ACR_SIZES: Final[Mapping[str, Sizes]] = {
    "TR3": Sizes(25.0, 15.0, 1),
    "TR4": Sizes(15.0, 10.0, 1),
    "TR5": Sizes(10.0, 5.0, 1),
}
"""Scans at 1, 3 and 5 years for TR3, at 1, 2, 3 and 5 for TR4, yearly up to 5 for TR5: the next one is after a year."""
GROWTH_SHARE, GROWTH_MM, GROWTH_VOLUME = 1.2, 2.0, 1.5


def scored(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The thyroid findings that are scored: those with the most suspicious level, at most MOST_SCORED of them.

    Most suspicious first: by ACR level, then points, then C-TIRADS, then the largest diameter, then id.
    """
    nodules = [each for each in findings if each.organ == "thyroid" and each.categories]
    return tuple(sorted(nodules, key=_suspicion)[:MOST_SCORED])


def size_advice(
    nodules: Sequence[Finding], programme: Programme, before: Mapping[str, Category] | None = None
) -> tuple[Advice, ...]:
    """What the sizes of scored nodules advise, in their order; at most MOST_BIOPSIED biopsies.

    before: by finding id, the ACR level of the same nodule in the earlier screening; one that has risen is scanned
    again in a year. Where a level is "at least", or no diameter is known in mm, nothing is advised. Nothing is ever
    said of a nodule that is below its threshold.
    """
    advice: list[Advice] = []
    biopsies = 0
    for nodule in nodules:
        for rule, reasons in _advised(nodule, programme, (before or {}).get(nodule.finding_id)):
            if rule == BIOPSY_BY_SIZE:
                biopsies += 1
                if biopsies > MOST_BIOPSIED:
                    rule = FOLLOW_UP_BY_SIZE
            about = {"organ": "thyroid", "laterality": nodule.laterality, "finding_id": nodule.finding_id}
            advice.append(Advice(rule=rule, because=reasons, **about))
    return tuple(advice)


def growth(before: Extent, now: Extent) -> Reasons:
    """Why a nodule has grown since an earlier screening; empty where it has not, or where nobody can tell.

    By 20 % and 2 mm in two dimensions, or by half of its volume. Source: Tessler et al. (2017), "Definition of growth".
    """
    larger = [
        new - old
        for old, new in zip(before.diameters_mm, now.diameters_mm, strict=True)
        if old is not None and new is not None and new >= GROWTH_SHARE * old and new - old >= GROWTH_MM
    ]
    found = []
    if len(larger) > 1:
        found.append(Because(code=GREW_IN_TWO, value=round(max(larger), 1), unit="mm"))
    if before.volume_ml and now.volume_ml is not None and now.volume_ml >= GROWTH_VOLUME * before.volume_ml:
        found.append(Because(code=GREW_IN_VOLUME, value=round(now.volume_ml / before.volume_ml - 1, 2), unit="1"))
    return tuple(found)


def largest_mm(finding: Finding) -> float | None:
    """The largest diameter of a nodule on any sighting whose scale is known."""
    known = [each.long_axis_mm for each in finding.sightings if each.long_axis_mm is not None]
    if finding.extent is not None and finding.extent.largest_mm is not None:
        known.append(finding.extent.largest_mm)
    return max(known, default=None)


def _advised(nodule: Finding, programme: Programme, before: Category | None) -> list[tuple[str, Reasons]]:
    size = largest_mm(nodule)
    acr, chinese = nodule.category("TI-RADS"), nodule.category("C-TIRADS")
    level = acr.value if acr is not None and not acr.at_least else None
    advised: list[tuple[str, Reasons]] = []
    if level is not None and level in ACR_SIZES and size is not None:
        advised += _by_size(ACR_SIZES[level], size)
    if chinese is not None and not chinese.at_least and size is not None and not advised:
        least = _c_tirads_fna_mm(chinese.value, programme)
        if least is not None and size >= least:
            advised.append((BIOPSY_BY_SIZE, _sizes(size, least)))
    if level is not None and before is not None and before.value is not None and not before.at_least:
        order = CATEGORIES["TI-RADS"]
        if order.index(level) > order.index(before.value) and not advised:
            risen = Because(code=LEVEL_HAS_RISEN, value=level)
            advised.append((FOLLOW_UP_BY_SIZE, (risen, Because(code=NEXT_SCAN, value=1, unit="a"))))
    return advised


def _by_size(sizes: Sizes, size: float) -> list[tuple[str, Reasons]]:
    if size >= sizes.biopsy_mm:
        return [(BIOPSY_BY_SIZE, _sizes(size, sizes.biopsy_mm))]
    if size >= sizes.follow_up_mm:
        due = Because(code=NEXT_SCAN, value=sizes.next_year, unit="a")
        return [(FOLLOW_UP_BY_SIZE, (*_sizes(size, sizes.follow_up_mm), due))]
    return []


def _sizes(size: float, least: float) -> Reasons:
    return (
        Because(code=LARGEST_DIAMETER, value=round(size, 1), unit="mm"),
        Because(code=SIZE_THRESHOLD, value=least, unit="mm"),
    )


def _c_tirads_fna_mm(value: str | None, programme: Programme) -> float | None:
    if value == "4A":
        return programme.c_tirads_4a_fna_mm
    return programme.c_tirads_4b_fna_mm if value in ("4B", "4C", "5") else None


def _suspicion(finding: Finding) -> tuple[float, ...] | tuple[float | str, ...]:
    acr, chinese = finding.category("TI-RADS"), finding.category("C-TIRADS")
    acr_rank = CATEGORIES["TI-RADS"].index(acr.value) + 1 if acr is not None and acr.value is not None else 0
    chinese_rank = CATEGORIES["C-TIRADS"].index(chinese.value) if chinese is not None and chinese.value else 0
    points = acr.total if acr is not None and acr.total is not None else 0
    return (-acr_rank, -points, -chinese_rank, -(largest_mm(finding) or 0.0), finding.finding_id)
