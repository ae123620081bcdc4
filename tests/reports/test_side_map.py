"""The maps show what is known of a place, and nothing more."""

import re
from xml.etree import ElementTree

import pytest

from sonovan.contracts.lexicon import Side
from sonovan.reports.side_map import Drawn, Mark, breast_map, thyroid_map


def breast(side: Side, *marks: Mark, unseen: bool = False) -> Drawn:
    return breast_map(side, marks, label="one <breast>", outer="outer", inner="inner", unseen=unseen)


def number_at(drawn: Drawn, number: str) -> tuple[float, float]:
    """Column and row, from the nipple."""
    found = re.search(rf'<text x="([-\d.]+)" y="([-\d.]+)"[^>]*font-weight="bold">{number}</text>', drawn.svg)
    assert found is not None
    return float(found[1]), float(found[2]) - 3.6


@pytest.mark.parametrize(
    ("hour", "direction"), [(12, (0, -1)), (3, (1, 0)), (6, (0, 1)), (9, (-1, 0))], ids=["12", "3", "6", "9"]
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_an_hour_and_a_distance_are_a_point_as_whoever_faces_her_reads_a_clock(
    side: Side, hour: int, direction: tuple[int, int]
) -> None:
    drawn = breast(side, Mark("1", hour=hour, distance_mm=40))
    assert number_at(drawn, "1") == pytest.approx((direction[0] * 39, direction[1] * 39), abs=0.1)
    assert "polygon" not in drawn.svg
    assert "40 mm" in drawn.svg


def test_an_hour_alone_is_a_shaded_sector_and_never_a_point_at_some_distance() -> None:
    drawn = breast("left", Mark("1", hour=2))
    assert drawn.svg.count("<polygon") == 1
    assert "40 mm" not in drawn.svg


@pytest.mark.parametrize(("side", "sign"), [("left", 1), ("right", -1)])
def test_outer_is_away_from_the_other_breast(side: Side, sign: int) -> None:
    x, y = number_at(breast(side, Mark("1", region="upper_outer")), "1")
    assert (x * sign > 0, y < 0) == (True, True)
    x, y = number_at(breast(side, Mark("1", region="lower_inner")), "1")
    assert (x * sign < 0, y > 0) == (True, True)
    outer = re.search(r'<text x="([-\d.]+)"[^>]*>outer<', breast(side).svg)
    assert outer is not None
    assert float(outer[1]) * sign > 0


def test_what_is_not_known_is_not_drawn_but_named() -> None:
    drawn = breast("left", Mark("1"), Mark("2", distance_mm=20), Mark("3", hour=1, distance_mm=20))
    assert drawn.unplaced == ("1", "2")
    assert ">1<" not in drawn.svg.replace(">12<", "")


def test_a_place_farther_than_the_drawing_makes_the_drawing_smaller() -> None:
    x, _ = number_at(breast("left", Mark("1", hour=3, distance_mm=150)), "1")
    assert 60 < x < 78


def test_lesions_at_one_place_share_one_label_and_a_lump_that_she_feels_has_another_colour() -> None:
    both = breast("left", Mark("1", hour=3), Mark("2", hour=3), Mark("F", hour=9, felt=True))
    assert ">1, 2</text>" in both.svg
    assert both.svg.count('fill="#a3162a"') == 1


def test_a_lobe_shows_thirds_and_names_what_has_none() -> None:
    marks = {"right": (Mark("1", region="lower"), Mark("2")), "isthmus": (Mark("3"),)}
    names: dict[Side, str] = {"left": "left lobe", "right": "right lobe", "isthmus": "isthmus"}
    drawn = thyroid_map(marks, label="thyroid", sides=names, unseen=("left",))  # type: ignore[arg-type]
    x, y = number_at(drawn, "1")
    assert (x < 0, y > 20) == (True, True), "her right lobe stands on the left, its lower third below"
    assert drawn.unplaced == ("2",)
    assert number_at(drawn, "3") == pytest.approx((0, 19), abs=0.5)


def test_a_map_is_well_formed_and_its_words_are_escaped() -> None:
    root = ElementTree.fromstring(breast("left", Mark("1", region="axilla"), unseen=True).svg)
    assert root.attrib["aria-label"] == "one <breast>"
