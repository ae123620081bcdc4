"""What objects say of a woman beside their pixels: measurements of reports, and fields of the clinical record."""

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from sonovan.contracts.topics import Topic
from sonovan.producers.correct import spool_correction
from sonovan.producers.items import Signer
from sonovan.producers.sources.structured_report import SaidOfHer
from sonovan.producers.spool import Spool
from sonovan.producers.spool.database import Database
from sonovan.producers.vault import Vault

_SAID: Final = TypeAdapter(SaidOfHer)


@dataclass(frozen=True, slots=True)
class Sayings:
    """What objects said, sealed in a van's database. Methods raise Transient and Fatal as `Database` and `Vault` do."""

    db: Database
    vault: Vault

    def put(self, number: int, screening_id: str, said: SaidOfHer) -> None:
        """Keep what an object says, in the place of what was kept of it. number: the object's."""
        with self.db.transaction():
            self.db.write(
                "INSERT INTO said VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET about = excluded.about,"
                " screening_id = excluded.screening_id",
                number, screening_id, self.vault.seal(_SAID.dump_json(said), f"said {number}"),
            )  # fmt: skip

    def of(self, screening_id: str) -> dict[int, SaidOfHer]:
        """What each object of a screening says, by the object's number, the first one first."""
        rows = self.db.read("SELECT number, about FROM said WHERE screening_id = ? ORDER BY number", screening_id)
        return {number: _SAID.validate_json(self.vault.unseal(about, f"said {number}")) for number, about in rows}

    def fields(self, screening_id: str) -> dict[str, int | str]:
        """The fields of the clinical record in which all objects of a screening agree."""
        told: dict[str, set[int | str]] = {}
        for said in self.of(screening_id).values():
            for name, value in said.fields.items():
                told.setdefault(name, set()).add(value)
        return {name: next(iter(values)) for name, values in told.items() if len(values) == 1}


def send_fields(sayings: Sayings, spool: Spool, signer: Signer, screening_id: str) -> bool:
    """Send what scanners say as the clinical record, where nobody at the van recorded one; whether it was sent.

    It never takes the place of what was asked: that is a whole record, and the newest one counts.
    """
    begun = any(each.screening_id == screening_id and each.frames for each in spool.screenings())
    if not begun or spool.newest(screening_id, Topic.FEATURES_RECORDED) != 0:
        return False
    fields = sayings.fields(screening_id)
    if fields:
        spool_correction(spool, signer, screening_id, fields)
    return bool(fields)
