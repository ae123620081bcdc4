"""What was amended stands on top of the page, with its reason, in both languages; a void report says nothing more."""

from typing import get_args

import pytest

from sonovan.contracts.amendments import REASONS_OF, AmendmentInForce, AmendmentKind, Mark
from sonovan.contracts.because import Because
from sonovan.contracts.clinical_record import ClinicalRecord
from sonovan.contracts.derivation import Advice
from sonovan.reports.amended import amended_words
from sonovan.reports.document import Visit, report_document
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.words import Words
from tests.clinical.records import NOON, SWEEP, adequacy, assessed, finding
from tests.reports.test_report import PNG, page, read

SIDE = AmendmentInForce(
    amendment_number=1, kind="side", because="side_entered_wrong", sequence_ids=(SWEEP,), laterality="right"
)
VOID = AmendmentInForce(amendment_number=2, kind="void", because="no_screening")
WOMAN = AmendmentInForce(amendment_number=3, kind="woman", because="two_slips")
NO_AI = AmendmentInForce(amendment_number=4, kind="consent", because="she_withdrew", withdrawn=("ai", "sharing"))
NOTHING_SEEN = {"frames": 0, "adequacy": (), "findings": (), "categories": (), "advice": ()}
TOLD = Visit(ClinicalRecord(age_years=52, palpable_lump="left"), "A1W", frozenset({"age", "slip_number"}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_amendment_stands_before_all_that_was_found_with_its_reason(language: Language) -> None:
    words = Words(language)
    record = assessed(findings=(finding(1, laterality="right"),), adequacy=(adequacy(),), amendments=(SIDE, WOMAN))
    text, _ = read(page(record, language=language))
    for made in (SIDE, WOMAN):
        said = amended_words(made, words)
        assert words.reason(made.because) in said
        assert text.index(said) < text.index(words.text("heading"))
    assert read(page(record, language=language))[0].count(words.text("seen_well")) == 1


def test_the_side_is_said_as_it_is_now() -> None:
    english, chinese = (amended_words(SIDE, Words(each)) for each in LANGUAGES)
    assert english == "WRONG SIDE BEFORE: 1 sequence, now RIGHT. Reason: the wrong side was entered."
    assert chinese == "已更正：1 段扫查实为右侧，此前侧别有误。原因：侧别录入有误。"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_void_page_says_so_and_nothing_that_could_be_read_as_a_result(language: Language) -> None:
    words = Words(language)
    text, _ = read(page(assessed(**NOTHING_SEEN, amendments=(VOID,)), visit=TOLD, language=language))
    assert amended_words(VOID, words) in text
    for silent in ("seen_well", "categories_and_advice", "no_region", "nothing_looked_at", "told_heading",
                   "outlined_regions", "frames_read", "earlier_heading", "withdrawn_heading"):  # fmt: skip
        assert words.text(silent) not in text, silent
    assert words.text("unsigned") in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_consent_to_a_machine_the_page_keeps_what_she_told_and_her_referral(language: Language) -> None:
    words = Words(language)
    referral = Advice(
        rule="diagnostic_referral",
        because=(Because(code="reported_sign", value="palpable_lump.left"),),
        organ="breast",
        laterality="left",
    )
    record = assessed(**(NOTHING_SEEN | {"advice": (referral,)}), amendments=(NO_AI,))
    text, _ = read(page(record, visit=TOLD, language=language))
    assert words.advice(referral) in text
    assert words.text("told_heading") in text
    assert words.text("use_sharing") in text
    for silent in ("seen_well", "categories_and_advice", "no_region", "outlined_regions"):
        assert words.text(silent) not in text, silent


def test_the_document_has_each_amendment_in_every_language_and_no_notice_of_nothing_outlined() -> None:
    document = report_document(assessed(**NOTHING_SEEN, amendments=(VOID,)), intended_use="research")
    assert [each["code"] for each in document["notices"]] == ["unsigned_not_a_result", "amended_void", "research"]
    assert document["notices"][1]["words"].keys() == set(LANGUAGES)
    assert document["amendments"][0]["because"] == "no_screening"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_and_reason_has_a_sentence(language: Language) -> None:
    for kind in set(get_args(AmendmentKind)) - {"taken_back", "seen"}:
        for because in REASONS_OF[kind]:
            more = {"side": {"laterality": "isthmus"}, "consent": {"withdrawn": ("screening",)}}.get(kind, {})
            said = amended_words(
                AmendmentInForce.model_validate({"amendment_number": 1, "kind": kind, "because": because, **more}),
                Words(language),
            )
            assert Words(language).reason(because) in said


def seen(**mark: object) -> AmendmentInForce:
    told = Mark.model_validate({"marked_at": NOON, **mark})
    return AmendmentInForce(amendment_number=5, kind="seen", because="operator_saw_something", mark=told)


FRAME = f"{SWEEP}/000011"


def test_a_mark_is_said_by_frame_and_sweep_without_an_outline_in_both_languages() -> None:
    place = {"organ": "breast", "laterality": "left"}
    for mark, english, chinese in (
        (
            seen(frame_id=FRAME, sweep=3, **place),
            "THE OPERATOR MARKED frame 12 of sweep 3 (Left breast). No outline is drawn for it.",
            "操作者标记了第 3 次扫查的第 12 帧（左侧乳腺）。此处未为其勾画轮廓。",
        ),
        (
            seen(frame_id=FRAME),
            "THE OPERATOR MARKED frame 12 of a sweep that is not here yet. No outline is drawn for it.",
            "操作者标记了某次尚未送达的扫查的第 12 帧。此处未为其勾画轮廓。",
        ),
        (
            seen(),
            "THE OPERATOR MARKED something before any frame had come (place not known).",
            "操作者在任何图像到达之前作了标记（部位未知）。",
        ),
    ):
        assert [amended_words(mark, Words(each)) for each in LANGUAGES] == [english, chinese]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_without_any_outline_says_first_what_the_operator_marked(language: Language) -> None:
    words, mark = Words(language), seen(frame_id=FRAME, sweep=1, organ="breast", laterality="left")
    text, _ = read(page(assessed(findings=(), amendments=(mark,)), language=language))
    assert text.index(amended_words(mark, words)) < text.index(words.text("no_region"))


@pytest.mark.parametrize(("language", "why"), [("en", "not scanned: she declined"), ("zh", "未扫查：受检者拒绝")])
def test_what_was_not_examined_names_the_operators_reason_on_top(language: Language, why: str) -> None:
    row = adequacy(level="not_examined", frames=0, reasons=("not_seen", "excused_declined"))
    text, _ = read(page(assessed(findings=(), adequacy=(row,)), language=language))
    assert text.index(why) < text.index(Words(language).text("heading"))
    assert text.count(why) == 2, "on top, and in its row"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_void_page_shows_no_picture_that_was_marked(language: Language) -> None:
    mark = seen(frame_id=FRAME, sweep=1, organ="breast", laterality="left")
    for amendments, shown in (((mark,), True), ((mark, VOID), False)):
        record = assessed(**NOTHING_SEEN, amendments=amendments)
        html = page(record, language=language, marked={FRAME: PNG})
        assert (Words(language).text("marked_heading") in html) == shown
        assert ('<div class="marks">' in html) == shown
