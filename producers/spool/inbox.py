"""The inbox: objects as a scanner sent them, durable and encrypted before the scanner is answered.

What was received is composed into a screening later, waits in the tray for somebody to say whose it is, or stays in
quarantine with its reason. Nothing is dropped without a word, and the same object is received once.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.producers.ledger import contradiction
from sonovan.producers.spool.bodies import Bodies
from sonovan.producers.spool.database import Database, Row
from sonovan.producers.vault import Vault

Box: TypeAlias = Literal["arrived", "tray", "quarantine", "done"]
"""arrived: to be composed. tray: of nobody yet. quarantine: kept with a reason. done: composed or given up."""

BOXES: Final[tuple[Box, ...]] = get_args(Box)
_COLUMNS: Final = "SELECT number, box, reason, about, size, received_at FROM received"


@dataclass(frozen=True, slots=True)
class Received:
    """One object. about: what the listener noted of it, such as who sent it; sealed on the disk. received_at: UNIX
    seconds. reason: why it is where it is, a code.
    """

    number: int
    box: Box
    reason: str | None
    about: Mapping[str, str]
    size: int
    received_at: float


class Inbox:
    """The received objects of a spool; `Spool.inbox` gives it. Errors are those of `Spool`."""

    def __init__(self, db: Database, bodies: Bodies, vault: Vault, clock: Callable[[], float]) -> None:
        self._db, self._bodies, self._vault, self._clock = db, bodies, vault, clock

    def put(
        self,
        data: bytes,
        origin: str,
        *,
        about: Mapping[str, str] | None = None,
        box: Box = "arrived",
        reason: str | None = None,
    ) -> tuple[int, bool]:
        """Keep an object; it is durable when this returns. Its number, and whether it is new.

        origin: what names it, such as its SOP instance UID; kept as a keyed hash.
        Raises InvalidRecord `item_contradicts_spool` where other bytes came under this origin, SpoolFull.
        """
        hidden, content = self._vault.mac(origin), self._vault.mac(hashlib.sha256(data).hexdigest())
        known = self._known(hidden, content)
        if known is not None:
            return known, False
        with self._bodies.writing():
            (file,) = self._bodies.write([(_about(hidden), data)])
            try:
                with self._db.transaction():
                    known = self._known(hidden, content)
                    if known is None:
                        sealed = self._vault.seal(json.dumps(dict(about or {})).encode(), _about(hidden))
                        self._db.write(
                            "INSERT INTO received (origin, content, box, reason, about, size, file, received_at)"
                            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                            hidden, content, box, reason, sealed, len(data), file, self._clock(),
                        )  # fmt: skip
                        new = int(self._db.read("SELECT last_insert_rowid()")[0][0])
            except BaseException:
                self._bodies.remove([file])
                raise
            if known is not None:
                self._bodies.remove([file])
                return known, False
        return new, True

    def list(self, box: Box | None = None) -> list[Received]:
        """The objects in a box, or with None all that are not done, the first one first."""
        where, values = ("box != ?", ("done",)) if box is None else ("box = ?", (box,))
        rows = self._db.read(f"{_COLUMNS} WHERE {where} ORDER BY number", *values)
        return [self._received(row) for row in rows]

    def load(self, number: int) -> bytes | None:
        """The bytes of an object; None where it is done or never was there."""
        rows = self._db.read("SELECT file, origin FROM received WHERE number = ? AND file IS NOT NULL", number)
        if not rows:
            return None
        data = self._bodies.read(rows[0][0], _about(rows[0][1]))
        if data is None and self._db.read("SELECT 1 FROM received WHERE number = ? AND file IS NOT NULL", number):
            raise Fatal(f"the file {rows[0][0]} is gone from {self._bodies.folder}: put a copy of the folder back")
        return data

    def move(self, number: int, box: Box, reason: str | None = None) -> None:
        """Put an object into another box. `done` deletes its bytes; that it came is remembered, so that it comes once.

        Raises InvalidRecord `option_invalid` for an object that is done or never was there.
        """
        gone: list[str] = []
        with self._db.transaction():
            rows = self._db.read("SELECT file FROM received WHERE number = ? AND file IS NOT NULL", number)
            if not rows:
                raise InvalidRecord("option_invalid", f"there is no object {number} in the inbox")
            self._db.write("UPDATE received SET box = ?, reason = ? WHERE number = ?", box, reason, number)
            if box == "done":
                self._db.write("UPDATE received SET file = NULL, about = NULL WHERE number = ?", number)
                gone = [rows[0][0]]
        self._bodies.remove(gone)

    def counts(self) -> dict[str, int]:
        """How many objects are in each box."""
        found: dict[str, int] = dict(self._db.read("SELECT box, count(*) FROM received GROUP BY box"))
        return {box: found.get(box, 0) for box in BOXES}

    def _known(self, origin: str, content: str) -> int | None:
        rows = self._db.read("SELECT number, content FROM received WHERE origin = ?", origin)
        if rows and rows[0][1] != content:
            raise contradiction(f"object {rows[0][0]} of the inbox")
        return int(rows[0][0]) if rows else None

    def _received(self, row: Row) -> Received:
        number, box, reason, sealed, size, received_at = row
        about: dict[str, str] = {}
        if sealed is not None:
            origin = self._db.read("SELECT origin FROM received WHERE number = ?", number)[0][0]
            about = json.loads(self._vault.unseal(sealed, _about(origin)))
        return Received(number, box, reason, about, size, received_at)


def _about(origin: str) -> str:
    return f"received {origin}"
