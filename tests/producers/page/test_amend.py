"""Amend on the page: two clicks, a reason, a record."""

from pathlib import Path
from typing import Any

import pytest

from sonovan.producers.gateway.register import Expected
from sonovan.producers.gateway.standing import woman_state
from sonovan.producers.lights import she_may_leave
from tests.producers.page.pages import FILLED, OTHER_SLIP, SLIP, Desk, desk, without
from tests.producers.page.scene import amendments, registered, scan


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "side", "sequence": "", "to": "right", "because": "side_entered_wrong"}, {"laterality": "right"}),
        (
            {"kind": "side", "of": "breast.left", "to": "right", "because": "side_entered_wrong"},
            {"laterality": "right"},
        ),
        ({"kind": "woman", "slip": OTHER_SLIP.lower(), "because": "two_slips"}, {"slip_number": OTHER_SLIP}),
        ({"kind": "void", "because": "no_screening"}, {"kind": "void"}),
        ({"kind": "consent", "withdrawn": "research", "because": "she_withdrew"}, {"withdrawn": ("research",)}),
    ],
)
def test_the_first_click_asks_and_the_second_amends(
    tmp_path: Path, fields: dict[str, str], told: dict[str, Any]
) -> None:
    with desk(tmp_path) as here:
        entry = registered(here)
        scan(here, entry, "left")
        other = [each for each in without("slip", ("slip", OTHER_SLIP)) if each[0] != "person"]
        here.ask("POST", "/register", tuple(other))
        (sweep,) = here.page.spool.sweeps(entry.screening_id)
        form = tuple({**fields, **({"sequence": sweep.sequence_id} if "sequence" in fields else {})}.items())
        first = here.ask("POST", "/amend/{screening}", form, screening=entry.screening_id)
        assert (first.status, first.location, amendments(here)) == (200, None, [])
        assert b'name="sure"' in first.body
        second = here.ask("POST", "/amend/{screening}", (*form, ("sure", "yes")), screening=entry.screening_id)
        assert second.location == f"/amend/{entry.screening_id}"
        (made,) = amendments(here)
        assert made.because == fields["because"]
        assert {name: getattr(made.amendment, name) for name in told} == told
        assert getattr(made.amendment, "sequence_ids", (sweep.sequence_id,)) == (sweep.sequence_id,)
        back = (("kind", "taken_back"), ("number", "1"), ("because", "amended_by_mistake"), ("sure", "yes"))
        here.ask("POST", "/amend/{screening}", back, screening=entry.screening_id)
        assert [each.amendment_number for each in amendments(here)] == [1, 2]


def test_a_side_that_is_put_right_moves_the_frames_behind_both_lights_and_back_again(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        entry = registered(here)
        scan(here, entry, "left")
        for region in entry.visit.planned or ():
            here.page.desk.checklists.tick(entry.screening_id, region)
        assert without_frames(here, entry) == ["breast.right"]
        amend(here, entry, kind="side", of="breast.left", to="right", because="side_entered_wrong")
        assert without_frames(here, entry) == ["breast.left"], "nothing shows the left side any more"
        amend(here, entry, kind="taken_back", number="1", because="amended_by_mistake")
        assert without_frames(here, entry) == ["breast.right"]


def test_ticks_and_frames_are_exchanged_alike_where_the_plan_named_the_wrong_side_as_well(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        entry = registered(here, tuple(each for each in FILLED if each != ("plan", "breast.right")))
        scan(here, entry, "left")
        for region in entry.visit.planned or ():
            here.page.desk.checklists.tick(entry.screening_id, region)
        amend(here, entry, kind="side", of="breast.left", to="right", plan_too="yes", because="side_entered_wrong")
        assert without_frames(here, entry) == []


def test_a_plan_that_has_both_sides_is_not_exchanged_for_one(tmp_path: Path) -> None:
    """The side of before would vanish from it, and nobody would hear that it was not scanned."""
    with desk(tmp_path) as here:
        entry = registered(here)
        scan(here, entry, "left")
        fields = {"kind": "side", "of": "breast.left", "to": "right", "because": "side_entered_wrong"}
        form = (*fields.items(), ("plan_too", "yes"), ("sure", "yes"))
        answer = here.ask("POST", "/amend/{screening}", form, screening=entry.screening_id)
        assert (answer.status, amendments(here)) == (400, [])
        assert "has both sides" in answer.body.decode()


def amend(here: Desk, entry: Expected, **fields: str) -> None:
    form = (*fields.items(), ("sure", "yes"))
    assert here.ask("POST", "/amend/{screening}", form, screening=entry.screening_id).status == 303


def without_frames(here: Desk, entry: Expected) -> list[str]:
    """The ticked sides of which her light says that no frame has come."""
    page = here.page
    light = she_may_leave(woman_state(page.vault.folder, page.desk, page.spool, entry))
    return [str(each.value) for each in light.reasons if each.code == "ticked_without_frames"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"kind": "void"},
        {"kind": "void", "because": "two_slips"},
        {"kind": "side", "because": "side_entered_wrong", "to": "left"},
        {"kind": "side", "because": "side_entered_wrong", "to": "left", "of": "breast.right", "sequence": "x"},
        {"kind": "woman", "because": "two_slips", "slip": SLIP[:-1] + "0"},
        {"kind": "woman", "because": "two_slips", "slip": OTHER_SLIP},
        {"kind": "consent", "because": "she_withdrew", "withdrawn": "everything"},
        {"kind": "taken_back", "because": "amended_by_mistake", "number": "1"},
        {"kind": "<b>", "because": "<b>"},
    ],
)
def test_half_an_amendment_amends_nothing(tmp_path: Path, fields: dict[str, str]) -> None:
    with desk(tmp_path) as here:
        entry = registered(here)
        scan(here, entry, "left")
        sure = (*fields.items(), ("sure", "yes"))
        assert here.ask("POST", "/amend/{screening}", sure, screening=entry.screening_id).status == 400
        assert amendments(here) == []
