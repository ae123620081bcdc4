"""The count of what is said on bad outlines finds what it looks for, on made-up pictures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.outlines import (
    BEGIN,
    END,
    MISSED,
    UNRELIABLE,
    Outline,
    Picture,
    band,
    best_iou,
    counted,
    lesions_in,
    share,
    write_part,
)  # fmt: skip


def outline(iou: float, *, label: str = "malignant", reliable: bool = True, malignant: float | None = 0.3) -> Outline:
    return Outline("set/1", "set/woman", label, iou, iou, iou > 0, reliable, reliable, malignant if reliable else None)


def picture(*outlines: Outline, label: str = "malignant") -> Picture:
    return Picture("set/1", label, True, outlines)


def test_bad_outlines_on_which_something_is_said_are_counted() -> None:
    found = counted([picture(outline(0.29), outline(0.0, reliable=False), outline(0.3)), picture(outline(0.9))])
    assert (found["outlines"], found["bad_on_which_something_is_said"]["n"]) == (4, 1)
    assert found["bad_on_which_something_is_said"]["of"] == 2


def test_good_outlines_that_fell_silent_are_counted() -> None:
    found = counted([picture(outline(0.5, reliable=False), outline(0.49, reliable=False), outline(0.8))])
    assert [found["good_that_fell_silent"][key] for key in ("n", "of")] == [1, 2]


def test_findings_fall_into_bands_or_are_unreliable_or_missed() -> None:
    shown = [
        picture(outline(0.1, malignant=0.01), outline(0.05, malignant=0.01)),
        picture(outline(0.9, malignant=0.97)),
        picture(outline(0.2, reliable=False)),
        picture(outline(0.0, malignant=0.5)),
        picture(outline(0.9, label="benign"), label="benign"),
        Picture("set/2", "malignant", False, ()),
    ]
    read = counted(shown)["read"]
    assert {name: count for name, count in read["malignant"].items() if count} == {
        "≤ 2 %": 2, "≥ 95 %": 1, UNRELIABLE: 1, MISSED: 1,
    }  # fmt: skip
    assert sum(read["benign"].values()) == 1


def test_the_share_of_malignant_lesions_among_unreliable_outlines() -> None:
    shown = [picture(outline(0.4, reliable=False)), picture(outline(0.4, reliable=False, label="benign"))]
    assert counted(shown)["unreliable_that_are_malignant"]["n"] == 1
    assert counted([picture(outline(0.4, reliable=False, label=""))])["unreliable_that_are_malignant"]["of"] == 0


def test_expected_and_true_are_compared_by_rank_over_women() -> None:
    two = [replace(outline(iou), group=woman) for iou, woman in ((0.1, "a"), (0.5, "b"), (0.9, "c"))]
    found = counted([picture(*two, replace(outline(0.3), expected=None))])["expected_against_iou"]
    assert (found["of"], found["rho"]) == (3, 1.0)
    assert counted([picture(outline(0.4))])["expected_against_iou"]["rho"] is None


@pytest.mark.parametrize(
    ("probability", "name"),
    [(0.02, "≤ 2 %"), (0.021, "2–10 %"), (0.1, "2–10 %"), (0.5, "10–50 %"), (0.949, "50–95 %"), (0.95, "≥ 95 %")],
)
def test_bands_are_those_of_bi_rads(probability: float, name: str) -> None:
    assert band(probability) == name


def test_the_interval_of_nothing_hit_is_not_nothing() -> None:
    assert share(0, 47)["ci95"] == [0.0, pytest.approx(0.0756, abs=1e-3)]
    assert share(5, 10)["ci95"] == [pytest.approx(0.2366, abs=1e-3), pytest.approx(0.7634, abs=1e-3)]


def test_an_outline_is_held_against_the_lesion_that_it_covers_best() -> None:
    truth = np.zeros((40, 40), np.bool_)
    truth[2:12, 2:12] = truth[20:40, 20:40] = truth[30, 2] = True
    lesions = lesions_in(truth)
    assert [int(each.sum()) for each in lesions] == [100, 400]
    half = np.zeros_like(truth)
    half[20:40, 20:30] = True
    assert best_iou(half, lesions) == 0.5
    assert best_iou(half, []) == 0.0


def test_the_page_keeps_what_stands_around_the_part(tmp_path: Path) -> None:
    page = tmp_path / "accuracy.md"
    page.write_text("before\n", encoding="utf-8")
    for part in ("one", "two"):
        write_part(page, part)
    page.write_text(page.read_text(encoding="utf-8") + "after\n", encoding="utf-8")
    write_part(page, "three")
    assert page.read_text(encoding="utf-8") == f"before\n\n{BEGIN}\n\nthree\n\n{END}\nafter\n"
