"""Many messages, one transaction: whoever stores a message waits until the transaction that holds it is committed."""

import threading
from collections.abc import Sequence

from sonovan.contracts.errors import Transient
from sonovan.storage.catalogue.changes import Change
from sonovan.storage.catalogue.database import Database
from sonovan.storage.catalogue.writing import write


class _Asked:
    """What one thread wants written, and what became of it."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self.done = False
        self.error: Exception | None = None


class GroupCommit:
    """Writes what several threads ask for at the same time in one transaction.

    The first of them writes for all that have asked by then; the others wait for it. A commit that lasts costs the
    same for one message as for many.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: list[_Asked] = []
        self._list, self._turn = threading.Lock(), threading.Lock()

    def store(self, change: Change) -> None:
        """Write what a message changes; returns once it is committed. Raises Transient and Fatal as the database does.

        Where a transaction of several messages fails for another reason than that the database is away, each is
        written by itself, so that the message that cannot be written is the one that fails.
        """
        mine = _Asked(change)
        with self._list:
            self._asked.append(mine)
        with self._turn:
            if not mine.done:
                with self._list:
                    batch, self._asked = self._asked, []
                self._write(batch)
        if mine.error is not None:
            raise mine.error

    def _write(self, batch: Sequence[_Asked]) -> None:
        error = self._tried(batch)
        if error is not None and len(batch) > 1 and not isinstance(error, Transient):
            for each in batch:
                each.error = self._tried([each])
        else:
            for each in batch:
                each.error = error
        for each in batch:
            each.done = True

    def _tried(self, batch: Sequence[_Asked]) -> Exception | None:
        try:
            with self._database.writing() as connection:
                write(connection, [each.change for each in batch])
        except Exception as error:  # raised again by every thread whose message it was
            return error
        return None
