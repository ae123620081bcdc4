"""Many threads, few transactions: each returns when its own message is committed, and fails for its own alone."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from sonovan.contracts.errors import Fatal, Transient
from sonovan.storage.catalogue.changes import Change
from sonovan.storage.catalogue.committing import GroupCommit
from sonovan.storage.catalogue.database import Database
from tests.storage.catalogue.dump import everything
from tests.stream_apps.catalog.scene import changes

ALL = changes()
WRONG = Change(ALL[0].place, (("no such table", {}),))


class Counted:
    """A catalogue whose transactions are counted, and held up until a test lets them go."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.transactions = 0
        self.away = 0
        self.go = threading.Event()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        assert self.go.wait(30)
        self.transactions += 1
        if self.away:
            self.away -= 1
            raise Transient("away")
        with self._database.writing() as connection:
            yield connection


def together(counted: Counted, asked: list[Change]) -> list[Exception | None]:
    """Ask for all of these at the same time; what became of each."""
    commit = GroupCommit(counted)  # type: ignore[arg-type]

    def put(change: Change) -> Exception | None:
        try:
            commit.store(change)
        except Exception as error:
            return error
        return None

    with ThreadPoolExecutor(len(asked)) as pool:
        waiting = [pool.submit(put, each) for each in asked]
        counted.go.set()
        return [each.result() for each in waiting]


def test_what_is_asked_for_together_is_written_in_few_transactions_and_is_all_there(database: Database) -> None:
    counted = Counted(database)
    assert together(counted, ALL) == [None] * len(ALL)
    assert counted.transactions < len(ALL) / 3
    written = everything(database)
    assert sum(len(rows) for rows in written.values()) > len(ALL)


def test_the_message_that_cannot_be_written_fails_and_no_other(database: Database) -> None:
    told = together(Counted(database), [*ALL[:5], WRONG, *ALL[5:9]])
    assert [isinstance(each, KeyError) for each in told] == [False] * 5 + [True] + [False] * 4
    assert [each for each in told if each is not None and not isinstance(each, KeyError)] == []


def test_a_database_that_is_away_is_told_to_each_and_nothing_is_taken_for_written(database: Database) -> None:
    counted = Counted(database)
    counted.away = 99
    told = together(counted, ALL[:6])
    assert all(isinstance(each, Transient) for each in told)
    assert not any(everything(database).values())


def test_an_unusable_database_is_fatal(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE alert_answer RENAME TO gone")
    (answer,) = [each for each in ALL if each.rows and each.rows[0][0] == "alert_answer"]
    with pytest.raises((Fatal, Transient)):
        GroupCommit(database).store(answer)
