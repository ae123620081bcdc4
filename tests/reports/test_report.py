import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from sonovan.contracts.because import Because
from sonovan.contracts.frames import Descriptor
from sonovan.contracts.results import (
    Advice,
    Category,
    IntendedUse,
    Level,
    MissingFrames,
    RefusedPanel,
    RejectedFrame,
    ScreeningAssessed,
)
from sonovan.contracts.results import WithdrawnFinding as Withdrawn
from sonovan.reports.document import NOTHING_TOLD, ScreeningReport, Visit, report_document
from sonovan.reports.page import KeyPictures, render_html
from sonovan.reports.phrases import Language
from sonovan.reports.schema import report_schema
from sonovan.reports.words import Words
from tests.clinical.records import SCREENING, SWEEP, SWEEP_2, adequacy, assessed, finding, sha, sighting

PNG = b"\x89PNG\r\n\x1a\n not a real picture"


def page(
    record: ScreeningAssessed, use: IntendedUse = "decision_support", visit: Visit = NOTHING_TOLD, **other: object
) -> str:
    pictures = {each.key: KeyPictures(PNG, PNG) for found in record.findings for each in found.sightings}
    document = report_document(record, intended_use=use, visit=visit)
    return render_html(document, pictures, **other).decode()  # type: ignore[arg-type]


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if not self.tags or self.tags[-1][0] != "style":
            self.words.append(data)


def read(html: str) -> tuple[str, list[tuple[str, dict[str, str | None]]]]:
    """What a person reads, white space drawn together; and the tags."""
    parser = _Text()
    parser.feed(html)
    return " ".join(" ".join(parser.words).split()), parser.tags


def full() -> ScreeningAssessed:
    category = Category(
        scheme="BI-RADS",
        value="0",
        rule="breast_not_adequate",
        because=(Because(code="examination_inadequate"), Because(code="low_quality")),
        organ="breast",
        laterality="right",
    )
    again = Advice(rule="scan_again", because=(Because(code="not_assessed"),), organ="breast", laterality="right")
    return assessed(
        status="incomplete",
        adequacy=(
            adequacy(),
            adequacy(laterality="right", level="not_examined", frames=0, assessable_share=0, reasons=("not_seen",)),
        ),
        findings=(finding(1, score_mean=0.6), finding(2, score_mean=0.9, area_mm2=None, long_axis_mm=None)),
        withdrawn=(Withdrawn(finding_id=sha("a"), merged_into=sha("finding 1")), Withdrawn(finding_id=sha("b"))),
        missing=(
            MissingFrames(sequence_id=SWEEP, indices=(3, 5, 6, 7)),
            MissingFrames(sequence_id=SWEEP_2, indices=None),
        ),
        rejected=(RejectedFrame(frame_id=f"{SWEEP}/000017", reason="pixels_corrupt"),),
        categories=(category,),
        advice=(again,),
    )


def test_the_schema_in_the_docs_is_the_model() -> None:
    written = Path(__file__).parents[2] / "docs" / "schemas" / "report.json"
    assert written.read_text(encoding="utf-8") == report_schema(), (
        "run: python -m sonovan.reports.schema docs/schemas/report.json"
    )


def test_the_document_is_plain_json_that_reads_back() -> None:
    document = report_document(full(), intended_use="decision_support")
    again = json.loads(json.dumps(document))
    assert again == document
    assert ScreeningReport.model_validate(again).signed is False


@pytest.mark.parametrize("use", get_args(IntendedUse))
def test_findings_keep_the_order_of_the_revision(use: IntendedUse) -> None:
    document = report_document(full(), intended_use=use)
    assert [each["finding_id"] for each in document["findings"]] == [each.finding_id for each in full().findings]


@pytest.mark.parametrize("use", get_args(IntendedUse))
def test_every_page_says_unsigned_and_its_intended_use(use: IntendedUse) -> None:
    text, _ = read(page(full(), use))
    assert text.count("UNSIGNED – NOT A RESULT") == 2
    assert "未签署，非诊断结果" in text
    assert f"Intended use: {use.replace('_', ' ')}." in text


def test_the_intended_use_speaks_of_all_that_the_machine_suggests() -> None:
    for use in get_args(IntendedUse):
        notice = report_document(described(), intended_use=use)["notices"][1]["words"]["en"].lower()
        assert all(each in notice for each in ("descriptors", "probability of malignancy", "categories", "advice"))
        assert ("withheld" in notice) is (use != "decision_support")
        assert "suggest" in notice


def test_categories_and_advice_show_under_decision_support() -> None:
    text, _ = read(page(full()))
    assert "BI-RADS 0, suggested for review – Right breast: the examination is inadequate, low picture quality" in text
    assert "Right breast: not assessed. Scan again while" in text


@pytest.mark.parametrize("use", ["research", "measurement"])
def test_categories_and_advice_are_withheld_otherwise(use: IntendedUse) -> None:
    document = report_document(full(), intended_use=use)
    assert [(each["value"], each["withheld"]) for each in document["categories"]] == [(None, True)]
    text, _ = read(page(full(), use))
    assert "BI-RADS: withheld under this intended use" in text
    assert "BI-RADS 0" not in text
    assert "Right breast: not assessed. Scan again while" in text, "who scans must know it under every intended use"


def test_no_region_is_never_a_negative_result() -> None:
    record = assessed(findings=())
    text, _ = read(page(record))
    assert "No region was outlined. This is not a negative result." in text
    notices = [report_document(each, intended_use="research")["notices"] for each in (record, full())]
    assert [[each["code"] for each in shown] for shown in notices] == [
        ["unsigned_not_a_result", "research", "no_region_outlined", "not_compared_with_earlier"],
        ["unsigned_not_a_result", "research", "not_compared_with_earlier"],
    ]


def test_what_was_not_seen_well_reads_not_assessed() -> None:
    text, _ = read(page(full()))
    assert "Right breast NOT EXAMINED 0 – planned, and no frame of it was sent" in text


def test_nothing_planned_and_nothing_seen_reads_not_assessed() -> None:
    text, _ = read(page(assessed(adequacy=(), findings=(), frames=0)))
    assert "Nothing was planned and nothing was seen: not assessed" in text


def test_sizes_are_in_mm_or_say_that_there_is_no_scale() -> None:
    text, _ = read(page(full()))
    assert "12.1 × 8.0 mm, area 76.0 mm²" in text
    assert "60 × 40 pixels, area 1900 pixels (no scale)" in text


def test_a_lesion_of_two_sweeps_shows_its_best_sighting_first_and_the_other_below() -> None:
    second = sighting(3, SWEEP_2, score_mean=0.95, long_axis_mm=14.0, view="longitudinal")
    text, tags = read(page(assessed(findings=(finding(sightings=(sighting(), second), best_ordinal=1),))))
    assert text.index("sighting 1 of 2 Frame") < text.index("sighting 2 of 2 Frame")
    assert [tag for tag, _ in tags].count("img") == 4
    assert text.count("Category no suggested category") == 1


def test_an_outline_alone_has_no_suggested_category() -> None:
    text, _ = read(page(assessed()))
    assert "Category no suggested category" in text


def described() -> ScreeningAssessed:
    look = (
        Descriptor(name="margin", value="not_circumscribed", probability=0.72),
        Descriptor(name="echo_pattern", value=None, probability=0.41),
    )
    return assessed(findings=(finding(1, malignant=0.61, descriptors=look),))


@pytest.mark.parametrize("use", get_args(IntendedUse))
def test_descriptors_are_suggestions_of_software_with_their_probability(use: IntendedUse) -> None:
    text, _ = read(page(described(), use))
    assert "margin: not circumscribed (72 %)" in text
    assert "echo pattern: not determined suggested by" in text
    assert "suggested by software over all its frames, for a reader to confirm or correct; no diagnosis" in text


def test_a_malignant_score_is_a_suggestion_under_decision_support() -> None:
    text, _ = read(page(described()))
    assert "Suspicion of malignancy 61 % by software, suggested for review: no diagnosis" in text


@pytest.mark.parametrize("use", ["research", "measurement"])
def test_a_malignant_score_is_withheld_otherwise(use: IntendedUse) -> None:
    (shown,) = report_document(described(), intended_use=use)["findings"]
    assert (shown["malignant"], shown["malignant_withheld"]) == (None, True)
    text, _ = read(page(described(), use))
    assert "Suspicion of malignancy withheld under this intended use" in text
    assert "61 %" not in text


def test_a_malignant_score_tells_how_far_single_frames_differ() -> None:
    lesion = finding(1, malignant=0.8, malignant_range=(0.01, 0.82))
    text, _ = read(page(assessed(findings=(lesion,))))
    assert "80 % by software, mean of the most suspicious frames; single frames ≤ 2 % to 82 %;" in text


def test_an_unreliable_outline_says_that_a_reader_decides_and_nothing_more() -> None:
    lesion = finding(1).model_copy(update={"outline_unreliable": True})
    text, _ = read(page(assessed(findings=(lesion,))))
    assert "outline unreliable: a reader decides" in text
    assert "by software, suggested" not in text
    assert "轮廓不可靠：由医师判定" in read(page(assessed(findings=(lesion,)), language="zh"))[0]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("share", "printed"),
    [(0.0, "≤ 2 %"), (0.02, "≤ 2 %"), (0.03, "3 %"), (0.94, "94 %"), (0.95, "≥ 95 %"), (0.999, "≥ 95 %")],
)
def test_no_probability_is_printed_as_more_certain_than_it_is(share: float, printed: str, language: Language) -> None:
    """clinical.md, BI-RADS: 3 is ≤ 2 %, 5 is ≥ 95 %; Measures: 0 of 91 and 49 of 50 by band."""
    words = Words(language)
    assert printed in str(words.malignant(finding(1, malignant=share)))
    assert printed in words.descriptor("breast", Descriptor(name="margin", value="spiculated", probability=share))


@pytest.mark.parametrize(
    ("level", "said"),
    [("adequate", "adequate"), ("usable", "pictures usable; coverage not known"), ("not_examined", "NOT EXAMINED")],
)
def test_levels_say_what_is_known_of_the_coverage(level: Level, said: str) -> None:
    text, _ = read(page(assessed(adequacy=(adequacy(level=level),))))
    assert f"Left breast {said} 60" in text


def test_without_heads_the_page_is_silent_about_looks() -> None:
    text, _ = read(page(assessed()))
    assert "Suspicion of malignancy not given" in text
    assert "Look " not in text


def test_each_lesion_has_the_dice_that_is_expected_of_its_outline() -> None:
    told = assessed(findings=(finding(1, predicted_dice=0.837), finding(2)))
    text, _ = read(page(told, "research"))
    footer = text[text.index("Figures of the software") :]
    assert "Dice 0.84 expected" in footer
    assert "not predicted" in footer
    assert "Outline: 0 to 1, how well the outlines on the key frame are expected" in footer
    assert "Dice" not in text[: text.index("Figures of the software")]
    shown = report_document(told, intended_use="research")["findings"]
    assert sorted((each["sightings"][0]["predicted_dice"] for each in shown), key=str) == [0.837, None]


def test_a_lesion_that_the_second_step_did_not_draw_is_shown_and_says_so() -> None:
    said = "Outline unconfirmed: the network saw it, and its second step drew nothing there"
    assert said in read(page(assessed(findings=(finding(1, unconfirmed=True),)), "research"))[0]
    assert said not in read(page(assessed(), "research"))[0]


def test_frames_of_something_else_are_named_in_words() -> None:
    row = adequacy(level="inadequate", assessable_share=0, reasons=("nothing_assessable", "not_breast_ultrasound"))
    text, _ = read(page(assessed(adequacy=(row,), findings=())))
    assert "no frame could be assessed; frames do not look like ultrasound of a breast" in text


def test_a_panel_that_was_refused_beside_an_accepted_one_is_named_with_its_frames() -> None:
    refused = RefusedPanel(sequence_id=SWEEP, panel=1, reason="not_breast_ultrasound", indices=(3, 5, 6, 7))
    text, _ = read(page(assessed(refused_panels=(refused,))))
    said = "Panel 2 not assessable on frames 4, 6–8: frames do not look like ultrasound of a breast"
    assert f"{said} sweep {SWEEP}" in text
    assert report_document(assessed(refused_panels=(refused,)), intended_use="research")["refused_panels"]
    assert "not assessable on" not in read(page(assessed()))[0]


def test_missing_rejected_and_withdrawn_are_listed() -> None:
    text, _ = read(page(full()))
    assert f"{SWEEP} missing 4 frames: 4, 6–8" in text
    assert f"{SWEEP_2} missing not closed: how many frames it has is not known" in text
    assert f"{SWEEP} rejected frame 18: the picture is damaged" in text
    assert f"{sha('a')} merged into {sha('finding 1')}" in text
    assert f"{sha('b')} no longer outlined" in text


def test_the_page_says_what_made_it() -> None:
    text, _ = read(page(full(), contact="Reading centre, desk 3"))
    for expected in (
        SCREENING,
        sha("weights"),
        sha("network with companions"),
        "lesion-1",
        "Rules 1.0",
        sha("revision"),
        "desk 3",
        "4 March 2025, 12:00 UTC",
    ):
        assert expected in text


def test_the_page_needs_nothing_else_and_runs_nothing() -> None:
    html = page(full())
    _, tags = read(html)
    names = {tag for tag, _ in tags}
    assert names.isdisjoint({"script", "link", "iframe", "object", "form", "a", "base"})
    sources = [attributes["src"] for tag, attributes in tags if tag == "img"]
    assert len(sources) == 4
    assert all(source and source.startswith("data:image/png;base64,") for source in sources)
    assert re.search(r"https?://|url\(|@import", html) is None
    assert "default-src 'none'" in html


def test_hostile_text_is_shown_not_run() -> None:
    hostile = '<script>alert(1)</script>"><img src=x onerror=y>'
    html = page(assessed(), contact=hostile)
    text, tags = read(html)
    assert text.count("<script>alert(1)</script>") == 1
    assert "script" not in {tag for tag, _ in tags}
    assert [tag for tag, _ in tags].count("img") == 2


CHINESE = re.compile(r"[\u4e00-\u9fff]")
KEPT = {
    "UNSIGNED",
    "NOT",
    "RESULT",
    "BI",
    "RADS",
    "ACR",
    "UTC",
    "mm",
    "Dice",
    "sha",
    "TIRADS",
    "public",
    "lesion",
    "van",
}
"""Latin words of a Chinese page: the other language's "unsigned", names of schemes, units and codes."""


def test_the_page_in_chinese_has_no_sentence_in_english() -> None:
    record = full().model_copy(update={"findings": (*full().findings, *described().findings)})
    html = page(record, language="zh")
    assert html.count('lang="en"') == 2, "the other language's unsigned, and what to do where there is no font"
    text, _ = read(re.sub(r'<p class="quiet" lang="en">.*?</p>', "", html))
    plain = re.sub(r"[0-9a-f-]{30,}(/\d{6})?", "", text)
    assert set(re.findall(r"[A-Za-z_]{2,}", plain)) <= KEPT
    for expected in (
        "左侧乳腺",
        "右侧乳腺 未检查",
        "BI-RADS 0 类，建议，待医师复核",
        "请趁受检者尚未离开时重新扫查",
        "边缘：不局限（72 %）",
    ):
        assert expected in text


@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("zh", "zh-Hans")])
def test_every_page_is_of_its_language_and_unsigned_in_both(language: str, tag: str) -> None:
    html = page(full(), language=language)
    assert f'<html lang="{tag}">' in html
    assert "UNSIGNED – NOT A RESULT" in html
    assert "未签署，非诊断结果" in html


def test_the_document_has_its_notices_in_every_language_and_is_the_same_for_all() -> None:
    unsigned, use, *_ = report_document(full(), intended_use="research")["notices"]
    assert unsigned["words"].keys() == use["words"].keys() == {"en", "zh"}
    assert unsigned["words"]["en"].startswith("UNSIGNED – NOT A RESULT. ")
    assert CHINESE.search(use["words"]["zh"])


def test_the_same_record_gives_the_same_bytes() -> None:
    assert page(full()) == page(full().model_validate_json(full().model_dump_json()))


def test_a_finding_without_picture_says_so() -> None:
    text, _ = read(render_html(report_document(assessed(), intended_use="research"), {}).decode())
    assert "no picture stored" in text


def test_a_picture_that_is_no_png_is_refused() -> None:
    with pytest.raises(ValueError, match="PNG"):
        render_html(
            report_document(assessed(), intended_use="research"), {finding().best.key: KeyPictures(PNG, b"<svg>")}
        )


def test_another_document_is_refused() -> None:
    with pytest.raises(ValueError, match="signed"):
        render_html({**report_document(assessed(), intended_use="research"), "signed": True}, {})
