"""What scanners say they did (modality performed procedure step; PS3.4 annex F): which objects they made of whom.

The van compares it with what arrived: what a scanner made and never sent is named to the operator.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from pydantic import TypeAdapter
from pydicom import Dataset
from pynetdicom.dimse_primitives import N_CREATE, N_SET
from pynetdicom.events import Event

from sonovan.contracts.errors import SonovanError
from sonovan.producers.spool.database import Database
from sonovan.producers.vault import Vault

IN_PROGRESS, COMPLETED, DISCONTINUED = "IN PROGRESS", "COMPLETED", "DISCONTINUED"
_SUCCESS, _FAILED = 0x0000, 0x0110
_INVALID_VALUE, _DUPLICATE, _UNKNOWN = 0x0106, 0x0111, 0x0112


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one scanner. made: the UIDs of the objects that it made, known once it is over."""

    instance: str
    scanner: str
    status: str
    made: tuple[str, ...] = ()


_STEP: Final = TypeAdapter(Step)


class Steps:
    """The steps in a van's database. Methods raise Transient and Fatal as `Database` and `Vault` do."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault = db, vault

    def find(self, instance: str) -> Step | None:
        """The step of this UID."""
        hidden = self._hidden(instance)
        rows = self._db.read("SELECT about FROM steps WHERE instance = ?", hidden)
        return _STEP.validate_json(self._vault.unseal(rows[0][0], hidden)) if rows else None

    def put(self, step: Step) -> None:
        """Keep a step, in the place of what was known of it."""
        hidden = self._hidden(step.instance)
        with self._db.transaction():
            self._db.write(
                "INSERT INTO steps (instance, about) VALUES (?, ?) ON CONFLICT DO UPDATE SET about = excluded.about",
                hidden, self._vault.seal(_STEP.dump_json(step), hidden),
            )  # fmt: skip

    def missing(self, came: Callable[[str], bool]) -> list[tuple[Step, int]]:
        """The steps that are over and of which something never came, and how many objects.

        came: whether an object of this UID came, whatever became of it. What is whole is settled, and not asked again.
        """
        found = []
        for hidden, about in self._db.read("SELECT instance, about FROM steps WHERE settled = 0"):
            step = _STEP.validate_json(self._vault.unseal(about, hidden))
            absent = sum(not came(uid) for uid in step.made)
            if step.status == IN_PROGRESS:
                continue
            if absent:
                found.append((step, absent))
            else:
                self._settle(hidden)
        return found

    def give_up(self, instance: str) -> None:
        """Note that what never came of a step will not come; nothing where there is no such step."""
        self._settle(self._hidden(instance))

    def _settle(self, hidden: str) -> None:
        with self._db.transaction():
            self._db.write("UPDATE steps SET settled = 1 WHERE instance = ?", hidden)

    def _hidden(self, instance: str) -> str:
        return self._vault.mac(f"step {instance}")


class StepKeeper:
    """Answers N-CREATE and N-SET of scanners. tell: takes a line in which nobody is named."""

    def __init__(self, steps: Steps, has: Callable[[str], bool], tell: Callable[[str], None]) -> None:
        self._steps, self._has, self._tell = steps, has, tell

    def created(self, event: Event) -> tuple[int, Dataset | None]:
        """A step has begun."""
        request = event.request
        if not isinstance(request, N_CREATE) or not request.AffectedSOPInstanceUID:
            return _INVALID_VALUE, None
        said = event.attribute_list
        if str(said.get("PerformedProcedureStepStatus") or "") != IN_PROGRESS:
            return _INVALID_VALUE, None
        instance = str(request.AffectedSOPInstanceUID)
        try:
            if self._steps.find(instance) is not None:
                return _DUPLICATE, None
            self._steps.put(Step(instance, str(event.assoc.requestor.ae_title).strip(), IN_PROGRESS))
        except SonovanError as error:
            self._tell(str(error))
            return _FAILED, None
        return _SUCCESS, said

    def changed(self, event: Event) -> tuple[int, Dataset | None]:
        """A step goes on, or is over: then nothing of it may change any more."""
        request = event.request
        if not isinstance(request, N_SET):
            return _INVALID_VALUE, None
        said = event.modification_list
        status = str(said.get("PerformedProcedureStepStatus") or IN_PROGRESS)
        if status not in (IN_PROGRESS, COMPLETED, DISCONTINUED):
            return _INVALID_VALUE, None
        try:
            step = self._steps.find(str(request.RequestedSOPInstanceUID))
            if step is None:
                return _UNKNOWN, None
            if step.status != IN_PROGRESS:
                return _FAILED, None
            made = made_by(said) or step.made
            self._steps.put(replace(step, status=status, made=made))
            if status != IN_PROGRESS:
                absent = sum(not self._has(uid) for uid in made)
                self._tell(f"{step.scanner} ended a step: {len(made)} objects made, {absent} of them not here yet")
        except SonovanError as error:
            self._tell(str(error))
            return _FAILED, None
        return _SUCCESS, said


def made_by(said: Dataset) -> tuple[str, ...]:
    """The UIDs of the objects that a step's series name, each once."""
    names = ("ReferencedImageSequence", "ReferencedNonImageCompositeSOPInstanceSequence")
    series = said.get("PerformedSeriesSequence") or ()
    found = (item.get("ReferencedSOPInstanceUID") for each in series for name in names for item in each.get(name) or ())
    return tuple(dict.fromkeys(str(uid) for uid in found if uid))
