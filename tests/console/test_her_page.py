"""The woman's own page is of what holds now, and of every reading that the programme asks for; else there is none."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sonovan.contracts.amendments import AmendmentInForce
from sonovan.contracts.conclusions import ScreeningConcluded
from tests.console.signing_scene import LEFT, SHE, Signing, signing
from tests.console.test_signing import LESION, PAGE, WORDS, form_of, look
from tests.console.world import Answer, Browser
from tests.stream_apps.catalog.scene import amended

HERS = [f"/signed/{SHE}/woman/{each}" for each in ("en", "zh", "en.pdf", "zh.pdf")]
WOMAN = {"kind": "woman", "subject_key": "b" * 64, "slip_number": None}
SIDE = {"kind": "side", "sequence_ids": [LEFT.sequence_id], "laterality": "right"}
VOID = {"kind": "void"}
WITHDRAWN = {"kind": "consent", "withdrawn": ["screening"]}
ALL_CLEAR = {
    **WORDS, f"f.{LESION}.verdict": "no_lesion", "s.breast.left.c.BI-RADS": "2",
    "s.breast.left.action": "routine_screening", "s.breast.left.block": "simple_cysts",
}  # fmt: skip


@pytest.fixture
def desk(worlds: ExitStack, tmp_path: Path) -> Signing:
    return worlds.enter_context(signing(tmp_path / "one"))


def signed_by(desk: Signing, code: str, words: dict[str, str] = WORDS) -> Browser:
    reader = desk.console.browser(code, "reader")
    look(reader)
    assert reader.post(f"{PAGE}/sign", {**form_of(reader), **words}).status == 303
    return reader


def signed_page(desk: Signing, reader: Browser) -> Answer:
    made = desk.published[-1]
    assert isinstance(made, ScreeningConcluded)
    return reader.get(f"/signed/{SHE}/{made.conclusion_id}/page/en")


def in_revision(kind: str, because: str, **other: Any) -> AmendmentInForce:
    return AmendmentInForce.model_validate(
        {"amendment_number": 1, "kind": kind, "because": because, **other}, strict=False
    )


@pytest.mark.parametrize(
    ("amendment", "because", "told"),
    [
        (WOMAN, "wrong_woman", "this screening belongs to another slip"),
        (SIDE, "side_entered_wrong", "WRONG SIDE BEFORE"),
    ],
)
def test_an_amendment_of_woman_or_side_takes_her_page_until_what_holds_now_is_signed(
    desk: Signing, amendment: dict[str, Any], because: str, told: str
) -> None:
    reader = signed_by(desk, "dr-1")
    assert reader.get(HERS[0]).status == 200
    desk.write(amended(1, amendment, because))
    assert [reader.get(each).status for each in HERS] == [409] * 4, "though no revision was made of it"
    named = {name: value for name, value in amendment.items() if name in ("sequence_ids", "laterality")}
    desk.revise(3, amendments=(in_revision(amendment["kind"], because, **named),))
    refused = reader.get(HERS[0])
    assert refused.status == 409
    assert "it was put right whose screening this is, or which side" in refused.text
    listed = reader.get(f"/signed/{SHE}").text
    assert "it was put right whose screening this is, or which side" in listed
    assert "/woman/" not in listed
    assert "SINCE THIS WAS SIGNED" in signed_page(desk, reader).text
    assert told in signed_page(desk, reader).text
    again = {**form_of_amending(reader), **WORDS, "because": "misread"}
    assert reader.post(f"{PAGE}/sign", again).status == 303
    assert reader.get(HERS[0]).status == 200
    assert "SINCE THIS WAS SIGNED" not in signed_page(desk, reader).text


def form_of_amending(browser: Browser) -> dict[str, str]:
    told = browser.get(PAGE).text.split("data-signing")[1].split("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', told))


def test_a_revision_that_comes_before_its_amendment_takes_her_page_as_well(desk: Signing) -> None:
    reader = signed_by(desk, "dr-1")
    desk.revise(3, amendments=(in_revision("woman", "wrong_woman"),))
    assert reader.get(HERS[0]).status == 409


@pytest.mark.parametrize(("amendment", "because"), [(VOID, "no_screening"), (WITHDRAWN, "she_withdrew")])
def test_what_became_void_or_was_withdrawn_too_late_for_a_revision_gives_her_no_page_and_the_signed_one_is_refused(
    desk: Signing, amendment: dict[str, Any], because: str
) -> None:
    reader = signed_by(desk, "dr-1")
    desk.write(amended(1, amendment, because))
    assert [reader.get(each).status for each in HERS] == [409] * 4
    assert "void, or she agrees to it no longer" in reader.get(HERS[0]).text
    assert "the screening is void, or she does not agree to it any more" in signed_page(desk, reader).text
    assert "/woman/" not in reader.get(f"/signed/{SHE}").text
    desk.write(amended(2, {"kind": "taken_back", "amendment_number": 1}, "amended_by_mistake"))
    assert reader.get(HERS[0]).status == 200, "a void by mistake is taken back"
    assert signed_page(desk, reader).status == 200


def test_an_amendment_of_another_van_takes_nothing(desk: Signing) -> None:
    reader = signed_by(desk, "dr-1")
    desk.write(amended(1, VOID, "no_screening", van_id="van-2"))
    assert reader.get(HERS[0]).status == 200


@pytest.mark.parametrize(("policy", "first"), [("all", ALL_CLEAR), ("called_back", WORDS)])
def test_while_a_second_reading_is_wanted_there_is_no_page_and_nobody_learns_the_first_from_it(
    worlds: ExitStack, tmp_path: Path, policy: str, first: dict[str, str]
) -> None:
    desk = worlds.enter_context(signing(tmp_path / "two", second_reader=policy))
    one = desk.console.browser("dr-1", "reader")
    look(one)
    digest = re.search(r'name="despite" value="(\w+)"', one.post(f"{PAGE}/sign", {**form_of(one), **first}).text)
    if digest is not None:
        assert one.post(f"{PAGE}/sign", {**form_of(one), **first, "despite": digest[1]}).status == 303
    two = desk.console.browser("dr-2", "reader")
    lead = desk.console.browser("lead-1", "lead")
    look(two)
    for each in (one, two, lead):
        assert [each.get(page).status for page in HERS] == [409] * 4
        assert "/woman/" not in each.get(f"/signed/{SHE}").text
    assert "a second reader has signed as well" in one.get(HERS[0]).text
    assert "a second reader has signed as well" in lead.get(f"/signed/{SHE}").text
    assert "Nobody has signed" in two.get(HERS[0]).text
    form = {**form_of(two), **first}
    if digest is not None:
        form["despite"] = digest[1]
    assert two.post(f"{PAGE}/sign", form).status == 303
    for each in (one, two, lead):
        assert each.get(HERS[0]).status == 200
        assert "/woman/" in each.get(f"/signed/{SHE}").text


def test_where_the_first_calls_nobody_back_and_only_those_are_read_twice_her_page_is_there(
    worlds: ExitStack, tmp_path: Path
) -> None:
    desk = worlds.enter_context(signing(tmp_path / "two", second_reader="called_back"))
    reader = signed_by(desk, "dr-1", ALL_CLEAR)
    assert reader.get(HERS[0]).status == 200
