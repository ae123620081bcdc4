"""How suggested categories and referrals read."""

import pytest

from sonovan.clinical.birads import breast_lesion
from sonovan.clinical.referral import referrals
from sonovan.clinical.said import Said
from sonovan.clinical.tirads import acr_tirads
from sonovan.contracts.because import Because
from sonovan.contracts.clinical_record import FeaturesRecorded
from sonovan.contracts.derivation import USUAL, Category, Programme
from sonovan.contracts.lexicon import BiRadsEdition
from sonovan.contracts.van import PlannedRegion
from sonovan.reports.phrases import Language
from sonovan.reports.words import Words
from tests.clinical.records import NOON, SCREENING, VAN, finding

READ = {name: Said((word,), "software") for name, word in (("composition", "solid"), ("echogenicity", "hypoechoic"))}


def level(**more: Said) -> Category:
    found = acr_tirads(READ | more, "left")
    assert found is not None
    return found


def lesion(malignant: float) -> Category:
    found = breast_lesion(finding(malignant=malignant), USUAL)
    assert found is not None
    return found


def test_what_was_not_read_is_named_with_at_least() -> None:
    assert Words("en").category(level()) == (
        "at least TI-RADS TR4 (points: 4), suggested for review; not read: shape, margin, echogenic foci"
    )
    assert Words("zh").category(level()).startswith("至少 TI-RADS TR4（4 分）")


def test_each_point_is_told_with_who_said_the_word() -> None:
    told = Words("en").category_reasons(level(margin=Said(("irregular",), "reader")))
    assert "composition solid or almost completely solid +2 (software)" in told
    assert "margin irregular +2 (reader)" in told
    assert told.endswith("rule ACR TI-RADS, Tessler 2017")


def test_a_suspicious_lesion_on_a_side_that_was_not_seen_whole_reads_as_incomplete() -> None:
    unseen = (PlannedRegion(organ="breast", side="left", region="axilla"),)
    told = Words("en").category(lesion(0.3).model_copy(update={"still_unseen": unseen}))
    assert told == "BI-RADS 4B, suggested for review; incomplete, still to be seen: Left breast, axilla"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Left breast: diagnostic referral whatever ultrasound shows (palpable lump: left)."),
        ("zh", "左侧乳腺：无论超声结果如何，均应转诊进一步检查（可触及肿块：左侧）。"),
    ],
)
def test_a_referral_says_why(language: Language, expected: str) -> None:
    record = FeaturesRecorded(
        screening_id=SCREENING, van_id=VAN, features_number=1, recorded_at=NOON, palpable_lump="left"
    )
    (found,) = referrals(record)
    assert Words(language).advice(found) == expected


@pytest.mark.parametrize(("edition", "told"), [("2013", "5th ed. (2013)"), ("v2025", "edition v2025")])
def test_a_category_names_the_edition_that_the_programme_chose(edition: BiRadsEdition, told: str) -> None:
    found = breast_lesion(finding(malignant=0.3), Programme(bi_rads_edition=edition))
    assert found is not None
    assert (
        Words("en").category_reasons(found).endswith(f"rule likelihood of malignancy, ACR BI-RADS ultrasound, {told}")
    )
    assert f"BI-RADS {told}" in Words("en").programme(Programme(bi_rads_edition=edition))


@pytest.mark.parametrize(
    ("code", "number", "told"),
    [
        ("outlined_regions", 1, "1 outlined region"), ("outlined_regions", 2, "2 outlined regions"),
        ("rejected_records", 1, "1 record in ten minutes"), ("rejected_records", 30, "30 records in ten minutes"),
    ],
)  # fmt: skip
def test_one_is_told_as_one(code: str, number: int, told: str) -> None:
    assert Words("en").because(Because(code=code, value=number)) == told


def test_no_phrase_of_a_category_reassures() -> None:
    for found in (level(), lesion(0.03), lesion(0.99)):
        told = (Words("en").category(found) + Words("en").category_reasons(found)).lower()
        for word in ("benign", "normal", "negative", "no sign", "healthy", "unremarkable"):
            assert word not in told
