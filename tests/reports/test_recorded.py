"""What she told stands first, coded; who she is only where the site says so; what nobody asked is said."""

import re
from datetime import date

import pytest

from sonovan.clinical.risk import risk_at
from sonovan.contracts.clinical_record import ClinicalRecord, LumpPlace, PastBiopsy, PastCancer, Relative
from sonovan.contracts.derivation import Programme, Risk
from sonovan.contracts.description import Extent, Location, Vessels
from sonovan.contracts.results import IntendedUse
from sonovan.reports import details
from sonovan.reports.document import Identity, Visit, report_document
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.recorded import answers, not_asked
from sonovan.reports.words import Words
from tests.clinical.records import adequacy, assessed, finding
from tests.reports.test_report import CHINESE, page, read

LUMP = ClinicalRecord(
    age_years=47,
    palpable_lump="left",
    lump_places=(LumpPlace(side="left", position="10h", nipple_distance_mm=30),),
    nipple_discharge="none",
    family=(Relative(cancer="breast", degree="first", age_years=45),),
    biopsies=(PastBiopsy(organ="breast", side="right", result="benign"),),
    earlier_cancer=(PastCancer(cancer="thyroid", age_years=30),),
    hormones=(),
    tsh_miu_per_l=2.5,
    menopause="pre",
    menarche_age_years=13,
    parity=2,
)


def told(record: ClinicalRecord, **other: object) -> str:
    return read(page(assessed(), visit=Visit(record), **other))[0]  # type: ignore[arg-type]


def test_what_she_told_stands_before_what_a_machine_saw() -> None:
    text = told(LUMP)
    assert text.index("palpable lump left") < text.index("Was it seen well enough?")
    assert "Left breast, 10 o'clock, 30 mm from the nipple" in text
    assert "first-degree relative, breast cancer at 45 years" in text
    assert "hormones none" in text, "asked, and there are none"
    assert "Not asked: change of skin or nipple, symptoms" in text
    assert "character of the discharge" not in text, "she has none"


def test_what_was_not_asked_is_one_sentence_in_which_names_alone_are_in_capitals() -> None:
    told = not_asked(ClinicalRecord(), Words())
    assert "age at first period" in told
    assert re.findall(r", [A-Z]\w*", told) == [", BRCA", ", TSH"]


def test_signs_that_outrank_the_picture_stand_out_where_she_has_them() -> None:
    rows = answers(LUMP, Words())
    assert [(row.label, row.text) for row in rows if row.sign] == [("palpable lump", "left")]
    assert 'class="sign">left' in page(assessed(), visit=Visit(LUMP))


def test_without_a_record_the_page_says_that_nothing_is_known() -> None:
    assert "No clinical record has arrived: nothing is known of lumps" in read(page(assessed()))[0]


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (PastCancer(cancer="thyroid", side="left", age_years=30), "thyroid cancer, Left thyroid lobe at 30 years"),
        (PastCancer(cancer="ovary", side="right"), "ovarian cancer, right side"),
        (PastCancer(cancer="breast", side="left"), "breast cancer, Left breast"),
        (PastCancer(cancer="other"), "other cancer"),
    ],
)
def test_an_earlier_cancer_is_told_with_its_side(past: PastCancer, text: str) -> None:
    assert [row.text for row in answers(ClinicalRecord(earlier_cancer=(past,)), Words())] == [text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_has_words_in_both_languages(language: Language) -> None:
    words = Words(language)
    rows = answers(LUMP, words)
    assert len(rows) == 11
    assert all(row.label and row.text for row in rows)
    if language == "zh":
        spoken = not_asked(LUMP, words) + "".join(row.label for row in rows)
        assert CHINESE.search(spoken)
        assert "_" not in spoken


def test_a_lump_that_she_feels_stands_on_the_map_even_where_nothing_was_outlined() -> None:
    html = page(assessed(findings=()), visit=Visit(LUMP))
    assert ">F</text>" in html
    assert "F: a lump that she feels." in read(html)[0]
    assert "<svg" not in page(assessed(findings=()))


@pytest.mark.parametrize("shown", ["slip_number", "age", "examined_on"])
def test_who_she_is_stands_in_a_report_only_where_the_site_says_so(shown: Identity) -> None:
    visit = Visit(LUMP, "A17D", frozenset({shown}))
    record = assessed(examined_on=date(2025, 3, 2))
    fields = {"slip_number": "A17D", "age": "47", "examined_on": "2025-03-02"}
    document = report_document(record, intended_use="research", visit=visit)
    found = {
        "slip_number": document["slip_number"],
        "age": document["recorded"]["age_years"] and str(document["recorded"]["age_years"]),
        "examined_on": document["examined_on"],
    }
    assert found == {name: value if name == shown else None for name, value in fields.items()}
    text = read(page(record, visit=visit))[0]
    labels = {
        "slip_number": "Slip number A17D",
        "age": "Age 47 years",
        "examined_on": "Date of examination 2 March",
    }
    assert [name for name, label in labels.items() if label in text] == [shown]


def test_early_results_are_marked_preliminary_at_the_top() -> None:
    text = read(page(assessed(status="preliminary")))[0]
    assert text.index("PRELIMINARY: frames are still arriving") < text.index("Ultrasound screening report")
    assert "PRELIMINARY" not in read(page(assessed()))[0]


def test_that_nothing_earlier_was_compared_is_said() -> None:
    assert "Not compared here: the comparison stands where a reader signs" in read(page(assessed()))[0]


def test_a_place_is_told_as_far_as_somebody_entered_it() -> None:
    words = Words()
    assert details.place(finding(1), words) == "Left breast, place not known"
    probe = finding(1, position="upper_outer")
    assert details.place(probe, words) == "Left breast, upper outer quadrant"
    entered = probe.model_copy(update={"location": Location(hour=2, nipple_distance_mm=25)})
    assert details.place(entered, words) == "Left breast, 2 o'clock, 25 mm from the nipple"


def test_what_was_not_measured_or_examined_is_said_so() -> None:
    words = Words()
    assert (
        details.extent(Extent(transverse_mm=12.0, depth_mm=8.0), words)
        == "across 12.0 mm, deep 8.0 mm, long not measured"
    )
    assert "not read by software" in details.vessels(None, "thyroid", words)
    seen = Vessels(flow="none", inside_share=0.0, rim_share=0.01, frames=2)
    assert details.vessels(seen, "thyroid", words).startswith("none; coloured 0 % inside, 1 % in the rim, 2 frames")


@pytest.mark.parametrize("use", ["decision_support", "research"])
def test_a_risk_stands_with_its_interval_and_the_mix_it_was_calibrated_on_and_is_withheld_otherwise(
    use: IntendedUse,
) -> None:
    risk = Risk(probability=0.42, ci95=(0.3, 0.55), calibration="public-1", lesions=450, malignant_share=0.33)
    text = read(page(assessed(findings=(finding(1, malignant=0.4, risk=risk),)), use))[0]
    told = "42 % (95 % interval 30 % to 55 %), calibrated on 450 lesions of which 33 % were malignant: no screening"
    assert (told in text) == (use == "decision_support")


def test_a_risk_that_a_site_shifted_to_its_own_outcomes_says_so() -> None:
    risk = risk_at(0.4, Programme(calibration_shift=-1.5))
    told = details.risk(risk, Words())
    assert "then shifted to this site's own outcomes" in told
    assert "no screening population" not in told
    assert "已按本机构自己的结果调整" in details.risk(risk, Words("zh"))


def test_where_no_place_is_known_there_is_no_map_to_read_one_off() -> None:
    html = page(assessed(findings=(finding(1), finding(2, laterality=None))))
    assert "<svg" not in html
    assert "Left breast: place not known: 1 Side not recorded: 2" in read(html)[0]


def test_a_side_that_was_not_seen_is_grey_on_the_map() -> None:
    rows = (adequacy(), adequacy(laterality="right", level="not_examined", frames=0, reasons=("not_seen",)))
    html = page(assessed(adequacy=rows, findings=(finding(1, position="10h"),)))
    grey = [svg for svg in html.split("<svg")[1:] if "#e7e0e2" in svg]
    assert len(grey) == 1
    assert 'aria-label="Right breast"' in grey[0]
