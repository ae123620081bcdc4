"""What was amended stands on top of the page, with its reason, in both languages; a void report says nothing more."""

from typing import get_args

import pytest

from sonovan.contracts.amendments import REASONS_OF, AmendmentInForce, AmendmentKind
from sonovan.contracts.because import Because
from sonovan.contracts.clinical_record import ClinicalRecord
from sonovan.contracts.derivation import Advice
from sonovan.reports.amended import amended_words
from sonovan.reports.document import Visit, report_document
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.words import Words
from tests.clinical.records import SWEEP, adequacy, assessed, finding
from tests.reports.test_report import page, read

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
    for kind in set(get_args(AmendmentKind)) - {"taken_back"}:
        for because in REASONS_OF[kind]:
            more = {"side": {"laterality": "isthmus"}, "consent": {"withdrawn": ("screening",)}}.get(kind, {})
            said = amended_words(
                AmendmentInForce.model_validate({"amendment_number": 1, "kind": kind, "because": because, **more}),
                Words(language),
            )
            assert Words(language).reason(because) in said
