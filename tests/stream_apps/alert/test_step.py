from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.clinical.advice import derive_advice
from sonovan.clinical.alert_rules import why_persistent, withhold_alert
from sonovan.clinical.alert_settings import AlertSettings, LeftBeforeRescan, PersistentLesion
from sonovan.contracts.alerts import (
    AboutFinding,
    AboutScreening,
    AboutSide,
    AboutVan,
    AlertAcknowledged,
    LesionAlerted,
)
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import Advice, Category
from sonovan.contracts.ids import alert_id
from sonovan.contracts.results import ScreeningAssessed, Status
from sonovan.reports.alerts import alert_words
from sonovan.stream_apps.alert.step import RuleSet, acknowledged, alerts_of
from tests.clinical.records import NOON, OTHER_SCREENING, REPORT, SWEEP_2, adequacy, assessed, finding, sha, sighting
from tests.stream_apps.alert.scene import RULES, TEST_RULES, Seen, Stage, blind_revision, revision

STATUSES = st.sampled_from(["preliminary", "incomplete", "complete"])
LESIONS = st.dictionaries(st.integers(1, 3), st.sampled_from(["suspicious", "harmless", "gone"]))
HISTORIES = st.lists(st.tuples(LESIONS, STATUSES), max_size=12)
History = tuple[dict[int, Seen], Status]


def states(stage: Stage) -> dict[str, str]:
    return {alert.alert_id: alert.state for alert in stage.known.values()}


def test_a_suspicious_lesion_is_raised_with_its_evidence() -> None:
    (alert,) = Stage().take(revision(1, {1: "suspicious"}, **REPORT))
    lesion = finding(1)
    assert (alert.state, alert.severity, alert.rule) == ("raised", "worklist", "persistent_lesion")
    assert alert.about == AboutFinding(finding_id=lesion.finding_id, organ="breast", laterality="left")
    assert alert.alert_id == alert_id(f"finding:{lesion.finding_id}", "persistent_lesion")
    assert [each.key for each in alert.evidence] == ["image.png", "mask.png", "a.html"]
    assert [each.sha256 for each in alert.evidence] == [sha("image"), sha("mask"), REPORT["report_html_sha256"]]
    assert alert.because == why_persistent(finding(1, score_mean=0.9), PersistentLesion())


def test_the_evidence_of_a_lesion_in_two_sweeps_begins_with_its_best_sighting() -> None:
    second = sighting(3, SWEEP_2, score_mean=0.95, image_key="best.png", mask_key="best-mask.png")
    lesion = finding(sightings=(sighting(1), second), best_ordinal=1)
    (alert,) = Stage().take(revision(1, {}, findings=(lesion,)))
    assert [each.key for each in alert.evidence] == ["best.png", "best-mask.png", "image.png", "mask.png"]


def test_a_harmless_lesion_tells_nothing() -> None:
    assert Stage().take(revision(1, {1: "harmless"})) == []


def test_a_lesion_that_stays_is_raised_once() -> None:
    stage = Stage()
    assert len(stage.take(revision(1, {1: "suspicious"}, "preliminary"))) == 1
    assert stage.take(revision(2, {1: "suspicious"})) == []


def test_a_lesion_that_is_gone_is_withdrawn_once() -> None:
    stage = Stage()
    stage.take(revision(1, {1: "suspicious"}))
    (withdrawal,) = stage.take(revision(2, {1: "gone"}))
    assert (withdrawal.state, withdrawal.because) == ("withdrawn", (Because(code="finding_withdrawn"),))
    assert withdrawal.revision_id == revision(2, {1: "gone"}).revision_id
    assert stage.take(revision(3, {1: "gone"})) == []


def test_a_lesion_that_comes_back_is_raised_again() -> None:
    stage = Stage()
    seen: list[Seen] = ["suspicious", "gone", "suspicious"]
    told = [stage.take(revision(number, {1: each})) for number, each in enumerate(seen, start=1)]
    assert [[alert.state for alert in each] for each in told] == [["raised"], ["withdrawn"], ["raised"]]
    assert len({alert.alert_id for each in told for alert in each}) == 1


def test_half_a_sweep_does_not_withdraw_what_the_whole_may_confirm() -> None:
    stage = Stage()
    stage.take(revision(1, {1: "suspicious"}, "preliminary"))
    assert stage.take(revision(2, {1: "harmless"}, "preliminary")) == []
    (withdrawal,) = stage.take(revision(3, {1: "harmless"}, "incomplete"))
    assert (withdrawal.state, withdrawal.because) == ("withdrawn", (Because(code="rule_no_longer_met"),))


@given(HISTORIES)
def test_raising_and_withdrawal_take_turns_whatever_is_seen(history: list[History]) -> None:
    stage, told = Stage(), []
    for number, (lesions, status) in enumerate(history, start=1):
        told += stage.take(revision(number, lesions, status))
    for name in stage.known:
        told_of = [alert.state for alert in told if alert.alert_id == name]
        assert told_of == [("raised", "withdrawn")[index % 2] for index in range(len(told_of))]


@given(HISTORIES)
def test_the_same_revision_again_tells_nothing(history: list[History]) -> None:
    stage = Stage()
    for number, (lesions, status) in enumerate(history, start=1):
        stage.take(revision(number, lesions, status))
        assert stage.take(revision(number, lesions, status)) == []


@given(HISTORIES, LESIONS)
def test_after_a_whole_sweep_an_alert_stands_where_a_lesion_is_suspicious(
    history: list[History], last: dict[int, Seen]
) -> None:
    stage, ever = Stage(), {number for lesions, _ in history for number in lesions}
    for number, (lesions, status) in enumerate(history, start=1):
        stage.take(revision(number, lesions, status))
    stage.take(revision(99, {**dict.fromkeys(ever, "gone"), **last}))
    standing = {name for name, state in states(stage).items() if state == "raised"}
    assert standing == {
        alert_id(f"finding:{sha(f'finding {number}')}", "persistent_lesion")
        for number, seen in last.items()
        if seen == "suspicious"
    }


def test_rules_tell_of_sides_screenings_and_vans() -> None:
    alerts = Stage(TEST_RULES).take(blind_revision(1))
    assert [(alert.rule, alert.severity, alert.about) for alert in alerts] == [
        ("limited_side", "worklist", AboutSide(organ="breast", laterality="left")),
        ("limited_side", "worklist", AboutSide(organ="breast", laterality="right")),
        ("unfinished", "suspicious", AboutScreening()),
        ("blind_van", "urgent", AboutVan(van_id="van-1")),
    ]
    assert len({alert.alert_id for alert in alerts}) == 4
    assert {tuple(each.key for each in alert.evidence) for alert in alerts} == {("a.html",)}


def test_each_of_them_is_withdrawn_once_when_its_rule_is_no_longer_met() -> None:
    stage = Stage(TEST_RULES)
    stage.take(blind_revision(1))
    assert stage.take(revision(2, {}, "preliminary")) == []
    withdrawn = stage.take(revision(3, {}))
    assert [alert.state for alert in withdrawn] == ["withdrawn"] * 4
    assert {alert.because for alert in withdrawn} == {(Because(code="rule_no_longer_met"),)}
    assert stage.take(revision(4, {})) == []


def test_a_side_of_another_screening_is_another_alert_a_van_is_the_same() -> None:
    stage = Stage(TEST_RULES)
    first = {alert.rule: alert.alert_id for alert in stage.take(blind_revision(1))}
    second = {alert.rule: alert.alert_id for alert in stage.take(blind_revision(1, OTHER_SCREENING))}
    assert second.keys() == {"limited_side", "unfinished"}
    assert not set(second.values()) & set(first.values())


def test_a_vans_alert_is_withdrawn_by_the_screening_that_raised_it_alone() -> None:
    stage = Stage(TEST_RULES)
    stage.take(blind_revision(1))
    assert stage.take(assessed(screening_id=OTHER_SCREENING, findings=())) == []
    assert "blind_van" in {alert.rule for alert in stage.take(revision(2, {}))}


def test_an_alert_is_raised_again_with_a_higher_severity_and_never_with_a_lower_one() -> None:
    stage, told = Stage(), []
    rule = next(each for each in RULES.rules if each.name == "persistent_lesion")
    for number, severity in enumerate(("suspicious", "worklist", "urgent", "suspicious"), start=1):
        known = stage.known
        stage = Stage(replace(RULES, rules=(replace(rule, severity=severity),)))  # type: ignore[arg-type]
        stage.known = known
        told += stage.take(revision(number, {1: "suspicious"}))
    assert [(alert.state, alert.severity) for alert in told] == [("raised", "suspicious"), ("raised", "urgent")]
    assert len({alert.alert_id for alert in told}) == 1
    (withdrawal,) = stage.take(revision(9, {1: "harmless"}))
    assert (withdrawal.state, withdrawal.severity) == ("withdrawn", "urgent")


def test_an_alert_of_a_rule_that_is_gone_stays_until_its_finding_is_withdrawn() -> None:
    stage = Stage()
    stage.take(revision(1, {1: "suspicious"}))
    without = Stage(replace(RULES, rules=()))
    without.known = stage.known
    assert without.take(revision(2, {1: "suspicious"})) == []
    assert [alert.state for alert in without.take(revision(3, {1: "gone"}))] == ["withdrawn"]


def answer(alert: LesionAlerted, by: str = "dr-1") -> AlertAcknowledged:
    return AlertAcknowledged(alert_id=alert.alert_id, screening_id=alert.screening_id, raised_in=alert.raised_in, by=by)


def told(stage: Stage, *revisions: ScreeningAssessed) -> list[str]:
    return [alert.state for each in revisions for alert in stage.take(each)]


def seen(number: int, status: Status = "complete", **lesion: object) -> ScreeningAssessed:
    """Revision `number` with one suspicious lesion that is too small for the worklist."""
    found = finding(malignant=0.9, **{"area_mm2": 5.0, **lesion})
    return revision(number, {}, status, findings=(found,))


def test_an_answer_counts_once_and_for_what_was_raised_alone() -> None:
    (raised,) = Stage().take(seen(1))
    answered = acknowledged(raised, answer(raised), NOON)
    assert answered is not None
    assert (answered.state, answered.acknowledged_by, answered.acknowledged_at) == ("acknowledged", "dr-1", NOON)
    assert acknowledged(answered, answer(raised, "dr-2"), NOON) is None
    again = raised.model_copy(update={"raised_in": sha("later")})
    assert acknowledged(again, answer(raised), NOON) is None
    assert acknowledged(raised.model_copy(update={"state": "withdrawn"}), answer(raised), NOON) is None


def test_what_somebody_sees_to_is_not_withdrawn_but_says_that_its_cause_is_gone() -> None:
    stage = Stage()
    (raised,) = stage.take(seen(1))
    stage.answer(answer(raised))
    (vanished,) = stage.take(revision(2, {1: "gone"}))
    assert (vanished.state, vanished.acknowledged_by) == ("vanished", "dr-1")
    assert vanished.because == (Because(code="finding_withdrawn"),)
    assert told(stage, revision(3, {1: "gone"}), revision(4, {1: "gone"})) == []
    (again,) = stage.take(seen(5))
    assert (again.state, again.acknowledged_by) == ("raised", None)


@pytest.mark.parametrize(("size", "corrected"), [(14.6, True), (14.4, False), (9.68, True), (9.8, False)])
def test_a_size_that_differs_by_a_fifth_is_corrected_once(size: float, corrected: bool) -> None:
    stage = Stage()
    stage.take(seen(1, long_axis_mm=12.1))
    alerts = stage.take(seen(2, long_axis_mm=size))
    assert [alert.state for alert in alerts] == ["corrected"] * corrected
    if corrected:
        assert alerts[0].because[0] == Because(code="size_changed", value=12.1, unit="mm")
        assert "malignant_score" in {each.code for each in alerts[0].because}
    assert told(stage, seen(3, long_axis_mm=size)) == []


def test_without_a_scale_pixels_are_compared_and_a_scale_alone_is_no_change() -> None:
    stage = Stage()
    unknown = {"long_axis_mm": None, "short_axis_mm": None, "area_mm2": None}
    stage.take(seen(1, long_axis_px=50.0, area_px=20, **unknown))
    (change,) = stage.take(seen(2, long_axis_px=70.0, area_px=20, **unknown))
    assert change.because[0] == Because(code="size_changed_px", value=50.0)
    assert told(stage, seen(3, long_axis_px=70.0)) == []


def test_a_wrong_side_is_corrected_under_the_same_id_and_stays_answered() -> None:
    stage = Stage()
    (raised,) = stage.take(seen(1))
    stage.answer(answer(raised))
    (corrected,) = stage.take(seen(2, laterality="right"))
    assert (corrected.state, corrected.alert_id, corrected.acknowledged_by) == ("corrected", raised.alert_id, "dr-1")
    assert corrected.because[0] == Because(code="side_changed", value="breast.side.left")
    assert corrected.about.laterality == "right"  # type: ignore[union-attr]
    assert alert_words(corrected, "en")["because"][0] == "WRONG SIDE before: it was told as Left breast"


def test_nothing_is_corrected_while_frames_still_arrive() -> None:
    stage = Stage()
    stage.take(seen(1, "preliminary", long_axis_mm=5.0))
    assert told(stage, seen(2, "preliminary", long_axis_mm=9.0)) == []
    assert told(stage, seen(3, "incomplete", long_axis_mm=9.0)) == ["corrected"]


def categorised(value: str) -> tuple[Category, ...]:
    return (Category(scheme="BI-RADS", value=value, rule="a_rule", organ="breast", laterality="left"),)


def test_a_higher_category_calls_again_whoever_had_answered_and_a_lower_one_corrects() -> None:
    stage = Stage()
    (raised,) = stage.take(seen(1, categories=categorised("4A")))
    stage.answer(answer(raised))
    (again,) = stage.take(seen(2, "preliminary", categories=categorised("5")))
    assert (again.state, again.acknowledged_by, again.raised_in) == ("raised", None, again.revision_id)
    assert again.because[0] == Because(code="category_rose", value="BI-RADS:5")
    assert told(stage, seen(3, categories=categorised("5"))) == []
    (lower,) = stage.take(seen(4, categories=categorised("4B")))
    assert (lower.state, lower.because[0]) == ("corrected", Because(code="category_changed", value="BI-RADS:5"))


def test_an_unfinished_examination_ranks_below_a_suspicious_finding() -> None:
    stage = Stage()
    stage.take(seen(1, categories=categorised("0")))
    assert told(stage, seen(2, categories=categorised("4A"))) == ["raised"]


def test_who_left_before_an_inadequate_side_was_scanned_again_is_told_of_by_a_rule_of_its_own() -> None:
    row = adequacy(level="inadequate", assessable_share=0.3, reasons=("low_assessable_share",))
    inadequate = {"adequacy": (row,), "advice": derive_advice("complete", (row,), ())}
    stage = Stage()
    (here,) = stage.take(revision(1, {}, **inadequate))
    assert here.rule == "not_rescanned", "closed, and she may still be scanned again"
    left, gone = stage.take(revision(2, {}, left_at=NOON, **inadequate))
    assert (left.rule, left.state, left.about) == ("left_before_rescan", "raised", here.about)
    assert left.because == here.because
    assert withhold_alert(left, "research") == left
    assert (gone.rule, gone.state) == ("not_rescanned", "withdrawn")
    assert gone.because == (Because(code="she_left"),), "nobody scanned her again"
    assert told(stage, revision(3, {}, left_at=NOON, **inadequate)) == []
    assert told(stage, revision(4, {}, left_at=NOON, adequacy=(adequacy(),))) == ["withdrawn"]


def test_a_site_without_a_rule_for_who_left_is_told_of_her_as_before() -> None:
    row = adequacy(level="inadequate", assessable_share=0.3, reasons=("low_assessable_share",))
    inadequate = {"adequacy": (row,), "advice": derive_advice("complete", (row,), ())}
    settings = AlertSettings(left_before_rescan=LeftBeforeRescan(on=False))
    (alert,) = alerts_of(revision(1, {}, left_at=NOON, **inadequate), {}, RuleSet.of(settings))
    assert alert.rule == "not_rescanned"


def test_an_inadequate_side_that_nobody_scanned_again_is_told_of_once_the_van_closed_it() -> None:
    row = adequacy(level="inadequate", assessable_share=0.3, reasons=("low_assessable_share",))
    inadequate = {"adequacy": (row,), "advice": derive_advice("complete", (row,), ())}
    stage = Stage()
    assert told(stage, revision(1, {}, "preliminary", **inadequate)) == []
    (alert,) = stage.take(revision(2, {}, **inadequate))
    assert (alert.rule, alert.about) == ("not_rescanned", AboutSide(organ="breast", laterality="left"))
    assert [each.code for each in alert.because] == ["examination_inadequate", "low_assessable_share"]
    assert withhold_alert(alert, "research") == alert
    assert told(stage, revision(3, {}, adequacy=(adequacy(),))) == ["withdrawn"]


def unseen(number: int, status: Status, *reasons: str, **other: object) -> ScreeningAssessed:
    """Revision `number` of a side that is inadequate by what has arrived, for these reasons."""
    row = adequacy(level="inadequate", assessable_share=0.3, reasons=reasons)
    return revision(number, {}, status, adequacy=(row,), advice=derive_advice(status, (row,), ()), **other)


NOT_YET = ("frames_missing", "sequence_not_closed", "screening_not_closed")


@pytest.mark.parametrize("left_at", [None, NOON], ids=["she is there", "she left"])
@pytest.mark.parametrize("why", ["low_assessable_share", "low_quality"])
@pytest.mark.parametrize("not_here", NOT_YET)
def test_what_has_not_arrived_is_waited_for_before_a_side_counts_as_not_scanned_again(
    not_here: str, why: str, left_at: object
) -> None:
    stage = Stage()
    assert told(stage, unseen(1, "incomplete", why, not_here, left_at=left_at)) == []
    assert told(stage, unseen(2, "complete", why, left_at=left_at)) == ["raised"], "all is here, and nothing better"


@pytest.mark.parametrize("not_here", NOT_YET)
def test_an_alert_stands_until_it_is_known_that_the_side_was_scanned_again(not_here: str) -> None:
    stage = Stage()
    assert told(stage, unseen(1, "complete", "nothing_assessable")) == ["raised"]
    assert told(stage, unseen(2, "incomplete", "nothing_assessable", not_here)) == []
    assert told(stage, unseen(3, "incomplete", "nothing_assessable", not_here, left_at=NOON)) == []
    assert told(stage, unseen(4, "complete", "nothing_assessable", left_at=NOON)) == ["raised", "withdrawn"]
    assert told(stage, revision(5, {}, left_at=NOON)) == ["withdrawn"]


def test_what_waits_for_a_person_and_what_contradicts_is_told_of_at_once() -> None:
    """Nobody may ever release a frame that the van holds back, or mend closings that contradict each other."""
    for each in ("frames_held", "closings_contradict"):
        assert told(Stage(), unseen(1, "incomplete", "nothing_assessable", each)) == ["raised"]


def felt(side: str | None, *words: str) -> tuple[Advice, ...]:
    signs = tuple(Because(code="reported_sign", value=word) for word in words)
    return (Advice(rule="diagnostic_referral", because=signs, organ="breast", laterality=side),)  # type: ignore[arg-type]


def test_a_lump_on_a_side_on_which_nothing_is_outlined_is_told_of() -> None:
    advice, stage = felt("right", "palpable_lump.right", "discharge.bloody"), Stage()
    assert told(stage, revision(1, {}, "preliminary", advice=advice)) == []
    (alert,) = stage.take(revision(2, {1: "harmless"}, advice=advice))
    assert (alert.rule, alert.about) == ("palpable_not_outlined", AboutSide(organ="breast", laterality="right"))
    assert [each.value for each in alert.because] == ["palpable_lump.right", None]
    found = finding(2, area_mm2=1.0, laterality="right")
    assert told(stage, revision(3, {}, findings=(found,), advice=advice)) == ["withdrawn"]


@pytest.mark.parametrize(
    ("advice", "lesions", "tells"),
    [
        (felt("left", "palpable_lump.left"), {1: "harmless"}, False),
        (felt(None, "symptoms.lump"), {}, True),
        (felt(None, "symptoms.lump"), {1: "harmless"}, False),
        (felt("left", "discharge.bloody"), {}, False),
        (felt("left", "symptoms.axillary_lump"), {}, True),
    ],
)
def test_only_a_lump_counts_and_only_where_its_side_has_no_outline(
    advice: tuple[Advice, ...], lesions: dict[int, Seen], tells: bool
) -> None:
    assert told(Stage(), revision(1, lesions, advice=advice)) == ["raised"] * tells


def test_an_outline_of_unknown_side_is_not_taken_for_the_lump_of_a_side() -> None:
    somewhere = (finding(2, laterality=None, area_mm2=1.0),)
    (alert,) = Stage().take(revision(1, {}, findings=somewhere, advice=felt("left", "palpable_lump.left")))
    assert (alert.rule, alert.about) == ("palpable_not_outlined", AboutSide(organ="breast", laterality="left"))
