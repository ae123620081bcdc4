from typing import Any

import pytest

from sonovan.clinical.category import categorised
from sonovan.clinical.nodules import growth, scored, size_advice
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import USUAL, Category, Programme
from sonovan.contracts.description import Extent
from sonovan.contracts.frames import Descriptor
from sonovan.contracts.results import Finding
from sonovan.reports.words import Words
from tests.clinical.records import SWEEP_2, finding, sighting


def level(value: str, scheme: Any = "TI-RADS", **other: Any) -> Category:
    return Category(scheme=scheme, value=value, rule="r", organ="thyroid", **other)


def nodule(number: int, value: str, long_mm: float | None, scheme: str = "TI-RADS", **other: Any) -> Finding:
    return finding(number, organ="thyroid", long_axis_mm=long_mm, categories=(level(value, scheme, **other),))


@pytest.mark.parametrize(
    ("value", "size", "rule"),
    [
        ("TR2", 60.0, None),
        ("TR3", 25.0, "biopsy_by_size"), ("TR3", 24.9, "follow_up_by_size"), ("TR3", 14.9, None),
        ("TR4", 15.0, "biopsy_by_size"), ("TR4", 10.0, "follow_up_by_size"), ("TR4", 9.9, None),
        ("TR5", 10.0, "biopsy_by_size"), ("TR5", 5.0, "follow_up_by_size"), ("TR5", 4.9, None),
    ],
)  # fmt: skip
def test_sizes_are_those_of_the_standard(value: str, size: float, rule: str | None) -> None:
    advice = size_advice([nodule(1, value, size)], USUAL)
    assert [each.rule for each in advice] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("value", "size", "advised"),
    [("3", 39.0, False), ("4A", 15.0, True), ("4A", 14.9, False), ("4B", 10.0, True), ("5", 9.9, False)],
)
def test_sizes_of_c_tirads_are_the_programmes(value: str, size: float, advised: bool) -> None:
    chosen = nodule(1, value, size, "C-TIRADS")
    assert bool(size_advice([chosen], USUAL)) is advised
    assert size_advice([chosen], Programme(c_tirads_4a_fna_mm=40, c_tirads_4b_fna_mm=40)) == ()


def test_where_features_were_not_read_or_no_scale_is_known_nothing_is_advised() -> None:
    unread = nodule(1, "TR5", 40.0, at_least=True, not_read=("margin",))
    assert size_advice([unread, nodule(2, "TR5", None)], USUAL) == ()


def test_at_most_four_are_scored_and_two_advised_for_biopsy_the_most_suspicious_first() -> None:
    several = [nodule(number, value, 30.0) for number, value in enumerate(("TR3", "TR5", "TR4", "TR3", "TR5", "TR2"))]
    kept = scored(several)
    assert [each.categories[0].value for each in kept] == ["TR5", "TR5", "TR4", "TR3"]
    advice = size_advice(kept, USUAL)
    assert [each.rule for each in advice] == ["biopsy_by_size"] * 2 + ["follow_up_by_size"] * 2
    assert [each.finding_id for each in advice] == [each.finding_id for each in kept]
    reason = Because(code="more_suspicious_ones_biopsied", value=2)
    assert [reason in each.because for each in advice] == [False, False, True, True]
    assert [any(why.code == "next_scan" for why in each.because) for each in advice] == [False, False, True, True]


def test_a_fifth_nodule_says_why_it_has_no_category() -> None:
    words = (Descriptor(name="composition", value="solid", probability=0.9),)
    nodules = [finding(number, organ="thyroid", descriptors=words, long_axis_mm=20.0 - number) for number in range(5)]
    found = categorised(nodules)
    assert [bool(each.categories) for each in found] == [True] * 4 + [False]
    assert found[4].uncategorised == (Because(code="most_suspicious_nodules_scored", value=4),)
    assert Words().categories(found[4]) == "no suggested category (only the 4 most suspicious nodules are scored)"
    assert found[0].uncategorised == ()


def test_a_biopsy_by_one_scheme_is_advised_where_the_other_follows_up() -> None:
    both = finding(organ="thyroid", long_axis_mm=12.0, categories=(level("TR4"), level("4B", "C-TIRADS")))
    (advice,) = size_advice([both], USUAL)
    assert advice.rule == "biopsy_by_size"
    assert [each.value for each in advice.because] == [12.0, "C-TIRADS:4B", 10.0]
    small = finding(organ="thyroid", long_axis_mm=12.0, categories=(level("TR4"), level("4A", "C-TIRADS")))
    (advice,) = size_advice([small], USUAL)
    assert (advice.rule, advice.because[1].value) == ("follow_up_by_size", "TI-RADS:TR4")


def test_advice_on_a_nodule_names_its_number_and_level() -> None:
    nodules = [nodule(1, "TR5", 12.0), nodule(2, "TR4", 12.0)]
    told = [Words().advice(each, nodules) for each in size_advice(nodules, USUAL)]
    assert told[0].startswith("Left thyroid lobe, finding 1: biopsy is advised")
    assert "TI-RADS TR5" in told[0]
    assert told[1].startswith("Left thyroid lobe, finding 2: follow-up is advised")
    assert Words("zh").advice(size_advice(nodules, USUAL)[1], nodules).startswith("甲状腺左叶，病灶 2：")


def test_a_size_off_an_unreliable_outline_advises_nothing() -> None:
    unsure = nodule(1, "TR5", 30.0)
    sightings = (sighting(long_axis_mm=30.0, outline_unreliable=True), sighting(3, SWEEP_2, long_axis_mm=4.0))
    assert size_advice([unsure.model_copy(update={"sightings": sightings})], USUAL) == ()


def test_the_largest_of_the_diameters_counts() -> None:
    long = finding(organ="thyroid", long_axis_mm=9.0, categories=(level("TR5"),), extent=Extent(length_mm=12.0))
    (advice,) = size_advice([long], USUAL)
    assert advice.rule == "biopsy_by_size"
    assert advice.because[0].value == 12.0


def test_a_level_that_has_risen_is_scanned_again_in_a_year() -> None:
    small = nodule(1, "TR5", 4.0)
    (advice,) = size_advice([small], USUAL, {small.finding_id: level("TR4")})
    assert advice.rule == "follow_up_by_size"
    assert size_advice([small], USUAL, {small.finding_id: level("TR5")}) == ()


@pytest.mark.parametrize(
    ("before", "now", "codes"),
    [
        ((10, 10, 10), (12, 12, 10), ["grew_in_two_dimensions"]),
        ((10, 10, 10), (12, 11.9, 10), []),
        ((5, 5, 5), (6.5, 6.5, 5), []),
        ((10, 10, None), (12, 12, 12), ["grew_in_two_dimensions"]),
        ((None, 10, 10), (12, 11, 12), []),
    ],
)
def test_growth_is_a_fifth_and_two_millimetres_in_two_dimensions(
    before: tuple[float | None, ...], now: tuple[float | None, ...], codes: list[str]
) -> None:
    names = ("transverse_mm", "depth_mm", "length_mm")
    found = growth(Extent(**dict(zip(names, before, strict=True))), Extent(**dict(zip(names, now, strict=True))))
    assert [each.code for each in found] == codes


def test_growth_is_half_of_the_volume_more() -> None:
    size = {"transverse_mm": 10, "depth_mm": 10, "length_mm": 10}
    found = growth(Extent(**size, volume_ml=0.5), Extent(**size, volume_ml=0.75))
    assert [each.code for each in found] == ["grew_in_volume"]
    assert growth(Extent(**size, volume_ml=0.5), Extent(**size, volume_ml=0.74)) == ()


def test_a_child_has_no_category_of_the_thyroid() -> None:
    solid = finding(organ="thyroid", descriptors=(Descriptor(name="composition", value="solid", probability=0.9),))
    assert categorised([solid], age_years=17)[0].categories == ()
    assert categorised([solid], age_years=17)[0].uncategorised == (Because(code="schemes_for_adults_only"),)
    assert [each.scheme for each in categorised([solid], age_years=18)[0].categories] == ["TI-RADS", "C-TIRADS"]
    assert categorised([solid])[0].categories != ()
