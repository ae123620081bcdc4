"""Who is expected today: a small encrypted register, from which the scanner's worklist comes.

It holds no name, and of the person id that the operator typed only a sealed copy, which no record, object or page
for scanners carries. A scanner shows the woman's slip number where it would show her name, so that nobody types one and
none is burned into a picture (docs/decisions/0068).
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from pydantic import TypeAdapter
from pydicom.uid import generate_uid

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.ids import mint_id
from sonovan.producers.items import Visit
from sonovan.producers.spool.database import Database
from sonovan.producers.vault import Vault

LONGEST_ACCESSION: Final = 16
"""Of DICOM's value representation SH."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A woman who is expected.

    visit: with its plan and slip number. accession: the order's number at the scanner. study: the StudyInstanceUID that
    her objects will have. day: local date on which she is expected. screening_id: of the screening that is opened with
    her first object. person: the id that was typed for her, None where none was; it leaves the register nowhere.
    """

    visit: Visit
    slip: str
    accession: str
    study: str
    day: date
    screening_id: str
    person: str | None = field(default=None, repr=False)


_ENTRY: Final = TypeAdapter(Expected)


class Register:
    """The register in a van's database. Methods raise Transient and Fatal as `Database` and `Vault` do."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault = db, vault

    def expect(self, visit: Visit, day: date, accession: str | None = None, *, person: str | None = None) -> Expected:
        """Enter a woman. accession: None takes her slip number. person: her id, kept sealed.

        Raises InvalidRecord `option_invalid` for a slip or an accession number that is taken or cannot be one,
        `consent_refused` where she did not agree.
        """
        slip = visit.slip_number
        if slip is None or visit.planned is None:
            raise InvalidRecord("option_invalid", "whoever is expected has a slip number and a plan")
        if not visit.consent.to_analysis:
            message = "she must agree to the screening, and to a machine that reads the pictures"
            raise InvalidRecord("consent_refused", message)
        number = accession or slip
        if not (number.isascii() and number.isalnum() and len(number) <= LONGEST_ACCESSION):
            message = f"--accession: say at most {LONGEST_ACCESSION} letters and digits"
            raise InvalidRecord("option_invalid", message)
        entry = Expected(visit, slip, number, generate_uid(), day, mint_id(), person)
        with self._db.transaction():
            for column, value in (("slip", slip), ("accession", number)):
                if self._found(column, value) is not None:
                    raise InvalidRecord("option_invalid", f"the {column} number is taken by somebody who is expected")
            self._db.write(
                "INSERT INTO expected (slip, accession, study, screening_id, day, entry) VALUES (?, ?, ?, ?, ?, ?)",
                self._hidden("slip", slip), self._hidden("accession", number), self._hidden("study", entry.study),
                entry.screening_id, day.isoformat(), self._vault.seal(_ENTRY.dump_json(entry), entry.screening_id),
            )  # fmt: skip
        return entry

    def by_slip(self, slip: str) -> Expected | None:
        """The woman with this slip number."""
        return self._found("slip", slip)

    def by_accession(self, accession: str) -> Expected | None:
        """The woman with this accession number."""
        return self._found("accession", accession)

    def by_study(self, study: str) -> Expected | None:
        """The woman to whose study an object belongs, where the scanner took it from the worklist."""
        return self._found("study", study)

    def of_screening(self, screening_id: str) -> Expected | None:
        """The woman to whom a screening belongs."""
        rows = self._db.read("SELECT screening_id, entry FROM expected WHERE screening_id = ?", screening_id)
        return self._opened(*rows[0]) if rows else None

    def expected(self, since: date = date.min) -> list[Expected]:
        """Everybody in the register who is expected on a day or later, by day, then in the order of registering."""
        rows = self._db.read(
            "SELECT screening_id, entry FROM expected WHERE day >= ? ORDER BY day, number", since.isoformat()
        )
        return [self._opened(*row) for row in rows]

    def newest(self) -> Expected | None:
        """Who was registered last."""
        rows = self._db.read("SELECT screening_id, entry FROM expected ORDER BY number DESC LIMIT 1")
        return self._opened(*rows[0]) if rows else None

    def forget(self, before: date) -> int:
        """Forget whoever was expected before a day; how many. What still comes of her waits in the tray."""
        with self._db.transaction():
            self._db.write(
                "DELETE FROM checklists WHERE screening_id IN (SELECT screening_id FROM expected WHERE day < ?)",
                before.isoformat(),
            )
            return self._db.write("DELETE FROM expected WHERE day < ?", before.isoformat())

    def _found(self, column: str, value: str) -> Expected | None:
        rows = self._db.read(
            f"SELECT screening_id, entry FROM expected WHERE {column} = ?",  # noqa: S608
            self._hidden(column, value),
        )
        return self._opened(*rows[0]) if rows else None

    def _opened(self, screening_id: str, sealed: bytes) -> Expected:
        return _ENTRY.validate_json(self._vault.unseal(sealed, screening_id))

    def _hidden(self, column: str, value: str) -> str:
        return self._vault.mac(f"{column} {value}")
