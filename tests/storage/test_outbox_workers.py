"""Several workers on one outbox, and workers that are killed, on SQLite and on a real PostgreSQL."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Barrier, BrokenBarrierError

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from sonovan.contracts.errors import Transient
from sonovan.storage.outbox import Message, Outbox
from tests.storage.outbox_child import SOURCES, VERSIONS, claim_all, raise_shared, take_all
from tests.storage.scene import NOON, RECIPIENTS, State, deciding, message, take, version_of

ROOT = Path(__file__).resolve().parents[2]
LEASE = timedelta(minutes=1)
WEBHOOK = RECIPIENTS[0]


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
    assert again.key == "thread-of-source-0.1.label.webhook.0"


def test_what_a_killed_worker_noted_as_delivered_never_comes_again(url: str) -> None:
    killed_while_holding("noted", url)
    survivor = Outbox(url)
    assert survivor.claim(WEBHOOK, NOON + timedelta(days=9), LEASE) == []
    assert survivor.owed() == {"topic": 1}


def test_what_a_killed_worker_postponed_comes_at_its_time(url: str) -> None:
    killed_while_holding("postponed", url)
    survivor = Outbox(url)
    assert survivor.claim(WEBHOOK, NOON + timedelta(seconds=4), LEASE) == []
    assert len(survivor.claim(WEBHOOK, NOON + timedelta(seconds=5), LEASE)) == 1


def test_a_worker_killed_while_it_decides_leaves_nothing_and_locks_nobody_out(url: str) -> None:
    killed_while_holding("decide", url)
    survivor = Outbox(url)
    assert survivor.owed() == {}
    for _ in range(100):  # PostgreSQL notices a dead client a moment later
        try:
            assert take(survivor, 1) == 1
            return
        except Transient:
            continue
    raise AssertionError("the dead worker still holds its lock")


def raise_and_withdraw(outbox: Outbox, now: datetime) -> list[str]:
    """A worker's whole work on one source, done again where it was cut off; the keys that it delivered."""
    keys: list[str] = []
    states: tuple[State, State] = ("raised", "withdrawn")
    for number, state in enumerate(states, start=1):
        while True:
            try:
                outbox.take(version_of(0, number), deciding(0, state), now)
                break
            except Transient:  # PostgreSQL notices a dead client a moment later
                continue
        for each in outbox.claim(WEBHOOK, now, LEASE):
            outbox.delivered(each.key, now)
            keys.append(each.key)
    return keys


def die_at(url: str, step: int) -> None:
    """Do all of the work, and end like a power cut just before the statement or commit with this number."""
    outbox = Outbox(url)
    steps = count(1)

    def before(*_: object) -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "commit", before)
    raise_and_withdraw(outbox, NOON)


def test_a_worker_killed_at_any_statement_leaves_each_message_owed_once(url: str) -> None:
    keys = ["thread-of-source-0.1.label.webhook.0", "thread-of-source-0.2.label.webhook.0"]
    for step in count(1):
        place = url.replace(".sqlite", f"-{step}.sqlite") if url.startswith("sqlite") else url
        worker = multiprocessing.get_context("fork").Process(target=die_at, args=(place, step))
        worker.start()
        worker.join(60)
        survivor = Outbox(place)
        again = raise_and_withdraw(survivor, NOON + LEASE)
        again += [each.key for each in survivor.claim(WEBHOOK, NOON + LEASE, LEASE)]
        assert again == [key for key in keys if key in again], "out of order, twice, or under another key"
        with create_engine(place).begin() as connection:
            kept = connection.execute(text("SELECT key, recipient FROM outbox_deliveries ORDER BY key")).all()
            for table in ("outbox_turns", "outbox_threads", "outbox_deliveries"):
                connection.execute(text(f"DELETE FROM {table}"))
        assert [row.key for row in kept if row.recipient == WEBHOOK] == keys
        assert len(kept) == 4
        survivor.close()
        if worker.exitcode == 0:
            assert again == []
            assert step > 20
            return
        assert worker.exitcode == -signal.SIGKILL


def test_two_workers_whose_sources_share_a_scope_raise_its_thread_once(outbox: Outbox, url: str) -> None:
    other = child("shared", url)
    go(other)
    raise_shared(outbox, range(SOURCES))
    other.communicate(timeout=120)
    assert other.returncode == 0
    assert outbox.owed() == dict.fromkeys(RECIPIENTS, 1)


def test_workers_whose_sources_share_a_scope_decide_one_after_the_other(outbox: Outbox) -> None:
    outbox.take(version_of(9, 1, "shared"), lambda _known: [], NOON)
    met = Barrier(2)

    def decide(known: Mapping[str, bytes]) -> list[Message]:
        with suppress(BrokenBarrierError):  # nobody comes while this one has the turn
            met.wait(0.5)
        return [] if known else [message("thread", b"x", "shared")]

    with ThreadPoolExecutor(2) as threads:
        taken = [threads.submit(outbox.take, version_of(source, 1, "shared"), decide, NOON) for source in (1, 2)]
    assert sorted(each.result() for each in taken) == [0, 1]


def test_two_workers_that_take_the_same_versions_owe_everything_once(outbox: Outbox, url: str) -> None:
    other = child("take", url)
    go(other)
    refused = take_all(outbox)
    other.communicate(timeout=120)
    assert other.returncode == 0
    assert refused == 0 or not url.startswith("sqlite"), "SQLite's writers queue; none is turned away"
    assert outbox.owed() == dict.fromkeys(RECIPIENTS, SOURCES * VERSIONS)


def test_two_workers_that_deliver_never_claim_the_same(outbox: Outbox, url: str) -> None:
    take_all(outbox)
    other = child("claim", url)
    go(other)
    mine = claim_all(outbox)
    theirs = other.communicate(timeout=120)[0].split()
    assert other.returncode == 0
    assert not set(mine) & set(theirs)
    assert len(mine) + len(theirs) == SOURCES * VERSIONS


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
