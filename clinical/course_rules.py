"""Alert rules on what becomes of a report: nobody signs it, nobody records what became of her, a lesion has grown.

A rule reads the course of one screening (`sonovan.clinical.course`): its report, what readers signed and the outcomes
that were recorded. It gives, for everything that it fires for, what the alert is about, why, and since when that holds;
somebody is told where it still holds after the rule's time. The numbers stand in `sonovan.clinical.alert_settings`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sonovan.clinical.alert_settings import AlertSettings
from sonovan.clinical.conclusions import calls_back
from sonovan.clinical.course import Course
from sonovan.contracts.alerts import About, AboutFinding, AboutKind, AboutScreening, AboutSide, Severity
from sonovan.contracts.because import Because
from sonovan.contracts.conclusions import CategoryRead
from sonovan.contracts.outcomes import EXAMINED

REPORT_UNSIGNED: Final = "report_unsigned"
"""The rule's name in alerts: there is a report, and for too long no reader has signed it."""
OUTCOME_MISSING: Final = "outcome_missing"
"""The rule's name in alerts: a reader signed category 4 or 5, and for too long nobody recorded what it was."""
LARGE_GROWTH: Final = "large_growth"
"""The rule's name in alerts: by the comparison that a reader signed, a lesion has grown since her earlier screening."""
COURSE_RULES: Final = frozenset({REPORT_UNSIGNED, OUTCOME_MISSING, LARGE_GROWTH})

UNSIGNED_FOR: Final = "unsigned_for"
NO_OUTCOME_FOR: Final = "no_outcome_for"
SIGNED_CATEGORY: Final = "signed_category"
"""The reader's category, as `scheme:category`."""
SIGNED_CATEGORY_CHANGED: Final = "signed_category_changed"
"""A reader has signed another category since; the value is the one that was told, as `scheme:category`."""
GROWTH_CHANGED: Final = "growth_changed"
"""By the comparison that a reader has signed since, it has grown in another way or by another amount than was told."""
REPORT_SIGNED: Final = "report_signed"
"""Why an alert is gone: a reader has signed."""
OUTCOME_KNOWN: Final = "outcome_known"
"""Why an alert is gone: somebody recorded what became of her."""
WOMAN_CHANGED: Final = "woman_changed"
"""Why an alert on growth is gone: since its reader compared the screening it turned out to be another woman's."""

FOUR_OR_FIVE: Final = frozenset(
    {("BI-RADS", each) for each in ("4A", "4B", "4C", "5")}
    | {("TI-RADS", each) for each in ("TR4", "TR5")}
    | {("C-TIRADS", each) for each in ("4A", "4B", "4C", "5")}
)

_ENDS_THE_SEARCH: Final = frozenset({"interval_cancer", "lost_to_follow_up"})
_TELLS_NOTHING: Final = frozenset({"not_known", "not_diagnostic"})
_DAY: Final = timedelta(days=1)
"""What a local day may lie before the day of the same moment in UTC."""


@dataclass(frozen=True, slots=True)
class Met:
    """A rule is met. since: from when its time counts. revision_id: of what was reported or read. conclusion_id: of
    what a reader signed; None where nobody has.
    """

    about: About
    because: tuple[Because, ...]
    since: datetime
    revision_id: str
    conclusion_id: str | None = None


@dataclass(frozen=True, slots=True)
class CourseRule:
    """One rule, with the site's numbers in it. after: how long it must have been met before anybody is told.

    find: must give the same for the same course.
    """

    name: str
    severity: Severity
    about: AboutKind
    after: timedelta
    find: Callable[[Course], Iterable[Met]]


def course_rules_of(settings: AlertSettings) -> tuple[CourseRule, ...]:
    """The rules that a site uses, in the order in which their alerts are raised."""
    unsigned, outcome, growth = settings.report_unsigned, settings.outcome_missing, settings.large_growth
    hours, days = unsigned.after_h, outcome.after_days
    rules = (
        (unsigned.on, CourseRule(REPORT_UNSIGNED, unsigned.severity, "screening", timedelta(hours=hours),
                                 lambda course: unsigned_report(course, hours))),
        (outcome.on, CourseRule(OUTCOME_MISSING, outcome.severity, "side", timedelta(days=days),
                                lambda course: missing_outcomes(course, days))),
        (growth.on, CourseRule(LARGE_GROWTH, growth.severity, "finding", timedelta(), large_growth)),
    )  # fmt: skip
    return tuple(rule for on, rule in rules if on)


def large_growth(course: Course) -> Iterator[Met]:
    """Each finding that has grown by the comparison in the conclusion that counts, as `comparison.grown` says.

    Not one that its reader called no lesion, and none where the screening turned out to be another woman's since.
    """
    if course.counts is None or course.woman_changed:
        return
    at, made = course.counts
    if made.comparison is None:
        return
    no_lesions = {each.finding_id for each in made.findings if each.verdict == "no_lesion"}
    for each in made.comparison.findings:
        if each.grown and each.finding_id is not None and each.finding_id not in no_lesions:
            about = AboutFinding(finding_id=each.finding_id, organ=each.organ, laterality=each.laterality)
            yield Met(about, each.because, at, made.revision_id, made.conclusion_id)


def unsigned_report(course: Course, after_h: float) -> Iterator[Met]:
    """The screening, where it has a report and no reader has signed any of its revisions.

    The time counts from the report. One signature ends it, also where a second reader is still to read.
    """
    if course.reported is not None and course.counts is None:
        because = (Because(code=UNSIGNED_FOR, value=after_h, unit="h"),)
        yield Met(AboutScreening(), because, course.reported.at, course.reported.revision_id)


def missing_outcomes(course: Course, after_days: float) -> Iterator[Met]:
    """Each side that the conclusion that counts puts into category 4 or 5 and of which nobody knows what it was.

    The time counts from that conclusion. Of the thyroid only where she is asked to come before her next visit: a small
    nodule of TR4 or TR5 is followed by ultrasound, which is no outcome.
    """
    if course.counts is None:
        return
    at, made = course.counts
    for side in made.sides:
        categories = [each for each in side.categories if (each.scheme, each.value) in FOUR_OR_FIVE]
        asked = side.organ == "breast" or calls_back(side.recommended.action)
        about = AboutSide(organ=side.organ, laterality=side.laterality)
        if categories and asked and not outcome_known(course, about):
            because = (*map(_signed, categories), Because(code=NO_OUTCOME_FOR, value=after_days, unit="d"))
            yield Met(about, because, at, made.revision_id, made.conclusion_id)


def outcome_known(course: Course, side: AboutSide) -> bool:
    """Whether an outcome says what became of this side: an examination whose result is known, a cancer that was found
    between two screenings, or that she was lost; since the day on which the screening was first signed.

    Not a call, an appointment, or that she does not want to come: somebody has to decide what to do then; nor an
    examination that was not diagnostic, which must be done again. An outcome without a side, or without an organ,
    counts for each. `happened_on` is a local day, so that the day before the signature's in UTC counts as well.
    """
    first_signed_on = min(((made.signed_at - _DAY).date() for _, made in course.signed), default=date.max)
    return any(
        each.happened_on >= first_signed_on
        and each.organ in (None, side.organ)
        and (None in (each.laterality, side.laterality) or each.laterality == side.laterality)
        and (each.kind in _ENDS_THE_SEARCH or (each.kind in EXAMINED and each.result not in _TELLS_NOTHING))
        for each in course.outcomes_in_force
    )


def _signed(category: CategoryRead) -> Because:
    return Because(code=SIGNED_CATEGORY, value=f"{category.scheme}:{category.value}")
