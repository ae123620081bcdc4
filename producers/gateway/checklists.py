"""What the operator ticked off and excused of each woman's plan, kept until it goes out with her closing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import TypeAdapter

from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.van import PlannedRegion
from sonovan.producers.lights import region_key
from sonovan.producers.spool.database import Database
from sonovan.producers.vault import Vault

EXCUSES: Final = ("absent", "declined", "pain_or_wound", "scanner_failed", "planned_by_mistake")
"""Why a planned region may stay without pictures; there is no free text, for it could name somebody."""


@dataclass(frozen=True, slots=True)
class Checklist:
    """Of one screening. ticked: regions that were scanned whole. excused: regions that are not, each with its reason.

    An excuse stays on the van: the centre is told of what is ticked alone, and calls the rest not examined.
    """

    ticked: tuple[PlannedRegion, ...] = ()
    excused: Mapping[str, str] = field(default_factory=dict)

    def excuse_of(self, region: PlannedRegion) -> str | None:
        """Why a region has no pictures; None where nobody excused it."""
        return self.excused.get(region_key(region))


_CHECKLIST: Final = TypeAdapter(Checklist)


class Checklists:
    """The checklists in a van's database, sealed. Methods raise Transient and Fatal as `Database` and `Vault` do."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault = db, vault

    def of(self, screening_id: str) -> Checklist:
        """What was ticked off so far."""
        rows = self._db.read("SELECT about FROM checklists WHERE screening_id = ?", screening_id)
        return _CHECKLIST.validate_json(self._vault.unseal(rows[0][0], screening_id)) if rows else Checklist()

    def tick(self, screening_id: str, region: PlannedRegion, done: bool = True) -> Checklist:
        """Note that a region was scanned whole, or was not; an excuse for it falls."""
        with self._db.transaction():
            before = self.of(screening_id)
            ticked = tuple(each for each in before.ticked if each != region) + ((region,) if done else ())
            return self._put(screening_id, Checklist(ticked, _without(before.excused, region_key(region))))

    def excuse(self, screening_id: str, region: PlannedRegion, because: str | None) -> Checklist:
        """Note why a region has no pictures, None takes that back; it is then not ticked.

        Raises InvalidRecord `option_invalid` for a reason that is none of EXCUSES.
        """
        if because is not None and because not in EXCUSES:
            raise InvalidRecord("option_invalid", f"say one of {', '.join(EXCUSES)}")
        with self._db.transaction():
            before = self.of(screening_id)
            excused = _without(before.excused, region_key(region))
            if because is not None:
                excused[region_key(region)] = because
            ticked = tuple(each for each in before.ticked if each != region)
            return self._put(screening_id, Checklist(ticked, excused))

    def _put(self, screening_id: str, checklist: Checklist) -> Checklist:
        self._db.write(
            "INSERT INTO checklists VALUES (?, ?) ON CONFLICT DO UPDATE SET about = excluded.about",
            screening_id, self._vault.seal(_CHECKLIST.dump_json(checklist), screening_id),
        )  # fmt: skip
        return checklist


def _without(excused: Mapping[str, str], key: str) -> dict[str, str]:
    return {each: reason for each, reason in excused.items() if each != key}
