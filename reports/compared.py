"""A report against that of an earlier screening, and in words: a line for each lesion, those of this one first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sonovan.clinical.comparison import Seen, compare
from sonovan.clinical.conclusions import counting
from sonovan.contracts.comparisons import Change, Compared, Comparison
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.reports.details import where
from sonovan.reports.document import ScreeningReport
from sonovan.reports.words import Words

_CHANGES: Final[Mapping[Change, str]] = {
    "seen_before": "change_seen_before",
    "new": "change_new",
    "not_found_again": "change_not_found_again",
    "undecided": "change_undecided",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One lesion. number: of the finding in the report, None for one that the earlier screening alone has. grown: it
    has, by the rule. why: growth and doubts, in words."""

    number: int | None
    place: str
    change: str
    grown: bool
    why: str


def compare_reports(
    now: ScreeningReport, then: ScreeningReport, signed_then: Iterable[ScreeningConcluded], days: int
) -> Comparison | None:
    """A report against that of an earlier screening; None where either says nothing of the pictures.

    signed_then: every conclusion of the earlier one: what its reader called no lesion is left out. days: between both.
    """
    if now.silenced or then.silenced:
        return None
    read = counting(signed_then)
    judged = () if read is None else read.findings
    no_lesions = {each.finding_id for each in judged if each.verdict == "no_lesion"}
    lesions = tuple(each for each in then.findings if each.finding_id not in no_lesions)
    return compare(Seen(lesions, then.adequacy), Seen(now.findings, now.adequacy), days)


def lines_of(comparison: Comparison, numbers: Mapping[str, int], words: Words) -> tuple[Line, ...]:
    """A line for each lesion. numbers: by finding id, its number in the report; others stand without one."""
    return tuple(_line(each, numbers, words) for each in comparison.findings)


def _line(compared: Compared, numbers: Mapping[str, int], words: Words) -> Line:
    place = words.place(compared.organ, compared.laterality)
    if compared.location is not None:
        place = where(place, compared.location, words)
    return Line(
        number=numbers.get(compared.finding_id or ""),
        place=place,
        change=words.text(_CHANGES[compared.change]),
        grown=compared.grown is True,
        why=words.text("semicolon").join(words.because(each) for each in compared.because),
    )
