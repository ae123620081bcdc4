"""This screening against the woman's earlier one, made anew each time from what the catalogue says now."""

import hashlib
from datetime import date
from typing import TYPE_CHECKING

from sonovan.clinical.comparison import Seen, compare
from sonovan.clinical.conclusions import counting
from sonovan.console.roles import Person
from sonovan.console.stored_reports import report_of
from sonovan.contracts.comparisons import Comparison
from sonovan.contracts.results import Finding
from sonovan.reports.document import ScreeningReport
from sonovan.storage.catalogue.comparing import EarlierScreening, earlier_of

if TYPE_CHECKING:
    from sonovan.console.world import Console


def comparison_of(
    console: "Console", screening_id: str, report: ScreeningReport, person: Person | None = None
) -> Comparison | None:
    """The findings of a report against those of the earlier screening; None where there is none to compare with.

    person: who would see it; None also where that person may not see the earlier screening's site.
    """
    with console.catalogue.reading() as connection:
        earlier = earlier_of(connection, screening_id)
    if earlier is None or (person is not None and not person.sees(earlier.site_code)):
        return None
    then = report_of(console, earlier.revision)
    if then is None or then.silenced or report.silenced:
        return None
    days = (date.fromisoformat(earlier.now_on) - date.fromisoformat(earlier.opened_on)).days
    before = Seen(_lesions(then, earlier), then.adequacy)
    return compare(before, Seen(report.findings, report.adequacy), max(days, 0))


def name_of(comparison: Comparison | None) -> str:
    """Names a comparison, so that whoever signs has seen this one; empty for none."""
    return "" if comparison is None else hashlib.sha256(comparison.model_dump_json().encode()).hexdigest()[:32]


def _lesions(then: ScreeningReport, earlier: EarlierScreening) -> tuple[Finding, ...]:
    """The earlier findings without those that the reader called no lesion."""
    signed = counting(earlier.conclusions)
    read = () if signed is None else signed.findings
    none = {each.finding_id for each in read if each.verdict == "no_lesion"}
    return tuple(each for each in then.findings if each.finding_id not in none)
