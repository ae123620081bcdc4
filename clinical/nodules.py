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
from sonovan.contracts.lexicon import CATEGORIES, Scheme
from sonovan.contracts.results import Finding

BIOPSY_BY_SIZE: Final = "biopsy_by_size"
FOLLOW_UP_BY_SIZE: Final = "follow_up_by_size"
LARGEST_DIAMETER: Final = "largest_diameter"
SIZE_THRESHOLD: Final = "size_threshold"
NEXT_SCAN: Final = "next_scan"
LEVEL: Final = "suggested_level"
"""The category that with the size gives the advice; the value is `scheme:category`."""
OTHERS_BIOPSIED: Final = "more_suspicious_ones_biopsied"
"""A biopsy would be advised were it not for so many more suspicious nodules for which one is."""
LEVEL_HAS_RISEN: Final = "level_has_risen"
YEARLY: Final = Because(code=NEXT_SCAN, value=1, unit="a")
GREW_IN_TWO: Final = "grew_in_two_dimensions"
GREW_IN_VOLUME: Final = "grew_in_volume"

MOST_SCORED: Final = 4
FOUR_SCORED: Final = "most_suspicious_nodules_scored"
"""Why a nodule has no category: only so many nodules, the most suspicious ones, are scored."""
ADULTS_ONLY: Final = "schemes_for_adults_only"
"""Why a nodule has no category: the schemes of the thyroid are for adults."""
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
    again in a year. `assess` reads no earlier screening, so that nobody gives it (docs/decisions/0115).
    Where a level is "at least", or no diameter of a reliable outline is known in mm, nothing is advised. A biopsy that
    one scheme advises comes before a follow-up that the other advises; reasons name the schemes' levels. Nothing is
    ever said of a nodule that is below its threshold.
    """
    advice: list[Advice] = []
    biopsies = 0
    for nodule in nodules:
        advised = _advised(nodule, programme, (before or {}).get(nodule.finding_id))
        if advised is None:
            continue
        rule, reasons = advised
        if rule == BIOPSY_BY_SIZE and biopsies == MOST_BIOPSIED:
            rule, reasons = FOLLOW_UP_BY_SIZE, (*reasons, Because(code=OTHERS_BIOPSIED, value=MOST_BIOPSIED), YEARLY)
        biopsies += rule == BIOPSY_BY_SIZE
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
    """The largest diameter of a nodule on any sighting whose scale is known and whose outline is reliable."""
    known = [
        each.long_axis_mm for each in finding.sightings if each.long_axis_mm is not None and not each.outline_unreliable
    ]
    if finding.extent is not None and finding.extent.largest_mm is not None:
        known.append(finding.extent.largest_mm)
    return max(known, default=None)


def _advised(nodule: Finding, programme: Programme, before: Category | None) -> tuple[str, Reasons] | None:
    """What one nodule by itself is advised: a biopsy where any scheme says so, else a follow-up, else nothing."""
    size = largest_mm(nodule)
    acr, chinese = _determined(nodule, "TI-RADS"), _determined(nodule, "C-TIRADS")
    sizes = ACR_SIZES.get(acr or "")
    least = _c_tirads_fna_mm(chinese, programme)
    biopsy: list[Because] = []
    if sizes is not None and size is not None and size >= sizes.biopsy_mm:
        biopsy += [_level("TI-RADS", acr), _threshold(sizes.biopsy_mm)]
    if least is not None and size is not None and size >= least:
        biopsy += [_level("C-TIRADS", chinese), _threshold(least)]
    if biopsy:
        return BIOPSY_BY_SIZE, (_largest(size), *biopsy)
    if sizes is not None and size is not None and size >= sizes.follow_up_mm:
        due = Because(code=NEXT_SCAN, value=sizes.next_year, unit="a")
        return FOLLOW_UP_BY_SIZE, (_largest(size), _level("TI-RADS", acr), _threshold(sizes.follow_up_mm), due)
    if acr is not None and before is not None and before.value is not None and not before.at_least:
        order = CATEGORIES["TI-RADS"]
        if order.index(acr) > order.index(before.value):
            return FOLLOW_UP_BY_SIZE, (Because(code=LEVEL_HAS_RISEN, value=acr), YEARLY)
    return None


def _determined(nodule: Finding, scheme: Scheme) -> str | None:
    """The value of a scheme's category, None where it is "at least" or there is none."""
    category = nodule.category(scheme)
    return None if category is None or category.at_least else category.value


def _level(scheme: Scheme, value: str | None) -> Because:
    return Because(code=LEVEL, value=f"{scheme}:{value}")


def _largest(size: float | None) -> Because:
    return Because(code=LARGEST_DIAMETER, value=round(size or 0.0, 1), unit="mm")


def _threshold(least: float) -> Because:
    return Because(code=SIZE_THRESHOLD, value=least, unit="mm")


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
