"""BI-RADS, suggested for review: what is derived, and what never is."""

from itertools import product
from typing import Any, get_args

import pytest

from sonovan.clinical.category import categorised, derive_categories
from sonovan.contracts.derivation import Category, Programme
from sonovan.contracts.frames import Descriptor
from sonovan.contracts.results import Finding, Level
from sonovan.contracts.van import PlannedRegion
from tests.clinical.records import adequacy, finding


def judged(*findings: Finding) -> tuple[Finding, ...]:
    return categorised(findings)


def value_of(**fields: Any) -> str | None:
    (found,) = judged(finding(**fields))
    category = found.category("BI-RADS")
    return None if category is None else category.value


@pytest.mark.parametrize(
    ("likelihood", "value"),
    [
        (0.0, None), (0.02, None), (0.021, "4A"), (0.1, "4A"), (0.101, "4B"), (0.5, "4B"), (0.501, "4C"),
        (0.949, "4C"), (0.95, "5"), (1.0, "5"),
    ],
)  # fmt: skip
def test_the_likelihood_decides_by_the_bounds_of_the_atlas(likelihood: float, value: str | None) -> None:
    assert value_of(malignant=likelihood) == value


def test_a_suspicious_word_is_4a_at_least_and_never_lowers() -> None:
    word = (Descriptor(name="orientation", value="not_parallel", probability=0.9),)
    assert value_of(malignant=0.01, descriptors=word) == "4A"
    assert value_of(malignant=0.7, descriptors=word) == "4C"


def test_benign_words_and_an_unreliable_outline_give_no_category() -> None:
    words = tuple(
        Descriptor(name=name, value=value, probability=0.9)
        for name, value in (("shape", "oval"), ("margin", "circumscribed"), ("orientation", "parallel"))
    )
    assert value_of(malignant=0.001, descriptors=words) is None
    assert value_of(outline_unreliable=True) is None


def test_the_most_worrisome_lesion_of_a_side_decides() -> None:
    lesions = judged(
        finding(1, malignant=0.05), finding(2, malignant=0.7), finding(3, malignant=0.2, laterality="right")
    )
    found = derive_categories([adequacy(), adequacy(laterality="right")], "complete", lesions)
    assert [(each.laterality, each.value, each.rule) for each in found] == [
        ("left", "4C", "most_worrisome_finding"), ("right", "4B", "most_worrisome_finding")
    ]  # fmt: skip


def test_a_suspicious_lesion_on_an_inadequate_side_keeps_its_category_and_says_what_is_still_to_be_seen() -> None:
    rows = [
        adequacy(region="upper_outer"),
        adequacy(region="axilla", level="not_examined"),
        adequacy(region="lower_inner", level="inadequate", reasons=("nothing_assessable",)),
    ]
    (found,) = derive_categories(rows, "complete", judged(finding(malignant=0.3)))
    assert found.value == "4B"
    assert found.still_unseen == (
        PlannedRegion(organ="breast", side="left", region="axilla"),
        PlannedRegion(organ="breast", side="left", region="lower_inner"),
    )
    assert found.because[-1].code == "still_to_be_seen"


def test_a_side_on_which_nothing_suspicious_was_seen_is_0_only_where_it_was_not_seen_well_enough() -> None:
    lesions = judged(finding(malignant=0.01))
    assert derive_categories([adequacy()], "complete", lesions) == ()
    (found,) = derive_categories([adequacy(level="inadequate")], "complete", lesions)
    assert (found.value, found.rule) == ("0", "breast_not_adequate")


def test_no_input_makes_1_2_3_or_6() -> None:
    words = ("oval", "irregular", None)
    for level, likelihood, word, status in product(
        get_args(Level), (None, 0.0, 0.015, 0.3, 1.0), words, ("complete", "incomplete", "preliminary")
    ):
        said = (Descriptor(name="shape", value=word, probability=0.9),)
        lesions = judged(finding(malignant=likelihood, descriptors=said))
        found: list[Category] = [*derive_categories([adequacy(level=level)], status, lesions), *lesions[0].categories]
        assert {each.value for each in found} <= {"0", "4A", "4B", "4C", "5"}


def test_the_edition_of_the_lexicon_is_the_programmes() -> None:
    (found,) = categorised([finding(malignant=0.3)], Programme(bi_rads_edition="v2025"))
    assert found.categories[0].edition == "v2025"
    assert judged(finding(malignant=0.3))[0].categories[0].edition == "2013"
