"""Alert rules on what becomes of a report: each against a table, and what ends it."""

from datetime import date, timedelta
from typing import Any, Final

import pytest

from sonovan.clinical.alert_settings import AlertSettings, OutcomeMissing, ReportUnsigned
from sonovan.clinical.course import Course, Reported
from sonovan.clinical.course_rules import course_rules_of, large_growth, missing_outcomes, unsigned_report
from sonovan.contracts.alerts import AboutFinding, AboutScreening, AboutSide
from sonovan.contracts.because import Because
from sonovan.contracts.comparisons import Compared, Comparison
from sonovan.contracts.conclusions import CategoryRead, Recommended, ScreeningConcluded, SideConcluded
from sonovan.contracts.outcomes import OutcomeRecorded
from tests.clinical.records import NOON, SCREENING, sha
from tests.contracts.conclusions import EVENING, FIRST, SECOND, concluded, left_breast, left_lobe, lesion, outcome

REPORTED: Final = Reported(sha("three"), NOON)
DAY: Final = EVENING.date()


def happened(outcome_id: str = FIRST, **other: Any) -> OutcomeRecorded:
    nothing = {"organ": None, "laterality": None, "result": None}
    return outcome(outcome_id, **{"happened_on": DAY, **nothing, **other})


def signed(*sides: SideConcluded, **other: Any) -> ScreeningConcluded:
    return concluded(sides=sides, findings=(), **other)


def course(*made: ScreeningConcluded, outcomes: tuple[OutcomeRecorded, ...] = (), **other: Any) -> Course:
    at = tuple((EVENING + timedelta(minutes=number), each) for number, each in enumerate(made))
    return Course(SCREENING, signed=at, outcomes=outcomes, **other)


def lobe(scheme: str, value: str, action: str = "fna") -> SideConcluded:
    months = 12 if action == "follow_up" else None
    read = CategoryRead(scheme=scheme, value=value)  # type: ignore[arg-type]
    recommended = Recommended(action=action, months=months)  # type: ignore[arg-type]
    return left_lobe(categories=(read,), recommended=recommended)


def sides_waiting(told: Course) -> list[tuple[str, str | None]]:
    return [
        (each.about.organ, each.about.laterality)
        for each in missing_outcomes(told, 30)
        if isinstance(each.about, AboutSide)
    ]


def test_a_report_that_nobody_signed_is_told_from_when_it_was_there() -> None:
    (met,) = unsigned_report(course(reported=REPORTED), 48)
    assert (met.about, met.since, met.revision_id) == (AboutScreening(), NOON, REPORTED.revision_id)
    assert [(each.code, each.value, each.unit) for each in met.because] == [("unsigned_for", 48, "h")]


@pytest.mark.parametrize("told", [course(), course(signed(left_breast("1", "routine_screening")), reported=REPORTED)])
def test_without_a_report_or_with_a_signature_nobody_is_late(told: Course) -> None:
    assert list(unsigned_report(told, 48)) == []


@pytest.mark.parametrize(
    ("side", "waits"),
    [
        (left_breast("4A"), True), (left_breast("4B"), True), (left_breast("4C"), True), (left_breast("5"), True),
        (left_breast("0", "mammography"), False), (left_breast("3", "mammography"), False),
        (left_breast("2", "routine_screening"), False), (left_breast("6", "treatment"), False),
        (lobe("TI-RADS", "TR4"), True), (lobe("TI-RADS", "TR5"), True), (lobe("C-TIRADS", "4A"), True),
        (lobe("C-TIRADS", "5"), True), (lobe("TI-RADS", "TR3"), False), (lobe("C-TIRADS", "3"), False),
        (lobe("TI-RADS", "TR5", "follow_up"), False),
    ],
)  # fmt: skip
def test_a_signed_four_or_five_waits_for_an_outcome(side: SideConcluded, waits: bool) -> None:
    found = list(missing_outcomes(course(signed(side)), 30))
    assert bool(found) is waits
    if waits:
        assert found[0].since == EVENING
        assert [each.code for each in found[0].because] == ["signed_category", "no_outcome_for"]


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({"kind": "core_biopsy", "result": "benign", "organ": "breast", "laterality": "left"}, True),
        ({"kind": "mammography", "result": "malignant", "organ": "breast"}, True),
        ({"kind": "core_biopsy", "result": "not_diagnostic", "organ": "breast", "laterality": "left"}, False),
        ({"kind": "core_biopsy", "result": "not_known", "organ": "breast", "laterality": "left"}, False),
        ({"kind": "core_biopsy", "result": "benign", "organ": "breast", "laterality": "right"}, False),
        ({"kind": "fna", "result": "benign", "organ": "thyroid", "laterality": "left"}, False),
        ({"kind": "core_biopsy", "result": "benign", "organ": "breast", "happened_on": date(2025, 3, 2)}, False),
        ({"kind": "core_biopsy", "result": "benign", "organ": "breast",
          "happened_on": (EVENING - timedelta(days=1)).date()}, True),
        ({"kind": "lost_to_follow_up"}, True),
        ({"kind": "called"}, False), ({"kind": "declined"}, False), ({"kind": "attended"}, False),
    ],
)  # fmt: skip
def test_what_ends_the_wait_for_an_outcome(fields: dict[str, Any], ends: bool) -> None:
    told = course(signed(left_breast("4A")), outcomes=(happened(**fields),))
    assert (sides_waiting(told) == []) is ends


def test_each_side_waits_for_its_own_outcome() -> None:
    both = signed(left_breast("4A"), left_breast("5", laterality="right"))
    of_the_left = happened(kind="core_biopsy", result="benign", organ="breast", laterality="left")
    assert sides_waiting(course(both)) == [("breast", "left"), ("breast", "right")]
    assert sides_waiting(course(both, outcomes=(of_the_left,))) == [("breast", "right")]


def test_an_outcome_that_was_recorded_by_mistake_ends_nothing() -> None:
    wrong = happened(kind="core_biopsy", result="benign", organ="breast", laterality="left")
    undone = happened(SECOND, kind="recorded_by_mistake", amends=wrong.outcome_id, because="wrong_woman")
    assert sides_waiting(course(signed(left_breast("5")), outcomes=(undone, wrong))) == [("breast", "left")]


def test_a_biopsy_before_the_conclusion_was_amended_counts() -> None:
    first = signed(left_breast("4A"))
    later = signed(left_breast("5"), conclusion_id=SECOND, conclusion_number=2, amends=FIRST,
                   because="outcome_known", signed_at=EVENING + timedelta(days=20))  # fmt: skip
    told = happened(kind="core_biopsy", result="malignant", organ="breast", laterality="left")
    assert sides_waiting(course(first, later, outcomes=(told,))) == []


def test_the_conclusion_that_counts_decides() -> None:
    first = signed(left_breast("4A"))
    less = signed(left_breast("2", "routine_screening"), conclusion_id=SECOND, conclusion_number=2, amends=FIRST,
                  because="misread")  # fmt: skip
    assert sides_waiting(course(first, less)) == []


@pytest.mark.parametrize(
    ("change", "grown", "verdict", "told"),
    [
        ("seen_before", True, "lesion", True),
        ("seen_before", True, "no_lesion", False),
        ("seen_before", False, "lesion", False),
        ("seen_before", None, "lesion", False),
        ("new", None, "lesion", False),
        ("undecided", None, "lesion", False),
    ],
)
def test_a_lesion_that_has_grown_by_the_signed_comparison_is_told_of(
    change: Any, grown: bool | None, verdict: Any, told: bool
) -> None:
    why = (Because(code="grew_in_diameter", value=0.3, unit="1"),)
    one = Compared(change=change, finding_id=sha("finding 1"), organ="breast", laterality="left", grown=grown,
                   because=why)  # fmt: skip
    made = concluded(findings=(lesion(verdict=verdict),), comparison=Comparison(months=12, findings=(one,)))
    found = list(large_growth(course(made)))
    assert bool(found) is told
    if told:
        about = AboutFinding(finding_id=sha("finding 1"), organ="breast", laterality="left")
        assert (found[0].about, found[0].because, found[0].since) == (about, why, EVENING)


def test_a_site_sets_the_times_or_switches_a_rule_off() -> None:
    usual = {each.name: (each.severity, each.after) for each in course_rules_of(AlertSettings())}
    assert usual == {
        "report_unsigned": ("worklist", timedelta(hours=48)),
        "outcome_missing": ("worklist", timedelta(days=30)),
        "large_growth": ("suspicious", timedelta()),
    }
    own = AlertSettings(report_unsigned=ReportUnsigned(after_h=4), outcome_missing=OutcomeMissing(on=False))
    assert [(each.name, each.after) for each in course_rules_of(own)] == [
        ("report_unsigned", timedelta(hours=4)),
        ("large_growth", timedelta()),
    ]
