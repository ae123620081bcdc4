"""A reader signs: nothing is preset, what lacks and contradicts is named, a newer revision is told, and only what the
broker has is called signed."""

import json
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sonovan.contracts.conclusions import ScreeningConcluded
from tests.clinical.records import adequacy
from tests.console.cine_scene import lesion
from tests.console.signing_scene import LEFT, SHE, Signing, findings, signing
from tests.console.world import Browser

PAGE = f"/reading/{SHE}"
LESION, NODULE = (each.finding_id[:16] for each in findings())


@pytest.fixture
def desk(worlds: ExitStack, tmp_path: Path) -> Signing:
    return worlds.enter_context(signing(tmp_path / "one"))


def form_of(browser: Browser) -> dict[str, str]:
    """What the form holds before anybody chose anything."""
    told = browser.get(PAGE).text.split("data-signing")[1].split("</form>")[0]
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', told)
    assert "checked" not in told.replace("input:checked", "")
    return dict(hidden)


WORDS = {
    f"f.{LESION}.verdict": "lesion",
    f"f.{LESION}.w.margin": "spiculated",
    f"f.{LESION}.w.shape": "irregular",
    f"f.{LESION}.w.posterior_features": "undetermined",
    f"f.{LESION}.c.BI-RADS": "4C",
    f"f.{NODULE}.verdict": "lesion",
    f"f.{NODULE}.w.composition": "solid",
    f"f.{NODULE}.w.echogenicity": "isoechoic",
    f"f.{NODULE}.w.shape": "wider_than_tall",
    f"f.{NODULE}.w.margin": "undetermined",
    f"f.{NODULE}.w.echogenic_foci": "none",
    f"f.{NODULE}.c.TI-RADS": "TR3",
    f"f.{NODULE}.mm": "16.5",
    "s.breast.left.c.BI-RADS": "4C",
    "s.breast.left.action": "tissue_diagnosis",
    "s.breast.left.block": "solid_suspicious",
    "s.breast.right.c.BI-RADS": "1",
    "s.breast.right.action": "routine_screening",
    "s.breast.right.block": "no_suspicious_finding",
    "s.thyroid.left.c.TI-RADS": "TR3",
    "s.thyroid.left.action": "follow_up",
    "s.thyroid.left.months": "12",
}


def look(browser: Browser) -> None:
    """Look at every frame of every sweep."""
    sweeps = {each: [[0, 11]] for each in (LEFT.sequence_id, "0192f0c1-2345-7abc-8def-000000000002")}
    headers = {"Content-Type": "application/json", "X-Console-Token": browser.token}
    answer = browser.ask("POST", f"{PAGE}/looked", json.dumps({"seen": sweeps}).encode(), headers)
    assert answer.status == 200


def derived(browser: Browser, **fields: str) -> dict[str, Any]:
    answer = browser.post(f"{PAGE}/derive", {**form_of(browser), **fields})
    assert answer.status == 200
    found: dict[str, Any] = json.loads(answer.text)
    return found


def test_a_conclusion_is_published_whole_with_what_was_looked_at_and_only_then_called_signed(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    answer = reader.post(f"{PAGE}/sign", {**form_of(reader), **WORDS})
    assert (answer.status, answer.headers["location"]) == (303, f"/signed/{SHE}?number=1")
    (made,) = desk.published
    assert isinstance(made, ScreeningConcluded)
    assert (made.by, made.role, made.conclusion_number, made.revision_number) == ("dr-1", "first", 1, 2)
    assert made.despite == ()
    assert made.claim is not None
    assert {(each.organ, each.laterality): each.recommended.action for each in made.sides} == {
        ("breast", "left"): "tissue_diagnosis", ("breast", "right"): "routine_screening",
        ("thyroid", "left"): "follow_up",
    }  # fmt: skip
    breast, nodule = made.findings
    assert {each.term: each.verdict for each in breast.words} == {
        "shape": "entered", "margin": "confirmed", "posterior_features": "undetermined",
    }  # fmt: skip
    assert {each.term: each.verdict for each in nodule.words}["echogenicity"] == "changed"
    (level,) = nodule.categories
    assert (level.value, level.derived, level.points, nodule.largest_mm) == ("TR3", "TR3", 3, 16.5)
    assert [(each.frames, each.frames_seen) for each in made.looked_at] == [(12, 12), (6, 6)]
    assert "Signed. Conclusion 1 is kept." in reader.get(answer.headers["location"]).text
    assert [each for each in desk.console.acts() if each["what"] == "screening.signed"]


def test_nothing_is_chosen_before_a_reader_chooses_and_nothing_is_signed_without(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    answer = reader.post(f"{PAGE}/sign", form_of(reader))
    assert answer.status == 422
    assert "something is still to be chosen" in answer.text
    assert desk.published == []


def test_points_category_and_the_rules_recommendation_are_told_while_choosing(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    found = derived(reader, **{f"f.{NODULE}.verdict": "lesion", f"f.{NODULE}.w.composition": "solid"})
    assert "TI-RADS" in found["findings"][NODULE][0]
    assert "at least" in found["findings"][NODULE][0]
    assert "2" in found["findings"][NODULE][0]
    whole = derived(reader, **{**WORDS, f"f.{NODULE}.mm": "26"})
    assert "3 points" in whole["findings"][NODULE][0] or "TR3" in whole["findings"][NODULE][0]
    assert whole["sides"]["thyroid.left"]["action"] == "fna"
    assert derived(reader, **WORDS)["sides"]["thyroid.left"]["action"] == "follow_up"
    assert derived(reader, **{"s.breast.left.c.BI-RADS": "3"})["sides"]["breast.left"] == {
        "worst": "", "action": "follow_up", "months": "6", "recommended": "ultrasound again in 6 months",
    }  # fmt: skip
    assert desk.published == []


def test_what_does_not_fit_must_be_read_and_is_signed_all_the_same_when_the_reader_says_so(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    negative = {**WORDS, "s.breast.left.c.BI-RADS": "1", "s.breast.left.action": "routine_screening"}
    first = reader.post(f"{PAGE}/sign", {**form_of(reader), **negative})
    assert first.status == 422
    assert "concluded as negative, with a finding that was taken for a lesion" in first.text
    digest = re.search(r'name="despite" value="(\w+)"', first.text)
    assert digest
    other = reader.post(f"{PAGE}/sign", {**form_of(reader), **negative, "despite": "0" * 32})
    assert other.status == 422, "whoever signs despite something has seen that"
    answer = reader.post(f"{PAGE}/sign", {**form_of(reader), **negative, "despite": digest[1]})
    assert answer.status == 303
    (made,) = desk.published
    assert isinstance(made, ScreeningConcluded)
    assert {each.code for each in made.despite} >= {"negative_with_lesion", "suspicious_word_below_4"}


def test_a_sweep_that_was_not_opened_is_named_before_signing(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    assert "a sweep was not opened" in derived(reader, **WORDS)["despite"]
    look(reader)
    assert derived(reader, **WORDS)["despite"] == []


def test_the_form_says_where_one_signs_how_many_findings_are_not_judged(desk: Signing) -> None:
    told = "Not judged: 3 of the 43 findings, from number 41 on, are not in this form."
    reader = desk.console.browser("dr-1", "reader")
    assert "Not judged" not in reader.get(PAGE).text
    more = (lesion(LEFT, 4, 8, number) for number in range(3, 44))
    desk.revise(3, (*findings(), *more))
    look(reader)
    form = reader.get(PAGE).text.split("data-signing")[1]
    assert form.count(told) == 2
    assert told in form.split("data-despite")[1].partition("data-sign>")[0], "beside the button"
    digest = re.search(r'name="despite" value="(\w+)"', reader.post(f"{PAGE}/sign", {**form_of(reader), **WORDS}).text)
    assert digest
    assert reader.post(f"{PAGE}/sign", {**form_of(reader), **WORDS, "despite": digest[1]}).status == 303
    (made,) = desk.published
    assert isinstance(made, ScreeningConcluded)
    not_judged = [each.number for each in made.despite if each.code == "finding_not_judged"]
    assert not_judged[-3:] == [41, 42, 43]


def test_a_newer_revision_while_signing_is_409_with_what_changed_and_every_choice_kept(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    form = {**form_of(reader), **WORDS}
    desk.revise(3, findings()[:1])
    answer = reader.post(f"{PAGE}/sign", form)
    assert answer.status == 409
    assert "A newer revision 3 came while you read" in answer.text
    assert "No longer outlined: a finding (Left thyroid lobe)" in answer.text
    assert desk.published == []
    assert re.search(rf'name="f.{LESION}.w.margin" value="spiculated" checked', answer.text)
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    assert again["revision_id"] != form["revision_id"]
    kept = {name: value for name, value in form.items() if not name.startswith(f"f.{NODULE}")}
    second = reader.post(f"{PAGE}/sign", {**kept, **again})
    assert second.status == 303
    assert [each.revision_number for each in desk.published if isinstance(each, ScreeningConcluded)] == [3]


def test_a_broker_that_is_away_signs_nothing_and_keeps_every_choice(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    form, desk.away = {**form_of(reader), **WORDS}, True
    answer = reader.post(f"{PAGE}/sign", form)
    assert answer.status == 503
    assert "Not signed: it could not be sent" in answer.text
    assert 'value="tissue_diagnosis" checked' in answer.text
    assert desk.published == []
    desk.away = False
    assert reader.post(f"{PAGE}/sign", form).status == 303
    assert len(desk.published) == 1


def test_a_form_that_is_sent_twice_is_one_conclusion(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    form = {**form_of(reader), **WORDS}
    assert [reader.post(f"{PAGE}/sign", form).status for _ in range(2)] == [303, 303]
    assert len(desk.published) == 1


def test_of_two_readers_the_one_who_holds_the_screening_signs(desk: Signing) -> None:
    one, two = desk.console.browser("dr-1", "reader"), desk.console.browser("dr-2", "reader")
    look(one)
    mine = {**form_of(one), **WORDS}
    told = two.get(PAGE).text
    assert "dr-1 is reading this screening" in told
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', told))
    answer = two.post(f"{PAGE}/sign", {**hidden, **WORDS})
    assert (answer.status, desk.published) == (409, [])
    assert one.post(f"{PAGE}/sign", mine).status == 303


def test_until_the_catalogue_tells_of_a_conclusion_no_other_reader_signs(desk: Signing) -> None:
    one, two = desk.console.browser("dr-1", "reader"), desk.console.browser("dr-2", "reader")
    look(one)
    desk.lags = True
    assert one.post(f"{PAGE}/sign", {**form_of(one), **WORDS}).status == 303
    look(two)
    mine = {**form_of(two), **WORDS}
    answer = two.post(f"{PAGE}/sign", mine)
    assert answer.status == 409
    assert "dr-1 signed this screening a moment ago" in answer.text
    assert 'value="tissue_diagnosis" checked' in answer.text
    assert len(desk.published) == 1


def test_whoever_signed_amends_with_a_reason_and_both_conclusions_stay(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    reader.post(f"{PAGE}/sign", {**form_of(reader), **WORDS})
    page = reader.get(PAGE).text
    assert "You have signed this (conclusion 1)" in page
    assert 'name="s.breast.left.c.BI-RADS" value="4C" checked' in page, "what was signed is where an amendment begins"
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    changed = {**hidden, **WORDS, "s.breast.left.c.BI-RADS": "5", f"f.{LESION}.c.BI-RADS": "5"}
    assert reader.post(f"{PAGE}/sign", changed).status == 422
    answer = reader.post(f"{PAGE}/sign", {**changed, "because": "misread"})
    assert answer.status == 303
    _, made = desk.published
    assert isinstance(made, ScreeningConcluded)
    assert (made.conclusion_number, made.because) == (2, "misread")
    listed = reader.get(f"/signed/{SHE}").text
    assert "replaced" in listed
    (address,) = set(re.findall(rf"/signed/{SHE}/{made.conclusion_id}/page/en(?!\.)", listed))
    shown = reader.get(address).text
    assert "Reason: something was misread." in shown
    assert "BI-RADS 4C, tissue diagnosis" in shown


def test_a_side_that_was_planned_and_not_examined_is_told_to_the_reader_and_to_her(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    row = adequacy(laterality="right", level="not_examined", frames=0, reasons=("not_seen",))
    desk.revise(3, adequacy=(adequacy(), row, adequacy(organ="thyroid", level="usable")))
    silent = {name: value for name, value in WORDS.items() if not name.startswith("s.breast.right")}
    found = derived(reader, **silent)
    assert found["despite"] == ["Right breast: planned, no picture of it came, and nothing is concluded"]
    answer = reader.post(f"{PAGE}/sign", {**form_of(reader), **silent, "despite": found["digest"]})
    assert answer.status == 303
    for language, told in (("en", "This was not examined"), ("zh", "此处没有做检查")):
        page = reader.get(f"/signed/{SHE}/woman/{language}").text
        assert told in page.split(">Right breast<" if language == "en" else ">右侧乳腺<")[1].partition("</section>")[0]
    revision = next(each for each in desk.published if isinstance(each, ScreeningConcluded)).revision_id
    for path in (desk.folder / "objects").rglob(f"*{revision}*"):
        path.rename(path.with_name("gone"))
    assert reader.get(f"/signed/{SHE}/woman/en").status == 404, "without her report the page would be silent of a side"


def test_a_nodule_of_unknown_size_leaves_no_recommendation_to_take_and_the_form_says_why(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    breast, nodule = findings()
    (seen,) = nodule.sightings
    unknown = nodule.model_copy(
        update={"sightings": (seen.model_copy(update={"long_axis_mm": None, "short_axis_mm": None}),)}
    )
    desk.revise(3, (breast, unknown, unknown.model_copy(update={"finding_id": "f" * 64})))
    sizeless = {name: value for name, value in WORDS.items() if name != f"f.{NODULE}.mm"} | {
        f"f.{NODULE}.c.TI-RADS": "TR5", f"f.{NODULE}.c.C-TIRADS": "4C", "s.thyroid.left.c.TI-RADS": "TR5",
        "f.ffffffffffffffff.verdict": "lesion", "f.ffffffffffffffff.c.TI-RADS": "TR2",
    }  # fmt: skip
    found = derived(reader, **sizeless)
    lobe = found["sides"]["thyroid.left"]
    assert (lobe["action"], lobe["months"]) == ("", "")
    assert "the size or category of a nodule is missing" in lobe["recommended"]
    assert any("Left thyroid lobe: the size or category of a nodule is missing" in each for each in found["despite"])
    shown = reader.post(f"{PAGE}/sign", {**form_of(reader), **sizeless}).text.split('data-side="thyroid.left"')[1]
    assert "By the rule: nothing yet, for the size or category of a nodule is missing" in shown
    assert re.search(r"data-take [^>]* hidden>", shown)
    known = derived(reader, **sizeless, **{f"f.{NODULE}.mm": "12"})
    assert known["sides"]["thyroid.left"]["action"] == "fna"


def test_what_is_signed_has_its_page_its_pdf_and_her_page(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    assert reader.get(f"/signed/{SHE}/woman/en").status == 409, "nothing is said to her before somebody signed"
    look(reader)
    reader.post(f"{PAGE}/sign", {**form_of(reader), **WORDS})
    (made,) = desk.published
    assert isinstance(made, ScreeningConcluded)
    listed = reader.get(f"/signed/{SHE}").text
    assert all(f"{what} ({each})" in listed for what in ("Page", "PDF", "Her page") for each in ("English", "中文"))
    page = reader.get(f"/signed/{SHE}/{made.conclusion_id}/page/zh")
    assert "已签署的超声筛查报告" in page.text
    assert "script" not in page.headers["content-security-policy"]
    printed = reader.get(f"/signed/{SHE}/{made.conclusion_id}/page/en.pdf")
    assert (printed.headers["content-type"], printed.body[:4]) == ("application/pdf", b"%PDF")
    hers = reader.get(f"/signed/{SHE}/woman/en").text
    assert "Come for a tissue sample with a needle." in hers
    assert "BI-RADS" not in hers


def test_a_second_reader_signs_without_seeing_the_first_and_a_third_decides(worlds: ExitStack, tmp_path: Path) -> None:
    desk = worlds.enter_context(signing(tmp_path / "two", second_reader="all"))
    one, two, three = (desk.console.browser(f"dr-{number}", "reader") for number in (1, 2, 3))
    for each in (one, two, three):
        look(each)
    one.post(f"{PAGE}/sign", {**form_of(one), **WORDS})
    assert "4C" not in two.get(f"/signed/{SHE}").text.split("<main")[1]
    quiet = {**WORDS, "s.breast.left.c.BI-RADS": "2", "s.breast.left.action": "routine_screening"}
    quiet |= {f"f.{LESION}.verdict": "no_lesion", "s.breast.left.block": "simple_cysts"}
    hidden = form_of(two)
    assert [two.post(f"{PAGE}/sign", {**hidden, **quiet}).status for _ in range(2)] == [303, 303]
    assert "you decide" in three.get(PAGE).text
    assert two.get(f"/signed/{SHE}/woman/en").status == 409, "while two readings differ she is told nothing"
    answer = three.post(f"{PAGE}/sign", {**form_of(three), **WORDS})
    assert answer.status == 303, re.findall(r'role="alert"[^>]*>([^<]*)<', answer.text)
    roles = [each.role for each in desk.published if isinstance(each, ScreeningConcluded)]
    assert roles == ["first", "second", "arbitration"]
    assert two.get(f"/signed/{SHE}/woman/en").status == 200


def test_the_machines_categories_are_hints_under_decision_support_alone(worlds: ExitStack, tmp_path: Path) -> None:
    desk = worlds.enter_context(signing(tmp_path / "three", intended_use="research"))
    told = desk.console.browser("dr-1", "reader").get(PAGE).text
    suggested = re.findall(r'<p class="hint">Suggested, unsigned: ([^<]*)</p>', told)
    assert len(suggested) == 2
    assert not any(re.search(r"BI-RADS [1-6]|TR[1-5]", each) for each in suggested)


@pytest.mark.parametrize("role", ["operator", "lead", "engineer", "auditor"])
def test_nobody_but_a_reader_signs(desk: Signing, role: str) -> None:
    other = desk.console.browser(f"op-{len(role)}", role)
    assert other.post(f"{PAGE}/sign", WORDS, token=other.token).status == 403
    assert other.post(f"{PAGE}/derive", WORDS, token=other.token).status == 403
    assert desk.published == []


@pytest.mark.parametrize(
    "field",
    [
        {f"f.{LESION}.w.margin": "Wang Xiaomei"},
        {f"f.{LESION}.verdict": "maybe"},
        {f"f.{NODULE}.mm": "<script>"},
        {"s.breast.left.c.BI-RADS": "9"},
        {"s.breast.left.block": "she is nice"},
        {"s.thyroid.left.months": "-1"},
    ],
)
def test_what_no_page_offers_is_refused_and_not_published(desk: Signing, field: dict[str, str]) -> None:
    reader = desk.console.browser("dr-1", "reader")
    answer = reader.post(f"{PAGE}/sign", {**form_of(reader), **WORDS, **field})
    assert answer.status == 400
    assert desk.published == []


def test_what_does_not_fit_with_a_newer_revision_stands_on_the_page_that_tells_of_it(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    form = {**form_of(reader), **WORDS}
    another = findings()[0].model_copy(update={"finding_id": "f" * 64})
    desk.revise(3, (*findings(), another))
    answer = reader.post(f"{PAGE}/sign", form)
    assert answer.status == 409
    assert '<div data-despite class="warning" role="status"><b>' in answer.text
    assert "finding 3 was not judged" in answer.text
    digest = re.search(r'name="despite" value="(\w+)"', answer.text)
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    assert digest
    assert reader.post(f"{PAGE}/sign", {**form, **again, "despite": digest[1]}).status == 303
