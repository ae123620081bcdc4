import hashlib
from dataclasses import asdict
from functools import partial
from typing import get_args

import pytest

from sonovan.clinical.adequacy import ADEQUACY_RULES
from sonovan.clinical.advice import derive_advice, withhold, withhold_frame
from sonovan.clinical.alert_rules import lesions_that, why_persistent
from sonovan.clinical.alert_settings import SUSPICIOUS_WORDS, PersistentLesion
from sonovan.clinical.birads import BANDS
from sonovan.clinical.c_tirads import SUSPICIOUS
from sonovan.clinical.category import derive_categories
from sonovan.clinical.descriptors import ENOUGH, TOP_SUSPICIOUS
from sonovan.clinical.lesions import TOP_MEMBERS
from sonovan.clinical.motion import MOTION_RULES
from sonovan.clinical.nodules import ACR_SIZES
from sonovan.clinical.order import UNRELIABLE_SHARE
from sonovan.clinical.referral import CHANGES, DIAGNOSTIC_REFERRAL, LUMPS, PATHOLOGICAL
from sonovan.clinical.rules import RULES_VERSION
from sonovan.clinical.same_lesion import SAME_LESION_RULES
from sonovan.clinical.seen_partly import SEEN_PARTLY_RULES
from sonovan.clinical.tirads import POINTS
from sonovan.clinical.track import LINK_RULES
from sonovan.clinical.track_score import TRACK_WEIGHTS
from sonovan.contracts.alerts import AboutFinding
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import Advice, Category
from sonovan.contracts.results import IntendedUse, Level
from sonovan.reports.words import Words
from tests.clinical.records import SWEEP_2, adequacy, assessed, finding, region, segmented, sighting


def test_an_inadequate_breast_side_is_bi_rads_0_and_says_which() -> None:
    rows = [
        adequacy(),
        adequacy(laterality="right", level="inadequate", assessable_share=0.4, reasons=("low_assessable_share",)),
    ]
    (category,) = derive_categories(rows, "complete")
    assert (category.scheme, category.value, category.rule) == ("BI-RADS", "0", "breast_not_adequate")
    assert (category.organ, category.laterality) == ("breast", "right")
    assert category.because == (
        Because(code="examination_inadequate"),
        Because(code="low_assessable_share", value=0.4, unit="1"),
    )


def test_an_unfinished_breast_side_is_bi_rads_0() -> None:
    (category,) = derive_categories([adequacy(level="limited", reasons=("frames_missing",))], "incomplete")
    assert [each.code for each in category.because] == ["examination_incomplete", "frames_missing"]


def test_a_side_whose_file_was_cut_short_is_bi_rads_0_however_complete_the_transport() -> None:
    (category,) = derive_categories([adequacy(level="limited", reasons=("sequence_cut_short",))], "complete")
    assert category.value == "0"
    assert [each.code for each in category.because] == ["examination_incomplete", "sequence_cut_short"]


def test_frames_without_a_side_are_no_side_and_have_no_bi_rads_0() -> None:
    row = adequacy(laterality=None, level="inadequate", reasons=("nothing_assessable", "side_unknown"))
    assert derive_categories([row], "complete") == ()
    assert withhold(assessed(adequacy=(row,), findings=()), "research").categories == ()


def test_a_suspicious_lesion_without_a_side_keeps_its_category() -> None:
    row = adequacy(laterality=None, level="inadequate", reasons=("side_unknown",))
    lesion = finding(
        laterality=None, categories=(categorised().model_copy(update={"value": "4B", "laterality": None}),)
    )
    (category,) = derive_categories([row], "complete", [lesion])
    assert (category.value, category.laterality) == ("4B", None)


def test_silence_is_never_a_negative_and_an_outline_never_a_category() -> None:
    assert derive_categories([adequacy(), adequacy(level="limited", reasons=("few_frames",))], "complete") == ()


def test_the_thyroid_has_no_category_without_descriptors() -> None:
    assert derive_categories([adequacy(organ="thyroid", level="inadequate")], "complete") == ()


def test_nothing_is_derived_while_frames_still_come() -> None:
    assert derive_categories([adequacy(level="inadequate", reasons=("not_seen",))], "preliminary") == ()


def test_one_category_per_side_however_many_regions_were_planned() -> None:
    rows = [adequacy(region=region, level="inadequate", reasons=("not_seen",)) for region in ("upper", "lower")]
    assert len(derive_categories(rows, "complete")) == 1


def test_a_reader_must_always_review() -> None:
    (only,) = derive_advice("complete", [adequacy()], [])
    assert (only.rule, only.because) == ("reader_must_review", (Because(code="outlined_regions", value=0),))


def test_scan_again_says_where_and_why() -> None:
    row = adequacy(level="inadequate", region="axilla", reasons=("low_quality",))
    advice = derive_advice("complete", [row], [])[1]
    assert (advice.organ, advice.laterality, advice.region) == ("breast", "left", "axilla")
    assert [each.code for each in advice.because] == ["not_assessed", "low_quality"]


def codes(status: str, **row: object) -> list[str]:
    return [advice.rule for advice in derive_advice(status, [adequacy(**row)], [finding()])][1:]  # type: ignore[arg-type]


def test_scan_again_where_something_was_not_seen_well_enough() -> None:
    assert codes("complete", level="inadequate", reasons=("nothing_assessable",)) == ["scan_again"]
    assert codes("preliminary", level="limited", reasons=("low_quality",)) == ["scan_again"]
    assert codes("complete", level="usable", reasons=("coverage_not_known",)) == []


def test_a_planned_side_that_was_not_examined_is_to_be_examined_once_all_is_here() -> None:
    assert codes("complete", level="not_examined", reasons=("not_seen",)) == ["examine"]
    assert codes("preliminary", level="not_examined", reasons=("not_breast_ultrasound",)) == []
    assert codes("incomplete", level="unknown", reasons=("not_seen", "sequence_not_closed")) == ["send_missing_frames"]


@pytest.mark.parametrize("level", ["not_examined", "unknown", "usable", "adequate"])
def test_bi_rads_0_is_of_an_examination_alone(level: Level) -> None:
    """clinical.md, BI-RADS: 0 incomplete assesses an examination; what was never examined has no category."""
    reasons = ("not_seen", "sequence_not_closed") if level == "unknown" else ()
    assert derive_categories([adequacy(level=level, reasons=reasons)], "incomplete") == ()


def test_frames_that_have_not_arrived_are_sent_not_scanned_again() -> None:
    missing = ("low_assessable_share", "frames_missing")
    assert codes("incomplete", level="limited", reasons=missing) == ["send_missing_frames"]


def test_a_missing_side_is_asked_for() -> None:
    assert codes("complete", level="limited", reasons=("side_unknown",)) == ["say_which_side"]


def categorised() -> Category:
    return Category(
        scheme="BI-RADS",
        value="0",
        rule="breast_not_adequate",
        because=(Because(code="examination_inadequate"),),
        organ="breast",
        laterality="left",
    )


@pytest.mark.parametrize("use", get_args(IntendedUse))
def test_categories_and_advice_are_shown_under_decision_support_alone(use: IntendedUse) -> None:
    full = assessed(
        categories=(categorised(),),
        findings=(finding(categories=(categorised(),)), finding(2)),
        advice=(
            *derive_advice("complete", [adequacy(level="inadequate", reasons=("nothing_assessable",))], []),
            Advice(rule="biopsy", because=(Because(code="inadequate"),), organ="breast"),
        ),
    )
    shown = withhold(full, use)
    if use == "decision_support":
        assert shown == full
        return
    assert [(each.value, each.withheld) for each in shown.categories] == [(None, True)]
    assert [each.value for each in shown.findings[0].categories] == [None]
    assert shown.findings[1].categories == shown.findings[0].categories, "none derived looks alike"
    assert [each.rule for each in shown.advice] == ["reader_must_review", "scan_again", "clinical_advice"]
    assert shown.advice[:2] == full.advice[:2]
    assert shown.advice[2] == Advice(rule="clinical_advice", withheld=True)
    assert "inadequate" not in shown.model_copy(update={"adequacy": ()}).encode().decode()
    assert shown.findings[0].sightings == full.findings[0].sightings


SETTINGS = PersistentLesion(min_frames=3, min_area_mm2=12.0, min_area_px=200, min_score=0.6)
WHY = partial(why_persistent, rule=SETTINGS)


@pytest.mark.parametrize(
    ("frames", "area_mm2", "area_px", "score", "fires"),
    [
        (3, 12.0, 10, 0.6, True),
        (2, 12.0, 10, 0.6, False),
        (3, 11.9, 9999, 0.6, False),
        (3, 12.0, 10, 0.59, False),
        (3, None, 200, 0.6, True),
        (3, None, 199, 0.6, False),
    ],
)
def test_persistent_lesion_fires_from_each_setting_on(
    frames: int, area_mm2: float | None, area_px: int, score: float, fires: bool
) -> None:
    lesion = finding(frames=frames, area_mm2=area_mm2, area_px=area_px, score_mean=score)
    assert bool(why_persistent(lesion, SETTINGS)) is fires
    assert [about for about, _ in lesions_that(assessed(findings=(lesion,)), WHY)] == [
        AboutFinding(finding_id=lesion.finding_id, organ="breast", laterality="left")
    ] * fires


def test_the_reasons_give_the_figures() -> None:
    assert why_persistent(finding(), SETTINGS) == (
        Because(code="frames_outlined", value=5),
        Because(code="key_frame_area", value=76.0, unit="mm2"),
        Because(code="mean_score", value=0.86, unit="1"),
    )
    unscaled = why_persistent(finding(area_mm2=None), SETTINGS)
    assert unscaled[1] == Because(code="key_frame_area_px", value=1900)


def test_frames_of_several_sweeps_do_not_add_up_to_a_persistent_lesion() -> None:
    twice = finding(sightings=(sighting(2), sighting(2, SWEEP_2)))
    assert why_persistent(twice, SETTINGS) == ()
    longer = finding(sightings=(sighting(2, score_mean=0.95), sighting(3, SWEEP_2)))
    assert why_persistent(longer, SETTINGS)[0] == Because(code="frames_outlined", value=3)


def test_an_alert_on_an_unreliable_outline_says_so() -> None:
    lesion = finding().model_copy(update={"outline_unreliable": True})
    assert why_persistent(lesion, SETTINGS) == (
        *why_persistent(finding(), SETTINGS),
        Because(code="outline_unreliable"),
    )


def test_an_alert_for_what_no_frame_confirms_says_so() -> None:
    expected = (*why_persistent(finding(), SETTINGS), Because(code="unconfirmed"))
    assert why_persistent(finding(unconfirmed=True), SETTINGS) == expected


@pytest.mark.parametrize("use", ["research", "measurement"])
def test_a_frames_malignant_scores_are_withheld_like_a_findings(use: IntendedUse) -> None:
    frame = segmented(3, [region(malignant=0.4), region(1, left=300)])
    shown = withhold_frame(frame, use)
    assert [(each.malignant, each.malignant_withheld) for each in shown.regions] == [(None, True), (None, False)]
    assert withhold_frame(frame, "decision_support") == frame
    assert withhold_frame(shown, use) == shown


SWEEP_RULES = (LINK_RULES, TRACK_WEIGHTS, SAME_LESION_RULES, SEEN_PARTLY_RULES)


def test_the_rules_version_stands_for_these_numbers() -> None:
    numbers = repr(
        (
            *map(asdict, (*SWEEP_RULES, ADEQUACY_RULES, MOTION_RULES)),
            TOP_MEMBERS,
            TOP_SUSPICIOUS,
            ENOUGH,
            UNRELIABLE_SHARE,
            SUSPICIOUS_WORDS,
            BANDS,
            POINTS,
            ACR_SIZES,
            sorted((term, sorted(words)) for term, words in SUSPICIOUS.items()),
            (LUMPS, PATHOLOGICAL, CHANGES),
        )
    )
    digest = hashlib.sha256(numbers.encode()).hexdigest()[:12]
    assert (RULES_VERSION, digest) == ("1.17", "4ddf5342375b")


def test_a_referral_is_shown_under_every_intended_use() -> None:
    sign = Because(code="reported_sign", value="palpable_lump.left")
    referral = Advice(rule=DIAGNOSTIC_REFERRAL, because=(sign,), organ="breast", laterality="left")
    assert withhold(assessed(advice=(referral,)), "research").advice == (referral,)


def test_withheld_advice_tells_neither_its_rule_nor_whether_there_is_any() -> None:
    biopsy = Advice(rule="biopsy_by_size", organ="thyroid", laterality="left", finding_id=finding().finding_id)
    nodule = finding(organ="thyroid", uncategorised=(Because(code="most_suspicious_nodules_scored", value=4),))
    hidden = (Advice(rule="clinical_advice", withheld=True),)
    for advice in ((), (biopsy,), (biopsy, biopsy)):
        shown = withhold(assessed(findings=(nodule,), advice=advice), "measurement")
        assert shown.advice == hidden
        assert shown.findings[0].uncategorised == ()
    assert withhold(assessed(), "measurement").advice == ()
    assert Words().advice(hidden[0]) == "Clinical advice: withheld under this intended use"
