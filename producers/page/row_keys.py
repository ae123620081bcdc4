"""Keys of rows that come and go while somebody looks at them: a key that was read is never another row's."""

from collections.abc import Sequence
from threading import Lock
from typing import Final

KEYS: Final = "123456789"


class RowKeys:
    """Gives each row a digit that it keeps while it is in the list. Safe to call from several threads.

    A digit that became free is given again as late as can be: whoever read it before the list changed presses nothing,
    and not the row that came in its place. Rows beyond the ninth have none until one is free.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._given: dict[str, str] = {}
        self._free = list(KEYS)

    def of(self, rows: Sequence[str]) -> dict[str, str]:
        """By row, its digit; rows that are not among these any more lose theirs. rows: their ids, in their order."""
        with self._lock:
            for gone in [each for each in self._given if each not in rows]:
                self._free.append(self._given.pop(gone))
            for each in rows:
                if each not in self._given and self._free:
                    self._given[each] = self._free.pop(0)
            return dict(self._given)
