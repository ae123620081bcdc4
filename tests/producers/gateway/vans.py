"""A gateway that runs in this process, and a scanner for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

from pydicom import Dataset, dcmread
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.sop_class import UltrasoundMultiFrameImageStorage, Verification  # type: ignore[attr-defined]

from sonovan.contracts.words import slip_number
from sonovan.producers.gateway.composing import Clean
from sonovan.producers.gateway.gateway import Desk, Gateway, open_desk
from sonovan.producers.gateway.intake import ARRIVED, Arrived
from sonovan.producers.gateway.register import Expected
from sonovan.producers.gateway.settings import ListenerOptions
from sonovan.producers.gateway.watching import Watch
from sonovan.producers.plan import both_sides
from sonovan.producers.spool import Disk, Spool
from sonovan.producers.vault import Vault
from tests.producers.files import grey, write_dicom
from tests.producers.visits import SIGNER, VISIT, vault_at
from tests.waiting import until

TODAY = date.today()
SLIP, OTHER_SLIP = slip_number("A", 17), slip_number("A", 18)


@dataclass
class Running:
    """A running gateway. told: its lines."""

    vault: Vault
    spool: Spool
    desk: Desk
    port: int = 0
    told: list[str] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)

    def expect(self, slip: str = SLIP, organ: str = "breast", accession: str | None = None) -> Expected:
        plan = both_sides([organ])  # type: ignore[list-item]  # one of the two organs
        return self.desk.register.expect(replace(VISIT, slip_number=slip, planned=plan), TODAY, accession)

    def settled(self) -> list[Arrived]:
        """Every object, once all were looked at."""
        until(lambda: not self.desk.intake.objects(ARRIVED), "every object was looked at", deadline_s=60)
        return self.desk.intake.objects()

    def fates(self) -> list[tuple[str, str | None]]:
        return [(each.state, each.reason) for each in self.settled()]


@contextmanager
def running(
    folder: Path,
    options: ListenerOptions | None = None,
    *,
    least_free_bytes: int = 2**20,
    clean: Clean = lambda source: source,
    watch: Watch | None = None,
    disk: Disk | None = None,
    earlier_bytes: int = 0,
) -> Iterator[Running]:
    """A gateway that uploads nothing, until the block ends. clean: by default no text is looked for. watch: by default
    one without a preview. disk: the spool's. earlier_bytes: of what it keeps for a woman's next visit.
    """
    vault = vault_at(folder)
    with Spool(folder / "spool", vault, disk=disk, earlier_bytes=earlier_bytes) as spool, open_desk(vault) as desk:
        found = Running(vault, spool, desk, watch=watch or Watch())
        chosen = options or ListenerOptions(port=0)
        gateway = Gateway("van-1", vault, spool, SIGNER, chosen, clean, found.told.append, found.watch)
        failed: list[BaseException] = []

        def run() -> None:
            try:
                gateway.run(least_free_bytes, listening=lambda port: setattr(found, "port", port))
            except BaseException as error:
                failed.append(error)

        thread = Thread(target=run)
        thread.start()
        try:
            until(lambda: found.port or failed, "it listens", deadline_s=60)
            if not failed:
                yield found
        finally:
            gateway.stop()
            thread.join()
        if failed:
            raise failed[0]


@contextmanager
def scanner(
    port: int, title: str = "SCANNER", called: str = "SONOVAN", classes: tuple[str, ...] = ()
) -> Iterator[Association]:
    """An association with a gateway, whether it was accepted or not; released at the end."""
    entity = AE(ae_title=title)
    for sop_class in (Verification, *(classes or (UltrasoundMultiFrameImageStorage,))):
        entity.add_requested_context(sop_class)
    association = entity.associate("127.0.0.1", port, ae_title=called)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def send(port: int, *files: Path, **more: object) -> list[int]:
    """The statuses that a scanner gets for these files."""
    datasets = [dcmread(each) for each in files]
    classes = tuple(dict.fromkeys(str(each.SOPClassUID) for each in datasets))
    with scanner(port, classes=classes, **more) as association:  # type: ignore[arg-type]
        return [int(association.send_c_store(each).Status) for each in datasets]


def study(path: Path, frames: int = 2, seed: int = 0, **tags: object) -> Path:
    """An object of a left breast with her slip number."""
    chosen: dict[str, Any] = {
        "PatientID": SLIP,
        "AccessionNumber": "",
        "Laterality": "L",
        "BodyPartExamined": "BREAST",
        **tags,
    }
    return write_dicom(path, [grey(seed=seed + index) for index in range(frames)], **chosen)


def identifier(**keys: object) -> Dataset:
    """A dataset with these keys."""
    found = Dataset()
    for name, value in keys.items():
        setattr(found, name, value)
    return found
