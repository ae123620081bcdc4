"""Another side, category or growth than an alert on the course of a screening says is told once a reader signs it."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from sonovan.clinical.advice import derive_advice
from sonovan.clinical.alert_changes import signed_changes, signed_higher
from sonovan.contracts.alerts import AlertAcknowledged, LesionAlerted
from sonovan.contracts.because import Because
from sonovan.contracts.comparisons import Compared, Comparison
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.ids import mint_id
from sonovan.contracts.lexicon import Side
from sonovan.stream_apps.alert.trial import try_course
from tests.clinical.records import adequacy, sha
from tests.contracts.conclusions import left_breast
from tests.stream_apps.alert.scene import RULES, TO_WEBHOOK, revision
from tests.stream_apps.alert.test_course import (
    BIOPSY,
    DAYS_30,
    HOURS_48,
    KNOWN,
    NOTHING_SEEN,
    NOW,
    REPORT,
    UNSIGNED,
    WAITS,
    Desk,
)

DAYS_10: Final = timedelta(days=10)
GREW: Final = (Because(code="grew_in_diameter", value=0.4, unit="1"),)
RAISED, CORRECTED = ("large_growth", "raised"), ("large_growth", "corrected")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def signed(number: int, **other: Any) -> ScreeningConcluded:
    """Conclusion `number` of one reader, on the same revision; each amends the one before."""
    names = [mint_id(10_000 * each, bytes) for each in range(1, number + 1)]
    amends = {} if number == 1 else {"amends": names[-2], "because": "side_mistaken"}
    told = {"conclusion_id": names[-1], "conclusion_number": number, **amends}
    return NOTHING_SEEN.model_copy(update={**told, **other})


def grown(number: int, side: Side, because: tuple[Because, ...] = GREW, **other: Any) -> ScreeningConcluded:
    one = Compared(change="seen_before", finding_id=sha("finding 1"), organ="breast", laterality=side, grown=True,
                   because=because)  # fmt: skip
    return signed(number, comparison=Comparison(months=12, findings=(one,)), **other)


def breast(number: int, value: str, **other: Any) -> ScreeningConcluded:
    return signed(number, sides=(left_breast(value),), **other)


def why(alerts: Sequence[LesionAlerted]) -> list[list[tuple[str, Any]]]:
    return [[(each.code, each.value) for each in alert.because] for alert in alerts]


def answered(alert: LesionAlerted) -> AlertAcknowledged:
    return AlertAcknowledged(
        alert_id=alert.alert_id, screening_id=alert.screening_id, raised_in=alert.raised_in, by="a"
    )


def test_growth_on_a_side_that_was_mistaken_is_corrected_once_and_stays_answered(desk: Desk) -> None:
    desk.take(REPORT, grown(1, "left"))
    (raised,) = desk.alerts()
    assert (raised.rule, raised.about.laterality) == ("large_growth", "left")  # type: ignore[union-attr]
    desk.take(answered(raised))
    assert desk.told() == [("large_growth", "acknowledged")]
    desk.take(grown(2, "right"))
    (corrected,) = desk.alerts()
    assert (corrected.state, corrected.alert_id, corrected.acknowledged_by) == ("corrected", raised.alert_id, "a")
    assert corrected.about.laterality == "right"  # type: ignore[union-attr]
    assert why([corrected]) == [[("side_changed", "breast.side.left"), ("grew_in_diameter", 0.4)]]
    desk.take(grown(1, "left"), grown(2, "right"), grown(3, "right"))
    assert desk.told() == [], "who signs the same again tells nobody"


def test_a_category_that_is_amended_before_anybody_is_told_is_told_as_it_was_signed_last(desk: Desk) -> None:
    desk.take(REPORT, breast(1, "4A"))
    assert desk.told(DAYS_10) == []
    desk.take(breast(2, "5"))
    assert desk.told(DAYS_10) == []
    (raised,) = desk.alerts(DAYS_10)
    assert (raised.rule, raised.state) == WAITS, "on day 30 since the first signature"
    assert why([raised]) == [[("signed_category", "BI-RADS:5"), ("no_outcome_for", 30.0)]]
    assert desk.told(DAYS_30) == []


def test_a_higher_category_calls_again_whoever_had_answered_and_a_lower_one_corrects(desk: Desk) -> None:
    desk.take(REPORT, breast(1, "4A"))
    (raised,) = desk.alerts(DAYS_30)
    desk.take(answered(raised))
    assert desk.told() == [("outcome_missing", "acknowledged")]
    desk.take(breast(2, "5"))
    (again,) = desk.alerts(timedelta(minutes=5))
    assert (again.state, again.alert_id, again.acknowledged_by) == ("raised", raised.alert_id, None)
    assert why([again])[0][:2] == [("signed_category_changed", "BI-RADS:4A"), ("signed_category", "BI-RADS:5")]
    assert again.raised_in != raised.raised_in, "an answer to the first is none to this one"
    desk.take(answered(raised))
    assert desk.told() == []
    desk.take(breast(3, "4B"), breast(2, "5"))
    (lower,) = desk.alerts()
    assert (lower.state, lower.raised_in) == ("corrected", again.raised_in)
    assert why([lower])[0][:2] == [("signed_category_changed", "BI-RADS:5"), ("signed_category", "BI-RADS:4B")]
    desk.take(breast(1, "4A"), breast(2, "5"), breast(3, "4B"))
    assert desk.told(DAYS_30) == []
    desk.take(BIOPSY)
    assert desk.told() == [KNOWN]


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        ((Because(code="grew_in_diameter", value=0.47, unit="1"),), False),
        ((Because(code="grew_in_diameter", value=0.49, unit="1"),), True),
        ((*GREW, Because(code="within_six_months")), True),
        ((Because(code="grew_in_volume", value=0.4, unit="1"),), True),
        ((*GREW, Because(code="no_outcome_for", value=45, unit="d")), False),
    ],
)
def test_growth_is_another_one_by_other_words_or_by_a_fifth_of_its_figure(
    now: tuple[Because, ...], changed: bool
) -> None:
    assert [each.code for each in signed_changes(GREW, now, 0.2)] == ["growth_changed"] * changed


def test_another_scheme_is_a_higher_category_and_one_that_is_gone_a_change() -> None:
    points, chinese = (Because(code="signed_category", value=each) for each in ("TI-RADS:TR4", "C-TIRADS:4A"))
    assert signed_higher((points,), (points, chinese))
    assert not signed_higher((points, chinese), (points,))
    assert [each.value for each in signed_changes((points, chinese), (points,), 0.2)] == ["C-TIRADS:4A"]


def test_a_trial_says_what_would_have_been_corrected() -> None:
    late = NOW + DAYS_30 + DAYS_10
    records = [(NOW, REPORT), (NOW, grown(1, "left")), (NOW + DAYS_10, grown(2, "right"))]
    told = try_course(records, RULES, TO_WEBHOOK)
    assert [(each.alert.rule, each.alert.state) for each in told] == [RAISED, CORRECTED]
    fours = try_course([(NOW, REPORT), (NOW, breast(1, "4A")), (NOW + DAYS_10, breast(2, "5"))], RULES, TO_WEBHOOK)
    assert [(each.alert.state, each.calls[-1].due - NOW) for each in fours] == [("raised", DAYS_30)]
    assert why([each.alert for each in fours])[0][0] == ("signed_category", "BI-RADS:5")
    after = try_course([(NOW, REPORT), (NOW, breast(1, "4A")), (late, breast(2, "5"))], RULES, TO_WEBHOOK)
    assert [each.alert.state for each in after] == ["raised", "raised"]


def test_a_side_of_which_a_scan_may_be_on_the_van_is_told_of_as_unsigned_all_the_same(desk: Desk) -> None:
    """What holds back `not_rescanned` holds back no other alert: somebody hears of an unfinished screening in time."""
    row = adequacy(level="inadequate", assessable_share=0.0, reasons=("nothing_assessable", "sequence_not_closed"))
    advice = derive_advice("incomplete", (row,), ())
    desk.take(revision(1, {}, "incomplete", adequacy=(row,), advice=advice))
    assert desk.told(HOURS_48) == [UNSIGNED]
