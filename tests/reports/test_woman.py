"""Her own page names each side in plain words, what to do there and when, and what was not examined or not judged."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sonovan.contracts.conclusions import ACTIONS, Recommended
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.results import Adequacy
from sonovan.reports.document import ScreeningReport, report_document
from sonovan.reports.phrases import LANGUAGES, PHRASES, Language
from sonovan.reports.signed_words import SignedWords
from sonovan.reports.woman import Directions, directions_of, render_for_her
from tests.clinical.records import adequacy, assessed, finding, sha
from tests.contracts.conclusions import concluded, left_breast, left_lobe
from tests.reports.test_pdf import needs_chinese, needs_poppler, sheets_of
from tests.reports.test_report import read


def report_with(*rows: Adequacy, findings: tuple[Any, ...] = ()) -> ScreeningReport:
    """The report of the revision that was read, with these rows."""
    revision = assessed(revision_id=sha("three"), revision_number=3, adequacy=rows, findings=findings)
    return ScreeningReport.model_validate(report_document(revision, intended_use="decision_support"))


REPORT = report_with(adequacy(), adequacy(organ="thyroid"))


def hers(conclusion: Any = None, language: Language = "en", report: ScreeningReport = REPORT, **other: Any) -> str:
    return read(render_for_her(conclusion or concluded(), report, language, **other).decode())[0]


def told(text: str, language: Language = "en") -> list[str]:
    """What the page says of each side, in its order: from the name of the first one to what stands below them all."""
    words = SignedWords(language)
    end = (
        text.index(words.sign("her_bring")) if words.sign("her_bring") in text else text.index(words.sign("her_always"))
    )
    names = [words.sign(f"her_place_{organ}_{side}") for organ, side in PLACES]
    starts = sorted(at for name in names for at in [text.find(name)] if at >= 0)
    return [text[at:until].strip() for at, until in zip(starts, [*starts[1:], end], strict=True)]


PLACES = [
    *(("breast", each) for each in ("left", "right", "both", "none")),
    *(("thyroid", each) for each in ("left", "right", "both", "isthmus", "none")),
]


def signed(organ: Organ, side: Side | None, action: str) -> Any:
    """A side with a recommendation, whatever its category."""
    recommended = Recommended(action=action, months=12 if action == "follow_up" else None)  # type: ignore[arg-type]
    made = left_breast() if organ == "breast" else left_lobe()
    return made.model_copy(update={"laterality": side, "recommended": recommended})


def not_seen(**other: Any) -> Adequacy:
    fields = {"level": "not_examined", "frames": 0, "assessable_share": 0.0, "reasons": ("not_seen",)}
    return adequacy(**{**fields, **other})


ALL_CLEAR = {"en": "Nothing was found", "zh": "未发现"}
NOT_EXAMINED = {"en": "This was not examined", "zh": "此处没有做检查"}
NOT_JUDGED = {"en": "No doctor has judged this yet", "zh": "医师还没有对此处作出判断"}
STILL = {"en": "It still has to be looked at.", "zh": "此处仍需检查"}
RIGHT = {"en": "Right breast", "zh": "右侧乳腺"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_planned_side_that_was_not_examined_is_named_and_never_reads_as_all_clear(language: Language) -> None:
    made = concluded(sides=(left_breast("1", "routine_screening", blocks=()),), findings=())
    right, left = told(hers(made, language, report_with(adequacy(), not_seen(laterality="right"))), language)
    assert right.startswith(f"{RIGHT[language]} {NOT_EXAMINED[language]}")
    assert STILL[language] in right
    assert ALL_CLEAR[language] not in right
    assert ALL_CLEAR[language] in left


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_side_with_pictures_of_which_nothing_was_concluded_is_named_as_not_judged(language: Language) -> None:
    made = concluded(sides=(left_breast("1", "routine_screening", blocks=()),), findings=())
    for report in (
        report_with(adequacy(), adequacy(laterality="right")),
        report_with(adequacy(), adequacy(laterality="right", level="unknown", frames=0)),
        report_with(adequacy(), not_seen(laterality="right", frames=20, reasons=("not_breast_ultrasound",))),
        report_with(adequacy(), findings=(finding(2, laterality="right"),)),
    ):
        right, _ = told(hers(made, language, report), language)
        assert right.startswith(f"{RIGHT[language]} {NOT_JUDGED[language]}")
        assert STILL[language] in right


@pytest.mark.parametrize("excuse", ["absent", "planned_by_mistake", "declined"])
def test_a_side_that_is_not_there_is_not_examined_and_asks_nothing_of_her(excuse: str) -> None:
    made = concluded(sides=(left_breast("1", "routine_screening", blocks=()),), findings=())
    row = not_seen(laterality="right", reasons=("not_seen", f"excused_{excuse}"))
    right, _ = told(hers(made, report=report_with(adequacy(), row)))
    assert NOT_EXAMINED["en"] in right
    assert (STILL["en"] in right) == (excuse == "declined")


@pytest.mark.parametrize("action", ["routine_screening", "follow_up", "scan_again"])
def test_a_side_of_which_no_picture_came_is_called_not_examined_whatever_was_signed_of_it(action: str) -> None:
    made = concluded(sides=(signed("breast", "left", action),), findings=())
    (left,) = told(hers(made, report=report_with(not_seen())))
    assert left.startswith(f"Left breast {NOT_EXAMINED['en']}, so nothing can be said about it. Come")


def test_each_side_has_its_own_recommendation_and_the_most_pressing_stands_first() -> None:
    sides = (
        signed("breast", "left", "scan_again"), signed("breast", "right", "tissue_diagnosis"),
        signed("thyroid", "left", "follow_up"), signed("thyroid", "right", "fna"),
        signed("thyroid", "isthmus", "routine_screening"),
    )  # fmt: skip
    found = told(hers(concluded(sides=sides, findings=())))
    assert [(each.split(" Something")[0].split(" Part")[0].split(" Nothing")[0]) for each in found] == [
        "Right breast", "Right lobe of the thyroid", "Left breast", "Left lobe of the thyroid",
        "Middle of the thyroid (isthmus)",
    ]  # fmt: skip
    for text, what in zip(
        found, ("tissue sample", "fine needle", "another ultrasound", "12 months", "next"), strict=True
    ):
        assert what in text
        assert text.count("Come ") == 1


@pytest.mark.parametrize(
    ("sides", "named"),
    [
        ((("breast", "left"), ("breast", "right")), ["Both breasts"]),
        ((("thyroid", "left"), ("thyroid", "right")), ["Both lobes of the thyroid"]),
        ((("thyroid", "left"), ("thyroid", "isthmus")), ["Left lobe of the thyroid, Middle of the thyroid (isthmus)"]),
        ((("breast", "left"), ("thyroid", "left")), ["Left breast", "Left lobe of the thyroid"]),
        ((("breast", None),), ["Breast (side not recorded)"]),
    ],
)
def test_sides_of_which_the_same_is_said_stand_together_by_their_names(sides: Any, named: list[str]) -> None:
    text = hers(concluded(sides=tuple(signed(*each, "fna") for each in sides), findings=()))
    assert all(f"{each} Something should be looked at more closely." in text for each in named)
    assert text.count("Come for an examination with a fine needle") == len(named)


def test_no_word_reassures_where_something_is_to_be_looked_at_again() -> None:
    made = concluded(sides=(signed("thyroid", "left", "follow_up"),), findings=())
    assert "Something was seen that has to be looked at again." in hers(made)
    assert "发现有需要复查的情况。" in hers(made, "zh")
    hers_alone = {
        each: [text for name, text in PHRASES[each].signed.items() if name.startswith("her_")] for each in LANGUAGES
    }
    for language, word in (("en", "harmless"), ("en", "benign"), ("zh", "无害"), ("zh", "良性")):
        assert not [text for text in hers_alone[language] if word in text]


def test_a_conclusion_is_not_told_to_her_with_a_revision_that_was_not_read() -> None:
    other = REPORT.model_copy(update={"revision_id": sha("another")})
    with pytest.raises(ValueError, match="that was read"):
        hers(report=other)


@needs_poppler
@pytest.mark.parametrize("language", [pytest.param(each, marks=needs_chinese) for each in LANGUAGES])
@pytest.mark.parametrize(
    "actions",
    [
        ["scan_again", "tissue_diagnosis", "fna", "mammography"],
        ["tissue_diagnosis", "follow_up"],
        ["tissue_diagnosis"],
        ["follow_up", "routine_screening", "follow_up"],
    ],
)
def test_it_is_one_sheet_however_many_sides_differ(actions: list[str], language: Language, tmp_path: Path) -> None:
    places: list[tuple[Organ, Side]] = [
        ("breast", "left"), ("thyroid", "left"), ("thyroid", "right"), ("thyroid", "isthmus"),
    ]  # fmt: skip
    sides = tuple(signed(*place, action) for place, action in zip(places, actions, strict=False))
    report = report_with(adequacy(), not_seen(laterality="right"))
    shown = report.model_copy(update={"examined_on": date(2025, 3, 4), "slip_number": "A17X"})
    site = directions_of(f'[{language}]\nplace = "County hospital, 3rd floor"\nphone = "010-1234567"', "site.toml")
    made = render_for_her(concluded(sides=sides, findings=()), shown, language, directions=site[language])
    assert len(sheets_of(made, tmp_path / "woman.pdf")) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("action", ACTIONS)
def test_her_page_says_what_to_do_for_every_recommendation(language: Language, action: str) -> None:
    recommended = {"action": action, "months": 6 if action == "follow_up" else None}
    made = concluded(sides=(left_breast(recommended=recommended),), findings=())
    text = hers(made, language)
    words = SignedWords(language)
    assert words.sign("her_always") in text
    asks = action not in ("routine_screening", "follow_up")
    assert (words.sign("her_bring") in text) == asks
    assert not re.search(r"BI-RADS|TI-RADS|4A|dr-1", text)


def test_her_page_says_where_when_and_whom_to_call() -> None:
    sites = directions_of('[en]\nplace = "Ward 3"\nphone = "010-1"\nwithin_days = {tissue_diagnosis = 10}\n', "x.toml")
    report = REPORT.model_copy(update={"examined_on": date(2025, 3, 4), "slip_number": "A17X"})
    text = hers(report=report, directions=sites["en"])
    assert "When: within 10 days, by 14 March 2025." in text
    for told in ("Where: Ward 3", "010-1", "Slip number: A17X", "Examined on 4 March 2025"):
        assert told in text
    assert "Come again for an ultrasound in 12 months (about March 2026)." in text
    assert "the clinic that the screening team named to you" in hers(directions=Directions())


def test_a_follow_up_across_the_turn_of_the_year_names_the_right_month() -> None:
    late = concluded(
        sides=(left_breast("3", recommended={"action": "follow_up", "months": 9}),), findings=(),
    )  # fmt: skip
    assert "(about December 2025)" in hers(late)


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("[fr]\nplace = 'x'", "fr: no language"),
        ("[en]\nplace = 3", "en.place"),
        ("[en]\nstreet = 'x'", "street"),
        ("[en", "no TOML"),
        ("[en]\nwithin_days = {surgery = 3}", "within_days"),
    ],
)
def test_directions_that_cannot_be_used_are_named_with_their_file(toml: str, told: str) -> None:
    with pytest.raises(InvalidRecord, match=r"site\.toml") as caught:
        directions_of(toml, "site.toml")
    assert told in str(caught.value)
