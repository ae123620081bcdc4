"""After a send of which nobody knows whether it arrived, what a reader changes is neither lost nor mixed with it."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sonovan.clinical.conclusions import counting
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.storage.catalogue.concluded import conclusions_of
from tests.console.signing_scene import SHE, Signing, signing
from tests.console.test_her_page import ALL_CLEAR
from tests.console.test_signing import PAGE, WORDS, form_of, look
from tests.console.world import Browser


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Signing]:
    with ExitStack() as stack:
        yield stack.enter_context(signing(tmp_path / "one"))


def hidden(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))


def uncertain(desk: Signing) -> tuple[Browser, dict[str, str]]:
    """A reader who signed an all-clear and was told that nobody knows whether it arrived, with what the form holds."""
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    form = {**form_of(reader), **ALL_CLEAR}
    desk.silent = True
    told = reader.post(f"{PAGE}/sign", form)
    assert told.status == 503
    assert "or nobody said that it arrived" in told.text
    desk.silent = False
    assert hidden(told.text)["conclusion_id"] == form["conclusion_id"], "the same may be sent again under it"
    return reader, form


def published(desk: Signing) -> list[ScreeningConcluded]:
    return [each for each in desk.published if isinstance(each, ScreeningConcluded)]


def test_where_the_first_arrived_the_changed_one_is_not_dropped_but_told_and_amends_it(desk: Signing) -> None:
    reader, form = uncertain(desk)
    answer = reader.post(f"{PAGE}/sign", {**form, **WORDS})
    assert answer.status == 409
    assert "did arrive, and is signed as conclusion 1" in answer.text
    assert 'value="tissue_diagnosis" checked' in answer.text
    again = {**form, **WORDS, **hidden(answer.text)}
    assert again["conclusion_id"] != form["conclusion_id"]
    assert reader.post(f"{PAGE}/sign", again).status == 422, "it says why it amends"
    assert reader.post(f"{PAGE}/sign", {**again, "because": "misread"}).status == 303
    first, second = published(desk)
    assert (second.amends, second.conclusion_number) == (first.conclusion_id, 2)
    assert "tissue sample" in reader.get(f"/signed/{SHE}/woman/en").text


def test_where_the_first_arrived_the_same_once_more_is_signed_and_nothing_is_published_twice(desk: Signing) -> None:
    reader, form = uncertain(desk)
    assert reader.post(f"{PAGE}/sign", form).headers["location"] == f"/signed/{SHE}"
    assert len(published(desk)) == 1


@pytest.mark.parametrize("arrives", [True, False])
def test_while_nobody_knows_of_the_first_the_changed_one_goes_under_an_id_and_number_of_its_own(
    desk: Signing, arrives: bool
) -> None:
    desk.lags = True
    reader, form = uncertain(desk)
    answer = reader.post(f"{PAGE}/sign", {**form, **WORDS})
    assert answer.status == 409
    assert "nobody knows yet whether it arrived" in answer.text
    assert 'value="tissue_diagnosis" checked' in answer.text
    assert len(published(desk)) == 1
    again = {**form, **WORDS, **hidden(answer.text)}
    assert again["conclusion_id"] != form["conclusion_id"]
    assert reader.post(f"{PAGE}/sign", again).status == 303
    first, second = published(desk)
    assert (first.conclusion_id, first.conclusion_number) == (form["conclusion_id"], 1)
    assert (second.conclusion_id, second.conclusion_number) == (again["conclusion_id"], 2)
    desk.write(*([second, first] if arrives else [second]))
    with desk.console.console.catalogue.reading() as connection:
        counts = counting(conclusions_of(connection, SHE))
    assert counts is not None
    assert counts.conclusion_id == second.conclusion_id, "what was signed last counts, whenever the first arrives"


def test_a_form_that_never_left_may_be_sent_again_as_it_is(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    form, desk.away = {**form_of(reader), **WORDS}, True
    assert reader.post(f"{PAGE}/sign", form).status == 503
    desk.away = False
    assert reader.post(f"{PAGE}/sign", form).status == 303
    assert [each.conclusion_number for each in published(desk)] == [1]
