"""What the operator ticked off and excused of each woman's plan, kept until it goes out with her closing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from sonovan.contracts.amendments import Mark
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.van import EXCUSES, Excuse, ExcusedRegion, PlannedRegion
from sonovan.producers.lights import region_key
from sonovan.producers.spool.database import Database
from sonovan.producers.vault import Vault


@dataclass(frozen=True, slots=True)
class Checklist:
    """Of one screening. ticked: regions that were scanned whole. excused: regions that are not, each with its reason.

    marks: what the operator marked, the first one first, for the page alone: each is a record of its own in the spool.
    left_at: when she left the couch, None while she has not, or nobody said so.
    """

    ticked: tuple[PlannedRegion, ...] = ()
    excused: Mapping[str, Excuse] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    left_at: datetime | None = None

    def excuse_of(self, region: PlannedRegion) -> Excuse | None:
        """Why a region has no pictures; None where nobody excused it."""
        return self.excused.get(region_key(region))

    def of_plan(self, planned: Sequence[PlannedRegion]) -> tuple[tuple[PlannedRegion, ...], tuple[ExcusedRegion, ...]]:
        """What of a plan was ticked off and what was excused, as the closing says it."""
        ticked = tuple(each for each in planned if each in self.ticked)
        reasons = [(each, self.excuse_of(each)) for each in planned if each not in ticked]
        return ticked, tuple(
            ExcusedRegion(organ=each.organ, side=each.side, region=each.region, because=why)
            for each, why in reasons
            if why is not None
        )


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
            excused = _without(before.excused, region_key(region))
            return self._put(screening_id, replace(before, ticked=ticked, excused=excused))

    def excuse(self, screening_id: str, region: PlannedRegion, because: str | None) -> Checklist:
        """Note why a region has no pictures, None takes that back; it is then not ticked.

        Raises InvalidRecord `option_invalid` for a reason that is none of EXCUSES.
        """
        reason = next((each for each in EXCUSES if each == because), None)
        if because is not None and reason is None:
            raise InvalidRecord("option_invalid", f"say one of {', '.join(EXCUSES)}")
        with self._db.transaction():
            before = self.of(screening_id)
            excused = _without(before.excused, region_key(region))
            if reason is not None:
                excused[region_key(region)] = reason
            ticked = tuple(each for each in before.ticked if each != region)
            return self._put(screening_id, replace(before, ticked=ticked, excused=excused))

    def mark(self, screening_id: str, mark: Mark) -> Checklist:
        """Note a mark that is in the spool."""
        with self._db.transaction():
            before = self.of(screening_id)
            return self._put(screening_id, replace(before, marks=(*before.marks, mark)))

    def leave(self, screening_id: str, left_at: datetime | None) -> Checklist:
        """Note when she left the couch; None where she is back, or never had left it."""
        with self._db.transaction():
            return self._put(screening_id, replace(self.of(screening_id), left_at=left_at))

    def _put(self, screening_id: str, checklist: Checklist) -> Checklist:
        self._db.write(
            "INSERT INTO checklists VALUES (?, ?) ON CONFLICT DO UPDATE SET about = excluded.about",
            screening_id, self._vault.seal(_CHECKLIST.dump_json(checklist), screening_id),
        )  # fmt: skip
        return checklist


def _without(excused: Mapping[str, Excuse], key: str) -> dict[str, Excuse]:
    return {each: reason for each, reason in excused.items() if each != key}
