"""Register on the page: the slip, the key, consent, the plan, the clinical record."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.ids import subject_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import PlannedRegion, ScreeningOpened
from sonovan.producers.lights import region_key
from sonovan.producers.page.asked import Form, Refused
from sonovan.producers.page.register_form import clinical_fields, next_slip, planned_of
from sonovan.producers.page.slip import qr_svg
from sonovan.producers.screening import utc_now
from sonovan.producers.signed_items import opening_items
from tests.producers.page.pages import FILLED, OTHER_SLIP, SECRET, SLIP, TODAY, desk, without

PERSON = dict(FILLED)["person"]


def test_a_woman_is_entered_under_a_key_and_her_id_is_sealed(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        answer = here.ask("POST", "/register", FILLED)
        (entry,) = here.page.desk.register.expected()
    assert answer.location == f"/slip/{entry.screening_id}"
    assert (entry.slip, entry.day, entry.visit.consent_text) == (SLIP, TODAY, "v3")
    assert entry.visit.subject_key == subject_key(SECRET, PERSON)
    assert [region_key(each) for each in entry.visit.planned or ()] == ["breast.left", "breast.right"]
    assert (entry.visit.consent.research, entry.visit.features) == (False, None)
    assert entry.person == PERSON
    assert PERSON not in repr(entry)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or PERSON.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (without("slip", ("slip", "A17E")), "slip_wrong"),
        (without("slip", ("slip", "Wang Xiaomei")), "slip_wrong"),
        (without("consent", ("consent", "screening")), "consent_missing"),
        (without("plan"), "plan_empty"),
        ((*FILLED, ("age_years", "old")), "clinical_wrong"),
        ((*FILLED, ("parity", "99")), "clinical_wrong"),
        ((*FILLED, ("sex", "<script>")), "clinical_wrong"),
    ],
)
def test_a_wrong_form_is_refused_in_words_and_keeps_what_was_typed(
    tmp_path: Path, fields: tuple[tuple[str, str], ...], code: str, language: str
) -> None:
    with desk(tmp_path) as here:
        here.language = language
        answer = here.ask("POST", "/register", fields)
        text = answer.body.decode()
        sentence = here.page.words[language].van(f"error_{code}", fields="#").partition("#")[0].rstrip(" 。.：:")
        assert here.page.desk.register.expected() == []
    assert answer.status == 400
    assert sentence in text.replace("&#39;", "'")
    assert f'value="{PERSON}"' in text
    assert "<script>" not in text


def test_without_the_edition_of_the_text_nobody_consents(tmp_path: Path) -> None:
    with desk(tmp_path, consent_text=None) as here:
        assert b"consent_text" in here.ask("POST", "/register", FILLED).body
        assert here.page.desk.register.expected() == []


def test_one_person_has_one_slip_a_day_and_one_slip_has_one_person(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        here.ask("POST", "/register", FILLED)
        again = here.ask("POST", "/register", without("slip", ("slip", OTHER_SLIP)))
        taken = here.ask("POST", "/register", without("person", ("person", "somebody else")))
        assert (again.status, taken.status) == (400, 400)
        assert f"with slip {SLIP}" in again.body.decode()
        assert "is taken" in taken.body.decode()
        assert len(here.page.desk.register.expected()) == 1
        assert f'value="{OTHER_SLIP}"' in here.text("/register"), "the next number is proposed"


def test_the_slip_shows_the_number_and_nothing_of_her(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        place = here.ask("POST", "/register", FILLED).location or ""
        screening_id = place.rpartition("/")[2]
        text = here.text("/slip/{screening}", screening=screening_id)
        assert here.ask("GET", "/slip/{screening}", screening="none").status == 400
    assert SLIP in text
    assert PERSON not in text
    assert subject_key(SECRET, PERSON) not in text
    assert SLIP not in place


def test_the_qr_code_is_the_slip_number() -> None:
    assert cv2.QRCodeDetector().detectAndDecode(drawn(qr_svg(SLIP)))[0] == SLIP


def drawn(svg: str, scale: int = 8) -> np.ndarray:
    """The picture of an SVG as segno writes it: horizontal lines of one unit, relative moves."""
    size = int(re.findall(r'viewBox="0 0 (\d+)', svg)[0]) // scale
    picture = np.full((size, size), 255, np.uint8)
    x = y = 0.0
    for verb, first, second in re.findall(
        r"([Mmh])\s*(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", re.findall(r' d="([^"]*)"', svg)[0]
    ):
        if verb == "M":
            x, y = float(first), float(second)
        elif verb == "m":
            x, y = x + float(first), y + float(second)
        else:
            picture[int(y), int(x) : int(x + float(first))] = 0
            x += float(first)
    return np.kron(picture, np.ones((scale, scale), np.uint8))


def test_each_lump_on_the_drawing_is_a_region_to_be_ticked_off(tmp_path: Path) -> None:
    lumps = (("lump_left", "2h"), ("lump_left", "axilla"), ("palpable_lump", "left"))
    with desk(tmp_path) as here:
        here.ask("POST", "/register", (*FILLED, *lumps))
        (entry,) = here.page.desk.register.expected()
    planned, fields = entry.visit.planned or (), entry.visit.features or {}
    assert PlannedRegion(organ="breast", side="left", region="2h") in planned
    assert PlannedRegion(organ="breast", side="left", region="axilla") in planned
    assert fields["palpable_lump"] == "left"
    assert [each["position"] for each in fields["lump_places"]] == ["2h", "axilla"]


@pytest.mark.parametrize(
    ("fields", "lump"),
    [
        ([], None),
        ([("palpable_lump", "none")], "none"),
        ([("lump_right", "6h")], "right"),
        ([("palpable_lump", "none"), ("lump_right", "6h")], "right"),
        ([("palpable_lump", "left"), ("lump_right", "6h")], "both"),
        ([("palpable_lump", "both")], "both"),
    ],
)
def test_a_marked_place_outranks_what_was_chosen(fields: list[tuple[str, str]], lump: str | None) -> None:
    assert clinical_fields(Form(fields)).get("palpable_lump") == lump


def test_not_asked_is_not_none() -> None:
    fields = [("symptoms", "none_of_them"), ("family", "none_of_them"), ("family.0.cancer", ""), ("hormones", "")]
    assert clinical_fields(Form(fields)) == {"symptoms": [], "family": []}
    told = [("family.1.cancer", "breast"), ("family.1.degree", "first"), ("biopsies.0.organ", "breast")]
    with pytest.raises(Refused) as refused:
        clinical_fields(Form(told))
    assert refused.value.figures["fields"] == ("biopsies",)


def test_a_plan_is_by_sides_or_by_regions() -> None:
    sides = [("plan", "breast.left"), ("plan", "thyroid.isthmus"), ("detail", "side")]
    assert [region_key(each) for each in planned_of(Form(sides))] == ["breast.left", "thyroid.isthmus"]
    fine = planned_of(Form([*sides[:2], ("detail", "regions"), ("plan", "thyroid.left")]))
    assert [region_key(each) for each in fine][:2] == ["breast.left.upper_outer", "breast.left.upper_inner"]
    assert "thyroid.left.lower" in [region_key(each) for each in fine]
    assert "thyroid.isthmus" in [region_key(each) for each in fine]


def test_the_next_slip_is_proposed() -> None:
    assert next_slip(SLIP) == OTHER_SLIP
    assert next_slip(None) == ""


def test_the_opening_carries_the_edition_of_the_text(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        here.ask("POST", "/register", FILLED)
        (entry,) = here.page.desk.register.expected()
        item = opening_items(entry.visit, entry.screening_id, here.page.signer, utc_now())[0]
    assert item.topic is Topic.SCREENING_OPENED
    assert ScreeningOpened.decode(open_envelope(item.value).header).consent_text == "v3"
