"""A screening against the earlier one: a table for each rule, and what must never be said."""

from typing import Any, Final

import pytest

from sonovan.clinical.comparison import Seen, compare, grown, same_place, seen_well
from sonovan.contracts.because import Because
from sonovan.contracts.comparisons import Compared
from sonovan.contracts.description import Extent, Location
from sonovan.contracts.results import Finding
from tests.clinical.records import adequacy, finding

AT_TWO: Final = Location(hour=2, region="upper_outer", nipple_distance_mm=30)
YEAR: Final = 365
BOTH_BREASTS: Final = (adequacy(), adequacy(laterality="right"))


def lesion(number: int = 1, place: Location | None = AT_TWO, **other: Any) -> Finding:
    return finding(number, **other).model_copy(update={"location": place})


def nodule(number: int = 1, extent: Extent | None = None, region: str = "upper", **other: Any) -> Finding:
    made = finding(number, **{"organ": "thyroid", **other})
    place = Location(region=region)  # type: ignore[arg-type]
    return made.model_copy(update={"location": place, "extent": extent})


def told(before: list[Finding], now: list[Finding], *, then: Any = BOTH_BREASTS, today: Any = BOTH_BREASTS,
         days: int = YEAR) -> list[tuple[str, bool | None, list[str]]]:  # fmt: skip
    made = compare(Seen(tuple(before), tuple(then)), Seen(tuple(now), tuple(today)), days)
    return [(each.change, each.grown, [why.code for why in each.because]) for each in made.findings]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Location(hour=2), Location(hour=2), True),
        (Location(hour=2), Location(hour=3), True),
        (Location(hour=12), Location(hour=1), True),
        (Location(hour=2), Location(hour=4), False),
        (Location(hour=2), Location(region="upper_outer"), True),
        (Location(hour=2), Location(region="lower_outer"), False),
        (Location(hour=3), Location(region="upper_outer"), None),
        (Location(region="axilla"), Location(region="axilla"), True),
        (Location(region="axilla"), Location(region="axillary_tail"), False),
        (Location(hour=2, nipple_distance_mm=10), Location(hour=2, nipple_distance_mm=30), True),
        (Location(hour=2, nipple_distance_mm=10), Location(hour=2, nipple_distance_mm=31), False),
        (Location(hour=2, nipple_distance_mm=10), Location(hour=2), True),
        (Location(nipple_distance_mm=10), Location(nipple_distance_mm=10), None),
        (Location(hour=2), None, None),
        (None, None, None),
    ],
)
def test_one_place_is_told_by_hour_region_and_distance(
    one: Location | None, other: Location | None, same: bool | None
) -> None:
    assert same_place(lesion(1, one), lesion(2, other)) is same
    assert same_place(lesion(2, other), lesion(1, one)) is same


def test_a_lesion_without_a_place_leaves_its_neighbours_undecided_then_and_now() -> None:
    nowhere = lesion(2, None)
    then, now = told([lesion(1), nowhere], [lesion(3)]), told([lesion(1)], [lesion(3), nowhere])
    assert then[0] == ("undecided", None, ["place_not_recorded"])
    assert now[0] == ("undecided", None, ["place_not_recorded"])
    assert told([], [lesion(3), nowhere])[0] == ("new", None, []), "where there was none, both are new"


def test_nothing_is_compared_across_sides_or_organs_or_without_a_side() -> None:
    assert same_place(lesion(1), lesion(2, laterality="right")) is False
    assert same_place(lesion(1, Location(region="upper")), nodule(2)) is False
    assert same_place(lesion(1), lesion(2, laterality=None)) is None


@pytest.mark.parametrize(
    ("was", "size", "days", "has_grown", "codes"),
    [
        (10.0, 12.0, 90, False, ["not_grown_by_the_rule"]),
        (10.0, 12.1, 90, True, ["grew_in_diameter", "within_six_months"]),
        (10.0, 12.1, 183, True, ["grew_in_diameter", "within_six_months"]),
        (10.0, 12.1, 184, True, ["grew_in_diameter"]),
        (10.0, 6.0, 90, False, ["not_grown_by_the_rule"]),
        (None, 12.0, 90, None, ["sizes_not_comparable"]),
        (10.0, None, 90, None, ["sizes_not_comparable"]),
    ],
)
def test_a_breast_lesion_has_grown_by_more_than_a_fifth(
    was: float | None, size: float | None, days: int, has_grown: bool | None, codes: list[str]
) -> None:
    found, because = grown(lesion(1, long_axis_mm=was), lesion(1, long_axis_mm=size), days)
    assert (found, [each.code for each in because]) == (has_grown, codes)


@pytest.mark.parametrize(
    ("was", "size", "has_grown", "codes"),
    [
        (Extent(transverse_mm=10, depth_mm=10), Extent(transverse_mm=12, depth_mm=12), True,
         ["grew_in_two_dimensions"]),
        (Extent(transverse_mm=10, depth_mm=10), Extent(transverse_mm=12, depth_mm=11.9), False,
         ["not_grown_by_the_rule"]),
        (Extent(transverse_mm=10), Extent(transverse_mm=20), None, ["sizes_not_comparable"]),
        (Extent(transverse_mm=10, depth_mm=8, length_mm=10, volume_ml=0.42),
         Extent(transverse_mm=11, depth_mm=9.5, length_mm=11.6, volume_ml=0.63), True, ["grew_in_volume"]),
        (None, Extent(transverse_mm=20), None, ["sizes_not_comparable"]),
    ],
)  # fmt: skip
def test_a_nodule_has_grown_by_the_rule_of_ti_rads(
    was: Extent | None, size: Extent | None, has_grown: bool | None, codes: list[str]
) -> None:
    found, because = grown(nodule(1, was), nodule(1, size), YEAR)
    assert (found, [each.code for each in because]) == (has_grown, codes)


def test_what_the_picture_cuts_may_be_larger_than_measured() -> None:
    by_the_edge = (Because(code="outline_cut_by_edge"),)
    whole, cut = (lesion(1, long_axis_mm=10.0, at_least=why) for why in ((), by_the_edge))
    larger = lesion(1, long_axis_mm=13.0)
    assert (grown(whole, cut, YEAR)[0], grown(cut, whole, YEAR)[0]) == (None, False)
    assert (grown(cut, larger, YEAR)[0], grown(whole, larger, YEAR)[0]) == (None, True)


def test_the_only_one_at_a_place_was_seen_before_and_the_doubt_is_named() -> None:
    assert told([lesion(1)], [lesion(2)]) == [("seen_before", False, ["not_grown_by_the_rule", "may_be_two_lesions"])]


def test_where_nothing_was_on_a_side_that_was_seen_well_it_is_new() -> None:
    assert told([], [lesion(1)]) == [("new", None, [])]
    assert told([lesion(2, Location(hour=8))], [lesion(1)])[0][0] == "new"


@pytest.mark.parametrize("level", ["limited", "inadequate", "not_examined", "unknown"])
def test_nothing_is_new_on_a_side_that_was_not_seen_well_before(level: str) -> None:
    then = (adequacy(level=level), adequacy(laterality="right"))
    assert told([], [lesion(1)], then=then) == [("undecided", None, ["side_not_seen_well_before"])]
    assert told([], [lesion(1)], then=()) == [("undecided", None, ["side_not_seen_well_before"])]


def test_a_lesion_that_is_not_found_again_is_never_gone() -> None:
    assert told([lesion(1)], []) == [("not_found_again", None, ["not_found_is_not_gone"])]


@pytest.mark.parametrize("level", ["limited", "inadequate", "not_examined", "unknown"])
def test_where_the_side_is_not_seen_well_nobody_says_that_a_lesion_is_not_found(level: str) -> None:
    today = (adequacy(level=level), adequacy(laterality="right"))
    assert told([lesion(1)], [], today=today) == [("undecided", None, ["side_not_seen_well_now"])]


def test_a_lesion_on_the_other_side_is_another_one() -> None:
    found = told([lesion(1)], [lesion(2, laterality="right", place=Location(hour=10))])
    assert found == [("new", None, []), ("not_found_again", None, ["not_found_is_not_gone"])]


@pytest.mark.parametrize(
    ("before", "now"), [([1, 2], [3]), ([1], [2, 3]), ([1, 2], [3, 4])], ids=["two then", "two now", "two and two"]
)
def test_where_two_lie_at_one_place_nobody_says_which_is_which(before: list[int], now: list[int]) -> None:
    found = told([lesion(each) for each in before], [lesion(each) for each in now])
    assert found == [("undecided", None, ["several_at_the_place"])] * len(now)


def test_without_a_recorded_place_or_side_nothing_is_told() -> None:
    assert told([lesion(1)], [lesion(2, None)]) == [
        ("undecided", None, ["place_not_recorded"]), ("undecided", None, ["place_not_recorded"]),
    ]  # fmt: skip
    assert told([lesion(1)], [lesion(2, laterality=None)])[0] == ("undecided", None, ["side_not_recorded"])


def test_the_months_between_are_whole_and_nothing_names_the_earlier_screening() -> None:
    made = compare(Seen((lesion(1),), BOTH_BREASTS), Seen((lesion(2),), BOTH_BREASTS), 400)
    assert made.months == 13
    text = made.model_dump_json()
    assert lesion(1).finding_id not in text
    assert lesion(2).finding_id in text


def test_each_side_of_the_neck_is_its_own() -> None:
    lobes = tuple(adequacy(organ="thyroid", laterality=side) for side in ("left", "right"))
    found = told([nodule(1)], [nodule(2, laterality="right")], then=lobes, today=lobes)
    assert [each[0] for each in found] == ["new", "not_found_again"]
    assert seen_well(nodule(1), lobes)


def test_what_is_new_cannot_have_grown() -> None:
    with pytest.raises(ValueError, match="seen before"):
        Compared(change="new", finding_id=lesion(1).finding_id, organ="breast", laterality="left", grown=True)
