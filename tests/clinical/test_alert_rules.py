from functools import partial

import pytest

from sonovan.clinical.alert_rules import (
    lesions_that,
    rules_of,
    why_suspicious,
    withhold_alert,
)
from sonovan.clinical.alert_settings import SUSPICIOUS_WORDS, AlertSettings, SuspiciousLesion
from sonovan.contracts.alerts import AboutFinding
from sonovan.contracts.because import Because
from sonovan.contracts.frames import Descriptor
from sonovan.contracts.lexicon import DESCRIPTORS
from sonovan.contracts.results import Finding, IntendedUse
from tests.clinical.records import assessed, finding, sighting
from tests.contracts.test_alerts import alert

SETTINGS = SuspiciousLesion(min_malignant=0.4, words=("breast.margin.spiculated",))
WHY = partial(why_suspicious, rule=SETTINGS)


def described(value: str | None, name: str = "margin", **other: object) -> Finding:
    return finding(descriptors=(Descriptor(name=name, value=value, probability=0.9),), **other)


def codes(lesion: Finding) -> list[str]:
    return [each.code for each in why_suspicious(lesion, SETTINGS)]


@pytest.mark.parametrize(("malignant", "fires"), [(0.4, True), (0.399, False), (None, False), (1.0, True)])
def test_a_malignant_score_from_the_threshold_on_is_suspicious(malignant: float | None, fires: bool) -> None:
    lesion = finding(malignant=malignant)
    assert bool(why_suspicious(lesion, SETTINGS)) is fires
    assert [about for about, _ in lesions_that(assessed(findings=(lesion,)), WHY)] == [
        AboutFinding(finding_id=lesion.finding_id, organ="breast", laterality="left")
    ] * fires


def test_one_frame_of_a_lesion_of_any_size_is_enough() -> None:
    speck = finding(malignant=0.9, sightings=(sighting(1, area_mm2=1.5, area_px=40, score_mean=0.41),))
    assert why_suspicious(speck, SETTINGS) == (
        Because(code="malignant_score", value=0.9, unit="1"),
        Because(code="frames_outlined", value=1),
        Because(code="key_frame_area", value=1.5, unit="mm2"),
    )


def test_a_suspicious_word_is_enough_without_a_score() -> None:
    assert codes(described("spiculated")) == ["suspicious_word", "frames_outlined", "key_frame_area"]
    assert codes(described("spiculated", malignant=0.01))[0] == "suspicious_word"
    assert why_suspicious(described("spiculated"), SETTINGS)[0].value == "breast.margin.spiculated"


@pytest.mark.parametrize("lesion", [described("circumscribed"), described(None), described("spiculated", "shape")])
def test_other_words_are_not(lesion: Finding) -> None:
    assert codes(lesion) == []


def test_a_word_is_suspicious_in_its_own_organ_alone() -> None:
    assert codes(described("spiculated", organ="thyroid")) == []


def test_an_outline_that_is_unreliable_on_every_frame_is_for_the_worklist() -> None:
    assert codes(finding(outline_unreliable=True)) == []


def test_what_no_frame_confirms_is_named() -> None:
    assert codes(finding(malignant=0.9, unconfirmed=True))[-1] == "unconfirmed"


def test_the_words_of_the_default_stand_in_the_lexicon() -> None:
    for each in SUSPICIOUS_WORDS:
        organ, name, word = each.split(".")
        assert word in DESCRIPTORS[organ][name].suspicious  # type: ignore[index]


def test_suspicion_alerts_and_an_outline_alone_goes_to_the_worklist() -> None:
    """clinical.md, What screening women have: alerts select by suspicion, the worklist holds the rest."""
    assert [(rule.name, rule.severity) for rule in rules_of(AlertSettings())] == [
        ("suspicious_lesion", "suspicious"),
        ("persistent_lesion", "worklist"),
        ("not_rescanned", "worklist"),
        ("left_before_rescan", "worklist"),
        ("palpable_not_outlined", "worklist"),
    ]


@pytest.mark.parametrize(("use", "shown"), [("research", False), ("measurement", False), ("decision_support", True)])
def test_the_probability_of_malignancy_leaves_under_decision_support_alone(use: IntendedUse, shown: bool) -> None:
    lesion = described("spiculated", malignant=0.9)
    told = alert(next(about for about, _ in lesions_that(assessed(findings=(lesion,)), WHY)))
    told = told.model_copy(update={"because": why_suspicious(lesion, SETTINGS)})
    left = [each.code for each in withhold_alert(told, use).because]
    assert ("malignant_score" in left) is shown
    assert "suspicious_word" in left
