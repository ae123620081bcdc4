"""What a reader sees first on the page, in which words, and what it needs of the machine that shows it."""

import re
from datetime import date
from typing import Any

import pytest

from sonovan.contracts.because import Because
from sonovan.contracts.frames import Place
from sonovan.reports.phrases import Language
from sonovan.reports.words import Words
from tests.clinical.records import assessed, finding, sighting
from tests.reports.test_report import CHINESE, PNG, full, page, read


def test_the_findings_stand_in_a_table_before_everything_else_with_what_a_reader_needs() -> None:
    place = Place(origin="probe", depth_mm=8.6, lateral_mm=-12.2, depth_share=0.2, lateral_share=-0.3)
    cut = (Because(code="outline_cut_by_edge"), Because(code="sweep_ends_on_it"))
    record = assessed(findings=(finding(1, malignant=0.61, place=place, at_least=cut, position="10h"),))
    text, _ = read(page(record))
    row = "1 Left breast, 10 o'clock 9 mm below the skin, 12 mm left of the probe's middle ≥ 12.1 × 8.0 mm 61 %"
    assert f"{row} no suggested category 5 frames, 11 to 15, 0.16 s" in text
    assert text.index(row) < text.index("Was it seen well enough?") < text.index("Frame 13: as recorded")
    assert "≥: the edge of the scan cuts the outline, the sweep begins or ends on the lesion" in text


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (
            {"origin": "picture", "depth_mm": 8.6, "lateral_mm": 3.0},
            "9 mm below the picture's top, 3 mm right of the picture's middle",
        ),
        ({"origin": "probe"}, "at 25 % of the picture's depth, 30 % of the width left of the probe's middle"),
        ({"origin": "probe", "depth_mm": 3.0, "lateral_mm": 0.4}, "3 mm below the skin, at the probe's middle"),
    ],
)
def test_the_place_on_the_picture_is_said_as_exactly_as_it_is_known(place: dict[str, Any], expected: str) -> None:
    known = Place(**{"depth_share": 0.25, "lateral_share": -0.3, **place})
    assert Words().on_picture(sighting(place=known)) == expected
    assert Words().on_picture(sighting()) == "–"


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
    assert f"{label} {before}" in read(page(known, language=language))[0]
    assert f"{label} {nothing}" in read(page(unknown, language=language))[0]
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
