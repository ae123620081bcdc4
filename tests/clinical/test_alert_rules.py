from functools import partial

import pytest

from sonovan.clinical.adequacy import judge_adequacy
from sonovan.clinical.advice import derive_advice
from sonovan.clinical.alert_rules import (
    left_before_rescan,
    lesions_that,
    not_rescanned,
    rules_of,
    why_suspicious,
    withhold_alert,
)
from sonovan.clinical.alert_settings import SUSPICIOUS_WORDS, AlertSettings, SuspiciousLesion
from sonovan.clinical.category import derive_categories
from sonovan.clinical.completeness import check_completeness
from sonovan.contracts.alerts import AboutFinding, AboutSide
from sonovan.contracts.because import Because
from sonovan.contracts.frames import Descriptor
from sonovan.contracts.lexicon import DESCRIPTORS
from sonovan.contracts.results import Finding, IntendedUse, ScreeningAssessed
from sonovan.contracts.van import PlannedRegion, SequenceClosed
from tests.clinical.records import (
    NOON,
    SWEEP,
    SWEEP_2,
    assessed,
    finding,
    screening_closed,
    segmented,
    sequence_closed,
    sighting,
)
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


def scanned(*sequence_ids: str, closings: tuple[SequenceClosed, ...], **other: object) -> ScreeningAssessed:
    """A left breast of which the first sweep has no contact on 20 frames, after the deadline. sequence_ids: those that
    the screening's closing names; none where it has not arrived. closings: of sweeps, those that are here."""
    air = {"assessable": False, "quality": 0.0, "not_assessable_reason": "no_contact"}
    frames = [segmented(index, **air) for index in range(20)]
    told = check_completeness(
        [screening_closed(*sequence_ids)] if sequence_ids else [], closings,
        results=[each.frame_id for each in frames], rejected=(),
    )  # fmt: skip
    status = "complete" if told.complete else "incomplete"
    rows = judge_adequacy([PlannedRegion(organ="breast", side="left")], frames, (), told, final=True)
    return assessed(
        status=status, findings=(), adequacy=rows, advice=derive_advice(status, rows, ()),
        categories=derive_categories(rows, status), **other,
    )  # fmt: skip


def told_of_sides(made: ScreeningAssessed) -> list[AboutSide]:
    return [about for find in (not_rescanned, left_before_rescan) for about, _ in find(made)]  # type: ignore[misc]


LEFT = AboutSide(organ="breast", laterality="left")
FIRST, SECOND = sequence_closed(20), sequence_closed(20, sequence_id=SWEEP_2)


@pytest.mark.parametrize("left_at", [None, NOON], ids=["she is there", "she left"])
def test_nobody_is_called_back_while_her_second_scan_is_still_on_the_van(left_at: object) -> None:
    waiting = scanned(SWEEP, SWEEP_2, closings=(FIRST,), left_at=left_at)
    assert told_of_sides(waiting) == []
    arriving = scanned(SWEEP, SWEEP_2, closings=(FIRST, SECOND), left_at=left_at)
    assert told_of_sides(arriving) == [], "its frames are not here"
    assert told_of_sides(scanned(closings=(FIRST,), left_at=left_at)) == [], "the van has not closed it"
    alone = scanned(SWEEP, closings=(FIRST,), left_at=left_at)
    assert told_of_sides(alone) == [LEFT]


def test_a_side_of_which_a_scan_may_be_on_the_van_reads_as_incomplete_and_asks_for_it() -> None:
    waiting = scanned(SWEEP, SWEEP_2, closings=(FIRST,))
    (row,) = waiting.adequacy
    assert (waiting.status, row.level) == ("incomplete", "inadequate")
    assert row.reasons == ("nothing_assessable", "no_contact", "sequence_not_closed")
    assert [each.value for each in waiting.categories] == ["0"]
    assert [each.rule for each in waiting.advice] == ["reader_must_review", "send_missing_frames"]
    assert [each.rule for each in scanned(SWEEP, closings=(FIRST,)).advice] == ["reader_must_review", "scan_again"]
    open_still = scanned(closings=(FIRST,))
    assert [each.rule for each in open_still.advice] == ["reader_must_review", "scan_again", "send_missing_frames"]
