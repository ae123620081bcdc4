"""What the woman feels outranks the picture, and nothing that she says lowers anything."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.clinical.category import categorised, derive_categories
from sonovan.clinical.referral import referrals, referred
from sonovan.contracts.clinical_record import FeaturesRecorded, LumpPlace
from sonovan.contracts.derivation import Advice
from sonovan.contracts.lexicon import CLINICAL
from sonovan.contracts.results import ScreeningAssessed
from tests.clinical.records import NOON, SCREENING, VAN, adequacy, assessed, finding

WORDS = {term.name: term.words for term in CLINICAL}


def record(**fields: Any) -> FeaturesRecorded:
    return FeaturesRecorded(screening_id=SCREENING, van_id=VAN, features_number=1, recorded_at=NOON, **fields)


def told(**fields: Any) -> list[tuple[str | None, list[object]]]:
    return [(each.laterality, [sign.value for sign in each.because]) for each in referrals(record(**fields))]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"palpable_lump": "none", "symptoms": (), "nipple_discharge": "left", "discharge": ("milky",)}, []),
        ({"symptoms": ("breast_pain", "neck_lump", "voice_change")}, []),
        ({"palpable_lump": "left"}, [("left", ["palpable_lump.left"])]),
        ({"symptoms": ("lump",)}, [(None, ["symptoms.lump"])]),
        ({"symptoms": ("lump",), "palpable_lump": "none"}, [(None, ["symptoms.lump"])]),
        ({"nipple_discharge": "right", "discharge": ("bloody",)}, [("right", ["discharge.bloody"])]),
        ({"discharge": ("serous", "one_duct")}, [(None, ["discharge.serous", "discharge.one_duct"])]),
        ({"symptoms": ("peau_d_orange",)}, [(None, ["symptoms.peau_d_orange"])]),
        (
            {"skin_or_nipple_change": "both"},
            [("left", ["skin_or_nipple_change.left"]), ("right", ["skin_or_nipple_change.right"])],
        ),
    ],
)
def test_the_signs_that_lead_to_a_referral(fields: dict[str, Any], expected: list[object]) -> None:
    assert told(**fields) == expected


def test_a_referral_names_where_the_one_lump_is_felt() -> None:
    place = LumpPlace(side="left", position="10h")
    (found,) = referrals(record(palpable_lump="left", lump_places=(place,)))
    assert found.region == "10h"
    (found,) = referrals(record(palpable_lump="left", lump_places=(place, LumpPlace(side="left", position="2h"))))
    assert found.region is None


def test_a_referral_stands_on_top_of_all_other_advice() -> None:
    found = referred(assessed(advice=(Advice(rule="reader_must_review"),)), record(palpable_lump="right"))
    assert [each.rule for each in found.advice] == ["diagnostic_referral", "reader_must_review"]


SIGNS = st.fixed_dictionaries(
    {},
    optional={
        "symptoms": st.lists(st.sampled_from(WORDS["symptoms"]), unique=True).map(tuple),
        "palpable_lump": st.sampled_from(WORDS["palpable_lump"]),
        "nipple_discharge": st.sampled_from(WORDS["nipple_discharge"]),
        "discharge": st.lists(st.sampled_from(WORDS["discharge"]), unique=True).map(tuple),
        "skin_or_nipple_change": st.sampled_from(WORDS["skin_or_nipple_change"]),
        "age_years": st.integers(18, 100),
        "brca": st.sampled_from(WORDS["brca"]),
        "parity": st.integers(0, 10),
        "hormones": st.lists(st.sampled_from(WORDS["hormones"]), unique=True).map(tuple),
    },
)
SCORES = st.lists(st.none() | st.floats(0, 1).map(lambda share: round(share, 3)), max_size=4)


def revision(scores: list[float | None]) -> ScreeningAssessed:
    findings = categorised([finding(number, malignant=score) for number, score in enumerate(scores)])
    return assessed(
        findings=findings,
        categories=derive_categories([adequacy()], "complete", findings),
        advice=(Advice(rule="reader_must_review"), Advice(rule="scan_again", organ="breast", laterality="left")),
    )


@given(SIGNS, SCORES)
def test_it_adds_referrals_and_changes_nothing_else(signs: dict[str, Any], scores: list[float | None]) -> None:
    before = revision(scores)
    after = referred(before, record(**signs))
    added = len(after.advice) - len(before.advice)
    assert after.advice[added:] == before.advice
    assert {each.rule for each in after.advice[:added]} <= {"diagnostic_referral"}
    assert after.model_copy(update={"advice": ()}) == before.model_copy(update={"advice": ()})


@given(SIGNS, st.sampled_from(WORDS["symptoms"]))
def test_another_symptom_never_takes_a_referral_away(signs: dict[str, Any], symptom: str) -> None:
    more = {**signs, "symptoms": tuple({*signs.get("symptoms", ()), symptom})}
    reasons = lambda fields: {  # noqa: E731
        (each.laterality, sign.value) for each in referrals(record(**fields)) for sign in each.because
    }
    assert reasons(signs) <= reasons(more)
