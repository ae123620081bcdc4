"""The signed page says what the reader says, apart from it what software suggested, and never that it is unsigned."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest

from sonovan.clinical.category import categorised
from sonovan.contracts.alerts import ClosedBecause
from sonovan.contracts.because import Because
from sonovan.contracts.comparisons import Compared, Comparison
from sonovan.contracts.conclusions import (
    ACTIONS,
    AMENDED_BECAUSE,
    BLOCKS,
    ROLES,
    Contradiction,
    Contradicts,
    FindingVerdict,
    WordVerdict,
)
from sonovan.contracts.description import Location
from sonovan.contracts.lexicon import sides_of
from sonovan.contracts.outcomes import OutcomeAmended, OutcomeKind, OutcomeResult
from sonovan.contracts.results import IntendedUse
from sonovan.reports.document import Visit, report_document
from sonovan.reports.page import OwnPictures
from sonovan.reports.phrases import LANGUAGES, PHRASES, Language
from sonovan.reports.signed import Standing, render_signed
from sonovan.reports.signed_words import SignedWords
from tests.clinical.records import adequacy, assessed, finding, sha
from tests.contracts.conclusions import FIRST, SECOND, concluded, contact, left_breast, left_lobe, lesion, outcome
from tests.reports.test_pdf import needs_chinese, needs_poppler, sheets_of
from tests.reports.test_recorded import LUMP
from tests.reports.test_report import PNG, KeyPictures, read

ROOM = Path(__file__).parents[2] / "reports"
READ = assessed(
    revision_id=sha("three"), revision_number=3, findings=categorised((finding(1, malignant=0.99),)),
    adequacy=(adequacy(), adequacy(organ="thyroid", level="usable")),
)  # fmt: skip
BEFORE = concluded(sides=(left_breast("2", "routine_screening", blocks=("simple_cysts",)), left_lobe()), findings=())


def page(
    conclusion: Any = None,
    language: Language = "en",
    use: IntendedUse = "decision_support",
    own: Mapping[int, OwnPictures] | None = None,
    **standing: Any,
) -> str:
    document = report_document(READ, intended_use=use, visit=Visit(LUMP, None, frozenset({"age"})))
    pictures = {READ.findings[0].best.key: KeyPictures(PNG, PNG)}
    return render_signed(document, conclusion or concluded(), pictures, language, Standing(**standing), own).decode()


def codes() -> set[str]:
    return {
        *(f"action_{each}" for each in ACTIONS),
        *(f"block_{each}" for blocks in BLOCKS.values() for each in blocks),
        *(f"role_{each}" for each in ROLES),
        *(f"amended_{each}" for each in AMENDED_BECAUSE),
        *(f"word_{each}" for each in get_args(WordVerdict)),
        *(f"verdict_{each}" for each in get_args(FindingVerdict)),
        *(f"despite_{each}" for each in get_args(Contradiction)),
        *(f"outcome_{each}" for part in get_args(OutcomeKind) for each in (get_args(part) or (part,))),
        *(f"result_{each}" for each in get_args(OutcomeResult)),
        *(f"replaced_{each}" for each in get_args(OutcomeAmended)),
        *(f"closed_{each}" for each in get_args(ClosedBecause)),
        *(f"her_place_{organ}_{side}" for organ in BLOCKS for side in (*sides_of(organ), "both", "none")),
    }


def test_every_code_has_words_and_every_phrase_is_a_code_or_stands_on_a_page() -> None:
    known = set(PHRASES["en"].signed)
    assert codes() - known == set()
    code = "".join(path.read_text(encoding="utf-8") for path in [*ROOM.glob("*.py"), *ROOM.glob("templates/*.html")])
    used = {name for name in known - codes() if f'"{name}"' in code}
    assert {name for name in known - codes() - used if not name.startswith(("her_do_", "her_result_"))} == set()


def test_no_chinese_phrase_is_left_in_english() -> None:
    assert {name for name, text in PHRASES["zh"].signed.items() if not re.search(r"[\u4e00-\u9fff]", text)} == {
        "signed_change", "signed_number",
    }  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_names_who_signed_what_was_read_and_each_sides_conclusion(language: Language) -> None:
    words = SignedWords(language)
    text, _ = read(page(language=language))
    for told in (
        "dr-1", words.moment(concluded().signed_at), "BI-RADS 4A", "TI-RADS TR3",
        words.sign("action_tissue_diagnosis"), words.sign("action_follow_up", months=12),
        words.sign("block_solid_suspicious"), words.place("breast", "left"), words.concluded_number(concluded()),
        words.sign("signed_looked_sweep", seen=4, frames=5, share=words.text("share", share=80)),
    ):  # fmt: skip
        assert told in text, told
    assert words.text("unsigned") not in text
    assert words.text("unsigned_meaning") not in text


def test_what_software_had_suggested_stands_apart_and_says_that_it_is_no_result() -> None:
    text, _ = read(page())
    ours, machine = text.split(SignedWords().sign("signed_machine"))
    assert "spiculated (changed from: indistinct)" in ours
    assert "not parallel (confirmed)" in ours
    assert "not determinable" in ours
    assert "no result" in machine
    assert "BI-RADS 5" in machine


@pytest.mark.parametrize("use", ["research", "measurement"])
def test_what_is_withheld_stays_withheld_on_the_signed_page(use: IntendedUse) -> None:
    text, _ = read(page(use=use))
    ours, machine = text.split(SignedWords().sign("signed_machine"))
    assert "BI-RADS 4A" in ours, "what the reader signed is the reader's"
    assert not re.search(r"BI-RADS [1-6]", machine)


def test_an_amended_conclusion_shows_what_changed_and_why() -> None:
    amended = concluded(SECOND, conclusion_number=2, amends=FIRST, because="overlooked")
    text, _ = read(page(amended, before=BEFORE))
    assert "Reason: something was overlooked." in text
    assert "Left breast: BI-RADS 2, next screening as usual; Simple cysts. → BI-RADS 4A" in text
    assert "Left breast, finding 1: – → lesion, BI-RADS 4A" in text
    assert "Left thyroid lobe:" not in text, "what did not change is not told"


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        ({"newest": 4}, "A NEWER REVISION HAS COME: 4. This conclusion rests on revision 3."),
        ({"replaced_by": 2}, "NO LONGER IN FORCE: conclusion 2 has replaced this one."),
        ({"to_arbitrate": True}, "TWO READINGS DIFFER"),
    ],
)
def test_what_makes_a_conclusion_doubtful_stands_on_top(standing: dict[str, Any], told: str) -> None:
    text, _ = read(page(**standing))
    assert told in text
    assert text.index(told) < text.index("Signed ultrasound screening report")
    assert told not in read(page())[0]


@pytest.mark.parametrize(
    ("earlier", "shown", "told"),
    [
        ("holds", True, "Compared with her earlier screening, 13 months before."),
        ("otherwise", False, "does not count any more"),
        ("unchecked", False, "the catalogue alone knows whether the earlier screening still counts"),
    ],
)
def test_what_was_compared_is_shown_only_where_it_holds(earlier: Any, shown: bool, told: str) -> None:
    grew = (Because(code="grew_in_diameter", value=0.4, unit="1"), Because(code="may_be_two_lesions"))
    gone = (Because(code="not_found_is_not_gone"),)
    both = (
        Compared(change="seen_before", finding_id=sha("finding 1"), organ="breast", laterality="left", grown=True,
                 because=grew),
        Compared(change="not_found_again", finding_id=None, organ="breast", laterality="right",
                 location=Location(hour=10), because=gone),
    )  # fmt: skip
    made = concluded(comparison=Comparison(months=13, findings=both))
    found = read(page(made, earlier=earlier))[0]
    assert told in found
    for each in ("seen before GROWN", "Right breast, 10 o'clock not found again"):
        assert (each in found) is shown


def test_where_nothing_was_compared_the_page_says_so() -> None:
    assert "Nothing was compared when this was signed." in page(earlier="holds")


def test_what_the_reader_signed_although_it_does_not_fit_is_told() -> None:
    despite = (Contradicts(code="finding_not_judged", organ="breast", laterality="left", number=2),)
    text, _ = read(page(concluded(despite=despite)))
    assert "Signed although" in text
    assert "Left breast: finding 2 was not judged" in text


OWN = lesion(finding_id=None, frame_id=f"{FIRST}/000009", words=(), categories=())


@pytest.mark.parametrize(
    ("drawn", "told"),
    [
        (PNG, ("as the reader outlined it", "勾画的轮廓")),
        (None, ("no outline by the reader is known here", "没有医师的勾画轮廓")),
    ],
)
def test_a_finding_of_the_readers_own_has_its_frame_among_what_the_reader_says(
    drawn: bytes | None, told: tuple[str, str]
) -> None:
    made = concluded(findings=(lesion(), OWN))
    for language, said in zip(("en", "zh"), told, strict=True):
        shown = page(made, language, own={1: OwnPictures(PNG, drawn)})
        reader, machine = shown.split('<section class="machine">')
        words = SignedWords(language)
        assert said in reader
        assert f"{words.place('breast', 'left')} · {words.text('frame_number', frame=10)}" in reader
        assert reader.count("data:image/png") == (1 if drawn is None else 2)
        assert machine.count("data:image/png") == 2


def test_a_conclusion_is_not_shown_with_a_revision_that_was_not_read() -> None:
    document = report_document(READ.model_copy(update={"revision_id": sha("another")}), intended_use="research")
    with pytest.raises(ValueError, match="that was read"):
        render_signed(document, concluded(), {})


def test_the_page_runs_nothing_and_names_nothing_outside() -> None:
    _, tags = read(page())
    assert not {"script", "link", "iframe", "object"} & {name for name, _ in tags}
    assert all(str(values.get("src", "data:")).startswith("data:") for _, values in tags)


@needs_poppler
@pytest.mark.parametrize("language", [pytest.param(each, marks=needs_chinese) for each in LANGUAGES])
def test_it_prints_and_every_sheet_of_the_result_names_who_signed(language: Language, tmp_path: Path) -> None:
    sheets = sheets_of(page(language=language).encode(), tmp_path / "signed.pdf")
    words = SignedWords(language)
    assert all(words.sign("signed_footer", reader="dr-1") in sheet for sheet in sheets)
    assert not any(words.text("unsigned") in sheet for sheet in sheets)


def test_an_outcome_is_told_with_its_side_and_result() -> None:
    assert SignedWords().outcome(outcome()) == "core biopsy, Left breast, malignant"
    assert SignedWords().outcome(contact(FIRST, "attended", date(2025, 3, 4))) == "came"
    assert SignedWords("zh").outcome(outcome(kind="mammography", bi_rads="4")).endswith("BI-RADS 4")


def test_a_finding_that_only_the_reader_saw_is_told_as_such() -> None:
    own = lesion(finding_id=None, frame_id="0192f0c1-2345-7abc-8def-000000000001/000012", words=())
    assert "seen by the reader alone" in read(page(concluded(findings=(own,))))[0]
