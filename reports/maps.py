"""Which maps a report has, and what stands on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from sonovan.contracts.clinical_record import ClinicalRecord
from sonovan.contracts.lexicon import Organ, Side
from sonovan.reports.details import hour_of, placed
from sonovan.reports.document import ScreeningReport
from sonovan.reports.side_map import Mark, breast_map, thyroid_map
from sonovan.reports.words import Words

_BREASTS: Final[tuple[Side, ...]] = ("right", "left")
_UNSEEN = ("not_examined", "inadequate", "unknown")


@dataclass(frozen=True, slots=True)
class Map:
    """One drawing, what stands under it, whether anything is marked on it, and whose places are not known."""

    svg: Markup
    title: str
    marked: bool
    unplaced: str


def maps_of(report: ScreeningReport, words: Words) -> list[Map]:
    """A clock face for each breast and one drawing of the thyroid, of the organs that were planned or seen.

    A side without a row of its own, or of which nothing could be assessed, is grey.
    """
    organs = {row.organ for row in report.adequacy} | {finding.organ for finding in report.findings}
    found: list[Map] = []
    if "breast" in organs:
        found += (_breast(report, side, words) for side in ("right", "left"))
    if "thyroid" in organs:
        found.append(_thyroid(report, words))
    return found


def lump_maps(record: ClinicalRecord, words: Words) -> list[Map]:
    """A clock face for each breast in which she feels a lump, with the lumps alone: nothing that a machine found."""
    sides = {lump.side for lump in record.lump_places or ()}
    found: list[Map] = []
    for side in (each for each in _BREASTS if each in sides):
        title = words.place("breast", side)
        drawn = breast_map(
            side,
            list(_felt(record, side, words)),
            label=title,
            outer=words.text("map_outer"),
            inner=words.text("map_inner"),
            unseen=False,
        )
        found.append(Map(Markup(drawn.svg), title, drawn.marked, ", ".join(drawn.unplaced)))  # noqa: S704 - its texts are escaped
    return found


def unplaced_side(report: ScreeningReport) -> list[int]:
    """The numbers of the findings of which nobody recorded the side: they stand on no map."""
    return [number for number, finding in enumerate(report.findings, 1) if finding.laterality is None]


def felt(report: ScreeningReport) -> bool:
    """Whether a map shows a lump that she feels."""
    return bool(report.recorded and report.recorded.lump_places)


def _breast(report: ScreeningReport, side: Side, words: Words) -> Map:
    title = words.place("breast", side)
    drawn = breast_map(
        side,
        [*_marks(report, "breast", side), *_felt(report.recorded, side, words)],
        label=title,
        outer=words.text("map_outer"),
        inner=words.text("map_inner"),
        unseen=_unseen(report, "breast", side),
    )
    return Map(Markup(drawn.svg), title, drawn.marked, ", ".join(drawn.unplaced))  # noqa: S704 - its texts are escaped


def _thyroid(report: ScreeningReport, words: Words) -> Map:
    sides: tuple[Side, ...] = ("left", "right", "isthmus")
    title = words.lexicon("organ.thyroid")
    drawn = thyroid_map(
        {side: list(_marks(report, "thyroid", side)) for side in sides},
        label=title,
        sides={side: words.place("thyroid", side) for side in sides},
        unseen=[side for side in sides if _unseen(report, "thyroid", side)],
    )
    return Map(Markup(drawn.svg), title, drawn.marked, ", ".join(drawn.unplaced))  # noqa: S704 - its texts are escaped


def _marks(report: ScreeningReport, organ: Organ, side: Side) -> Iterator[Mark]:
    for number, finding in enumerate(report.findings, 1):
        if (finding.organ, finding.laterality) == (organ, side):
            known = placed(finding)
            if known is None:
                yield Mark(str(number))
            else:
                yield Mark(str(number), known.hour, known.region, known.nipple_distance_mm)


def _felt(record: ClinicalRecord | None, side: Side, words: Words) -> Iterator[Mark]:
    for lump in (record and record.lump_places) or ():
        if lump.side == side:
            hour = hour_of(lump.position)
            region = None if hour else lump.position
            yield Mark(words.text("map_felt"), hour, region, lump.nipple_distance_mm, felt=True)


def _unseen(report: ScreeningReport, organ: Organ, side: Side) -> bool:
    rows = [row for row in report.adequacy if (row.organ, row.laterality) == (organ, side)]
    return all(row.level in _UNSEEN for row in rows)
