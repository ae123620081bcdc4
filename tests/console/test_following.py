"""Alerts are answered, handed over and closed; whoever is asked to come stays listed until she came; outcomes are kept
as they are told."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sonovan.contracts.alerts import AboutFinding, AlertAcknowledged, AlertHandled, LesionAlerted
from sonovan.contracts.because import Because
from sonovan.contracts.conclusions import Recommended
from sonovan.contracts.ids import mint_id
from sonovan.contracts.outcomes import OutcomeRecorded
from tests.clinical.records import NOON, sequence_closed, sha
from tests.console.signing_scene import LEFT, SHE, Signing, findings, signing
from tests.contracts.conclusions import concluded, left_breast, left_lobe
from tests.stream_apps.catalog.scene import opened

ALERT = sha("alert")
HERS = f"/outcomes/{SHE}"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Signing]:
    with signing(tmp_path) as made:
        yield made


def raised(**other: object) -> LesionAlerted:
    fields: dict[str, object] = {
        "alert_id": ALERT, "screening_id": SHE, "revision_id": sha("revision 2"), "raised_in": sha("revision 2"),
        "about": AboutFinding(finding_id=findings()[0].finding_id, organ="breast", laterality="left"),
        "state": "raised", "severity": "suspicious", "rule": "suspicious_lesion", "rules_version": "usual-1",
        "because": (Because(code="malignant_score", value=0.8, unit="1"), Because(code="frames_outlined", value=5)),
        "evidence": (), "as_of": NOON,
    }  # fmt: skip
    return LesionAlerted.model_validate({**fields, **other})


def sign_recall(desk: Signing) -> None:
    desk.write(concluded(screening_id=SHE, sides=(left_breast(),), findings=(), looked_at=()))


def test_an_alert_is_acknowledged_handed_over_and_closed_with_what_came_of_it(desk: Signing) -> None:
    desk.write(raised())
    nurse = desk.console.browser("op-7", "operator")
    desk.console.person("dr-2", "reader")
    told = nurse.get("/alerts").text
    assert "Left breast" in told
    assert "nobody yet" in told
    of = {"raised_in": sha("revision 2")}
    assert nurse.post(f"/alerts/{ALERT}", {**of, "step": "acknowledge"}).status == 303
    assert nurse.post(f"/alerts/{ALERT}", {**of, "step": "hand_over", "to": "dr-2"}).status == 303
    assert nurse.post(f"/alerts/{ALERT}", {**of, "step": "hand_over", "to": "dr-99"}).status == 422
    assert nurse.post(f"/alerts/{ALERT}", {**of, "step": "close"}).status == 400, "without saying what came of it"
    assert nurse.post(f"/alerts/{ALERT}", {**of, "step": "close", "because": "attended"}).status == 303
    kinds = [type(each) for each in desk.published]
    assert kinds == [AlertAcknowledged, AlertHandled, AlertHandled]
    assert "No alert stands." in nurse.get("/alerts").text
    assert "she came" in nurse.get("/alerts?closed=1").text


def test_an_alert_that_was_raised_again_since_is_not_closed_by_who_saw_the_earlier_one(desk: Signing) -> None:
    desk.write(raised(), raised(raised_in=sha("revision 3"), revision_id=sha("revision 3"), severity="urgent"))
    nurse = desk.console.browser("op-7", "operator")
    answer = nurse.post(f"/alerts/{ALERT}", {"raised_in": sha("revision 2"), "step": "close", "because": "reached"})
    assert (answer.status, desk.published) == (409, [])
    assert "Urgent" in nurse.get("/alerts").text or "urgent" in nurse.get("/alerts").text


def test_an_alert_is_handed_to_nobody_who_could_not_see_to_it(desk: Signing) -> None:
    desk.write(raised())
    nurse = desk.console.browser("op-7", "operator")
    desk.console.person("dr-3", "reader")
    desk.console.console.accounts.disable("dr-3", at=1)
    desk.console.person("eng-1", "engineer", "auditor")
    desk.console.person("dr-4", "reader", sites=["site-9"])
    desk.console.person("dr-5", "reader", sites=["site-1"])
    of = {"raised_in": sha("revision 2"), "step": "hand_over"}
    for code, why in (("dr-3", "is disabled"), ("eng-1", "has no role"), ("dr-4", "see this screening")):
        answer = nurse.post(f"/alerts/{ALERT}", {**of, "to": code})
        assert (answer.status, why in answer.text, code in answer.text) == (422, True, True), answer.text
    assert desk.published == []
    assert nurse.post(f"/alerts/{ALERT}", {**of, "to": "dr-5"}).status == 303


def test_reasons_that_tell_of_malignancy_are_withheld_where_categories_are(tmp_path: Path) -> None:
    with signing(tmp_path, intended_use="research") as desk:
        desk.write(raised())
        told = desk.console.browser("op-7", "operator").get("/alerts").text
        assert "malignan" not in told.split("<table")[1].lower()
        assert "5 frames" in told


def test_whoever_sees_one_site_alone_sees_and_answers_no_alert_of_another(desk: Signing) -> None:
    desk.write(raised())
    sign_recall(desk)
    other = desk.console.browser("op-8", "operator", sites=["site-9"])
    assert "No alert stands." in other.get("/alerts").text
    assert "Nobody is to be called back." in other.get("/call-back").text
    answer = other.post(f"/alerts/{ALERT}", {"raised_in": sha("revision 2"), "step": "acknowledge"})
    assert answer.status == 404
    assert other.get(HERS).status == 404
    assert desk.published == []
    assert desk.console.browser("op-9", "operator", sites=["site-1"]).get(HERS).status == 200


def test_a_woman_stays_on_the_call_back_list_until_she_came(desk: Signing) -> None:
    sign_recall(desk)
    nurse = desk.console.browser("op-7", "operator")
    assert "core biopsy" in nurse.get("/call-back").text
    for kind, day in (("not_reached", "2025-03-05"), ("appointment_made", "2025-03-20")):
        assert nurse.post(HERS, {"kind": kind, "happened_on": day}).status == 303
    told = nurse.get("/call-back").text
    assert "passed, and she was not recorded as there" in told
    assert nurse.post(HERS, {"kind": "attended", "happened_on": "2025-03-20"}).status == 303
    assert "Nobody is to be called back." in nurse.get("/call-back").text


def test_the_call_back_list_names_the_sides_for_which_she_has_still_to_come(desk: Signing) -> None:
    lobe = left_lobe(recommended=Recommended(action="fna"))
    desk.write(concluded(screening_id=SHE, sides=(left_breast(), lobe), findings=(), looked_at=()))
    nurse = desk.console.browser("op-7", "operator")
    biopsied = {"kind": "core_biopsy", "happened_on": "2025-03-20", "side": "breast.left", "result": "benign"}
    assert nurse.post(HERS, {"kind": "appointment_made", "happened_on": "2025-03-20"}).status == 303
    assert nurse.post(HERS, biopsied).status == 303
    told = nurse.get("/call-back").text.partition("<tbody>")[2]
    assert "Left thyroid lobe" in told
    assert "Left breast" not in told
    assert "not recorded as there" not in told, "she was there on that day, though not for everything"


@pytest.mark.parametrize("kind", ["attended", "lost_to_follow_up", "declined"])
def test_what_is_still_to_come_has_not_happened_but_an_appointment_is_made_for_it(desk: Signing, kind: str) -> None:
    sign_recall(desk)
    nurse = desk.console.browser("op-7", "operator")
    answer = nurse.post(HERS, {"kind": kind, "happened_on": "2062-03-12"})
    assert answer.status == 422
    assert "12 March 2062 is still to come" in answer.text
    assert desk.published == []
    assert nurse.post(HERS, {"kind": "appointment_made", "happened_on": "2062-03-12"}).status == 303
    assert SHE in nurse.get("/call-back").text


def test_an_outcome_that_comes_weeks_later_is_kept_and_one_that_was_wrong_is_replaced(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    form = {"kind": "core_biopsy", "happened_on": "2025-04-01", "side": "breast.left", "result": "benign"}
    given = re.search(r'name="outcome_id" value="([^"]+)"', reader.get(HERS).text)
    assert given
    again = {**form, "outcome_id": given[1]}
    assert [reader.post(HERS, again).status for _ in range(2)] == [303, 303]
    told = reader.get(HERS).text
    assert told.count("core biopsy, Left breast, benign") == 2, "in the list and in what may be replaced, once each"
    wrong = {**form, "result": "malignant", "amends": given[1], "because": "result_revised"}
    assert reader.post(HERS, wrong).status == 303
    told = reader.get(HERS).text
    assert "core biopsy, Left breast, malignant" in told
    assert "core biopsy, Left breast, benign" not in told
    assert all(isinstance(each, OutcomeRecorded) for each in desk.published)


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "core_biopsy", "happened_on": "2025-04-01", "side": "breast.left"},
        {"kind": "core_biopsy", "happened_on": "2025-04-01", "result": "benign"},
        {"kind": "fna", "happened_on": "2025-04-01", "side": "breast.left", "result": "benign", "bethesda": "II"},
        {"kind": "attended", "happened_on": "yesterday"},
        {"kind": "she moved to Shanghai", "happened_on": "2025-04-01"},
        {"kind": "attended", "happened_on": "2025-04-01", "amends": mint_id(1)},
    ],
)
def test_an_outcome_that_does_not_fit_together_is_said_and_not_published(desk: Signing, form: dict[str, str]) -> None:
    answer = desk.console.browser("dr-1", "reader").post(HERS, form)
    assert answer.status == 422
    assert "Not recorded: this does not fit together." in answer.text
    assert desk.published == []


def test_a_broker_that_is_away_records_nothing_and_says_so(desk: Signing) -> None:
    desk.away = True
    answer = desk.console.browser("op-7", "operator").post(HERS, {"kind": "called", "happened_on": "2025-03-05"})
    assert (answer.status, desk.published) == (503, [])
    assert "Not recorded: it could not be sent." in answer.text


def test_the_morning_after_an_operator_sees_what_became_of_each_woman(desk: Signing) -> None:
    nurse = desk.console.browser("op-7", "operator")
    page = "/yesterday?day=2025-03-04"
    assert "not signed yet" in nurse.get(page).text
    sign_recall(desk)
    told = nurse.get(page).text
    assert "tissue diagnosis" in told
    assert "1 screened, 1 signed, 1 to be called back" in told
    assert "No woman was screened on this day." in nurse.get("/yesterday?day=2025-03-05").text
    assert [nurse.get(f"/yesterday?day={day}").status for day in ("nonsense", "2025-02-30", "9999-12-31")] == [200] * 3
    assert "BI-RADS" not in told, "an operator is told what happens next, no category"


@pytest.mark.parametrize("page", ["/yesterday?day=2025-03-04", HERS])
def test_where_no_months_are_known_none_are_left_open(desk: Signing, page: str) -> None:
    desk.write(concluded(screening_id=SHE, sides=(left_lobe(),), findings=(), looked_at=()))
    reader = desk.console.browser("dr-1", "reader")
    assert "ultrasound again after some months" in reader.get(page).text
    reader.cookies["language"] = "zh"
    assert "数月后复查超声" in reader.get(page).text


def test_the_morning_after_an_operator_sees_those_whom_she_scanned_and_a_lead_sees_all(desk: Signing) -> None:
    day = "/yesterday?day=2025-03-04"
    hers, another = desk.console.browser("op-7", "operator"), desk.console.browser("op-8", "operator")
    lead = desk.console.browser("l-1", "lead")
    assert all(SHE in each.get(day).text for each in (hers, another, lead)), "nobody said who scanned her"
    sweep = LEFT.sequence_id
    desk.write(sequence_closed(9, sequence_id=sweep, screening_id=SHE, operator="op-7", closing_number=2))
    assert SHE in hers.get(day).text
    assert SHE not in another.get(day).text
    assert "op-7" in lead.get(day).text.partition("<table")[2]
    desk.write(sequence_closed(9, sequence_id=sweep, screening_id=SHE, operator="op-8", closing_number=3))
    assert SHE in another.get(day).text, "the newest closing says who scanned"


@pytest.fixture
def eight_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock on the console's wall is eight hours ahead of UTC."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "CST-8")
        time.tzset()
        yield
    time.tzset()


def test_days_begin_when_they_do_on_the_consoles_wall(desk: Signing, eight_hours_east: None) -> None:
    early = "0192f0c1-2345-7abc-8def-0400000000aa"
    sweep = sequence_closed(9, sequence_id=mint_id(7, bytes), screening_id=early, operator="op-9")
    desk.write(opened(screening_id=early, opened_at=datetime(2025, 3, 4, 23, 40, tzinfo=UTC)), sweep)
    sign_recall(desk)
    desk.console.clock.now_ms = round(datetime(2025, 3, 5, 23, 30, tzinfo=UTC).timestamp() * 1000)
    nurse = desk.console.browser("op-7", "operator")
    lead = desk.console.browser("l-1", "lead")
    assert early not in lead.get("/yesterday?day=2025-03-04").text, "she was scanned at 7:40 on the fifth"
    told = lead.get("/yesterday").text
    assert early in told, "half past seven on the sixth"
    assert "op-9" in told
    assert SHE in lead.get("/yesterday?day=2025-03-04").text
    assert 'name="happened_on" value="2025-03-06"' in nurse.get(HERS).text
    assert nurse.post(HERS, {"kind": "called", "happened_on": "2025-03-06"}).status == 303
    assert nurse.post(HERS, {"kind": "called", "happened_on": "2025-03-07"}).status == 422
    assert nurse.post(HERS, {"kind": "appointment_made", "happened_on": "2025-03-05"}).status == 303
    listed = nurse.get("/call-back").text
    assert "passed, and she was not recorded as there" in listed
    assert "1 day ago" in listed, "signed on the fifth, at half past three in the morning"
