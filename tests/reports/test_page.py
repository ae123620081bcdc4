"""What a reader sees first on the page, in which words, and what it needs of the machine that shows it."""

import re
from datetime import date
from typing import Any

import pytest

from sonovan.contracts.because import Because
from sonovan.contracts.frames import Place
from sonovan.contracts.results import Advice
from sonovan.reports.document import Visit
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.words import Words
from tests.clinical.records import adequacy, assessed, finding, sighting
from tests.reports.test_report import CHINESE, PNG, full, page, read


def test_the_findings_stand_in_a_table_before_their_pictures_with_what_a_reader_needs() -> None:
    place = Place(origin="probe", depth_mm=8.6, lateral_mm=-12.2, depth_share=0.2, lateral_share=-0.3)
    cut = (Because(code="outline_cut_by_edge"), Because(code="sweep_ends_on_it"))
    record = assessed(findings=(finding(1, malignant=0.61, place=place, at_least=cut, position="10h"),))
    text, _ = read(page(record))
    where = "9 mm below the skin, 12 mm from the probe's middle (picture left)"
    row = f"1 Left breast, 10 o'clock {where} ≥ 12.1 × 8.0 mm 61 %"
    assert f"{row} no suggested category 5 frames, 11 to 15, 0.16 s" in text
    told, seen = text.index("What the woman told before the scan"), text.index("Was it seen well enough?")
    assert told < seen < text.index(row) < text.index("Where they lie") < text.index("Frame 13: as recorded")
    assert "≥: the edge of the scan cuts the outline, the sweep begins or ends on the lesion" in text


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (
            {"origin": "picture", "depth_mm": 8.6, "lateral_mm": 3.0},
            "9 mm below the picture's top, 3 mm from the picture's middle (picture right)",
        ),
        ({"origin": "probe"}, "at 25 % of the depth, 30 % of the width from the probe's middle (picture left)"),
        ({"origin": "probe", "depth_mm": 3.0, "lateral_mm": 0.4}, "3 mm below the skin, at the probe's middle"),
    ],
)
def test_the_place_on_the_picture_is_said_as_exactly_as_it_is_known(place: dict[str, Any], expected: str) -> None:
    known = Place(**{"depth_share": 0.25, "lateral_share": -0.3, **place})
    assert Words().on_picture(sighting(place=known)) == expected
    assert Words().on_picture(sighting()) == "–"


@pytest.mark.parametrize("language", LANGUAGES)
def test_left_and_right_of_a_place_are_said_to_be_the_pictures_not_the_womans(
    language: Language,
) -> None:
    where = {"en": ("picture left", "picture right"), "zh": ("图像左侧", "图像右侧")}[language]
    for lateral, said in zip((-3.0, 3.0), where, strict=True):
        place = Place(origin="probe", depth_mm=8.6, lateral_mm=lateral, depth_share=0.2, lateral_share=lateral / 30)
        assert said in Words(language).on_picture(sighting(place=place))


def test_findings_are_called_most_suspicious_first_only_where_a_suspicion_orders_them() -> None:
    lesions = (finding(1, malignant=0.61), finding(2))
    for use in ("decision_support", "research"):
        assert "Findings, most suspicious first" in read(page(assessed(findings=lesions), use))[0]
    assert "Findings, largest first" in read(page(assessed(findings=(finding(1), finding(2)))))[0]


def test_where_no_frame_could_be_assessed_nothing_was_looked_for() -> None:
    row = adequacy(level="not_examined", assessable_share=0.0, reasons=("not_thyroid_ultrasound",))
    text, _ = read(page(assessed(findings=(), adequacy=(row,))))
    assert "Findings No frame could be assessed: nothing was looked for. This is not a negative result." in text
    assert "Findings No region was outlined." in read(page(assessed(findings=(), adequacy=(adequacy(),))))[0]


@pytest.mark.parametrize(("reason", "asked"), [("not_breast_ultrasound", True), ("not_seen", False)])
def test_who_declared_another_organ_is_told_to_check_it(reason: str, asked: bool) -> None:
    advice = Advice(rule="examine", organ="breast", laterality="left", because=(Because(code=reason),))
    assert ("the right organ was entered" in Words("en").advice(advice)) == asked
    assert ("核对录入的检查器官" in Words("zh").advice(advice)) == asked


def test_what_was_not_examined_is_said_at_the_top() -> None:
    text, _ = read(page(full()))
    assert text.index("NOT EXAMINED: Right breast") < text.index("Intended use")
    assert "NOT EXAMINED:" not in read(page(assessed()))[0]


def test_an_outline_that_is_unreliable_says_that_a_reader_decides() -> None:
    doubtful = finding(1, outline_unreliable=True).model_copy(update={"outline_unreliable": True})
    text, _ = read(page(assessed(findings=(doubtful,))))
    assert text.count("outline unreliable: a reader decides") == 3, "in the table, of the outline and of suspicion"


@pytest.mark.parametrize(("language", "expected"), [("en", "4 March 2025"), ("zh", "2025年3月4日")])
def test_the_day_of_examination_is_the_files_and_never_that_of_processing(language: Language, expected: str) -> None:
    known, unknown = assessed(examined_on=date(2025, 3, 2)), assessed()
    label, nothing = Words(language).text("examined_on"), Words(language).text("not_recorded")
    before = {"en": "2 March 2025", "zh": "2025年3月2日"}[language]
    shown = Visit(shows=frozenset({"examined_on"}))
    assert f"{label} {before}" in read(page(known, visit=shown, language=language))[0]
    assert f"{label} {nothing}" in read(page(unknown, visit=shown, language=language))[0]
    assert expected in read(page(unknown, language=language))[0]


def test_unsigned_in_the_other_language_may_be_a_picture_that_needs_no_font() -> None:
    html = page(assessed(), drawn={"zh": PNG})
    assert '<img class="other" lang="zh-Hans" src="data:image/png;base64,' in html
    assert 'alt="未签署，非诊断结果"' in html
    style = re.sub(r"<style>.*?</style>", "", html, flags=re.S)
    assert CHINESE.search(read(style)[0]) is None, "no text on an English page needs a font with Chinese"


def test_fonts_with_chinese_are_named_for_every_platform() -> None:
    style = page(assessed(), language="zh")
    for font in ("Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Zen Hei"):
        assert f'"{font}"' in style
