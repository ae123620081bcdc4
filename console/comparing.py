"""This screening against the woman's earlier one, made anew each time from what the catalogue says now."""

import hashlib
from typing import TYPE_CHECKING

from sonovan.console.roles import Person
from sonovan.console.stored_reports import report_of
from sonovan.contracts.comparisons import Comparison
from sonovan.reports.compared import compare_reports
from sonovan.reports.document import ScreeningReport
from sonovan.storage.catalogue.comparing import earlier_of

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
    if earlier is None or (person is not None and not person.sees(earlier.visit.site_code)):
        return None
    then = report_of(console, earlier.revision)
    return None if then is None else compare_reports(report, then, earlier.conclusions, earlier.visit.days)


def name_of(comparison: Comparison | None) -> str:
    """Names a comparison, so that whoever signs has seen this one; empty for none."""
    return "" if comparison is None else hashlib.sha256(comparison.model_dump_json().encode()).hexdigest()[:32]
