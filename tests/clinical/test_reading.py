"""What a reader's words come to, word by word as in the standards' tables, and what follows from it."""

from collections.abc import Mapping

import pytest

from sonovan.clinical.reading import (
    CHINESE_RURAL,
    USUAL_READING,
    asked_by_nodules,
    derived,
    most_pressing_of,
    recommended_for_breast,
    recommended_for_nodule,
)
from sonovan.contracts.conclusions import CategoryRead, Recommended, WordRead
from tests.clinical.records import finding
from tests.contracts.conclusions import lesion

ALL: Mapping[str, str] = {
    "composition": "solid", "echogenicity": "hypoechoic", "shape": "wider_than_tall", "margin": "smooth",
    "echogenic_foci": "none",
}  # fmt: skip


def words(**said: str | tuple[str, ...]) -> list[WordRead]:
    """Each term with its word or words; "?" is undetermined."""
    return [
        WordRead(term=term, verdict="undetermined")
        if word == "?"
        else WordRead(term=term, verdict="entered", words=(word,) if isinstance(word, str) else word)
        for term, word in said.items()
    ]


@pytest.mark.parametrize(
    ("said", "level", "points"),
    [
        ({}, "TR4", 4),
        ({"echogenicity": "isoechoic"}, "TR3", 3),
        ({"composition": "mixed", "echogenicity": "isoechoic"}, "TR2", 2),
        ({"composition": "cystic"}, "TR1", 0),
        ({"composition": "spongiform", "margin": "irregular"}, "TR1", 0),
        ({"composition": "mixed", "echogenicity": "anechoic"}, "TR2", 1),
        ({"composition": "?", "echogenicity": "?", "margin": "?"}, "TR3", 3),
        ({"shape": "taller_than_wide"}, "TR5", 7),
        ({"echogenic_foci": ("macrocalcifications", "punctate_echogenic_foci")}, "TR5", 8),
        ({"echogenicity": "very_hypoechoic", "margin": "lobulated"}, "TR5", 7),
    ],
)
def test_a_nodule_whose_every_term_was_read_has_the_level_of_the_table(
    said: dict[str, str], level: str, points: int
) -> None:
    acr = next(each for each in derived("thyroid", words(**{**ALL, **said})) if each.scheme == "TI-RADS")
    assert (acr.value, acr.total, acr.at_least) == (level, points, False)
    assert all(each.by == "reader" for each in acr.points)


def test_what_is_still_to_be_read_makes_the_level_a_lower_bound_and_is_named() -> None:
    acr, chinese = derived("thyroid", words(composition="solid", echogenicity="hypoechoic"))
    assert (acr.value, acr.at_least, acr.not_read) == ("TR4", True, ("shape", "margin", "echogenic_foci"))
    assert chinese.at_least


def test_nothing_read_comes_to_nothing_and_a_breast_has_no_points() -> None:
    assert derived("thyroid", ()) == ()
    assert derived("breast", words(margin="spiculated")) == ()


def test_undetermined_where_the_standard_has_no_default_stays_to_be_read() -> None:
    acr = derived("thyroid", words(**{**ALL, "shape": "?"}))[0]
    assert (acr.at_least, acr.not_read) == (True, ("shape",))


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ({"echogenic_foci": "large_comet_tail", "composition": "mixed"}, "2"),
        ({"composition": "mixed"}, "3"),
        ({}, "4A"),
        ({"shape": "taller_than_wide"}, "4B"),
        ({"shape": "taller_than_wide", "echogenicity": "very_hypoechoic"}, "4C"),
        ({"shape": "taller_than_wide", "echogenicity": "very_hypoechoic", "margin": "irregular",
          "echogenic_foci": "punctate_echogenic_foci"}, "5"),
    ],
)  # fmt: skip
def test_the_chinese_category_of_a_readers_words(said: dict[str, str], value: str) -> None:
    (chinese,) = (each for each in derived("thyroid", words(**{**ALL, **said})) if each.scheme == "C-TIRADS")
    assert (chinese.value, chinese.at_least) == (value, False)


@pytest.mark.parametrize(
    ("value", "usual", "rural"),
    [
        ("0", "further_imaging", "mammography"),
        ("1", "routine_screening", "routine_screening"),
        ("2", "routine_screening", "routine_screening"),
        ("3", "follow_up", "mammography"),
        ("4A", "tissue_diagnosis", "tissue_diagnosis"),
        ("4B", "tissue_diagnosis", "tissue_diagnosis"),
        ("4C", "tissue_diagnosis", "tissue_diagnosis"),
        ("5", "tissue_diagnosis", "tissue_diagnosis"),
        ("6", "treatment", "treatment"),
    ],
)
def test_what_follows_each_category_of_a_breast(value: str, usual: str, rural: str) -> None:
    assert recommended_for_breast(value, USUAL_READING).action == usual
    assert recommended_for_breast(value, CHINESE_RURAL).action == rural
    assert (recommended_for_breast(value).months == 6) == (value == "3")


@pytest.mark.parametrize(
    ("level", "chinese", "size", "action"),
    [
        ("TR1", None, 40.0, "routine_screening"),
        ("TR2", "2", 40.0, "routine_screening"),
        ("TR3", None, 25.0, "fna"),
        ("TR3", None, 24.9, "follow_up"),
        ("TR3", None, 15.0, "follow_up"),
        ("TR3", None, 14.9, "routine_screening"),
        ("TR4", None, 15.0, "fna"),
        ("TR4", None, 10.0, "follow_up"),
        ("TR4", None, 9.9, "routine_screening"),
        ("TR5", None, 10.0, "fna"),
        ("TR5", None, 5.0, "follow_up"),
        ("TR5", None, 4.9, "routine_screening"),
        (None, "4A", 15.0, "fna"),
        (None, "4A", 14.0, "routine_screening"),
        ("TR4", "4B", 10.0, "fna"),
        (None, "6", None, "treatment"),
        ("TR4", "6", 8.0, "treatment"),
        ("TR4", "6", 20.0, "treatment"),
        ("TR5", "6", 4.0, "treatment"),
        ("TR5", "6", None, "treatment"),
    ],
)
def test_what_level_and_size_of_a_nodule_lead_to(
    level: str | None, chinese: str | None, size: float | None, action: str
) -> None:
    found = recommended_for_nodule(level, chinese, size)
    assert found is not None
    assert found.action == action


def test_a_size_that_nobody_knows_decides_nothing() -> None:
    assert recommended_for_nodule("TR4", None, None) is None
    assert recommended_for_nodule("TR2", None, None) is not None


def test_a_nodule_without_a_category_leads_to_nothing_yet() -> None:
    assert recommended_for_nodule(None, None, 20.0) is None


@pytest.mark.parametrize(
    ("decided", "together"),
    [
        ((), None),
        (("routine_screening",), None),
        (("follow_up",), None),
        (("fna",), "fna"),
        (("routine_screening", "treatment"), "treatment"),
    ],
)
def test_a_nodule_of_unknown_size_leaves_its_lobe_without_a_recommendation_unless_another_asks_for_an_aspiration(
    decided: tuple[str, ...], together: str | None
) -> None:
    known = [Recommended(action=each, months=12 if each == "follow_up" else None) for each in decided]  # type: ignore[arg-type]
    found = most_pressing_of([*known, None])
    assert (None if found is None else found.action) == together


def test_a_nodule_has_the_categories_of_its_lobe_where_it_has_none_and_its_own_size_before_the_machines() -> None:
    measured = finding(1, organ="thyroid", laterality="left", long_axis_mm=12.0)
    nodule = lesion(finding_id=measured.finding_id, organ="thyroid", words=(), categories=())
    larger = nodule.model_copy(update={"largest_mm": 16.0})
    benign = nodule.model_copy(update={"categories": (CategoryRead(scheme="TI-RADS", value="TR2"),)})
    asked = asked_by_nodules([nodule, larger, benign], {"TI-RADS": "TR4"}, [measured])
    assert [each and each.action for each in asked] == ["follow_up", "fna", "routine_screening"]
    assert asked_by_nodules([], {"C-TIRADS": "6"}, []) == [Recommended(action="treatment")]


def test_of_several_recommendations_the_most_pressing_and_of_follow_ups_the_earliest_counts() -> None:
    late, soon = Recommended(action="follow_up", months=12), Recommended(action="follow_up", months=6)
    assert most_pressing_of([late, soon]) == soon
    assert most_pressing_of([late, Recommended(action="fna")]) == Recommended(action="fna")
    assert most_pressing_of([]) is None
