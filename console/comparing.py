"""This screening against the woman's earlier one, made anew each time from what the catalogue says now."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonovan.console.roles import Person
from sonovan.console.stored_reports import report_of
from sonovan.contracts.comparisons import Comparison
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.errors import InvalidRecord
from sonovan.reports.compared import compare_reports
from sonovan.reports.document import ScreeningReport
from sonovan.reports.signed import Earlier
from sonovan.storage.catalogue.comparing import EarlierScreening, earlier_of

if TYPE_CHECKING:
    from sonovan.console.world import Console


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of comparing a report with the earlier screening.

    comparison: None where there is no earlier screening that counts, where it may not be seen, or its report cannot be
    read. unreadable: that last case: the report is gone, damaged, or of a version that is not known here.
    """

    comparison: Comparison | None = None
    unreadable: bool = False


def compared(console: "Console", screening_id: str, report: ScreeningReport, person: Person) -> Compared:
    """The findings of a report against those of the earlier screening; of nothing where this person may not see that
    one's site.

    A damaged report of the earlier screening keeps nobody from reading and signing this one: it is logged, and said.
    """
    earlier = _earlier(console, screening_id)
    if earlier is None or not person.sees(earlier.visit.site_code):
        return Compared()
    return _against(console, report, earlier)


def still_holds(console: "Console", made: ScreeningConcluded, report: ScreeningReport, person: Person) -> Earlier:
    """Whether what was compared when a conclusion was signed is what would be compared now. report: that was read.

    `unchecked`, so that it is not shown, where this person may not see the earlier screening's site, or the earlier
    report cannot be read.
    """
    earlier = _earlier(console, made.screening_id)
    if earlier is not None and not person.sees(earlier.visit.site_code):
        return "unchecked"
    now = Compared() if earlier is None else _against(console, report, earlier)
    if now.unreadable:
        return "unchecked"
    return "holds" if now.comparison == made.comparison else "otherwise"


def _earlier(console: "Console", screening_id: str) -> EarlierScreening | None:
    with console.catalogue.reading() as connection:
        return earlier_of(connection, screening_id)


def _against(console: "Console", report: ScreeningReport, earlier: EarlierScreening) -> Compared:
    try:
        then = report_of(console, earlier.revision)
    except InvalidRecord as error:
        console.tell(f"nothing is compared with an earlier screening: {error}")
        then = None
    if then is None:
        return Compared(unreadable=True)
    return Compared(compare_reports(report, then, earlier.conclusions, earlier.visit.days))


def name_of(comparison: Comparison | None) -> str:
    """Names a comparison, so that whoever signs has seen this one; empty for none."""
    return "" if comparison is None else hashlib.sha256(comparison.model_dump_json().encode()).hexdigest()[:32]
