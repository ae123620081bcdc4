"""Beside the picture of today: where something was outlined at an earlier examination of hers."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from sonovan.contracts.van import Panel
from sonovan.producers.gateway.register import Expected
from sonovan.producers.page.earlier_pages import panel_of
from tests.producers.page.pages import OTHER_SLIP, Desk, desk, without
from tests.producers.page.scene import registered, scan
from tests.producers.spool.earlier import place, pointing, report
from tests.producers.spool.test_spool import store_all

PATH = "/live/{screening}/earlier/{number}"


def examined(here: Desk, *more: dict[str, Any], untold: int = 0) -> Expected:
    """A woman who was scanned, and of whom the centre told one place, or further ones: left breast, 10 o'clock."""
    entry = registered(here)
    scan(here, entry, "left")
    here.ask("POST", "/live/{screening}/close", screening=entry.screening_id)
    spool = here.page.spool
    store_all(spool)
    found = [place(spool, entry.screening_id, **each) for each in ({}, *more)]
    spool.take_answer(pointing(entry.screening_id, *found, more=untold), 0, 98)
    spool.take_answer(report(entry.screening_id, len(found) + untold), 0, 99)
    return entry


def again(here: Desk, **fields: str) -> Expected:
    """The same woman a year later, or with other fields of the form somebody else."""
    here.page = replace(here.page, clock=lambda: date(2027, 11, 25))
    form = without("slip", ("slip", OTHER_SLIP))
    form = tuple((name, fields.get(name, value)) for name, value in form if fields.get(name) != "")
    assert here.ask("POST", "/register", form).status == 303
    return here.page.desk.register.expected()[-1]


def shown(here: Desk, entry: Expected) -> str:
    text = here.text("/live/{screening}", screening=entry.screening_id)
    return text[text.index('<section id="earlier">') : text.index("</section>", text.index('<section id="earlier">'))]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ("Earlier examinations", "Look here again", "Left breast, 10 o&#39;clock, 35 mm from the nipple",
             "Examined on 2025-11-20", "It says nothing of what it is or was"),
        ),
        (
            "zh",
            ("既往检查", "请再看此处", "左侧乳腺", "10 点钟方向", "35", "检查日期 2025-11-20",
             "不说明其过去或现在的性质"),
        ),
    ],
)  # fmt: skip
def test_the_place_its_day_and_its_picture_stand_beside_and_say_that_they_are_of_an_earlier_examination(
    tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    with desk(tmp_path) as here:
        here.language = language
        examined(here)
        entry = again(here)
        text = shown(here, entry)
        assert [each for each in words if each not in text] == []
        number = text.split("/earlier/")[1].split('"')[0]
        answer = here.ask("GET", PATH, screening=entry.screening_id, number=number)
        assert (answer.status, answer.content_type) == (200, "image/png")
        colours = imagecodecs.png_decode(answer.body)[..., :3].astype(int)
        assert (np.abs(colours - (255, 220, 0)).sum(axis=2) < 60).sum() > 100, "the outline is drawn as the preview's"


@pytest.mark.parametrize(
    ("language", "negative"),
    [("en", "That is not &#34;nothing was found&#34;"), ("zh", "这并不表示“没有发现什么”")],
)
def test_no_word_judges_or_reassures_and_silence_is_told_not_to_be_a_negative(
    tmp_path: Path, language: str, negative: str
) -> None:
    with desk(tmp_path / "one") as here:
        here.language = language
        examined(here)
        hers = shown(here, again(here))
    with desk(tmp_path / "other") as here:
        here.language = language
        examined(here)
        anothers = shown(here, again(here, person="110101199003077777"))
    assert negative in anothers, "of another woman this van has nothing"
    for word in (
        "BI-RADS",
        "TI-RADS",
        "benign",
        "malignant",
        "suspicio",
        "normal",
        "良性",
        "恶性",
        "可疑",
        "正常",
        "分类",
    ):
        assert word not in hers + anothers


def test_without_a_person_id_the_page_says_that_it_cannot_look(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        examined(here)
        entry = again(here, person="")
        assert "No person id was entered" in shown(here, entry)
        assert here.ask("GET", PATH, screening=entry.screening_id, number="1").status == 400


def test_a_van_that_keeps_nothing_says_so(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        here.page.spool.earlier._most_bytes = 0
        assert "keeps no pictures for a later visit" in shown(here, registered(here))


def test_a_picture_is_shown_to_whoever_scans_her_and_for_no_other_screening(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        first = examined(here)
        entry = again(here)
        (found,) = here.page.spool.earlier.of(entry.visit.subject_key, entry.screening_id)
        number = str(found.number)
        assert here.ask("GET", PATH, screening=entry.screening_id, number=number).status == 200
        assert here.ask("GET", PATH, screening=first.screening_id, number=number).status == 400, (
            "no earlier one of itself"
        )
        for wrong in ("99", "x", "-1", "9" * 40):
            assert here.ask("GET", PATH, screening=entry.screening_id, number=wrong).status == 400, wrong
        void = (("kind", "consent"), ("withdrawn", "screening"), ("because", "she_withdrew"), ("sure", "yes"))
        scan(here, entry, "left")
        assert here.ask("POST", "/amend/{screening}", void, screening=entry.screening_id).status == 303
        assert here.ask("GET", PATH, screening=entry.screening_id, number=number).status == 400
        assert "Not shown: consent was withdrawn" in shown(here, entry)


def test_an_amendment_of_the_earlier_screening_takes_it_off_the_page(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        first = examined(here)
        entry = again(here)
        assert "/earlier/" in shown(here, entry)
        void = (("kind", "void"), ("because", "no_screening"), ("sure", "yes"))
        assert here.ask("POST", "/amend/{screening}", void, screening=first.screening_id).status == 303
        assert "This van has no earlier pictures of her" in shown(here, entry)


def test_a_place_without_its_picture_is_named_and_further_ones_are_counted(tmp_path: Path) -> None:
    lobe = {"organ": "thyroid", "laterality": "right", "location": None, "finding_id": "f" * 64, "index": 77}
    with desk(tmp_path) as here:
        examined(here, lobe, untold=3)
        text = shown(here, again(here))
    assert "Right thyroid lobe" in text
    assert "the place alone is known" in text
    assert "(2 of 2)" in text
    assert "3 places of 2025-11-20 are not known here" in text
    assert text.count("<img") == 1


def test_nothing_of_an_earlier_examination_is_part_of_what_is_to_be_ticked_off(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        examined(here)
        entry = again(here)
        assert [(each.side, each.region) for each in entry.visit.planned or ()] == [("left", None), ("right", None)]


def test_the_panel_that_is_shown_is_the_one_that_the_outline_lies_in() -> None:
    panels = tuple(Panel(ordinal=each, left=100 * each, top=0, width=100, height=80) for each in range(2))
    outline = ((110.0, 10.0), (150.0, 10.0), (150.0, 40.0))
    assert panel_of(panels, outline) == panels[1]
    assert panel_of(panels, ()) is None
    assert panel_of(panels[:1], ()) == panels[0]
    assert panel_of(panels[:1], outline) is None
