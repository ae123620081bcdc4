"""What readers concluded counts by role and number, whatever comes first, and whoever was called back stays listed."""

from datetime import date, timedelta, timezone
from itertools import product
from typing import Any

import pytest

from sonovan.clinical.conclusions import counting, to_arbitrate
from sonovan.contracts.conclusions import Recommended
from sonovan.contracts.ids import mint_id
from sonovan.storage.catalogue.concluded import day_of_vans, to_call_back
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import NOON, SCREENING, sequence_closed
from tests.contracts.conclusions import (
    EVENING,
    FIRST,
    SECOND,
    THIRD,
    concluded,
    contact,
    left_breast,
    left_lobe,
    outcome,
)
from tests.storage.catalogue.dump import asked
from tests.stream_apps.catalog.scene import changes, opened, revisions, said

FOURTH = mint_id(40_000, bytes)
FIFTH = mint_id(50_000, bytes)


def told(database: Database, *records: Any) -> Database:
    with database.writing() as connection:
        write(connection, changes([opened(), *revisions(), *records]))
    return database


def quiet(conclusion_id: str, **other: Any) -> Any:
    sides = (left_breast("2", "routine_screening", blocks=("simple_cysts",)), left_lobe())
    return concluded(conclusion_id, sides=sides, findings=(), **other)


def test_the_newest_conclusion_of_a_role_is_in_force(database: Database) -> None:
    amended = quiet(SECOND, conclusion_number=2, amends=FIRST, because="misread")
    told(database, amended, concluded())
    rows = asked(database, "SELECT conclusion_number, in_force, because FROM conclusions ORDER BY conclusion_number")
    assert [(row["conclusion_number"], bool(row["in_force"]), row["because"]) for row in rows] == [
        (1, False, None), (2, True, "misread"),
    ]  # fmt: skip
    (row,) = asked(database, "SELECT * FROM signed")
    assert (row["conclusion_id"], row["bi_rads"], bool(row["calls_back"]), row["readings"]) == (SECOND, "2", False, 1)


def test_of_two_readings_that_differ_the_more_worrying_counts_until_somebody_decides(database: Database) -> None:
    told(database, quiet(FIRST), concluded(SECOND, role="second", conclusion_number=2, by="dr-2"))
    (row,) = asked(database, "SELECT * FROM signed")
    assert (row["role"], row["bi_rads"], bool(row["to_arbitrate"]), row["readings"]) == ("second", "4A", True, 2)
    told(database, quiet(THIRD, role="arbitration", conclusion_number=3, by="dr-3"))
    (row,) = asked(database, "SELECT * FROM signed")
    assert (row["role"], row["bi_rads"], bool(row["to_arbitrate"])) == ("arbitration", "2", False)


def test_two_readings_that_ask_the_same_need_nobody_to_decide(database: Database) -> None:
    more = (left_breast("4B"), left_lobe())
    told(database, concluded(), concluded(SECOND, role="second", conclusion_number=2, by="dr-2", sides=more))
    (row,) = asked(database, "SELECT * FROM signed")
    assert (row["bi_rads"], bool(row["differ"]), bool(row["to_arbitrate"])) == ("4B", False, False)


def test_a_reading_that_was_amended_after_the_arbitration_calls_her_back_and_waits_for_somebody_to_decide(
    database: Database,
) -> None:
    told(database, quiet(FIRST), concluded(SECOND, role="second", conclusion_number=2, by="dr-2"))
    told(database, quiet(THIRD, role="arbitration", conclusion_number=3, by="dr-3"))
    standing = "SELECT to_arbitrate, waiting FROM listed"
    assert [tuple(map(bool, row.values())) for row in asked(database, standing)] == [(False, False)]
    assert called(database) == []
    worse = {"sides": (left_breast("5", "treatment"), left_lobe()), "amends": FIRST, "because": "overlooked"}
    told(database, concluded(FOURTH, conclusion_number=4, **worse))
    (row,) = asked(database, "SELECT role, bi_rads, to_arbitrate FROM signed")
    assert (row["role"], row["bi_rads"], bool(row["to_arbitrate"])) == ("first", "5", True)
    assert [tuple(map(bool, row.values())) for row in asked(database, standing)] == [(True, True)]
    assert [row["action"] for row in called(database)] == ["treatment"]


IN_TURN = (1, 2, 3, 4, 5, 6)
AT_ONCE = (1, 3, 3, 4, 4, 4)
"""The numbers of six conclusions, of which some were signed at the same moment."""


@pytest.mark.parametrize("numbers", [IN_TURN, AT_ONCE])
def test_the_view_and_the_function_say_the_same_of_what_counts_whatever_was_signed(
    database: Database, numbers: tuple[int, ...]
) -> None:
    roles = ("first", "second", "arbitration") * 2
    readings = (("2", "routine_screening"), ("4A", "tissue_diagnosis"), ("5", "tissue_diagnosis"))
    expected = {}
    for ordinal, (of_first, of_second, amended) in enumerate(product(readings, repeat=3)):
        screening = f"0198ffff-ffff-7abc-8def-{ordinal:012d}"
        words = (of_first, of_second, readings[0], amended, of_second, readings[0])
        made = [
            concluded(mint_id(100 * ordinal + place, bytes), screening_id=screening, role=role, findings=(),
                      conclusion_number=number, sides=(left_breast(*concludes),))
            for place, (role, number, concludes) in enumerate(zip(roles, numbers, words, strict=True))
        ][: 3 + ordinal % 4]  # fmt: skip
        told(database, opened(screening_id=screening), *made)
        counts = counting(made)
        assert counts is not None
        expected[screening] = (counts.conclusion_id, to_arbitrate(made))
    rows = asked(database, "SELECT screening_id, conclusion_id, to_arbitrate FROM signed")
    assert {row["screening_id"]: (row["conclusion_id"], bool(row["to_arbitrate"])) for row in rows} == expected


def test_both_data_products_have_the_physicians_conclusion_of_their_side(database: Database) -> None:
    with database.writing() as connection:
        write(connection, changes(said()))
    (breast,) = asked(database, "SELECT physician_conclusion, physician, concluded_at FROM breast_records")
    assert breast["physician_conclusion"].replace(", ", ",") == 'tissue_diagnosis BI-RADS:4A ["solid_suspicious"]'
    assert breast["physician"] == "dr-2"
    (lobe,) = asked(database, "SELECT physician_conclusion FROM thyroid_records")
    assert lobe["physician_conclusion"] == 'follow_up/12 TI-RADS:TR3 ["nodule_to_follow"]'


def test_nobody_signed_is_null_in_both_data_products(database: Database) -> None:
    told(database)
    for name in ("breast_records", "thyroid_records"):
        (row,) = asked(database, f"SELECT physician_conclusion, physician FROM {name}")
        assert row == {"physician_conclusion": None, "physician": None}


def sides_to_come_for(database: Database) -> list[str]:
    return [row["organ"] for row in asked(database, "SELECT organ FROM call_back_sides ORDER BY organ, laterality")]


def called(database: Database) -> list[dict[str, Any]]:
    return asked(database, "SELECT screening_id, action, calls, appointment_on, declined FROM call_back")


def test_whoever_is_asked_to_come_stays_listed_until_she_came(database: Database) -> None:
    told(database, concluded(), contact(FIRST, "not_reached", date(2025, 3, 5)))
    told(database, contact(SECOND, "appointment_made", date(2025, 3, 12)))
    (row,) = called(database)
    assert (row["screening_id"], row["action"], row["calls"]) == (SCREENING, "tissue_diagnosis", 1)
    assert str(row["appointment_on"]) == "2025-03-12"
    told(database, contact(THIRD, "attended", date(2025, 3, 12)))
    assert called(database) == []


@pytest.mark.parametrize("kind", ["attended", "lost_to_follow_up"])
def test_what_was_before_the_conclusion_is_no_answer_to_it(database: Database, kind: str) -> None:
    told(database, concluded(), contact(FIRST, kind, date(2025, 3, 3)))
    assert len(called(database)) == 1


def test_each_side_is_answered_for_itself_and_what_must_be_done_again_answers_nothing(database: Database) -> None:
    both = (left_breast(), left_lobe(recommended=Recommended(action="fna")))
    told(database, concluded(sides=both))
    lobe = {"kind": "fna", "organ": "thyroid", "laterality": "left", "happened_on": date(2025, 3, 12)}
    told(database, outcome(FIRST, result="not_diagnostic", **lobe))
    assert sides_to_come_for(database) == ["breast", "thyroid"]
    told(database, contact(SECOND, "attended", date(2025, 3, 12), organ="thyroid", laterality="left"))
    assert sides_to_come_for(database) == ["breast", "thyroid"], (
        "that she was there says no more than that it was tried"
    )
    told(database, outcome(THIRD, result="benign", **lobe | {"kind": "core_biopsy"}))
    assert sides_to_come_for(database) == ["breast"], "other tissue of the same day answers"
    told(database, outcome(FOURTH, result="not_known", laterality="right"))
    assert sides_to_come_for(database) == ["breast"], "the other side"
    assert len(called(database)) == 1
    told(database, outcome(FIFTH, result="not_known", laterality=None))
    assert called(database) == [], "she came, whatever it was; no side is every side"


def test_an_aspiration_that_failed_after_another_answer_has_her_called_again(database: Database) -> None:
    told(database, concluded(), outcome(FIRST, result="not_known", happened_on=date(2025, 3, 10)))
    assert called(database) == []
    told(database, outcome(SECOND, result="not_diagnostic", happened_on=date(2025, 3, 20)))
    assert len(called(database)) == 1
    told(database, contact(THIRD, "attended", date(2025, 3, 27)))
    assert called(database) == []


@pytest.mark.parametrize("kind", ["appointment_made", "called", "not_reached"])
def test_whoever_was_given_up_is_listed_again_from_the_next_contact_on(database: Database, kind: str) -> None:
    told(database, concluded(), contact(FIRST, kind, date(2025, 3, 5)))
    told(database, contact(SECOND, "lost_to_follow_up", date(2025, 3, 20)))
    assert called(database) == []
    told(database, contact(THIRD, kind, date(2025, 4, 12)))
    (row,) = called(database)
    assert kind != "appointment_made" or str(row["appointment_on"]) == "2025-04-12"
    told(database, contact(FOURTH, "lost_to_follow_up", date(2025, 4, 12), recorded_at=EVENING + timedelta(days=40)))
    assert called(database) == [], "given up anew, on the same day and recorded later"
    told(database, contact(FIFTH, kind, date(2025, 4, 12), recorded_at=EVENING + timedelta(days=40, hours=1)))
    assert len(called(database)) == 1


def test_an_outcome_that_was_recorded_by_mistake_takes_nobody_off_the_list(database: Database) -> None:
    told(database, concluded(), contact(FIRST, "attended", date(2025, 3, 12)))
    assert called(database) == []
    mistake = contact(SECOND, "recorded_by_mistake", date(2025, 3, 12), amends=FIRST, because="wrong_woman")
    told(database, mistake)
    assert len(called(database)) == 1


def test_an_outcome_that_was_revised_counts_once_as_it_is_now(database: Database) -> None:
    told(database, concluded(), outcome(FIRST, result="benign"))
    told(database, outcome(SECOND, amends=FIRST, because="result_revised"))
    (row,) = asked(database, "SELECT biopsied, malignant, benign, interval_cancer FROM outcome_of")
    assert {name: bool(value) for name, value in row.items()} == {
        "biopsied": True, "malignant": True, "benign": False, "interval_cancer": False,
    }  # fmt: skip


def test_nobody_is_called_back_who_needs_not_come_and_a_void_screening_calls_nobody(database: Database) -> None:
    told(database, quiet(FIRST))
    assert called(database) == []


def test_what_was_done_with_an_alert_says_whether_it_was_about_this_raising(database: Database) -> None:
    with database.writing() as connection:
        write(connection, changes(said()))
    rows = asked(database, "SELECT step, handed_to, because, of_this_raising FROM alert_steps ORDER BY handled_at")
    assert [(row["step"], row["handed_to"], row["because"], bool(row["of_this_raising"])) for row in rows] == [
        ("handed_over", "dr-2", None, True), ("closed", None, "attended", True),
    ]  # fmt: skip


def test_a_day_of_vans_is_from_its_beginning_to_that_of_the_next(database: Database) -> None:
    told(database, sequence_closed(9, operator="op-9"))
    begins = NOON.astimezone(timezone(timedelta(hours=8)))
    with database.writing() as connection:
        (row,) = day_of_vans(connection, begins, begins + timedelta(days=1), ["site-1"])
        assert (row["screening_id"], row["operators"]) == (SCREENING, ("op-9",))
        assert day_of_vans(connection, begins - timedelta(days=1), begins, None) == []
        assert day_of_vans(connection, begins, begins + timedelta(days=1), ["site-9"]) == []


def test_whoever_is_called_back_is_listed_with_the_sides_for_which_she_has_still_to_come(database: Database) -> None:
    told(database, concluded(sides=(left_breast(), left_lobe(recommended=Recommended(action="fna")))), outcome())
    with database.writing() as connection:
        (row,) = to_call_back(connection, None)
    assert [(each["organ"], each["laterality"], each["action"]) for each in row["sides"]] == [
        ("thyroid", "left", "fna")
    ]
    assert str(row["attended_on"]) == "2025-03-20"
