"""A woman with a breast lesion and a nodule, her report stored, and a broker whose records stand in the catalogue at
once."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from sonovan.clinical.category import categorised
from sonovan.contracts.errors import Transient
from sonovan.contracts.frames import Descriptor
from sonovan.contracts.lexicon import Organ
from sonovan.contracts.record import Record
from sonovan.contracts.results import Finding, IntendedUse, ScreeningAssessed, Sighting
from sonovan.reports.document import Visit, report_document
from sonovan.storage.catalogue.cine import pictures_between
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.catalogue.writing import write
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket, report_key
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.stream_apps.stage import Message
from tests.clinical.records import VAN, adequacy, assessed, sha
from tests.console.cine_scene import Clip, lesion, make_screening
from tests.console.world import Running, running
from tests.stream_apps.catalog.scene import Said, change, messages

SHE: Final = "0192f0c1-2345-7abc-8def-0123456789ab"
LEFT: Final = Clip("0192f0c1-2345-7abc-8def-000000000001", 12)
LOBE: Final = Clip("0192f0c1-2345-7abc-8def-000000000002", 6, organ="thyroid")


def said(**words: str) -> tuple[Descriptor, ...]:
    """What the machine's heads say of a lesion."""
    return tuple(Descriptor(name=name, value=value, probability=0.9) for name, value in words.items())


def findings() -> tuple[Finding, ...]:
    """A lesion of the left breast with a suspicious margin, and a solid nodule of the left lobe."""
    breast = lesion(LEFT, 4, 8, 1).model_copy(
        update={"malignant": 0.8, "descriptors": said(margin="spiculated", orientation="not_parallel")}
    )
    nodule = lesion(LOBE, 1, 3, 2).model_copy(
        update={"descriptors": said(composition="solid", echogenicity="hypoechoic")}
    )
    return categorised((breast, nodule))


@dataclass
class Signing:
    """A console, and what its broker does. away: the broker takes nothing. lags: the catalogue follows no topic.
    silent: the broker takes what is sent, and its acknowledgement is lost."""

    console: Running
    folder: Path
    intended_use: IntendedUse
    away: bool = False
    lags: bool = False
    silent: bool = False
    published: list[Record] = field(default_factory=list)
    _offset: int = 100_000
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, *records: Said) -> None:
        """Have these stand in the catalogue, each behind what stands there."""
        store = FolderStore(self.folder / "objects")
        with self._lock:
            database = open_database(sqlite_url(self.folder / "catalog.sqlite"))
            try:
                with database.writing() as connection:
                    write(connection, [change(_later(each, self._next()), store) for each in messages(records)])
            finally:
                database.close()

    def _next(self) -> int:
        self._offset += 1
        return self._offset

    def revise(self, number: int, found: Sequence[Finding] | None = None, **other: Any) -> ScreeningAssessed:
        """Publish another revision with a report."""
        store = FolderStore(self.folder / "objects")
        made = revision(store, number, findings() if found is None else found, self.intended_use, **other)
        self.write(made)
        return made


def revision(
    store: FolderStore, number: int, found: Sequence[Finding], use: IntendedUse, **other: Any
) -> ScreeningAssessed:
    """A revision whose report is stored."""
    rows = (
        adequacy(), adequacy(laterality="right", level="usable"), adequacy(organ="thyroid", level="usable"),
    )  # fmt: skip
    fields: dict[str, Any] = {
        "screening_id": SHE, "revision_number": number, "revision_id": sha(f"revision {number}"),
        "findings": tuple(found), "adequacy": rows, "frames": 18,
    }  # fmt: skip
    made = assessed(**{**fields, **other})
    document = json.dumps(
        report_document(made, intended_use=use, visit=Visit(None, None, frozenset({"examined_on"})))
    ).encode()
    named: dict[str, Any] = {}
    for kind, data in (("json", document), ("html", b"<!doctype html>")):
        digest = hashlib.sha256(data).hexdigest()
        key = report_key(VAN, made.screening_id, made.revision_id, digest, kind)
        if not store.exists(Bucket.REPORTS, key):
            store.put(Bucket.REPORTS, key, data, "application/octet-stream")
        named |= {f"report_{kind}_key": key, f"report_{kind}_sha256": digest}
    return made.model_copy(update=named)


def waiting(connection: Connection, store: FolderStore, number: int, use: IntendedUse) -> str:
    """Another woman with a sweep of three frames. Of every three one has a nodule, one a lesion, one nothing."""
    name = f"0192f0c1-2345-7abc-8def-0200000{number:05d}"
    organ: Organ = "thyroid" if number % 3 == 1 else "breast"
    clip = Clip(f"0192f0c1-2345-7abc-8def-0300000{number:05d}", 3, organ=organ)
    seen = lesion(clip, 0, 2)
    words = said(composition="solid", echogenicity="hypoechoic") if organ == "thyroid" else said(margin="spiculated")
    found = categorised((seen.model_copy(update={"descriptors": words}),)) if number % 3 else ()
    rows = (adequacy(organ=organ),)
    made = revision(
        store, 2, found, use, screening_id=name, revision_id=sha(f"revision of {name}"), adequacy=rows, frames=3
    )
    her = sha(f"subject {number}")
    make_screening(connection, store, name, [clip], findings=found, more=(made,), subject_key=her, age_years=52)
    return name


@contextmanager
def signing(
    folder: Path,
    intended_use: IntendedUse = "decision_support",
    *,
    left: Clip = LEFT,
    also: Callable[[Connection], None] | None = None,
    **settings: Any,
) -> Iterator[Signing]:
    """A console with her screening, its first revision with a report in the catalogue. also: writes what else stands
    there."""
    store, made = FolderStore(folder / "objects"), list[Signing]()

    def rows(connection: Connection) -> None:
        first = revision(store, 2, findings(), intended_use)
        make_screening(
            connection, store, SHE, [left, LOBE], findings=findings(), more=(first,), age_years=52,
            palpable_lump="left",
        )  # fmt: skip
        if also is not None:
            also(connection)

    def send(record: Record) -> None:
        (scene,) = made
        if scene.away:
            raise Transient("the broker is away")
        scene.published.append(record)
        if not scene.lags:
            scene.write(record)
        if scene.silent:
            raise Transient("not sent, or not known")

    with running(
        folder, rows=rows, send=send, intended_use=intended_use, **{"blind_share": 0.0, **settings}
    ) as console:
        made.append(Signing(console, folder, intended_use))
        yield made[0]


def with_pictures(desk: Signing, found: Sequence[Finding]) -> tuple[Finding, ...]:
    """The same findings, whose key frames name the pictures and masks that are stored."""
    return tuple(
        each.model_copy(update={"sightings": tuple(_with_picture(desk, one) for one in each.sightings)})
        for each in found
    )


def _with_picture(desk: Signing, seen: Sighting) -> Sighting:
    sequence_id, _, index = seen.key_frame_id.rpartition("/")
    with desk.console.console.catalogue.reading() as connection:
        (stored,) = pictures_between(connection, SHE, sequence_id, int(index), 1)
    names = ("image_key", "image_sha256", "mask_key", "mask_sha256")
    return seen.model_copy(update={name: getattr(stored, name) for name in names})


def _later(message: Message, offset: int) -> Message:
    """The same message behind all that stand there."""
    at = replace(message.at, offset=offset, appended_at=message.at.appended_at + timedelta(seconds=offset))
    return replace(message, at=at)
