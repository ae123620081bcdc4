"""What the outbox keeps and gives out, on SQLite and on a real PostgreSQL: every test runs on both."""

import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from sonovan.contracts.errors import Fatal, Transient
from sonovan.storage.outbox import Call, Kind, Message, Outbox, Version, _that_matter
from sonovan.storage.outbox_engine import sqlite_url
from tests.storage.outbox_child import claim_all
from tests.storage.postgres import new_database
from tests.storage.scene import NOON, RECIPIENTS, deciding, message, take, version_of

ROOT = Path(__file__).resolve().parents[2]
LEASE = timedelta(minutes=1)
WEBHOOK = RECIPIENTS[0]


def test_a_message_is_owed_to_everybody_under_a_key_of_their_own(outbox: Outbox) -> None:
    assert take(outbox, 1) == 1
    owed = [outbox.claim(recipient, NOON, LEASE) for recipient in RECIPIENTS]
    assert [[each.recipient for each in batch] for batch in owed] == [["webhook"], ["topic"]]
    assert len({each.key for batch in owed for each in batch}) == 2
    assert {(each.body, each.content_type) for batch in owed for each in batch} == {(b"raised", "text/plain")}
    assert outbox.owed() == {"webhook": 1, "topic": 1}


def test_what_is_forgotten_is_owed_to_nobody_and_does_not_come_back(outbox: Outbox) -> None:
    take(outbox, 1)
    take(outbox, 1, source=1)
    leased = outbox.claim(WEBHOOK, NOON, LEASE)
    assert outbox.forget("source-0") == 1
    assert outbox.owed() == {"webhook": 1, "topic": 1}, "the other source's alone"
    outbox.delivered(leased[0].key, NOON)  # a delivery that was under way does not bring it back
    assert outbox.last(["thread-of-source-0"]) == {}
    assert take(outbox, 2) == 0
    assert outbox.forget("source-0") == 0
    assert outbox.forget("never-seen") == 0
    assert take(outbox, 1, source=2) == 1


@settings(deadline=None)  # it writes to a disk
@given(body=st.binary(max_size=300))
def test_a_body_comes_back_byte_for_byte(body: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outbox = Outbox(sqlite_url(Path(folder) / "outbox.sqlite"))
        outbox.take(version_of(0, 1), lambda _known: [message("t", body)], NOON)
        (claimed,) = outbox.claim(WEBHOOK, NOON, LEASE)
        outbox.close()
    assert claimed.body == body


def test_the_same_version_again_owes_nothing_more(outbox: Outbox) -> None:
    assert [take(outbox, 1), take(outbox, 1)] == [1, 0]
    assert outbox.owed() == {"webhook": 1, "topic": 1}


def test_an_older_version_tells_nothing(outbox: Outbox) -> None:
    assert take(outbox, 3) == 1
    assert take(outbox, 2, "withdrawn") == 0
    assert take(outbox, 4, "withdrawn") == 1


def test_another_version_of_the_same_number_is_decided_too(outbox: Outbox) -> None:
    """Two workers that both had a source for a moment may number different versions alike."""
    assert take(outbox, 1) == 1
    other = Version("source-0", 1, "another digest", frozenset({"source-0"}))
    assert outbox.take(other, deciding(0, "withdrawn"), NOON) == 1
    assert outbox.take(other, deciding(0, "raised"), NOON) == 0


def test_another_source_has_versions_of_its_own(outbox: Outbox) -> None:
    assert [take(outbox, 3), take(outbox, 1, source=1)] == [1, 1]


def test_a_scope_that_sources_share_is_known_to_all_of_them(outbox: Outbox) -> None:
    """A redelivery of the first source's version, after the second changed the thread, changes nothing."""
    first, second = version_of(0, 1, "van"), version_of(1, 1, "van")
    assert outbox.take(first, deciding(0, "raised", "van"), NOON) == 1
    assert outbox.take(second, deciding(1, "withdrawn", "van"), NOON) == 1
    assert outbox.take(first, deciding(0, "raised", "van"), NOON) == 0


def test_a_scope_that_was_not_asked_for_is_neither_shown_nor_written_to(outbox: Outbox) -> None:
    outbox.take(version_of(0, 1, "van"), deciding(0, "raised", "van"), NOON)
    shown: list[Mapping[str, bytes]] = []

    def look(known: Mapping[str, bytes]) -> list[Message]:
        shown.append(known)
        return [message("thread-of-source-1", b"x", "source-1"), message("thread-of-van", b"y", "van")]

    with pytest.raises(ValueError, match="outside the scopes"):
        outbox.take(version_of(1, 1), look, NOON)
    assert shown == [{}]
    assert outbox.owed() == {"webhook": 1, "topic": 1}


def test_the_same_content_told_twice_has_two_keys(outbox: Outbox) -> None:
    """What goes and comes back may leave the very content of an earlier time."""
    assert [take(outbox, 1), take(outbox, 2, "withdrawn"), take(outbox, 3)] == [1, 1, 1]
    keys = claim_all(outbox)
    assert len(set(keys)) == len(keys) == 3


def test_keys_tell_apart_labels_recipients_and_rungs(outbox: Outbox) -> None:
    told = [message("t", b"x", label="suspicious"), message("t", b"x", label="urgent"), message("t", b"x", rung=1)]
    assert outbox.take(version_of(0, 1), lambda _known: told, NOON) == 3
    keys = claim_all(outbox)
    assert keys == ["t.1.suspicious.webhook.0", "t.2.urgent.webhook.0", "t.3.label.webhook.1"]


def test_one_rung_of_one_recipient_is_owed_once(outbox: Outbox) -> None:
    twice = message("t", b"x", calls=[Call("webhook", NOON), Call("webhook", NOON)])
    with pytest.raises(Transient):
        outbox.take(version_of(0, 1), lambda _known: [twice], NOON)
    assert outbox.owed() == {}


LATER = NOON + timedelta(hours=1)
LADDER = (Call("webhook", NOON), Call("doctor", LATER, 1), Call("webhook", LATER, 1))


def tell(
    outbox: Outbox, number: int, kind: Kind, body: bytes, calls: tuple[Call, ...] = (), at: datetime = NOON
) -> None:
    outbox.take(version_of(0, number), lambda _known: [message("t", body, kind=kind, calls=calls)], at)


def told(outbox: Outbox, recipient: str, at: datetime) -> list[tuple[bytes, int]]:
    """What a recipient is told at a time, and on which rung; every delivery succeeds."""
    found = []
    while batch := outbox.claim(recipient, at, LEASE):
        for each in batch:
            outbox.delivered(each.key, at)
            found.append((each.body, each.rung))
    return found


def test_a_ladder_is_told_rung_after_rung_at_their_times(outbox: Outbox) -> None:
    tell(outbox, 1, "opens", b"raised", LADDER)
    assert [told(outbox, each, NOON) for each in ("webhook", "doctor")] == [[(b"raised", 0)], []]
    assert [told(outbox, each, LATER) for each in ("webhook", "doctor")] == [[(b"raised", 1)], [(b"raised", 1)]]


def test_whoever_is_called_later_is_not_late_before(outbox: Outbox) -> None:
    tell(outbox, 1, "opens", b"raised", LADDER)
    assert outbox.undelivered(NOON) == {"webhook": (NOON, 1)}
    assert outbox.undelivered(LATER) == {"webhook": (NOON, 2), "doctor": (LATER, 1)}
    told(outbox, "webhook", LATER)
    assert outbox.undelivered(LATER + LEASE) == {"doctor": (LATER, 1)}


@pytest.mark.parametrize("claimed", [True, False])
def test_an_end_drops_what_was_not_due_yet_and_is_told_to_whoever_was_told(outbox: Outbox, claimed: bool) -> None:
    tell(outbox, 1, "opens", b"raised", LADDER)
    if claimed:
        told(outbox, "webhook", NOON)
    tell(outbox, 2, "ends", b"answered")
    expected = [(b"answered", 0)] if claimed else [(b"raised", 0), (b"answered", 0)]
    assert [told(outbox, each, LATER) for each in ("webhook", "doctor")] == [expected, []]
    assert outbox.owed() == {}


def test_a_change_takes_the_place_of_what_was_not_due_yet(outbox: Outbox) -> None:
    """Who is called an hour later must not hear of the side that was wrong."""
    tell(outbox, 1, "opens", b"left", LADDER)
    told(outbox, "webhook", NOON)
    tell(outbox, 2, "changes", b"right")
    assert [told(outbox, each, NOON) for each in ("webhook", "doctor")] == [[(b"right", 0)], []]
    assert [told(outbox, each, LATER) for each in ("webhook", "doctor")] == [[(b"right", 1)], [(b"right", 1)]]


def test_who_waits_for_quiet_hours_to_end_hears_the_newest_once_or_nothing(outbox: Outbox) -> None:
    tell(outbox, 1, "opens", b"left", (Call("webhook", NOON), Call("doctor", LATER)))
    tell(outbox, 2, "changes", b"right")
    assert told(outbox, "doctor", LATER - LEASE) == []
    assert told(outbox, "doctor", LATER) == [(b"right", 0)]
    tell(outbox, 3, "ends", b"gone", at=LATER)
    assert told(outbox, "doctor", LATER) == [(b"gone", 0)]
    tell(outbox, 4, "opens", b"left", (Call("doctor", LATER + timedelta(hours=1)),), LATER)
    tell(outbox, 5, "ends", b"gone", at=LATER)
    assert told(outbox, "doctor", LATER + timedelta(days=1)) == []


def test_opening_again_begins_the_ladder_anew(outbox: Outbox) -> None:
    tell(outbox, 1, "opens", b"suspicious", LADDER)
    tell(outbox, 2, "opens", b"urgent", (Call("webhook", NOON), Call("doctor", NOON)))
    assert told(outbox, "doctor", LATER) == [(b"urgent", 0)]
    assert told(outbox, "webhook", LATER) == [(b"suspicious", 0), (b"urgent", 0)]


def test_what_a_thread_told_before_it_was_opened_again_is_not_read_again(outbox: Outbox) -> None:
    """A fault comes and goes for years, in one thread."""
    for number in range(1, 41, 2):
        tell(outbox, number, "opens", b"raised", (Call("webhook", NOON),))
        tell(outbox, number + 1, "ends", b"ended")
        assert told(outbox, "webhook", LATER) == [(b"raised", 0), (b"ended", 0)]
    tell(outbox, 41, "opens", b"raised", (Call("webhook", NOON),))
    with outbox._engine.begin() as connection:
        rows = connection.execute(_that_matter("t", opened=41)).all()
    assert [row.number for row in rows] == [41]


def test_what_follows_may_wait_for_its_recipient(outbox: Outbox) -> None:
    tell(outbox, 1, "opens", b"raised", (Call("webhook", NOON), Call("doctor", NOON)))
    for each in ("webhook", "doctor"):
        told(outbox, each, NOON)
    gone = Message("source-0", "t", "label", "text/plain", b"gone", "ends", follow={"doctor": LATER})
    outbox.take(version_of(0, 2), lambda _known: [gone], NOON)
    assert [told(outbox, each, NOON) for each in ("webhook", "doctor")] == [[(b"gone", 0)], []]
    assert told(outbox, "doctor", LATER) == [(b"gone", 0)]


def test_what_is_no_version_amends_a_thread_that_is_there(outbox: Outbox) -> None:
    assert outbox.amend("t", lambda _body: None, NOON) is False
    tell(outbox, 1, "opens", b"raised", LADDER)
    seen: list[bytes] = []

    def answered(body: bytes) -> Message | None:
        seen.append(body)
        return message("t", b"answered", kind="ends") if body == b"raised" else None

    assert [outbox.amend("t", answered, NOON) for _ in range(2)] == [True, True]
    assert seen == [b"raised", b"answered"]
    assert told(outbox, "webhook", LATER) == [(b"raised", 0), (b"answered", 0)]


def test_what_is_claimed_is_nobody_elses_until_its_lease_is_over(outbox: Outbox) -> None:
    take(outbox, 1)
    (first,) = outbox.claim(WEBHOOK, NOON, LEASE)
    assert outbox.claim(WEBHOOK, NOON + LEASE - timedelta(seconds=1), LEASE) == []
    (second,) = outbox.claim(WEBHOOK, NOON + LEASE, LEASE)
    assert (second.key, second.body) == (first.key, first.body)
    assert (first.attempts, second.attempts) == (0, 1)


def test_what_was_delivered_never_comes_again(outbox: Outbox) -> None:
    take(outbox, 1)
    (claimed,) = outbox.claim(WEBHOOK, NOON, LEASE)
    outbox.delivered(claimed.key, NOON)
    outbox.postpone(claimed.key, NOON)
    assert outbox.claim(WEBHOOK, NOON + timedelta(days=9), LEASE) == []
    assert outbox.owed() == {"topic": 1}


def test_what_was_postponed_comes_at_its_time(outbox: Outbox) -> None:
    take(outbox, 1)
    (claimed,) = outbox.claim(WEBHOOK, NOON, LEASE)
    outbox.postpone(claimed.key, NOON + timedelta(seconds=5))
    assert outbox.claim(WEBHOOK, NOON + timedelta(seconds=4), LEASE) == []
    assert len(outbox.claim(WEBHOOK, NOON + timedelta(seconds=5), LEASE)) == 1


def test_a_threads_messages_leave_in_order_and_hold_up_no_other_thread(outbox: Outbox) -> None:
    take(outbox, 1)
    (raised,) = outbox.claim(WEBHOOK, NOON, LEASE)
    take(outbox, 2, "withdrawn")
    take(outbox, 1, source=1)
    (other,) = outbox.claim(WEBHOOK, NOON, LEASE)
    assert other.key.startswith("thread-of-source-1.")
    outbox.delivered(raised.key, NOON)
    (withdrawal,) = outbox.claim(WEBHOOK, NOON, LEASE)
    assert (withdrawal.body, withdrawal.key.partition(".")[0]) == (b"withdrawn", raised.key.partition(".")[0])


def test_the_oldest_leaves_first_and_no_more_than_asked_for(outbox: Outbox) -> None:
    for age, source in enumerate((3, 1, 2)):
        take(outbox, 1, source=source, now=NOON + timedelta(seconds=age))
    claimed = outbox.claim(WEBHOOK, NOON + LEASE, LEASE, limit=2)
    assert [each.key.partition(".")[0] for each in claimed] == ["thread-of-source-3", "thread-of-source-1"]


def test_a_decision_that_fails_leaves_nothing_behind(outbox: Outbox) -> None:
    def failing(_known: Mapping[str, bytes]) -> list[Message]:
        return [message("t", b"x"), message("t", b"y"), None]  # type: ignore[list-item]

    with pytest.raises(AttributeError):
        outbox.take(version_of(0, 1), failing, NOON)
    assert outbox.owed() == {}
    assert take(outbox, 1) == 1


def test_a_database_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    with pytest.raises(Transient, match="does not answer"):
        Outbox(sqlite_url(tmp_path / "missing" / "outbox.sqlite"))
    with pytest.raises(Transient, match="does not answer") as caught:
        Outbox(f"postgresql+psycopg://outbox:s3cret@/outbox?host={tmp_path}")
    assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"


def test_a_table_that_does_not_fit_ends_the_worker(postgres_host: str, tmp_path: Path) -> None:
    url = new_database(postgres_host, f"foreign {tmp_path.name}")
    with create_engine(url).begin() as connection:
        connection.execute(text("CREATE TABLE outbox_turns (nothing int)"))
    with pytest.raises(Fatal, match="cannot be used as it is"):
        take(Outbox(url), 1)


def test_a_file_that_is_no_database_ends_the_worker(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(b"a letter, not a database\n" * 100)
    with pytest.raises(Fatal, match="cannot be used as it is"):
        Outbox(sqlite_url(path))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("not a url s3cret", "is no database URL"),
        ("oracle42://user:s3cret@host/db", "is no database URL"),
        ("mysql+pymysql://user:s3cret@host/db", "needs the package pymysql"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_a_url_that_cannot_work_is_refused_without_being_shown(url: str, why: str) -> None:
    with pytest.raises(Fatal, match=why) as caught:
        Outbox(url)
    assert "s3cret" not in str(caught.value)
