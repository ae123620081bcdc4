"""Objects that a scanner sent: durable and encrypted before they are acknowledged, until their frames are spooled."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.contracts.lexicon import Organ, Side
from sonovan.producers.gateway.receiving import Received
from sonovan.producers.gateway.sealed_file import read_sealed
from sonovan.producers.private_files import sync_folder
from sonovan.producers.spool.database import Database, Row
from sonovan.producers.vault import Vault

ARRIVED, COMPOSED, TRAY, QUARANTINED, DISCARDED = "arrived", "composed", "tray", "quarantined", "discarded"
KEPT: Final = "kept"
"""A structured report whose woman is known: what it measures was read, its bytes stay while she is remembered."""
STATES: Final = (ARRIVED, COMPOSED, KEPT, TRAY, QUARANTINED, DISCARDED)

REASONS: Final[dict[str, str]] = {
    "unmatched": "neither its accession number nor its patient id is of anybody expected: assign it",
    "identifiers_contradict": "its numbers belong to different women: look at it, and assign it",
    "side_missing": "it does not say which side it shows: assign it, with --side",
    "instance_contradicts": "another object has its SOPInstanceUID: look at both",
    "instance_mislabelled": "it was announced under another SOPInstanceUID or class: send it again",
    "object_damaged": "its file on this disk was changed or is gone: send it again, and have the disk looked at",
    "object_defect": "reading it ended in an error that nobody foresaw: keep it, and report what van serve said of it",
    "object_too_large": "it is larger than what is read here: export it in smaller pieces",
}
"""Why an object waits, beside the reasons of `sonovan.producers.sources`; and what to do."""

DISCARDING: Final = ("test", "not_hers", "another_woman", "damaged", "duplicate")
ASSIGNING: Final = ("numbers_missing", "numbers_wrong", "registered_later", "side_added")
"""What an operator may give as the reason; there is no free text, for it could name somebody."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What an object says of itself. It may name a woman, so it is for the operator alone.

    sop_class: empty where the object was not announced as DICOM; its instance is then made of its digest.
    file: where it lay in a watched folder; folder_slip, folder_organ, folder_side: what the names of the folders say.
    """

    sop_class: str
    instance: str
    scanner: str
    study: str = ""
    accession: str = ""
    patient_id: str = ""
    patient_name: str = ""
    file: str = ""
    folder_slip: str = ""
    folder_organ: Organ | None = None
    folder_side: Side | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """What the operator said of an object: whose it is, and maybe of what; and why, one of ASSIGNING."""

    slip: str
    because: str
    organ: Organ | None = None
    side: Side | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """One object. arrived_at: UNIX seconds. size: of its DICOM file, in bytes. reason: None unless it waits."""

    number: int
    state: str
    reason: str | None
    size: int
    arrived_at: float
    claims: Claims
    assigned: Assigned | None
    screening_id: str | None


_CLAIMS: Final = TypeAdapter(Claims)
_ASSIGNED: Final = TypeAdapter(Assigned)
_COLUMNS: Final = "number, state, reason, size, arrived_at, about, assigned, screening_id, instance FROM objects"


class Intake:
    """The objects of one van. Every method raises Transient and Fatal as `Database` and `Vault` do."""

    def __init__(self, folder: Path, db: Database, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        """folder: of their files. clock: UNIX seconds."""
        self.folder, self._db, self._vault, self._clock = folder, db, vault, clock
        with db.translating():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def sweep(self) -> None:
        """Remove files that no row names: they were never acknowledged. Only while nobody receives."""
        named = {row[0] for row in self._db.read("SELECT file FROM objects WHERE file IS NOT NULL")}
        with self._db.translating():
            for path in self.folder.iterdir():
                if path.name not in named:
                    path.unlink()

    def try_defects_again(self) -> None:
        """Have objects that ended in an error nobody foresaw looked at once more: another version may be running."""
        self._db.write(
            "UPDATE objects SET state = ?, reason = NULL WHERE state = ? AND reason = 'object_defect'",
            ARRIVED, QUARANTINED,
        )  # fmt: skip

    def take(self, received: Received, claims: Claims) -> str:
        """Keep an object; it is durable when this returns, and may be acknowledged. Returns its state.

        The same object again changes nothing, but where its bytes are not here any more, as it was discarded or its
        file was damaged: then it is looked at anew. Other bytes under its UID go into the quarantine, as
        `instance_contradicts`. Raises SpoolFull, and then nothing of it is kept.
        """
        size = received.size
        file, sha256 = received.keep(self.folder)
        try:
            with self._db.transaction():
                state, spare = self._noted(claims, file, size, sha256)
        except BaseException:
            self._remove(file)
            raise
        self._remove(spare)
        return state

    def _noted(self, claims: Claims, file: str, size: int, sha256: str) -> tuple[str, str | None]:
        """Note an object that is durable, within a transaction: its state, and the file that is of no use then."""
        instance, content = self._vault.mac(f"instance {claims.instance}"), self._vault.mac(f"content {sha256}")
        about = self._vault.seal(_CLAIMS.dump_json(claims), instance)
        known = self._db.read("SELECT content, state, reason, number, file FROM objects WHERE instance = ?", instance)
        same = next((each for each in known if each[0] == content), None)
        if same is None:
            state, reason = (QUARANTINED, "instance_contradicts") if known else (ARRIVED, None)
            self._db.write(
                "INSERT INTO objects (instance, content, file, size, arrived_at, state, reason, about)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                instance, content, file, size, self._clock(), state, reason, about,
            )  # fmt: skip
            return state, None
        discarded = same[1] == DISCARDED
        if not discarded and not self._is_gone(same[2], same[4]):
            return str(same[1]), file
        others = any(each is not same and each[1] != DISCARDED for each in known)
        state, reason = (QUARANTINED, "instance_contradicts") if others else (ARRIVED, None)
        self._db.write(
            "UPDATE objects SET file = ?, arrived_at = ?, state = ?, reason = ?, about = ?,"
            " assigned = iif(?, NULL, assigned) WHERE number = ?",
            file, self._clock(), state, reason, about, discarded, same[3],
        )  # fmt: skip
        return state, same[4]

    def _is_gone(self, reason: str | None, file: str | None) -> bool:
        """Whether the bytes of an object that was not composed are damaged, or its file is not here."""
        return reason == "object_damaged" or (file is not None and not (self.folder / file).is_file())

    def unnamed(self) -> int:
        """How many files lie here that no row names: objects that are being kept and are not acknowledged yet."""
        with self._db.translating():
            lying = {path.name for path in self.folder.iterdir()}
        named = {row[0] for row in self._db.read("SELECT file FROM objects WHERE file IS NOT NULL")}
        return len(lying - named)

    def has(self, instance: str) -> bool:
        """Whether an object of this SOPInstanceUID is kept, or frames were made of it: not one that was discarded, or
        whose bytes are damaged or gone, for whoever hears that it is kept may delete it.
        """
        hidden = self._vault.mac(f"instance {instance}")
        known = self._db.read("SELECT state, reason, file FROM objects WHERE instance = ?", hidden)
        return any(state != DISCARDED and not self._is_gone(reason, file) for state, reason, file in known)

    def came(self, instance: str) -> bool:
        """Whether an object of this SOPInstanceUID came, whatever became of it."""
        return bool(self._db.read("SELECT 1 FROM objects WHERE instance = ?", self._vault.mac(f"instance {instance}")))

    def objects(self, *states: str) -> list[Arrived]:
        """The objects in these states, the first one first; all without any."""
        marks = ", ".join("?" for _ in states)
        where = f"WHERE state IN ({marks})" if states else ""
        return [self._arrived(row) for row in self._db.read(f"SELECT {_COLUMNS} {where} ORDER BY number", *states)]

    def find(self, number: int) -> Arrived | None:
        """The object of this number."""
        rows = self._db.read(f"SELECT {_COLUMNS} WHERE number = ?", number)
        return self._arrived(rows[0]) if rows else None

    def count(self, *states: str) -> int:
        """How many objects are in these states."""
        marks = ", ".join("?" for _ in states)
        return int(self._db.read(f"SELECT count(*) FROM objects WHERE state IN ({marks})", *states)[0][0])  # noqa: S608

    def next(self, after: int = 0) -> Arrived | None:
        """The first object behind this number that nobody looked at yet."""
        rows = self._db.read(
            f"SELECT {_COLUMNS} WHERE state = ? AND number > ? ORDER BY number LIMIT 1", ARRIVED, after
        )
        return self._arrived(rows[0]) if rows else None

    def read(self, number: int) -> Iterator[bytes]:
        """The object's DICOM file, in chunks. Raises Fatal where it is gone or damaged."""
        rows = self._db.read("SELECT file FROM objects WHERE number = ?", number)
        if not rows or rows[0][0] is None:
            raise Fatal(f"object {number} has no file: this is a defect")
        path = self.folder / rows[0][0]
        try:
            yield from read_sealed(path, self._vault)
        except FileNotFoundError as error:
            raise Fatal(f"{path} is gone: put a copy of the folder back") from error
        except OSError as error:
            raise Transient(f"cannot read {path}: {error.strerror}") from error

    def note(self, number: int, claims: Claims) -> None:
        """Remember what the object says of itself."""
        with self._db.transaction():
            (instance,) = self._db.read("SELECT instance FROM objects WHERE number = ?", number)[0]
            sealed = self._vault.seal(_CLAIMS.dump_json(claims), instance)
            self._db.write("UPDATE objects SET about = ? WHERE number = ?", sealed, number)

    def wait(self, number: int, state: str, reason: str) -> None:
        """Put an object into the tray or the quarantine; its bytes stay. reason: of REASONS or SOURCE_REASONS."""
        with self._db.transaction():
            self._db.write("UPDATE objects SET state = ?, reason = ? WHERE number = ?", state, reason, number)

    def composed(self, number: int, screening_id: str) -> None:
        """Note that all its frames are in the spool; its bytes are removed."""
        with self._db.transaction():
            file = self._db.read("SELECT file FROM objects WHERE number = ?", number)[0][0]
            self._db.write(
                "UPDATE objects SET state = ?, reason = NULL, screening_id = ?, file = NULL WHERE number = ?",
                COMPOSED, screening_id, number,
            )  # fmt: skip
            self._forget_her(number)
        self._remove(file)

    def keep(self, number: int, screening_id: str) -> None:
        """Note that what it says was read; its bytes stay."""
        with self._db.transaction():
            self._db.write(
                "UPDATE objects SET state = ?, reason = NULL, screening_id = ? WHERE number = ?",
                KEPT, screening_id, number,
            )  # fmt: skip
            self._forget_her(number)

    def forget_kept(self, before: float) -> int:
        """Remove the bytes of kept objects that came before this time (UNIX seconds), and what was said; how many."""
        rows = self._db.read(
            "SELECT number, screening_id FROM objects WHERE state = ? AND arrived_at < ?", KEPT, before
        )
        for number, screening_id in rows:
            self.composed(number, screening_id)
        with self._db.transaction():
            self._db.write("DELETE FROM said WHERE number IN (SELECT number FROM objects WHERE arrived_at < ?)", before)
        return len(rows)

    def assign(self, number: int, assigned: Assigned) -> None:
        """Say whose an object is, which waits; it is then looked at again.

        Raises InvalidRecord `option_invalid` for one that does not wait, or where another was taken in its place.
        """
        with self._db.transaction():
            instance, reason = self._waiting(number)
            if reason == "instance_contradicts" and self._taken(instance):
                raise InvalidRecord("option_invalid", f"object {number}: frames of its UID are in a screening already")
            sealed = self._vault.seal(_ASSIGNED.dump_json(assigned), instance)
            self._db.write(
                "UPDATE objects SET state = ?, reason = NULL, assigned = ? WHERE number = ?", ARRIVED, sealed, number
            )

    def discard(self, number: int, because: str) -> None:
        """Delete an object that waits. because: one of DISCARDING. Raises InvalidRecord `option_invalid`."""
        with self._db.transaction():
            self._waiting(number)
            file = self._db.read("SELECT file FROM objects WHERE number = ?", number)[0][0]
            self._db.write(
                "UPDATE objects SET state = ?, reason = ?, file = NULL WHERE number = ?", DISCARDED, because, number
            )
            self._forget_her(number)
        self._remove(file)

    def _forget_her(self, number: int) -> None:
        """Keep of an object that waits no longer only its UIDs and who sent it. Within a transaction."""
        about, instance = self._db.read("SELECT about, instance FROM objects WHERE number = ?", number)[0]
        said = _CLAIMS.validate_json(self._vault.unseal(about, instance))
        kept = Claims(said.sop_class, said.instance, said.scanner)
        self._db.write(
            "UPDATE objects SET about = ? WHERE number = ?", self._vault.seal(_CLAIMS.dump_json(kept), instance), number
        )

    def _waiting(self, number: int) -> tuple[str, str]:
        rows = self._db.read("SELECT instance, reason, state FROM objects WHERE number = ?", number)
        if not rows or rows[0][2] not in (TRAY, QUARANTINED):
            raise InvalidRecord(
                "option_invalid", f"object {number} does not wait; sonovan van tray list shows which do"
            )
        return rows[0][0], rows[0][1]

    def _taken(self, instance: str) -> bool:
        taken = "SELECT 1 FROM objects WHERE instance = ? AND state IN (?, ?, ?)"
        return bool(self._db.read(taken, instance, ARRIVED, COMPOSED, KEPT))

    def _remove(self, file: str | None) -> None:
        if file is not None:
            with self._db.translating():
                (self.folder / file).unlink(missing_ok=True)
                sync_folder(self.folder)

    def _arrived(self, row: Row) -> Arrived:
        number, state, reason, size, arrived_at, about, assigned, screening_id, instance = row
        claims = _CLAIMS.validate_json(self._vault.unseal(about, instance))
        said = None if assigned is None else _ASSIGNED.validate_json(self._vault.unseal(assigned, instance))
        return Arrived(number, state, reason, size, arrived_at, claims, said, screening_id)
