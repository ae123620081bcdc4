"""Amendments of which no revision is made, for the rows of their screening are deleted: nobody is told of what is void,
of a woman who withdrew, or of a comparison that is not hers."""

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import create_engine, text

from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.amendments import AmendmentInForce, ScreeningAmended
from sonovan.contracts.because import Because
from sonovan.contracts.comparisons import Compared, Comparison
from sonovan.contracts.envelope import seal
from sonovan.contracts.record import Record
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.stream_apps.alert.trial import try_course
from sonovan.stream_apps.stage import Message
from tests.clinical.records import SCREENING, VAN, sha
from tests.contracts.conclusions import SECOND
from tests.stream_apps.alert.scene import RULES, TO_WEBHOOK, revision
from tests.stream_apps.alert.test_course import DAYS_30, KNOWN, NOTHING_SEEN, NOW, REPORT, SUSPICIOUS, WAITS, Desk

KEY, OTHER_KEY = generate_key(), generate_key()
OTHER_VAN: Final = "van-of-others"
DAYS_20: Final = timedelta(days=20)
"""After which `assess` has deleted the rows of a complete screening, and rejects its amendments."""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return staffed(tmp_path)


def staffed(folder: Path) -> Desk:
    """A desk that knows two vans."""
    desk = Desk(folder)
    for van_id, private in ((VAN, KEY), (OTHER_VAN, OTHER_KEY)):
        desk.world.registry.learn(VanEnrolled.first(van_id, public_key(private), NOW - timedelta(days=900)))
    return desk


def amended(number: int, kind: str, because: str, van_id: str = VAN, **fields: Any) -> ScreeningAmended:
    told = {"screening_id": SCREENING, "van_id": van_id, "amendment_number": number, "because": because,
            "amendment": {"kind": kind, **fields}, "amended_at": NOW}  # fmt: skip
    return ScreeningAmended.model_validate(told)


VOID: Final = amended(1, "void", "no_screening")
WITHDREW: Final = amended(1, "consent", "she_withdrew", withdrawn=("screening",))
TAKEN_BACK: Final = amended(2, "taken_back", "amended_by_mistake", amendment_number=1)
OTHER_WOMAN: Final = amended(1, "woman", "wrong_woman", subject_key=sha("another woman"))


def appended(desk: Desk, record: ScreeningAmended, private: bytes = KEY, key: str = SCREENING) -> Message:
    desk.world.now = desk.now
    return desk.world.append(Topic.SCREENING_AMENDED, seal(record, private), key.encode(), partition=3)


def amend(desk: Desk, record: ScreeningAmended, private: bytes = KEY, key: str = SCREENING) -> None:
    desk.read([appended(desk, record, private, key)])


@pytest.mark.parametrize("made", [VOID, WITHDREW])
def test_nobody_is_told_of_an_outcome_that_is_missing_after_a_late_amendment(
    desk: Desk, made: ScreeningAmended
) -> None:
    desk.take(REPORT, SUSPICIOUS)
    assert desk.told(DAYS_20) == []
    amend(desk, made)
    assert desk.told(2 * DAYS_30) == []


def test_what_was_told_is_withdrawn_with_the_reason_and_told_again_once_that_is_taken_back(desk: Desk) -> None:
    desk.take(REPORT, SUSPICIOUS)
    assert desk.told(DAYS_30) == [WAITS]
    amend(desk, VOID)
    (withdrawn,) = desk.outbox.claim("webhook", desk.now, timedelta(0))
    assert LesionAlerted.decode(withdrawn.body).because == (Because(code="screening_void"),)
    assert desk.told() == [KNOWN]
    amend(desk, VOID)
    assert desk.told() == [], "once"
    amend(desk, TAKEN_BACK)
    assert desk.told(timedelta(minutes=5)) == [WAITS]


def test_taking_back_late_what_a_revision_says_lets_rules_apply_again(desk: Desk) -> None:
    void = AmendmentInForce(amendment_number=1, kind="void", because="no_screening")
    desk.take(revision(1, {}, amendments=(void,)), SUSPICIOUS)
    assert desk.told(DAYS_30) == []
    amend(desk, TAKEN_BACK)
    assert desk.told(timedelta(minutes=5)) == [WAITS]


def test_withdrawn_research_and_another_side_end_nothing(desk: Desk) -> None:
    desk.take(REPORT, SUSPICIOUS)
    amend(desk, amended(1, "consent", "she_withdrew", withdrawn=("research", "sharing")))
    amend(desk, amended(2, "side", "side_entered_wrong", sequence_ids=(SECOND,), laterality="right"))
    assert desk.told(DAYS_30) == [WAITS]


@pytest.mark.parametrize(
    ("record", "private", "key"),
    [
        (amended(1, "void", "no_screening", OTHER_VAN), OTHER_KEY, SCREENING),
        (VOID, OTHER_KEY, SCREENING),
        (VOID, KEY, SECOND),
        (amended(1, "void", "no_screening", "van-unknown"), KEY, SCREENING),
    ],
    ids=["another van", "forged", "another key", "an unknown van"],
)
def test_what_the_van_of_the_screening_did_not_sign_counts_for_nothing_and_is_not_rejected_twice(
    desk: Desk, record: ScreeningAmended, private: bytes, key: str
) -> None:
    desk.take(REPORT, SUSPICIOUS)
    message = appended(desk, record, private, key)
    desk.now += timedelta(minutes=1)
    desk.read([message])
    assert desk.told(DAYS_30) == [WAITS]
    assert desk.world.sent == [], "assess rejects it and answers the van"


def test_of_two_amendments_with_one_number_the_first_counts(desk: Desk) -> None:
    desk.take(REPORT, SUSPICIOUS)
    amend(desk, VOID)
    amend(desk, amended(1, "consent", "she_withdrew", withdrawn=("ai",)))
    amend(desk, TAKEN_BACK)
    amend(desk, amended(2, "void", "no_screening"))
    amend(desk, amended(3, "side", "side_entered_wrong", sequence_ids=(SECOND,), laterality="right"))
    amend(desk, amended(3, "void", "no_screening"))
    assert desk.told(DAYS_30) == [WAITS]


def test_the_order_of_arrival_and_repetition_change_nothing(tmp_path: Path) -> None:
    records: tuple[Record, ...] = (REPORT, SUSPICIOUS, VOID)
    for number, order in enumerate(itertools.permutations(records)):
        folder = tmp_path / str(number)
        folder.mkdir()
        desk = staffed(folder)
        for record in (*order, *order):
            if isinstance(record, ScreeningAmended):
                amend(desk, record)
            else:
                desk.take(record)
        assert desk.told(2 * DAYS_30) == []


def test_growth_by_a_comparison_with_another_womans_screening_is_withdrawn(desk: Desk) -> None:
    grown = Compared(change="seen_before", finding_id=sha("finding 1"), organ="breast", laterality="left", grown=True,
                     because=(Because(code="grew_in_diameter", value=0.4, unit="1"),))  # fmt: skip
    compared = {"comparison": Comparison(months=12, findings=(grown,))}
    desk.take(REPORT, SUSPICIOUS.model_copy(update=compared))
    assert desk.told() == [("large_growth", "raised")]
    amend(desk, amended(2, "woman", "two_slips", subject_key=sha("the same woman")))
    assert desk.told(timedelta(days=1)) == []
    amend(desk, OTHER_WOMAN)
    (gone,) = desk.outbox.claim("webhook", desk.now, timedelta(0))
    assert LesionAlerted.decode(gone.body).because == (Because(code="woman_changed"),)
    assert desk.told() == [("large_growth", "withdrawn")]
    assert desk.told(DAYS_30) == [WAITS], "a five is a five, whosever it is"
    desk.now += timedelta(days=1)
    again = {"conclusion_id": SECOND, "conclusion_number": 2, "amends": SUSPICIOUS.conclusion_id, "because": "misread"}
    desk.take(NOTHING_SEEN.model_copy(update={**again, **compared}))
    assert ("large_growth", "raised") in desk.told(), "its reader was shown the right woman's"


def test_the_outbox_keeps_nothing_of_whose_a_screening_is(desk: Desk) -> None:
    amend(desk, OTHER_WOMAN)
    with create_engine(desk.url).connect() as connection:
        bodies = connection.execute(text("SELECT body FROM outbox_facts")).scalars().all()
    assert bodies
    assert not any(sha("another woman").encode() in bytes(each) for each in bodies)


def test_a_trial_knows_of_late_amendments() -> None:
    told = [(NOW, REPORT), (NOW, SUSPICIOUS), (NOW + DAYS_20, VOID)]
    assert try_course(told, RULES, TO_WEBHOOK) == ()
