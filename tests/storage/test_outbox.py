"""The alert outbox, on SQLite and on a real PostgreSQL: every test runs on both."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import create_engine, text

from sonovan.contracts.errors import Fatal, Transient
from sonovan.contracts.results import LesionAlerted
from sonovan.storage.outbox import Outbox
from sonovan.storage.outbox_engine import sqlite_url
from tests.conftest import skip_unless_ci
from tests.storage.outbox_child import REVISIONS, SCREENINGS, claim_all, take_all
from tests.storage.postgres import find_postgres, new_database, running_postgres
from tests.storage.scene import NOON, RECIPIENTS, judged, revision_of

ROOT = Path(__file__).resolve().parents[2]
LEASE = timedelta(minutes=1)
WEBHOOK = RECIPIENTS[0]


@pytest.fixture(scope="session")
def postgres_host() -> Iterator[str]:
    binaries = find_postgres()
    if binaries is None:
        skip_unless_ci("PostgreSQL is not installed (initdb, pg_ctl)")
        return
    with running_postgres(binaries) as host:
        yield host


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        folder = tmp_path / "Zustand, größe 1"
        folder.mkdir()
        return sqlite_url(folder / "outbox.sqlite")
    host: str = request.getfixturevalue("postgres_host")
    return new_database(host, tmp_path.name)


@pytest.fixture
def outbox(url: str) -> Iterator[Outbox]:
    opened = Outbox(url)
    yield opened
    opened.close()


def take(outbox: Outbox, number: int, seen: str = "suspicious", screening: int = 0, now: datetime = NOON) -> int:
    heard = revision_of(screening, number, "gone" if seen == "gone" else "suspicious")
    return outbox.take(heard, judged(heard), RECIPIENTS, now)


def child(verb: str, url: str) -> "subprocess.Popen[str]":
    """Another worker, ready and waiting for a line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.outbox_child", verb, url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert said(process) == "ready"
    return process


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def killed_while_holding(verb: str, url: str) -> None:
    """Run a worker up to the point that `verb` names, then end it like a power cut."""
    process = child(verb, url)
    go(process)
    assert said(process) == "holding"
    process.kill()
    process.communicate(timeout=30)


def test_an_alert_is_owed_to_everybody_under_a_key_of_their_own(outbox: Outbox) -> None:
    assert take(outbox, 1) == 1
    owed = [outbox.claim(recipient, NOON, LEASE) for recipient in RECIPIENTS]
    assert [[each.recipient for each in batch] for batch in owed] == [["webhook"], ["topic"]]
    assert len({each.key for batch in owed for each in batch}) == 2
    assert {each.alert.state for batch in owed for each in batch} == {"raised"}
    assert outbox.owed() == {"webhook": 1, "topic": 1}


def test_the_same_revision_again_owes_nothing_more(outbox: Outbox) -> None:
    assert [take(outbox, 1), take(outbox, 1)] == [1, 0]
    assert outbox.owed() == {"webhook": 1, "topic": 1}


def test_an_older_revision_says_nothing(outbox: Outbox) -> None:
    assert take(outbox, 3) == 1
    assert take(outbox, 2, "gone") == 0
    assert take(outbox, 4, "gone") == 1


def test_another_screening_has_revisions_of_its_own(outbox: Outbox) -> None:
    assert [take(outbox, 3), take(outbox, 1, screening=1)] == [1, 1]


def test_the_same_content_raised_twice_has_two_keys(outbox: Outbox) -> None:
    """A lesion that goes and comes back may leave a revision with the very id of an earlier one."""
    again = revision_of(0, 3, "suspicious").model_copy(
        update={"revision_id": revision_of(0, 1, "suspicious").revision_id}
    )
    assert [take(outbox, 1), take(outbox, 2, "gone")] == [1, 1]
    assert outbox.take(again, judged(again), RECIPIENTS, NOON) == 1
    keys = claim_all(outbox)
    assert len(set(keys)) == len(keys) == 3


def test_what_is_claimed_is_nobody_elses_until_its_lease_is_over(outbox: Outbox) -> None:
    take(outbox, 1)
    (first,) = outbox.claim(WEBHOOK, NOON, LEASE)
    assert outbox.claim(WEBHOOK, NOON + LEASE - timedelta(seconds=1), LEASE) == []
    (second,) = outbox.claim(WEBHOOK, NOON + LEASE, LEASE)
    assert (second.key, second.alert) == (first.key, first.alert)
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


def test_a_withdrawal_waits_for_its_alert_but_not_for_others(outbox: Outbox) -> None:
    take(outbox, 1)
    (raised,) = outbox.claim(WEBHOOK, NOON, LEASE)
    take(outbox, 2, "gone")
    take(outbox, 1, screening=1)
    (other,) = outbox.claim(WEBHOOK, NOON, LEASE)
    assert other.alert.screening_id != raised.alert.screening_id
    outbox.delivered(raised.key, NOON)
    (withdrawal,) = outbox.claim(WEBHOOK, NOON, LEASE)
    assert (withdrawal.alert.state, withdrawal.alert.alert_id) == ("withdrawn", raised.alert.alert_id)


def test_the_oldest_leaves_first_and_no_more_than_asked_for(outbox: Outbox) -> None:
    for age, screening in enumerate((3, 1, 2)):
        take(outbox, 1, screening=screening, now=NOON + timedelta(seconds=age))
    claimed = outbox.claim(WEBHOOK, NOON + LEASE, LEASE, limit=2)
    assert [int(each.alert.screening_id[-2:]) for each in claimed] == [3, 1]


def test_a_judge_that_fails_leaves_nothing_behind(outbox: Outbox) -> None:
    heard = revision_of(0, 1, "suspicious")

    def failing(known: Mapping[str, LesionAlerted]) -> list[LesionAlerted]:
        twice = list(judged(heard)(known)) * 2
        return [*twice, *[None]]  # type: ignore[list-item]

    with pytest.raises(AttributeError):
        outbox.take(heard, failing, RECIPIENTS, NOON)
    assert outbox.owed() == {}
    assert take(outbox, 1) == 1


def test_what_was_committed_survives_a_kill(url: str) -> None:
    killed_while_holding("taken", url)
    survivor = Outbox(url)
    assert survivor.owed() == {"webhook": 1, "topic": 1}
    assert take(survivor, 1) == 0
    assert len(survivor.claim(WEBHOOK, NOON, LEASE)) == 1


def test_what_was_claimed_by_a_killed_worker_comes_again_under_the_same_key(url: str) -> None:
    killed_while_holding("hold", url)
    survivor = Outbox(url)
    assert survivor.claim(WEBHOOK, NOON, LEASE) == []
    (again,) = survivor.claim(WEBHOOK, NOON + LEASE, LEASE)
    fresh_word = revision_of(0, 1, "suspicious").revision_id[:16]
    assert again.key == f"{again.alert.alert_id}.1.{fresh_word}.webhook"


def test_a_worker_killed_while_it_judges_leaves_nothing_and_locks_nobody_out(url: str) -> None:
    killed_while_holding("judge", url)
    survivor = Outbox(url)
    assert survivor.owed() == {}
    for _ in range(100):  # PostgreSQL notices a dead client a moment later
        try:
            assert take(survivor, 1) == 1
            return
        except Transient:
            continue
    raise AssertionError("the dead worker still holds its lock")


def test_two_workers_that_take_the_same_revisions_owe_everything_once(outbox: Outbox, url: str) -> None:
    other = child("take", url)
    go(other)
    refused = take_all(outbox)
    other.communicate(timeout=120)
    assert other.returncode == 0
    assert refused == 0 or not url.startswith("sqlite"), "SQLite's writers queue; none is turned away"
    assert outbox.owed() == dict.fromkeys(RECIPIENTS, SCREENINGS * REVISIONS)


def test_two_workers_that_deliver_never_claim_the_same(outbox: Outbox, url: str) -> None:
    take_all(outbox)
    other = child("claim", url)
    go(other)
    mine = claim_all(outbox)
    theirs = other.communicate(timeout=120)[0].split()
    assert other.returncode == 0
    assert not set(mine) & set(theirs)
    assert len(mine) + len(theirs) == SCREENINGS * REVISIONS


def test_workers_that_start_together_make_the_tables_once(url: str) -> None:
    together = Barrier(6)

    def start() -> dict[str, int]:
        together.wait(60)
        while True:
            try:
                return Outbox(url).owed()
            except Transient:
                # SQLite turns one away now and then while another makes a new file a WAL; the worker tries again.
                assert url.startswith("sqlite")

    with ThreadPoolExecutor(6) as threads:
        assert [worker.result() for worker in [threads.submit(start) for _ in range(6)]] == [{}] * 6


def test_a_database_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    with pytest.raises(Transient, match="does not answer"):
        Outbox(sqlite_url(tmp_path / "missing" / "outbox.sqlite"))
    with pytest.raises(Transient, match="does not answer") as caught:
        Outbox(f"postgresql+psycopg://outbox:s3cret@/outbox?host={tmp_path}")
    assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"


def test_a_table_that_does_not_fit_ends_the_worker(postgres_host: str, tmp_path: Path) -> None:
    url = new_database(postgres_host, f"foreign {tmp_path.name}")
    with create_engine(url).begin() as connection:
        connection.execute(text("CREATE TABLE alert_screenings (nothing int)"))
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
