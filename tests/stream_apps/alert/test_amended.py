"""What becomes of alerts when the screening is amended: a void one and one without consent withdraw them."""

import pytest

from sonovan.clinical.alert_rules import CONSENT_WITHDRAWN, SCREENING_VOID
from sonovan.contracts.alerts import AlertAcknowledged, LesionAlerted
from sonovan.contracts.amendments import AmendmentInForce
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import Advice
from sonovan.contracts.results import Status
from tests.clinical.records import OTHER_SCREENING
from tests.stream_apps.alert.scene import Stage, blind_revision, revision

VOID = AmendmentInForce(amendment_number=1, kind="void", because="wrong_woman")
NO_AI = AmendmentInForce(amendment_number=1, kind="consent", because="she_withdrew", withdrawn=("ai",))
NO_RESEARCH = AmendmentInForce(amendment_number=1, kind="consent", because="she_withdrew", withdrawn=("research",))


def answer(alert: LesionAlerted) -> AlertAcknowledged:
    return AlertAcknowledged(
        alert_id=alert.alert_id, screening_id=alert.screening_id, raised_in=alert.raised_in, by="dr-1"
    )


@pytest.mark.parametrize("status", ["preliminary", "complete"])
@pytest.mark.parametrize(("made", "why"), [(VOID, SCREENING_VOID), (NO_AI, CONSENT_WITHDRAWN)])
def test_alerts_are_withdrawn_once_before_the_closing_and_after_it(
    made: AmendmentInForce, why: str, status: Status
) -> None:
    stage = Stage()
    stage.take(revision(1, {1: "suspicious"}))
    (gone,) = stage.take(revision(2, {1: "gone"}, status, amendments=(made,)))
    assert (gone.state, [each.code for each in gone.because]) == ("withdrawn", [why])
    assert stage.take(revision(3, {1: "gone"}, status, amendments=(made,))) == []


def test_one_that_somebody_sees_to_stays_and_says_that_the_screening_is_void() -> None:
    stage = Stage()
    (raised,) = stage.take(revision(1, {1: "suspicious"}))
    stage.answer(answer(raised))
    (told,) = stage.take(revision(2, {1: "gone"}, amendments=(VOID,)))
    assert (told.state, told.acknowledged_by) == ("vanished", "dr-1")
    assert [each.code for each in told.because] == [SCREENING_VOID]


def test_alerts_about_sides_go_as_well_and_those_of_another_screening_stay() -> None:
    stage = Stage()
    stage.take(blind_revision(1, OTHER_SCREENING))
    raised = stage.take(blind_revision(1))
    gone = stage.take(revision(2, {}, amendments=(VOID,)))
    assert {each.alert_id for each in gone} == {each.alert_id for each in raised}


def test_nobody_is_told_of_a_lump_without_an_outline_where_no_machine_may_look() -> None:
    referral = Advice(
        rule="diagnostic_referral",
        because=(Because(code="reported_sign", value="palpable_lump.left"),),
        organ="breast",
        laterality="left",
    )
    assert [each.rule for each in Stage().take(revision(1, {}, advice=(referral,)))] == ["palpable_not_outlined"]
    assert Stage().take(revision(1, {}, advice=(referral,), amendments=(NO_AI,))) == []


def test_a_use_that_is_none_of_these_changes_no_alert() -> None:
    stage = Stage()
    stage.take(revision(1, {1: "suspicious"}))
    assert stage.take(revision(2, {1: "suspicious"}, amendments=(NO_RESEARCH,))) == []


def test_a_void_that_is_taken_back_raises_the_alert_again() -> None:
    stage = Stage()
    (first,) = stage.take(revision(1, {1: "suspicious"}))
    stage.take(revision(2, {1: "gone"}, amendments=(VOID,)))
    (again,) = stage.take(revision(3, {1: "suspicious"}))
    assert (again.state, again.alert_id) == ("raised", first.alert_id)
