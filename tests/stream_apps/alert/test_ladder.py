from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sonovan.stream_apps.alert.ladder import Ladder, QuietHours, Rung

NIGHT = QuietHours.model_validate({"from": "20:00", "to": "07:00", "zone": "Asia/Shanghai", "hold": ["suspicious"]})
SIESTA = QuietHours.model_validate({"from": "12:00", "to": "14:00", "zone": "UTC", "hold": ["suspicious"]})
RUNGS = (
    Rung(severity="suspicious", to=("nurse", "webhook")),
    Rung(severity="suspicious", after_min=60, to=("doctor",)),
    Rung(severity="suspicious", after_min=90, to=("doctor", "chief")),
    Rung(severity="urgent", to=("doctor",)),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-04T{text}").replace(tzinfo=UTC)


def told(ladder: Ladder, severity: str, moment: datetime) -> list[tuple[str, str, int]]:
    calls = ladder.calls(severity, moment)  # type: ignore[arg-type]
    return [(call.recipient, f"{call.due:%d %H:%M}", call.rung) for call in calls]


def test_each_rung_is_told_at_its_time_and_the_topic_at_once() -> None:
    assert told(Ladder(rungs=RUNGS), "suspicious", at("10:00")) == [
        ("topic", "04 10:00", 0),
        ("nurse", "04 10:00", 0),
        ("webhook", "04 10:00", 0),
        ("doctor", "04 11:00", 1),
        ("doctor", "04 11:30", 2),
        ("chief", "04 11:30", 2),
    ]


def test_a_severity_without_a_rung_goes_to_the_topic_alone() -> None:
    assert told(Ladder(rungs=RUNGS), "worklist", at("10:00")) == [("topic", "04 10:00", 0)]


def test_what_falls_into_the_night_waits_for_the_morning_and_leaves_its_time_to_answer() -> None:
    """20:00 in Shanghai is 12:00 UTC, 07:00 is 23:00 UTC."""
    assert told(Ladder(rungs=RUNGS, quiet=NIGHT), "suspicious", at("19:00")) == [
        ("topic", "04 19:00", 0),
        ("nurse", "04 23:00", 0),
        ("webhook", "04 23:00", 0),
        ("doctor", "05 00:00", 1),
        ("doctor", "05 00:30", 2),
        ("chief", "05 00:30", 2),
    ]


def test_a_rung_that_falls_into_the_night_waits_too() -> None:
    assert told(Ladder(rungs=RUNGS, quiet=NIGHT), "suspicious", at("11:30"))[2:4] == [
        ("webhook", "04 11:30", 0),
        ("doctor", "04 23:00", 1),
    ]


def test_a_severity_that_is_not_held_is_told_at_any_hour() -> None:
    ladder = Ladder(rungs=RUNGS, quiet=NIGHT)
    assert told(ladder, "urgent", at("19:00")) == [("topic", "04 19:00", 0), ("doctor", "04 19:00", 0)]
    assert set(ladder.follow("urgent", at("19:00")).values()) == {at("19:00")}
    assert set(ladder.follow("suspicious", at("19:00")).values()) == {at("23:00")}


@pytest.mark.parametrize(
    ("moment", "waits"), [("11:59", "11:59"), ("12:00", "14:00"), ("13:59", "14:00"), ("14:00", "14:00")]
)
def test_quiet_hours_within_a_day(moment: str, waits: str) -> None:
    assert SIESTA.after(at(moment)) == at(waits)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda each: each.replace(tzinfo=UTC)))
def test_nobody_waits_longer_than_the_quiet_hours_and_their_end_is_awake(moment: datetime) -> None:
    for quiet, length in ((NIGHT, 11), (SIESTA, 2)):
        after = quiet.after(moment)
        assert timedelta(0) <= after - moment <= timedelta(hours=length)
        assert quiet.after(after) == after


@pytest.mark.parametrize(
    "wrong", [{"zone": "Asia/Nowhere"}, {"zone": "../etc"}, {"to": "20:00"}, {"from": "25:00"}, {"hold": ["red"]}]
)
def test_quiet_hours_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        QuietHours.model_validate({"from": "20:00", "to": "07:00", "zone": "Asia/Shanghai", **wrong})


def test_rungs_out_of_order_and_names_that_stand_twice_are_refused() -> None:
    with pytest.raises(ValidationError, match="stand in no order"):
        Ladder(rungs=(RUNGS[1], RUNGS[0]))
    with pytest.raises(ValidationError, match="twice"):
        Rung(severity="urgent", to=("doctor", "doctor"))
    with pytest.raises(ValidationError, match="told everything"):
        Rung(severity="urgent", to=("topic",))
